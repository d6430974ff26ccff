// The laws that every kind of object obeys by which requests are moved. A new kind adds a row of samples.

import fc from 'fast-check'
import jsonpatch from 'jsonpatch'
import { describe, expect, test } from 'vitest'

import { ESCAPE, RECORD, TRAFFIC } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { annotated } from '#core/admission/marks.ts'
import { difference } from '#core/admission/patch.ts'
import { reviewTraffic } from '#core/admission/traffic-review.ts'
import type { MergePatch } from '#core/change.ts'
import { formatRouteWish } from '#core/traffic/gateway-route.ts'
import type { TrafficProvider } from '#core/traffic/model.ts'
import { networkWish } from '#core/traffic/network-object.ts'
import type { NetworkConfig } from '#core/traffic/network-object.ts'
import { trafficProviders } from '#core/traffic/registry.ts'
import { pinTo, sharedBy } from '#core/traffic/service-pin.ts'
import { freedOwner } from '#core/traffic/wish.ts'
import { OVER } from '#core/traffic/wish.ts'
import { merge } from '../world/controller.ts'

/** What the laws need to know of a kind beside its provider. */
interface Sample {
  readonly objects: fc.Arbitrary<KubeObject>
  /** What our controller asks for, who has read the object. */
  readonly wishes: fc.Arbitrary<(object: KubeObject) => string>
  /** What somebody else may do to the field of a live object, and the same to the owner's. */
  readonly edits: fc.Arbitrary<(object: KubeObject) => KubeObject>
}

const whose = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const label = fc.constantFrom('app', 'tier', 'version')
const selectors = fc.dictionary(label, fc.constantFrom('a', 'b'), { minKeys: 1 })

function asService(selector: unknown): KubeObject {
  const spec = { ports: [{ port: 80 }], selector }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec } as KubeObject
}

const refs = fc.record(
  {
    name: fc.constantFrom('web', 'images', 'api'),
    port: fc.constantFrom(80, 8080),
    weight: fc.integer({ min: 0, max: 1000 }),
    kind: fc.constantFrom('Service', 'ServiceImport'),
  },
  { requiredKeys: ['name', 'port'] },
)
const headers = fc.uniqueArray(
  fc.record({ name: fc.constantFrom('a', 'b', 'user'), value: fc.constantFrom('1', '2') }),
  { minLength: 1, maxLength: 2, selector: ({ name }) => name },
)
const paths = fc.record({
  type: fc.constantFrom('Exact', 'PathPrefix'),
  value: fc.constantFrom('/', '/a'),
})
const matches = fc.array(fc.record({ path: paths, headers }, { requiredKeys: [] }), {
  maxLength: 2,
})
const rules = fc.record(
  {
    name: fc.constantFrom('one', 'two'),
    matches,
    filters: fc.constantFrom([{ type: 'RequestMirror' }], [{ type: 'URLRewrite', x: { y: 1 } }]),
    // One and the same backend twice in a rule has two weights, of which none is whose.
    backendRefs: fc.uniqueArray(refs, {
      maxLength: 3,
      selector: ({ name, port }) => `${name}:${port}`,
    }),
  },
  { requiredKeys: ['matches'] },
)
const distinct = fc.uniqueArray(rules, {
  maxLength: 4,
  selector: rule => rule.name ?? JSON.stringify(rule),
})

function asRoute(kind: string, all: unknown): KubeObject {
  const spec = { parentRefs: [{ name: 'gate' }], rules: all }
  const metadata = { name: 'web' }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind, metadata, spec } as KubeObject
}

interface Routed extends KubeObject {
  readonly spec: { readonly rules: readonly object[]; readonly selector: object }
}

function withSpec(object: KubeObject, change: (spec: Routed['spec']) => object): KubeObject {
  const { spec } = object as Routed
  return { ...object, spec: { ...spec, ...change(spec) } } as KubeObject
}

const foreignRule = { name: 'foreign', matches: [{ path: { type: 'Exact', value: '/healthz' } }] }

function sharing(): string {
  return sharedBy({ workload: whose, routes: [], routedTo: 'x' })
}

/** Whatever a rule matches, its backends are split. */
function routeSample(kind: string): Sample {
  return {
    objects: distinct.map(all => asRoute(kind, all)),
    wishes: fc
      .record(
        {
          percent: fc.integer({ min: 0, max: 100 }),
          matches,
          headers: fc.record({ set: headers }),
        },
        { requiredKeys: ['percent'] },
      )
      .map(
        split => () =>
          formatRouteWish({ workload: whose, service: 'web', canary: 'web-canary', split }),
      ),
    edits: fc.constantFrom<Sample['edits'] extends fc.Arbitrary<infer E> ? E : never>(
      object => withSpec(object, each => ({ rules: [foreignRule, ...each.rules] })),
      object => withSpec(object, each => ({ rules: [...each.rules, foreignRule] })),
      object => withSpec(object, () => ({ hostnames: ['example.com'] })),
    ),
  }
}

const samples: ReadonlyMap<string, Sample> = new Map([
  [
    'Service',
    {
      objects: selectors.map(asService),
      wishes: fc
        .dictionary(fc.constantFrom('pod-template-hash', 'tier'), fc.constant('x'))
        .map(labels => () => pinTo({ workload: whose, routes: [], labels }))
        .chain(pin => fc.constantFrom(pin, sharing)),
      edits: fc.constantFrom<Sample['edits'] extends fc.Arbitrary<infer E> ? E : never>(
        object => withSpec(object, ({ selector }) => ({ selector: { ...selector, more: 'yes' } })),
        object => withSpec(object, () => ({ ports: [{ port: 81 }] })),
      ),
    },
  ],
  ...(['HTTPRoute', 'GRPCRoute'] as const).map(kind => [kind, routeSample(kind)] as const),
  ...(['DestinationRule', 'VirtualService'] as const).map(
    kind => [kind, meshSample(kind)] as const,
  ),
])

/** A script may change whatever it likes: here it weighs the first rule, or puts rules of its own first. */
function meshSample(kind: string): Sample {
  const rule = fc.record(
    {
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      timeout: fc.constantFrom('1s', '2s'),
      route: fc.constant([{ destination: { host: 'web' } }]),
    },
    { requiredKeys: ['name', 'route'] },
  )
  const http = fc.uniqueArray(rule, { maxLength: 4, selector: ({ name }) => name })
  const words = fc.dictionary(label, fc.constant('x'), { maxKeys: 1 })
  const provider = trafficProviders.find(each => each.kind === kind)!
  const change = fc.record({
    weight: fc.constantFrom(10, 20),
    own: fc.integer({ min: 0, max: 2 }),
    words,
  })
  return {
    objects: fc.record({ http, words }).map(({ http: rules, words: labels }) => {
      const metadata = { name: 'web', labels, annotations: labels }
      const spec = { hosts: ['web'], http: rules }
      return { apiVersion: provider.apiVersion, kind, metadata, spec } as KubeObject
    }),
    wishes: change.map(({ weight, own, words: more }) => object => {
      const owner = freedOwner(provider, object)
      const { spec, labels, annotations } = owner as NetworkConfig & {
        readonly spec: { readonly http: readonly object[] }
      }
      const [first, ...others] = spec.http
      const route = [{ destination: { host: 'web' }, weight }, { destination: { host: 'new' } }]
      const ours = Array.from({ length: own }, (_, index) => ({ match: [index], weight }))
      const rules = [...ours, ...(first ? [{ ...first, route }] : []), ...others]
      const to = {
        spec: { ...spec, http: rules },
        labels,
        annotations: { ...annotations, ...more },
      }
      return networkWish(
        { workload: whose, service: 'web', owner, to },
        { before: undefined, now: 0 },
      )
    }),
    edits: fc.constantFrom<Sample['edits'] extends fc.Arbitrary<infer E> ? E : never>(
      object => withRules(object, each => [foreignRule, ...each]),
      object => withRules(object, each => [...each, foreignRule]),
      object => withSpec(object, () => ({ gateways: ['gate'] })),
    ),
  }
}

function withRules(object: KubeObject, change: (http: readonly object[]) => readonly object[]) {
  return withSpec(object, spec => {
    const { http } = spec as unknown as { readonly http: readonly object[] }
    return { http: change(http) }
  })
}

function wishing(object: KubeObject, wish: string): KubeObject {
  return annotated(object, { [TRAFFIC]: wish })
}

/** What is stored when our controller asks for it. */
function asked(provider: TrafficProvider, before: KubeObject, wish: string): KubeObject {
  const object = wishing(before, wish)
  return reviewTraffic({ provider, object, before, fromController: true })
}

/** What is stored when somebody else writes it. */
function written(provider: TrafficProvider, before: KubeObject, object: KubeObject): KubeObject {
  return reviewTraffic({ provider, object, before, fromController: false })
}

/** One for each kind: in all versions it is the same. */
const named = new Map(trafficProviders.map(provider => [provider.kind, provider]))

describe.each([...named])('%s', (kind, provider) => {
  const { objects, wishes, edits } = samples.get(kind)!

  test('the end of a wish leaves no trace, whatever the wishes were', () => {
    fc.assert(
      fc.property(objects, fc.array(wishes, { minLength: 1, maxLength: 3 }), (object, all) => {
        const held = all.reduce((before, wish) => asked(provider, before, wish(before)), object)
        const { annotations, ...metadata } = asked(provider, held, OVER).metadata
        const { annotations: own = {}, ...others } = object.metadata
        expect(annotations).toEqual(own)
        expect({ ...asked(provider, held, OVER), metadata }).toEqual({
          ...object,
          metadata: others,
        })
      }),
    )
  })

  test('a second look changes nothing, and the patch makes what was meant', () => {
    fc.assert(
      fc.property(objects, wishes, wishes, (object, first, second) => {
        const before = asked(provider, object, first(object))
        const request = wishing(before, second(before))
        const once = reviewTraffic({ provider, object: request, before, fromController: true })
        const twice = reviewTraffic({ provider, object: once, before, fromController: true })
        expect(twice).toEqual(once)
        expect(jsonpatch.apply_patch(request, [...difference(request, once)])).toEqual(once)
      }),
    )
  })

  test('whoever puts the same there again changes nothing, with our annotations or without', () => {
    fc.assert(
      fc.property(objects, wishes, (object, wish) => {
        const held = asked(provider, object, wish(object))
        expect(written(provider, held, held)).toEqual(held)
        expect(written(provider, held, object)).toEqual(held)
        const { annotations: _, ...others } = held.metadata
        const { annotations } = object.metadata
        const metadata = { ...others, ...(annotations && { annotations }) }
        expect(written(provider, held, { ...held, metadata })).toEqual(held)
      }),
    )
  })

  test("others' edits survive, and ours is there again", () => {
    fc.assert(
      fc.property(objects, wishes, edits, (object, wish, edit) => {
        const asIs = wish(object)
        const held = asked(provider, object, asIs)
        const stored = written(provider, held, edit(held))
        expect(stored).toEqual(asked(provider, written(provider, object, edit(object)), asIs))
        const free = asked(provider, stored, OVER)
        expect(provider.valueIn(free)).toEqual(provider.valueIn(edit(object)))
      }),
    )
  })

  test('a wish of others counts for nothing', () => {
    fc.assert(
      fc.property(objects, wishes, (object, wish) => {
        const copied = asked(provider, object, wish(object))
        const created = reviewTraffic({ provider, object: copied, fromController: false })
        expect(created.metadata.annotations).toEqual(object.metadata.annotations ?? {})
        expect(provider.valueIn(created)).toEqual(provider.valueIn(object))
        const stored = written(provider, object, wishing(object, wish(object)))
        expect(provider.valueIn(stored)).toEqual(provider.valueIn(object))
      }),
    )
  })

  test('the record is the patch that gives it back', () => {
    fc.assert(
      fc.property(objects, wishes, (object, wish) => {
        const asIs = wish(object)
        const held = asked(provider, object, asIs)
        const patch = JSON.parse(held.metadata.annotations![RECORD]!) as MergePatch
        const back = merge(held, patch) as KubeObject
        expect(provider.valueIn(back)).toEqual(provider.valueIn(object))
        expect(back.metadata.annotations).toEqual({
          ...object.metadata.annotations,
          [ESCAPE]: asIs,
        })
      }),
    )
  })

  test('of a record that somebody has damaged in the middle no mark of ours is left', () => {
    fc.assert(
      fc.property(objects, wishes, wishes, (object, wish, next) => {
        const held = asked(provider, object, wish(object))
        const before = annotated(held, { [RECORD]: '{' })
        const free = asked(provider, before, OVER)
        expect(free.metadata.annotations ?? {}).toEqual(object.metadata.annotations ?? {})
        if (!provider.notes) return
        // What its owner wants stands elsewhere as well.
        expect(provider.valueIn(free)).toEqual(provider.valueIn(object))
        expect(asked(provider, before, next(before))).toEqual(asked(provider, held, next(held)))
      }),
    )
  })

  test('a record that somebody has damaged harms nobody', () => {
    fc.assert(
      fc.property(objects, fc.constantFrom('', '{', '[]', '{"spec":null}'), (object, damaged) => {
        const before = annotated(object, { [RECORD]: damaged, [TRAFFIC]: 'nonsense' })
        expect(provider.valueIn(asked(provider, before, OVER))).toEqual(provider.valueIn(object))
        expect(provider.valueIn(written(provider, before, object))).toEqual(
          provider.valueIn(object),
        )
      }),
    )
  })
})

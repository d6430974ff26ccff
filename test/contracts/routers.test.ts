// The laws that every router obeys: what it does of its own, without the order in which the plan of requests asks
// for it. A new kind adds a row of samples.

import { describe, expect, test } from 'vitest'

import type { HTTPRoute, Ingress, KubeObject } from '#api/kubernetes.ts'
import { ESCAPE } from '#api/names.ts'
import type { TrafficRouting } from '#api/rollout.generated.ts'
import { annotated } from '#core/admission/marks.ts'
import { reviewTraffic } from '#core/admission/traffic-review.ts'
import { wordsOf } from '#core/change.ts'
import type { Change } from '#core/change.ts'
import { defined } from '#core/defined.ts'
import { equalJson } from '#core/equal.ts'
import type { Move } from '#core/move.ts'
import { scriptKey } from '#core/script.ts'
import type { ScriptAnswer } from '#core/script.ts'
import type { RouteRef, Routing, Split } from '#core/traffic/model.ts'
import { routers, trafficProviders } from '#core/traffic/registry.ts'
import type { RouteFound, Router, RouteUse, SplitAsked } from '#core/traffic/router.ts'
import { merge } from '../world/controller.ts'

/** What the laws need to know of a kind beside its router. */
interface Sample {
  /** As its owner wrote it. */
  readonly own: KubeObject
  /** An item of `trafficRoutings` that names it. */
  readonly routing: Omit<TrafficRouting, 'service'>
  /** What somebody else does to the object by which requests are split, and what is left of it at the end. */
  readonly edit: (object: KubeObject) => KubeObject
  /** What a script makes of it. */
  readonly answer?: (input: Input) => unknown
  /** The Service to which it sends requests for new pods. */
  readonly leadsTo: (split: KubeObject | undefined) => unknown
  /** Share of the requests that goes to new pods, in percent. */
  readonly share: (split: KubeObject | undefined) => number
  /** It leads elsewhere, and how that is said. */
  readonly elsewhere?: readonly [KubeObject, string]
}

interface Input {
  readonly weight: string
  readonly canaryWeight: number
  readonly canaryService: string
  readonly annotations: Readonly<Record<string, string>>
  readonly data: { readonly spec: Spec }
}
type Spec = Readonly<Record<string, unknown>>

const metadata = {
  namespace: 'shop',
  name: 'web',
  uid: 'own',
  labels: { team: 'shop' },
  annotations: { 'example.com/own': 'yes' },
}

function withSpec(object: KubeObject, change: (spec: Spec) => Spec): KubeObject {
  const { spec = {} } = object as KubeObject & { readonly spec?: Spec }
  return { ...object, spec: { ...spec, ...change(spec) } } as KubeObject
}

function ingressTo(service: string): Ingress {
  const backend = { service: { name: service, port: { number: 80 } } }
  const paths = [{ path: '/', pathType: 'Prefix', backend }]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec: { rules: [{ host: 'shop.example.com', http: { paths } }] },
  }
}

const GATEWAY_API = 'gateway.networking.k8s.io/v1'

function routeTo(name: string, kind: string): HTTPRoute {
  const rules = [{ name: 'all', backendRefs: [{ name, port: 80 }] }]
  const spec = { parentRefs: [{ name: 'gate' }], rules }
  return { apiVersion: GATEWAY_API, kind, metadata, spec }
}

/** By a Gateway, which routes either kind in the same way. */
function gatewayRoute(kind: string, routing: Sample['routing']): Sample {
  return {
    own: routeTo('web', kind),
    routing,
    edit: object =>
      withSpec(object, spec => ({ hostnames: ['example.com'], rules: spec['rules'] })),
    share(split) {
      const { rules = [] } = { ...(split as HTTPRoute | undefined)?.spec }
      const refs = (rules as readonly { readonly backendRefs?: readonly Backend[] }[]).flatMap(
        ({ backendRefs = [] }) => backendRefs,
      )
      return refs.find(({ name }) => name === 'web-canary')?.weight ?? 0
    },
    leadsTo(split) {
      const { rules = [] } = { ...(split as HTTPRoute | undefined)?.spec }
      const [{ backendRefs = [] } = {}] = rules as readonly { backendRefs?: readonly Backend[] }[]
      return backendRefs.at(-1)?.name
    },
    elsewhere: [routeTo('other', kind), `no rule of ${kind} web sends requests to Service web`],
  }
}

interface Backend {
  readonly name: string
  readonly weight?: number
}

const WEIGHT = 'example.com/weight'

function mesh(kind: string): Sample {
  const ref = { apiVersion: 'networking.istio.io/v1', kind, name: 'web' }
  const { apiVersion } = ref
  return {
    own: {
      apiVersion,
      kind,
      metadata,
      spec: { host: 'web', list: [{ name: 'all' }] },
    } as KubeObject,
    routing: { customNetworkRefs: [ref] },
    edit: object => withSpec(object, () => ({ timeout: '5s' })),
    answer: ({ data, canaryWeight, canaryService }) => ({
      ...data,
      spec: { ...data.spec, weight: canaryWeight, to: canaryService },
    }),
    leadsTo: split => (split as { spec?: Spec } | undefined)?.spec?.['to'],
    share: split => Number((split as { spec?: Spec } | undefined)?.spec?.['weight'] ?? 0),
  }
}

const samples: Readonly<Record<string, Sample>> = {
  Ingress: {
    own: ingressTo('web'),
    routing: { ingress: { name: 'web', classType: 'gate' } },
    edit: object => annotated(object, { theirs: 'yes' }),
    answer: ({ annotations, weight }) => ({ ...annotations, [WEIGHT]: weight }),
    share: split => Number(split?.metadata.annotations?.[WEIGHT] ?? 0),
    leadsTo: split => (split as Ingress).spec?.rules?.[0]?.http?.paths?.[0]?.backend?.service?.name,
    elsewhere: [ingressTo('other'), 'no path of Ingress web sends requests to Service web'],
  },
  HTTPRoute: gatewayRoute('HTTPRoute', { gateway: { httpRouteName: 'web' } }),
  GRPCRoute: gatewayRoute('GRPCRoute', {
    customNetworkRefs: [{ apiVersion: GATEWAY_API, kind: 'GRPCRoute', name: 'web' }],
  }),
  DestinationRule: mesh('DestinationRule'),
  VirtualService: mesh('VirtualService'),
}

/** In the version of the router. */
function sampleOf({ apiVersion, kind }: Router): Sample {
  const sample = samples[kind]!
  const { own, elsewhere } = sample
  const [other, why] = elsewhere ?? []
  return {
    ...sample,
    own: { ...own, apiVersion },
    ...(other && { elsewhere: [{ ...other, apiVersion }, why!] as const }),
  }
}

const script = { name: 'the script', text: 'return', remedy: 'mend it' }
const owner = {
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  uid: 'w',
}
// In the middle of a second: a grace period is no longer than was asked.
const NOW = Date.parse('2026-01-01T00:00:00.250Z')
const GRACE = 3

/** What the API server has, behind admission, and whoever routes by it. */
class Place {
  readonly sample: Sample
  readonly router: Router
  readonly ref: RouteRef
  readonly services: Pick<Routing, 'oneService'>
  readonly stored = new Map<string, KubeObject>()
  readonly answers = new Map<string, ScriptAnswer>()
  now = NOW
  writes = 0
  #versions = 0

  constructor(router: Router, services: Pick<Routing, 'oneService'> = {}) {
    this.router = router
    this.services = services
    this.sample = sampleOf(router)
    this.ref = router.refsIn({ service: 'web', ...this.sample.routing })[0]!
    this.put(this.sample.own)
  }

  /** By what requests are split: his, or ours beside it. */
  get split(): KubeObject | undefined {
    return this.stored.get(this.router.makes?.('web') ?? 'web')
  }

  get found(): RouteFound {
    const { router, ref, stored } = this
    const [object, made] = ['web', router.makes?.('web') ?? ''].map(name => stored.get(name))
    return defined({
      ref,
      object: object && router.see(object),
      made: made && router.see(made),
      script: router.scripted && script,
    })
  }

  use(of: RouteUse['owner'] | undefined = owner): RouteUse {
    const { services, ref } = this
    const routing = { service: 'web', routes: [ref], ...services, graceSeconds: GRACE }
    return { routing, answers: this.answers, ...(of && { owner: of }) }
  }

  asked(split: Split): SplitAsked {
    return { split, now: this.now }
  }

  put(object: KubeObject, fromController = false): void {
    const before = this.stored.get(object.metadata.name)
    const { apiVersion, kind } = object
    const provider = trafficProviders.find(
      each => each.apiVersion === apiVersion && each.kind === kind,
    )
    const review = { object, fromController, ...(before && { before }) }
    const stored = provider ? reviewTraffic({ provider, ...review }) : object
    this.#versions += 1
    const given = {
      uid: object.metadata.uid ?? 'made',
      resourceVersion: String(this.#versions),
      generation: this.#versions,
    }
    const metadata = { ...stored.metadata, ...given }
    this.stored.set(object.metadata.name, { ...stored, metadata })
  }

  write(change: Change): void {
    this.writes += 1
    if (change.type === 'create') return this.put(change.object, true)
    const before = this.stored.get(change.target.name)!
    expect(change.target.resourceVersion).toBe(before.metadata.resourceVersion)
    if (change.type === 'delete') this.stored.delete(change.target.name)
    else this.put(merge(before, change.patch) as KubeObject, true)
    return undefined
  }

  /** Runs the script, writes, lets time pass, or whoever routes say that he has seen it; once. */
  take({ run, changes, requeueAt, why, blocked }: Move): void {
    expect([why === '', blocked]).toEqual([false, undefined])
    if (run) {
      const returned = this.sample.answer!(run.input as Input)
      this.answers.set(scriptKey(run), { returned, at: this.now })
    } else if (changes[0]) this.write(changes[0])
    else if (requeueAt !== undefined) this.now = requeueAt
    else this.tell()
  }

  /** A gateway has taken the route over. */
  tell(): void {
    const object = this.stored.get('web')!
    const said = { observedGeneration: object.metadata.generation, reason: 'Yes', message: '' }
    const conditions = ['Accepted', 'ResolvedRefs'].map(type => ({ ...said, type, status: 'True' }))
    const parents = [{ parentRef: { name: 'gate' }, conditions }]
    this.stored.set('web', { ...object, status: { parents } } as KubeObject)
  }

  reach(next: () => Move | undefined): void {
    for (let round = 0; round < 20; round++) {
      const move = next()
      if (!move) return
      this.take(move)
    }
    expect.fail('it does not come to an end')
  }

  splitting(split: Split): Move | undefined {
    const [use, asked] = [this.use(), this.asked(split)]
    const { found, router } = this
    return (
      router.announced?.(found, use, asked) ??
      router.split(found, use, asked) ??
      router.splitSeen(found, use, asked)
    )
  }

  goingHome(of: RouteUse['owner'] | undefined = owner): Move | undefined {
    const use = this.use(of)
    return this.router.off(this.found, use, 'going home') ?? this.router.offSeen(this.found, use)
  }

  /** It is there, alone, as this is. */
  isAs(own: KubeObject): void {
    const [only, ...others] = [...this.stored.values()].map(asWritten)
    expect(others).toEqual([])
    expect(only).toEqual(asWritten(own))
  }
}

/** Without what the API server and whoever routes add. */
function asWritten(object: KubeObject): unknown {
  const { resourceVersion: _, generation: __, ...own } = object.metadata
  const { status: ___, ...others } = object as KubeObject & { readonly status?: unknown }
  return { ...others, metadata: own }
}

const share = (percent: number) => ({ percent })
const rows = routers.flatMap(router => {
  const name = `${router.apiVersion} ${router.kind}`
  const two = [name, router, {}] as const
  const one = [`${name}, one Service`, router, { oneService: true }] as const
  return router.betweenServices ? [two] : [two, one]
})

test('every router has a row', () => {
  const kinds = new Set(routers.map(({ kind }) => kind))
  expect(Object.keys(samples).toSorted()).toEqual([...kinds].toSorted())
})

describe.each(rows)('%s', (_, router, services) => {
  const { kind } = router
  const { own, elsewhere, edit, routing } = sampleOf(router)

  test('is named by what is its own in `trafficRoutings`, and by nothing else', () => {
    for (const other of routers) {
      const named = other.refsIn({ service: 'web', ...routing })
      expect(named).toHaveLength(other.kind === kind ? 1 : 0)
    }
    expect(router.refsIn({ service: 'web' })).toEqual([])
  })

  test('moves a share, then another, and does nothing twice', () => {
    const place = new Place(router, services)
    expect(router.trouble(place.found, place.use())).toBeUndefined()
    for (const percent of [20, 50]) {
      place.reach(() => place.splitting(share(percent)))
      expect(place.sample.share(place.split)).toBe(percent)
      const { writes } = place
      expect(place.splitting(share(percent))).toBeUndefined()
      expect(place.writes).toBe(writes)
    }
    // Where there is a Service of new pods to be known first, it is named before.
    expect(place.writes).toBe(router.betweenServices ? 3 : 2)
  })

  test.skipIf(!router.betweenServices)(
    'sends nobody to the Service of new pods before whoever routes knows it',
    () => {
      const place = new Place(router, services)
      const { sample } = place
      place.take(place.splitting(share(20))!)
      expect([sample.leadsTo(place.split), sample.share(place.split)]).toEqual(['web-canary', 0])
      expect(place.splitting(share(20))).toMatchObject({ changes: [] })
      place.tell()
      place.take(place.splitting(share(20))!)
      expect(sample.share(place.split)).toBe(20)
    },
  )

  test('leads to the Service that has new pods', () => {
    const place = new Place(router, services)
    place.reach(() => place.splitting(share(20)))
    const wanted = 'oneService' in services ? 'web' : 'web-canary'
    expect(place.sample.leadsTo(place.split)).toBe(wanted)
  })

  test('is not done before whoever routes has said so, or a grace period is over', () => {
    const place = new Place(router, services)
    place.reach(() => router.split(place.found, place.use(), place.asked(share(20))))
    const waits = place.splitting(share(20))
    expect(waits).toMatchObject({ changes: [] })
    if (waits?.requeueAt === undefined) return
    expect(waits.requeueAt).toBe(NOW + GRACE * 1000)
    place.now = waits.requeueAt - 1
    expect(place.splitting(share(20))).toBeDefined()
  })

  test('goes home and leaves no trace', () => {
    const place = new Place(router, services)
    place.reach(() => place.splitting(share(20)))
    place.reach(() => place.goingHome())
    place.isAs(own)
    expect(place.goingHome()).toBeUndefined()
    place.reach(() => place.splitting(share(30)))
    expect(place.sample.share(place.split)).toBe(30)
  })

  test('goes home also where its workload is gone and has left everything to nobody', () => {
    const place = new Place(router, services)
    place.reach(() => place.splitting(share(20)))
    for (const object of place.stored.values()) {
      const { ownerReferences: _, ...others } = object.metadata
      place.stored.set(object.metadata.name, { ...object, metadata: others })
    }
    const home = () => {
      const { routing: asked, answers } = place.use()
      const use = { routing: asked, answers }
      return router.off(place.found, use, 'going home') ?? router.offSeen(place.found, use)
    }
    place.reach(home)
    place.isAs(own)
  })

  test('what others edit in the middle survives, and the split does', () => {
    const place = new Place(router, services)
    place.reach(() => place.splitting(share(20)))
    place.put(edit(place.split!))
    place.reach(() => place.splitting(share(20)))
    expect(place.sample.share(place.split)).toBe(20)
    expect(asWritten(edit(place.split!))).toEqual(asWritten(place.split!))
    place.reach(() => place.goingHome())
    place.isAs(router.makes ? own : edit(own))
  })

  test('what others take away of ours comes back', () => {
    const place = new Place(router, services)
    place.reach(() => place.splitting(share(20)))
    if (router.makes) place.stored.delete(router.makes('web'))
    else place.put(own)
    place.reach(() => place.splitting(share(20)))
    expect(place.sample.share(place.split)).toBe(20)
    place.reach(() => place.goingHome())
    place.isAs(own)
  })

  test('what is refused is the same write a moment later, and another one for another share', () => {
    const place = new Place(router, services)
    const written = (percent: number, now: number) => {
      place.now = now
      for (;;) {
        const move = place.splitting(share(percent))!
        if (!move.run) return move.changes.map(wordsOf).join()
        place.take(move)
      }
    }
    const first = written(20, NOW)
    expect(written(20, NOW + 1000)).toBe(first)
    place.reach(() => place.splitting(share(20)))
    const again = written(50, NOW + 10_000)
    expect(written(50, NOW + 20_000)).toBe(again)
    expect(written(60, NOW + 20_000)).not.toBe(again)
  })

  test('one that is missing, or on its way out, is named, and keeps nobody from going home', () => {
    const place = new Place(router, services)
    const trouble = () => router.trouble(place.found, place.use())
    const gone = { ...own.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' }
    place.stored.set('web', { ...own, metadata: gone })
    expect(trouble()).toBe(`${kind} web does not exist`)
    place.stored.clear()
    expect(trouble()).toBe(`${kind} web does not exist`)
    expect(place.goingHome()).toBeUndefined()
  })

  test.runIf(elsewhere)('one that leads elsewhere is named', () => {
    const place = new Place(router, services)
    place.put(elsewhere![0])
    expect(router.trouble(place.found, place.use())).toBe(elsewhere![1])
  })

  test.runIf(router.headersAlone)(
    'matches that it does not know move nothing, and are named',
    () => {
      const headers = [{ name: 'user', value: 'tester' }]
      const path = { type: 'Exact', value: '/new' } as const
      const split = (...matches: NonNullable<Split['matches']>) => {
        const place = new Place(router, services)
        return router.split(place.found, place.use(), place.asked({ matches }))
      }
      expect(split({ headers })?.changes).toHaveLength(1)
      for (const more of [{ path }, { queryParams: headers }]) {
        const why = `${kind} web matches by headers alone`
        expect(split({ headers }, more)).toEqual({ changes: [], why, blocked: true })
      }
    },
  )

  test.runIf(router.scripted)('a script that is missing is named', () => {
    const place = new Place(router, services)
    const missing = { ...place.found, script: { missing: 'there is no script' } }
    expect(router.trouble(missing, place.use())).toBe('there is no script')
  })

  test.runIf(router.scripted)(
    'one that is taken away in the middle is named, and keeps nobody from going home',
    () => {
      const place = new Place(router, services)
      place.reach(() => place.splitting(share(20)))
      const without = () => ({ ...place.found, script: { missing: 'there is no script' } })
      expect(router.trouble(without(), place.use())).toBe('there is no script')
      expect(router.split(without(), place.use(), place.asked(share(50)))).toMatchObject({
        changes: [],
        why: 'there is no script',
        blocked: true,
      })
      expect(place.sample.share(place.split)).toBe(20)
      place.reach(() => {
        const [found, use] = [without(), place.use()]
        return router.off(found, use, 'going home') ?? router.offSeen(found, use)
      })
      place.isAs(own)
    },
  )

  test.runIf(router.makes)("somebody else's in the place of ours is named, and stays", () => {
    const place = new Place(router, services)
    const name = router.makes!('web')
    place.put({ ...own, metadata: { namespace: 'shop', name, uid: 'theirs' } })
    expect(router.trouble(place.found, place.use())).toBe(
      `${kind} ${name} was not made for this workload: rename it, or delete it`,
    )
    expect(place.goingHome()).toBeUndefined()
  })

  test.skipIf(router.makes)('one that its owner has taken over is named, and left alone', () => {
    const place = new Place(router, services)
    place.stored.set('web', annotated(own, { [ESCAPE]: '{}' }))
    expect(router.trouble(place.found, place.use())).toContain(`its owner took ${kind} web over`)
    expect(place.goingHome()).toBeUndefined()
  })

  test('of what is seen neither status nor the writers of fields are kept', () => {
    const managedFields = [{ manager: 'helm', operation: 'Apply' }]
    const whole = { ...own, metadata: { ...own.metadata, managedFields }, status: { ok: true } }
    const kept = JSON.stringify(router.see(whole))
    expect(kept).not.toMatch(/managedFields|"ok"/)
    expect(equalJson(router.see(whole), router.see(own))).toBe(true)
  })
})

// Requests move where one Service has the pods of both versions: by the routes alone.

import { describe, expect, test } from 'vitest'

import type { KubeObject, Service } from '#api/kubernetes.ts'
import { ESCAPE, RECORD, SERVICE_NAME, TRAFFIC } from '#api/names.ts'
import { annotated } from '../admission/marks.ts'
import { reviewTraffic } from '../admission/traffic-review.ts'
import { wordsOf } from '../change.ts'
import type { Change, MergePatch } from '../change.ts'
import { keyOf } from '../ref.ts'
import { scriptKey } from '../script.ts'
import { routingLeft } from './left.ts'
import type { TrafficProvider } from './model.ts'
import { trafficMove } from './moves.ts'
import { networkInput, networkWish } from './network-object.ts'
import { routerOf, trafficProviders } from './registry.ts'
import type { Routed, TrafficAim } from './routed.ts'
import { seeEndpoints, seeService } from './seen.ts'
import { services, sharedBy, sharedIn } from './service-pin.ts'
import { OVER } from './wish.ts'
import { merge } from '../../test/world/controller.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const BEFORE = '2025-12-31T23:59:57Z'
const workload = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const ref = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'web' }
const routing = { service: 'web', routes: [ref], oneService: true, graceSeconds: 3 } as const
const script = { name: 'the script', text: 'return', remedy: 'mend it' }
const provider = trafficProviders.find(({ apiVersion, kind }) => {
  return apiVersion === ref.apiVersion && kind === ref.kind
})!
const router = routerOf(ref)!

const web: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's', resourceVersion: '1' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
}
const metadata = { name: 'web', namespace: 'shop', uid: 'v', resourceVersion: '1' }
const own = { ...ref, metadata, spec: { hosts: ['web'] } } as KubeObject
const owner = { spec: { hosts: ['web'] }, labels: {}, annotations: {} }

/** What is stored when our controller asks for it. */
function wishing<O extends KubeObject>(of: TrafficProvider, before: O, wish: string): O {
  const object = annotated(before, { [TRAFFIC]: wish })
  return reviewTraffic({ provider: of, object, before, fromController: true }) as O
}

function shared(routedTo: string, unroutedSince?: string): Service {
  const since = unroutedSince !== undefined && { unroutedSince }
  return wishing(services, web, sharedBy({ workload, routes: [ref], routedTo, ...since }))
}

function split(weight: number, now = NOW - 5000): KubeObject {
  const to = { ...owner, spec: { hosts: ['web'], weight } }
  const said = { workload, service: 'web', owner, to }
  return wishing(provider, own, networkWish(said, { before: undefined, now }))
}

interface Scene {
  readonly service?: Service | null
  readonly route?: KubeObject
  /** Uids of ready pods behind the Service. */
  readonly ready?: readonly string[]
  readonly updated?: string
  readonly grace?: number
}

const shares = [0, 20, 100]
const answers = new Map(
  shares.map(percent => {
    const input = networkInput(owner, routing, { percent })
    const returned = { ...owner, spec: { hosts: ['web'], weight: percent } }
    return [scriptKey({ script, input }), { returned, at: NOW }] as const
  }),
)

function routed({ service = web, route = own, ready = [], ...scene }: Scene): Routed {
  const { updated = 'new', grace = 3 } = scene
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web', labels: { [SERVICE_NAME]: 'web' } },
    endpoints: ready.map(uid => ({
      conditions: { ready: true },
      targetRef: { kind: 'Pod', uid },
    })),
  }
  return {
    traffic: {
      routing: { ...routing, graceSeconds: grace },
      ...(service && { service: seeService(service) }),
      routes: [{ ref, object: router.see(route), script }],
      answers,
      endpoints: [seeEndpoints(slice)],
    },
    pods: {
      ref: { ...workload, namespace: 'shop' },
      uid: 'w',
      revisionLabel: 'pod-template-hash',
      stable: 'old',
      updated,
      updatePods: [{ uid: 'n1', readySince: 1 }],
      podLabels: {},
    },
  }
}

/** In words: what is written, and what is waited for. */
function next(scene: Scene, aim: TrafficAim): string {
  const move = trafficMove(routed(scene), aim, NOW)
  if (!move) return 'reached'
  const wrote = move.changes.map(inWords)
  return [...wrote, `${move.blocked ? 'blocked: ' : ''}${move.why}`].join('; ')
}

function inWords(change: Change): string {
  if (change.type !== 'patch') return change.type
  const { kind, name } = change.target
  const { [TRAFFIC]: wish, ...others } = change.patch['metadata']![
    'annotations' as never
  ] as Record<string, string>
  expect(Object.keys(change.patch)).toEqual(['metadata'])
  expect(others).toEqual({})
  const { to, routedTo, unroutedSince } = wish === OVER ? {} : (JSON.parse(wish!) as Wish)
  const words = to ? `weight ${to.spec.weight}` : [routedTo, unroutedSince].join(' ')
  return `${kind} ${name} ${wish === OVER ? OVER : words.trim()}`.trim()
}

interface Wish {
  readonly to?: { readonly spec: { readonly weight: number } }
  readonly routedTo?: string
  readonly unroutedSince?: string
}

const to = (aim: 'answered' | 'pinned' | 'stable' | 'new' | 'all') => ({ to: aim }) as const
const share = (percent: number) => ({ to: 'split', split: { percent } }) as const

test.each<[string, Scene, TrafficAim, string]>([
  [
    'it is remembered by what requests come, before a new pod starts',
    { updated: '' },
    to('pinned'),
    'Service web; letting Service web remember by what its requests come',
  ],
  ['and nothing else is waited for', { service: shared(''), updated: '' }, to('pinned'), 'reached'],
  [
    'before the first request is sent to new pods it is remembered to whose',
    { service: shared(''), ready: ['o1', 'n1'] },
    share(20),
    'Service web new; letting Service web remember that routes send requests to new pods',
  ],
  [
    'there is none yet',
    { service: shared(''), updated: '' },
    share(20),
    'waiting for the new version to be made',
  ],
  [
    'requests wait for a new pod that is ready where they go',
    { service: shared('new'), ready: ['o1'] },
    share(20),
    'blocked: 1 new pod is Ready, and none in Service web: see that its selector and its ports fit them',
  ],
  [
    'then the routes are split',
    { service: shared('new'), ready: ['o1', 'n1'] },
    share(20),
    'VirtualService web weight 20; sending 20% of the requests to new pods by VirtualService web',
  ],
  [
    'a share of nothing is for the script to say',
    { service: shared('new'), ready: ['o1', 'n1'] },
    share(0),
    'VirtualService web weight 0; sending 0% of the requests to new pods by VirtualService web',
  ],
  [
    'and it is there',
    { service: shared('new'), route: split(20), ready: ['n1'] },
    share(20),
    'reached',
  ],
  [
    'a step to come keeps it',
    { service: shared('new'), route: split(20), ready: ['n1'] },
    to('pinned'),
    'reached',
  ],
  [
    'requests come back where nobody answers any more',
    { service: shared('new'), route: split(20), ready: ['o1'] },
    to('answered'),
    'VirtualService web over; no new pod is ready in Service web: its requests go to the stable ones',
  ],
  [
    'they leave pods of another version before those leave',
    { service: shared('other'), route: split(20), ready: ['n1'] },
    to('pinned'),
    'VirtualService web over; sending no requests to new pods by the route',
  ],
  [
    'and get their grace period',
    { service: shared('other', BEFORE), grace: 4 },
    to('pinned'),
    'giving requests under way 4 s',
  ],
  ['but once', { service: shared('other', BEFORE) }, to('pinned'), 'reached'],
  [
    'the next one has a grace period of its own',
    { service: shared('other', BEFORE), ready: ['n1'] },
    share(20),
    'Service web new; letting Service web remember that routes send requests to new pods',
  ],
])('forward: %s', (_, scene, aim, line) => {
  expect(next(scene, aim)).toBe(line)
})

test.each<[string, Scene, TrafficAim, string]>([
  [
    'requests leave first',
    { service: shared('new'), route: split(20) },
    to('stable'),
    'VirtualService web over; sending no requests to new pods by the route',
  ],
  [
    'the grace period begins then',
    { service: shared('new') },
    to('stable'),
    'Service web new 2026-01-01T00:00:00Z; letting Service web remember when requests went away from new pods',
  ],
  [
    'and is waited for',
    { service: shared('new', '2026-01-01T00:00:00Z') },
    to('stable'),
    'giving requests under way 3 s',
  ],
  ['then pods may leave', { service: shared('new', BEFORE) }, to('stable'), 'reached'],
  ['without a grace period at once', { service: shared('new'), grace: 0 }, to('stable'), 'reached'],
  ['where none were sent at once', { service: shared('') }, to('stable'), 'reached'],
  [
    'the Service is freed after its routes',
    { service: shared('new'), route: split(20) },
    to('all'),
    'VirtualService web over; sending no requests to new pods by the route',
  ],
  [
    'and after the grace period',
    { service: shared('new', BEFORE) },
    to('all'),
    'Service web over; letting Service web forget by what its requests come',
  ],
  ['and that is all', {}, to('all'), 'reached'],
  [
    'blue-green: the routes send everybody to new pods',
    { service: shared('new'), route: split(20), ready: ['o1', 'n1'] },
    to('new'),
    'VirtualService web weight 100; sending 100% of the requests to new pods by VirtualService web',
  ],
  [
    'not where none of them is ready',
    { service: shared('new'), route: split(20), ready: ['o1'] },
    to('new'),
    'VirtualService web over; no new pod is ready in Service web: its requests go to the stable ones',
  ],
  [
    'then all others may leave',
    { service: shared('new'), route: split(100), ready: ['o1', 'n1'] },
    to('new'),
    'reached',
  ],
])('back: %s', (_, scene, aim, line) => {
  expect(next(scene, aim)).toBe(line)
})

test('what is in the way is named', () => {
  expect(next({ service: null }, to('pinned'))).toBe('blocked: Service web does not exist')
  const taken = annotated(web, { [ESCAPE]: '{}' }) as Service
  expect(next({ service: taken }, to('pinned'))).toContain('its owner took Service web over')
})

test('a route that needs a Service for new pods alone is named, whoever has named it', () => {
  const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', name: 'web' }
  const { traffic, ...others } = routed({})
  const named = { ...traffic, routes: [{ ref: route }] }
  expect(trafficMove({ traffic: named, ...others }, to('pinned'), NOW)).toEqual({
    changes: [],
    why: 'HTTPRoute web tells new pods by a Service of their own, and none is made: move requests by an Ingress or by customNetworkRefs',
    blocked: true,
  })
})

test('when requests went away is the same write a moment later', () => {
  const scene = routed({ service: shared('new') })
  const [first, second] = [NOW, NOW + 1000].map(
    now => trafficMove(scene, to('stable'), now)!.changes[0]!,
  )
  expect(first).not.toEqual(second)
  expect(wordsOf(first!)).toBe(wordsOf(second!))
})

test('of a workload that is gone the Service is freed last, and nothing is waited for', () => {
  const left = (scene: Scene) => trafficMove({ traffic: routed(scene).traffic }, to('all'), NOW)
  expect(left({ service: shared('new'), route: split(20) })?.changes.map(inWords)).toEqual([
    'VirtualService web over',
  ])
  expect(left({ service: shared('new') })?.changes.map(inWords)).toEqual(['Service web over'])
  expect(left({})).toBeUndefined()
})

describe('the Service', () => {
  test('selects as its owner wrote, at every moment', () => {
    const held = shared('new', BEFORE)
    expect(held.spec).toEqual(web.spec)
    expect(sharedIn(held.metadata.annotations![TRAFFIC]!)).toEqual({
      routedTo: 'new',
      unroutedSince: BEFORE,
    })
    expect(wishing(services, held, OVER)).toEqual({
      ...web,
      metadata: { ...web.metadata, annotations: {} },
    })
  })

  test('is given back by what stands on it', () => {
    const held = shared('new')
    const record = JSON.parse(held.metadata.annotations![RECORD]!) as MergePatch
    const back = merge(held, record) as Service
    expect(back.spec).toEqual(web.spec)
    expect(Object.keys(back.metadata.annotations!)).toEqual([ESCAPE])
    expect(next({ service: back }, to('all'))).toBe('reached')
  })

  test('tells whoever finds it alone by what its requests come', () => {
    const seen = seeService(shared(''))
    expect(seen.workload).toBe(keyOf({ ...workload, namespace: 'shop' }))
    expect(routingLeft([seen], [])).toEqual(routing)
  })
})

import { describe, expect, test } from 'vitest'

import type { EndpointSlice, HTTPRoute, KubeObject, Service } from '#api/kubernetes.ts'
import { ESCAPE, SERVICE_NAME, TRAFFIC, UNROUTED } from '#api/names.ts'
import { annotated } from '../admission/marks.ts'
import { reviewTraffic } from '../admission/traffic-review.ts'
import { wordsOf } from '../change.ts'
import { defined } from '../defined.ts'
import { keyOf } from '../ref.ts'
import { httpRoutes } from './gateway-route.ts'
import { routingLeft, workloadsOf } from './left.ts'
import type { RouteRef, TrafficProvider } from './model.ts'
import { trafficMove } from './moves.ts'
import type { Routed, TrafficAim } from './routed.ts'
import { seeEndpoints, seeRoute, seeService } from './seen.ts'
import { pinTo, services } from './service-pin.ts'
import { OVER } from './wish.ts'

const whose = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const ref = { apiVersion: httpRoutes.apiVersion, kind: 'HTTPRoute', name: 'web' }
const NOW = Date.parse('2026-01-01T00:00:00Z')

const web: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's', resourceVersion: '1' },
  spec: {
    type: 'NodePort',
    clusterIP: '10.0.0.1',
    selector: { app: 'web' },
    ports: [{ port: 80, nodePort: 30080 }],
  },
}

const route: HTTPRoute = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web', namespace: 'shop', uid: 'r', resourceVersion: '1', generation: 1 },
  spec: {
    parentRefs: [{ name: 'gate' }],
    rules: [{ backendRefs: [{ name: 'web', port: 80, weight: 1 }] }],
  },
}

/** What is stored when our controller asks for it. */
function wishing<O extends KubeObject>(provider: TrafficProvider, before: O, wish: string): O {
  const object = annotated(before, { [TRAFFIC]: wish })
  return reviewTraffic({ provider, object, before, fromController: true }) as O
}

/** A gateway says of it what the conditions are, of the generation. */
function told(object: HTTPRoute, generation: number, resolved = 'True', since?: number): HTTPRoute {
  const reason = { reason: 'BackendNotFound', message: 'no web' }
  const lastTransitionTime = since === undefined ? since : new Date(since).toISOString()
  const said = defined({ observedGeneration: generation, ...reason, lastTransitionTime })
  const conditions = [
    { ...said, type: 'Accepted', status: 'True' },
    { ...said, type: 'ResolvedRefs', status: resolved },
  ]
  return { ...object, status: { parents: [{ parentRef: { name: 'gate' }, conditions }] } }
}

function at(object: HTTPRoute, generation: number): HTTPRoute {
  return { ...object, metadata: { ...object.metadata, generation } }
}

const canary: Service = {
  ...web,
  metadata: {
    ...web.metadata,
    name: 'web-canary',
    uid: 'c',
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'w', controller: true },
    ],
  },
  spec: { selector: { app: 'web', 'pod-template-hash': 'new' }, ports: [{ port: 80 }] },
}

function pin(version: string) {
  const labels = { 'pod-template-hash': version }
  return { workload: whose, routes: [ref], labels }
}

const pinned = wishing(services, web, pinTo(pin('old')))
const pinnedNew = wishing(services, web, pinTo(pin('new')))
const splitWish =
  '{"workload":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"service":"web","canary":"web-canary","split":{"percent":20}}'
const namedWish = splitWish.replace('20', '0')
const named = at(wishing(httpRoutes, route, namedWish), 2)
const split = at(wishing(httpRoutes, route, splitWish), 2)
const back = at(wishing(httpRoutes, split, OVER), 3)

interface Scene {
  readonly service?: Service | null
  readonly canary?: Service
  readonly route?: HTTPRoute | null
  /** Another one that sends requests to the Service, too. */
  readonly beside?: RouteRef
  /** One by which they can be moved. */
  readonly second?: HTTPRoute
  /** Uids of ready pods by Service. */
  readonly ready?: Readonly<Record<string, readonly string[]>>
  readonly updated?: string
  /** The new pod is not Ready. */
  readonly broken?: true
  /** Since when it is. */
  readonly readySince?: number
  readonly grace?: number
}

function slice(service: string, uids: readonly string[]): EndpointSlice {
  const metadata = { name: service, labels: { [SERVICE_NAME]: service } }
  const endpoints = uids.map(uid => ({
    conditions: { ready: !uid.startsWith('unready') },
    targetRef: { kind: 'Pod', uid },
  }))
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, endpoints }
}

function routesOf({ route: way = route, beside, second }: Scene): Routed['traffic']['routes'] {
  const own = { ref, ...(way && { object: seeRoute(way) }) }
  const others = second ? [{ ref: { ...ref, name: 'second' }, object: seeRoute(second) }] : []
  return beside ? [own, { ref: beside }, ...others] : [own, ...others]
}

function routed(scene: Scene): Routed {
  const { service = web, canary: beside, ready = {}, updated = 'new' } = scene
  const { readySince = 1 } = scene
  const newPod = { uid: 'n1', ...(!scene.broken && { readySince }) }
  return {
    traffic: {
      routing: { service: 'web', routes: [ref], graceSeconds: scene.grace ?? 3 },
      ...(service && { service: seeService(service) }),
      ...(beside && { canary: seeService(beside) }),
      routes: routesOf(scene),
      answers: new Map(),
      endpoints: Object.entries(ready).map(([name, uids]) => seeEndpoints(slice(name, uids))),
    },
    pods: {
      ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      uid: 'w',
      revisionLabel: 'pod-template-hash',
      stable: 'old',
      updated,
      updatePods: [newPod],
      podLabels: {},
    },
  }
}

/** In words: what is written, and what is waited for. */
function next(scene: Scene, aim: TrafficAim): string {
  const move = trafficMove(routed(scene), aim, NOW)
  if (!move) return 'reached'
  const wrote = move.changes.map(change => {
    if (change.type === 'create') return `create ${change.object.metadata.name}`
    const { kind, name } = change.target
    if (change.type === 'delete') return `delete ${name}`
    const { metadata, spec } = change.patch as { metadata?: KubeObject['metadata']; spec?: object }
    const said = Object.values({ ...metadata?.annotations })
    const words = said.join().replace(/"workload":.*(?="labels")/, '')
    return `${kind} ${name} ${spec ? JSON.stringify(spec) : words}`
  })
  return [...wrote, `${move.blocked ? 'blocked: ' : ''}${move.why}`].join('; ')
}

function withPort(service: Service, port: number): Service {
  return { ...service, spec: { ...service.spec, ports: [{ port, nodePort: 30_080 }] } } as Service
}

const to = (aim: 'answered' | 'pinned' | 'stable' | 'new' | 'all') => ({ to: aim }) as const
const share = { to: 'split', split: { percent: 20 } } as const

const answering: Scene = { service: pinned, canary, ready: { 'web-canary': ['n1'] } }
const unknown = 'waiting for Gateway gate to know Service web-canary, to which no request goes'

describe('forward', () => {
  test.each<[string, Scene, TrafficAim, string]>([
    [
      'the Service selects stable pods before a new one may start',
      {},
      to('pinned'),
      'Service web {"labels":{"pod-template-hash":"old"}}; letting Service web select stable pods alone',
    ],
    [
      'its endpoints are a moment behind',
      { service: pinned, ready: { web: ['o1', 'n1'] } },
      to('pinned'),
      'waiting for Service web to leave new pods out',
    ],
    [
      'who is not ready receives nothing',
      { service: pinned, ready: { web: ['o1'] } },
      to('pinned'),
      'reached',
    ],
    [
      'the Service of new pods is made',
      { service: pinned },
      share,
      'create web-canary; creating Service web-canary',
    ],
    [
      'when requests went away before counts for nothing',
      {
        service: pinned,
        canary: annotated(canary, { [UNROUTED]: '2025-12-31T23:59:57Z' }) as Service,
      },
      share,
      'Service web-canary {"selector":{"app":"web","pod-template-hash":"new"},"ports":[{"port":80}]}; letting Service web-canary select new pods',
    ],
    [
      'its ports are those of the stable one, also when they change',
      { service: withPort(pinned, 8080), canary },
      share,
      'Service web-canary {"selector":{"app":"web","pod-template-hash":"new"},"ports":[{"port":8080}]}; letting Service web-canary select new pods',
    ],
    [
      'requests wait for a ready new pod',
      { service: pinned, canary, ready: { 'web-canary': ['unready'] }, broken: true },
      share,
      'no new pod is ready in Service web-canary: its requests go to the stable ones',
    ],
    [
      'the Service is a moment behind it',
      { service: pinned, canary, readySince: NOW - 9999 },
      share,
      'no new pod is ready in Service web-canary: its requests go to the stable ones',
    ],
    [
      'one that does not find it by then does not fit it',
      { service: pinned, canary, readySince: NOW - 10_000 },
      share,
      'blocked: 1 new pod is Ready, and none in Service web-canary: see that its selector and its ports fit them',
    ],
    [
      'then gateways learn of the Service, by a share of nothing',
      { service: pinned, canary, ready: { 'web-canary': ['n1'] } },
      share,
      `HTTPRoute web ${namedWish}; naming Service web-canary in HTTPRoute web, with no requests yet`,
    ],
    [
      'one that has not read it yet would send requests nowhere',
      { ...answering, route: told(named, 1) },
      share,
      `${unknown} yet`,
    ],
    [
      'one that does not know the Service yet would as well',
      { ...answering, route: told(named, 2, 'False', NOW - 9999) },
      share,
      `${unknown} yet: BackendNotFound: no web`,
    ],
    [
      'and is not waited for without end',
      { ...answering, route: told(named, 2, 'False', NOW - 10_000) },
      share,
      `blocked: ${unknown} yet: BackendNotFound: no web`,
    ],
    [
      'one that does not say since when has always been so',
      { ...answering, route: told(named, 2, 'False') },
      share,
      `blocked: ${unknown} yet: BackendNotFound: no web`,
    ],
    [
      'no route sends anybody there before the gateways of all know it',
      { ...answering, route: told(named, 2), second: route },
      share,
      `HTTPRoute web ${namedWish}; naming Service web-canary in HTTPRoute second, with no requests yet`,
    ],
    [
      'then the route is split',
      { ...answering, route: told(named, 2) },
      share,
      `HTTPRoute web ${splitWish}; sending 20% of the requests to new pods`,
    ],
    [
      'the gateway takes it over',
      { service: pinned, canary, ready: { 'web-canary': ['n1'] }, route: told(split, 1) },
      share,
      'waiting for Gateway gate to take HTTPRoute web over',
    ],
    [
      'a gateway that refuses it says why',
      { service: pinned, canary, ready: { 'web-canary': ['n1'] }, route: told(split, 2, 'False') },
      share,
      'blocked: Gateway gate does not route HTTPRoute web: BackendNotFound: no web',
    ],
    [
      'and it is there',
      { service: pinned, canary, ready: { 'web-canary': ['n1'] }, route: told(split, 2) },
      share,
      'reached',
    ],
    [
      'requests come back where nobody answers any more',
      { service: pinned, canary, ready: {}, route: told(split, 2) },
      share,
      'HTTPRoute web over; no new pod is ready in Service web-canary: its requests go to the stable ones',
    ],
    [
      'nobody is sent to a version that leaves',
      { service: pinned, canary, updated: 'newer', route: told(split, 2) },
      to('pinned'),
      'HTTPRoute web over; sending no requests to new pods by the route',
    ],
    [
      'nobody answers before the first request is sent',
      { service: pinned, canary, ready: {}, route: told(named, 2) },
      share,
      'HTTPRoute web over; no new pod is ready in Service web-canary: its requests go to the stable ones',
    ],
    [
      'a share of nothing takes the split out',
      { service: pinned, canary, ready: { 'web-canary': ['n1'] }, route: told(split, 2) },
      { to: 'split', split: { percent: 0 } },
      'HTTPRoute web over; taking the split out of the route',
    ],
  ])('%s', (_, scene, aim, line) => {
    expect(next(scene, aim)).toBe(line)
  })

  test('what the Service does not find is looked at again in time', () => {
    const readySince = NOW - 1000
    const { requeueAt } = trafficMove(routed({ service: pinned, canary, readySince }), share, NOW)!
    expect(requeueAt).toBe(NOW + 9000)
  })

  test('the copy asks for nothing that the API server gives to one alone', () => {
    const [change] = trafficMove(routed({ service: pinned }), share, NOW)!.changes
    expect(change).toMatchObject({
      object: {
        metadata: { name: 'web-canary', annotations: {}, ownerReferences: [{ uid: 'w' }] },
        spec: {
          type: 'NodePort',
          selector: { app: 'web', 'pod-template-hash': 'new' },
          ports: [{ port: 80 }],
        },
      },
    })
    expect(JSON.stringify(change)).not.toMatch(/nodePort|clusterIP/)
  })
})

describe('back', () => {
  const unrouted = annotated(canary, { [UNROUTED]: '2026-01-01T00:00:00Z' }) as Service
  const longAgo = annotated(canary, { [UNROUTED]: '2025-12-31T23:59:57Z' }) as Service
  test.each<[string, Scene, TrafficAim, string]>([
    [
      'requests leave first',
      { service: pinned, canary, route: told(split, 2) },
      to('stable'),
      'HTTPRoute web over; sending no requests to new pods by the route',
    ],
    [
      'the gateway has to know',
      { service: pinned, canary, route: told(back, 2) },
      to('stable'),
      'waiting for Gateway gate to take HTTPRoute web over',
    ],
    [
      'the grace period begins then',
      { service: pinned, canary, route: told(back, 3) },
      to('stable'),
      'Service web-canary 2026-01-01T00:00:00Z; noting when requests went away from new pods',
    ],
    [
      'and is waited for',
      { service: pinned, canary: unrouted, route: told(back, 3) },
      to('stable'),
      'giving requests under way 3 s',
    ],
    [
      'then the Service goes',
      { service: pinned, canary: longAgo, route: told(back, 3) },
      to('stable'),
      'delete web-canary; taking Service web-canary away',
    ],
    [
      'without a grace period at once',
      { service: pinned, canary, route: told(back, 3), grace: 0 },
      to('stable'),
      'delete web-canary; taking Service web-canary away',
    ],
    ['and that is all', { service: pinned, route: told(back, 3) }, to('stable'), 'reached'],
    [
      'a gateway that refuses everything does not keep anybody',
      { service: pinned, canary: longAgo, route: told(back, 3, 'False') },
      to('stable'),
      'delete web-canary; taking Service web-canary away',
    ],
    [
      'nor does a route that is gone',
      { service: pinned, canary, route: null, grace: 0 },
      to('stable'),
      'delete web-canary; taking Service web-canary away',
    ],
  ])('%s', (_, scene, aim, line) => {
    expect(next(scene, aim)).toBe(line)
  })
})

describe('at the end', () => {
  test.each<[string, Scene, TrafficAim, string]>([
    [
      'the Service selects all pods before the route sends everything there',
      { service: pinned, canary, route: told(split, 2), ready: { web: ['o1'] } },
      to('all'),
      'Service web over; letting Service web select all pods',
    ],
    [
      'and has them',
      { canary, route: told(split, 2), ready: { web: ['o1'] } },
      to('all'),
      'waiting for Service web to have new pods again',
    ],
    [
      'then the split goes',
      { canary, route: told(split, 2), ready: { web: ['o1', 'n1'] } },
      to('all'),
      'HTTPRoute web over; sending no requests to new pods by the route',
    ],
    [
      'a Service that is gone is nobody’s trace',
      { service: null, route: null },
      to('all'),
      'reached',
    ],
    [
      'blue-green: the Service selects new pods alone',
      {
        service: pinned,
        canary,
        route: told(split, 2),
        ready: { web: ['o1'], 'web-canary': ['n1'] },
      },
      to('new'),
      'Service web {"labels":{"pod-template-hash":"new"}}; letting Service web select new pods alone',
    ],
    [
      'not while no new pod is ready: those that the route sends there come home',
      { service: pinned, canary, route: told(split, 2), ready: { web: ['o1'] } },
      to('new'),
      'HTTPRoute web over; no new pod is ready: Service web goes on selecting as it does',
    ],
    [
      'and it waits for one',
      { service: pinned, canary, route: told(back, 3), ready: { web: ['o1'] } },
      to('new'),
      'blocked: no new pod is ready: Service web goes on selecting as it does',
    ],
    [
      'also where no other Service tells of it',
      { service: pinned, ready: { web: ['o1'] }, broken: true },
      to('new'),
      'blocked: no new pod is ready: Service web goes on selecting as it does',
    ],
    [
      'one that no Service selects has to be Ready itself',
      { service: pinned, ready: { web: ['o1'] } },
      to('new'),
      'Service web {"labels":{"pod-template-hash":"new"}}; letting Service web select new pods alone',
    ],
    [
      'one that the Service has already is enough',
      { ready: { web: ['o1', 'n1'] } },
      to('new'),
      'Service web {"labels":{"pod-template-hash":"new"}}; letting Service web select new pods alone',
    ],
    [
      'once it selects them it goes on to',
      { service: pinnedNew, broken: true },
      to('new'),
      'waiting for Service web to have ready new pods, and no others',
    ],
    [
      'and has nobody else',
      { service: pinnedNew, canary, route: told(split, 2), ready: { web: ['o1', 'n1'] } },
      to('new'),
      'waiting for Service web to have ready new pods, and no others',
    ],
    [
      'then the split goes',
      { service: pinnedNew, canary, route: told(split, 2), ready: { web: ['n1'] } },
      to('new'),
      'HTTPRoute web over; sending no requests to new pods by the route',
    ],
  ])('%s', (_, scene, aim, line) => {
    expect(next(scene, aim)).toBe(line)
  })
})

describe('what is in the way is named', () => {
  const foreign = { ...canary, metadata: { ...canary.metadata, ownerReferences: [] } }
  const noRule = { ...route, spec: { ...route.spec, rules: [{ backendRefs: [{ name: 'x' }] }] } }
  test.each<[string, Scene, string]>([
    ['no Service', { service: null }, 'blocked: Service web does not exist'],
    [
      'a Service without a selector',
      { service: { ...web, spec: {} } },
      'blocked: Service web has no selector, so it sends requests elsewhere',
    ],
    ['no route', { route: null }, 'blocked: HTTPRoute web does not exist'],
    [
      'a route of others',
      { route: noRule },
      'blocked: no rule of HTTPRoute web sends requests to Service web',
    ],
    [
      'a route without a gateway',
      { route: { ...route, spec: { rules: route.spec!.rules! } } },
      'blocked: HTTPRoute web names no gateway in spec.parentRefs',
    ],
    [
      'a route that its owner took over',
      { route: annotated(route, { [ESCAPE]: splitWish }) as HTTPRoute },
      'blocked: its owner took HTTPRoute web over: take the annotation sluice.dev/escape off it to go on',
    ],
    [
      "somebody else's Service of that name",
      { canary: foreign },
      'blocked: Service web-canary was not made for this workload: rename it, or delete it',
    ],
  ])('%s', (_, scene, line) => {
    expect(next(scene, to('pinned'))).toBe(line)
  })

  const strange = { apiVersion: 'mesh.example.com/v1', kind: 'Lane', name: 'web' }
  test.each<[string, TrafficAim, string]>([
    [
      'a kind that this version does not know',
      to('pinned'),
      'blocked: mesh.example.com/v1 Lane is not registered: name another kind, or add it to traffic.extraKinds of the chart: {apiVersion: mesh.example.com/v1, kind: Lane, plural: <its plural>}',
    ],
    [
      'requests leave by all others',
      to('stable'),
      'HTTPRoute web over; sending no requests to new pods by the route',
    ],
    [
      'where nobody answers, too',
      to('answered'),
      'HTTPRoute web over; no new pod is ready in Service web-canary: its requests go to the stable ones',
    ],
  ])('%s', (_, aim, line) => {
    expect(next({ service: pinned, canary, route: told(split, 2), beside: strange }, aim)).toBe(
      line,
    )
  })

  test.each(['answered', 'stable', 'new', 'all'] as const)(
    'where nothing has been moved yet it keeps nobody: %s',
    aim => {
      expect(next({ route, beside: strange }, to(aim))).not.toContain('Lane')
    },
  )

  test('of those that are left it keeps the Service of new pods, and no pods', () => {
    const scene = { service: pinned, canary, route: told(back, 3), beside: strange }
    const line =
      'blocked: mesh.example.com/v1 Lane is not registered: name another kind, or add it to traffic.extraKinds of the chart: {apiVersion: mesh.example.com/v1, kind: Lane, plural: <its plural>}'
    expect(next(scene, to('stable'))).toBe(line)
    expect(next(scene, to('answered'))).toBe('reached')
  })

  test('one that was left to nobody is taken away: with the workload, by one of its name, and no other', () => {
    const [change] = trafficMove(routed({ service: pinned }), share, NOW)!.changes
    if (change?.type !== 'create') throw new Error('nothing is made')
    const { ownerReferences: _, ...metadata } = change.object.metadata
    const orphan = { ...change.object, metadata } as Service
    const scene = { canary: orphan, route: told(back, 3), grace: 0 }
    const gone = 'delete web-canary; taking Service web-canary away'
    expect(next(scene, to('stable'))).toBe(gone)
    const { traffic, pods } = routed(scene)
    expect(trafficMove({ traffic }, to('all'), NOW)?.why).toBe('taking Service web-canary away')
    const again = { ...pods!, uid: 'again' }
    expect(trafficMove({ traffic, pods: again }, to('all'), NOW)?.changes).toHaveLength(1)
    const other = { ...again, ref: { ...again.ref, name: 'api' } }
    expect(trafficMove({ traffic, pods: other }, to('all'), NOW)).toBeUndefined()
    expect(routingLeft([seeService(orphan)], [])).toMatchObject({ service: 'web', routes: [] })
    expect(workloadsOf(seeService(orphan))).toEqual([keyOf(pods!.ref)])
  })

  test('a kind that the cluster does not serve is named, and keeps nobody from going home', () => {
    const { traffic, ...others } = routed({ service: pinned, canary, route: null, grace: 0 })
    const unserved = { ...traffic, routes: [{ ref, unserved: true as const }] }
    expect(trafficMove({ traffic: unserved, ...others }, to('pinned'), NOW)).toEqual({
      changes: [],
      why: 'the cluster does not serve gateway.networking.k8s.io/v1 HTTPRoute: install its CRD',
      blocked: true,
    })
    expect(trafficMove({ traffic: unserved, ...others }, to('stable'), NOW)?.why).toBe(
      'taking Service web-canary away',
    )
  })

  test('when requests went away is the same write a moment later', () => {
    const scene = routed({ service: pinned, canary, route: told(back, 3) })
    const [first, second] = [NOW, NOW + 1000].map(
      now => trafficMove(scene, to('stable'), now)!.changes[0]!,
    )
    expect(first).not.toEqual(second)
    expect(wordsOf(first!)).toBe(wordsOf(second!))
  })

  test('of a Service neither status nor the writers of fields are kept', () => {
    const managedFields = [{ manager: 'helm', operation: 'Apply' }]
    const whole = { ...web, metadata: { ...web.metadata, managedFields }, status: { ok: true } }
    expect(seeService(whole)).toEqual(seeService(web))
  })

  test('of others nothing is taken away', () => {
    expect(next({ canary: foreign }, to('all'))).toBe('reached')
  })

  test('a wish that met no webhook is sent again', () => {
    const alone = annotated(web, {
      [TRAFFIC]: pinTo(pin('old')),
    }) as Service
    const move = trafficMove(routed({ service: alone }), to('pinned'), NOW)
    expect(move).toMatchObject({ again: true })
    expect(move?.why).toContain('the webhook must answer first')
    const over = annotated(pinned, { [TRAFFIC]: OVER }) as Service
    expect(trafficMove(routed({ service: over }), to('all'), NOW)).toMatchObject({ again: true })
  })
})

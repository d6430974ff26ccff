// Requests that are given back without a webhook: in which order, and to what.

import { expect, test } from 'vitest'

import type { HTTPRoute, KubeObject, Service } from '#api/kubernetes.ts'
import { ESCAPE, ORIGINAL, RECORD, TRAFFIC } from '#api/names.ts'
import { annotated } from '#core/admission/marks.ts'
import { reviewTraffic } from '#core/admission/traffic-review.ts'
import type { MergePatch } from '#core/change.ts'
import { formatRouteWish, httpRoutes } from '#core/traffic/gateway-route.ts'
import type { TrafficProvider } from '#core/traffic/model.ts'
import { routerOf } from '#core/traffic/registry.ts'
import { seeEndpoints, seeRoute, seeService } from '#core/traffic/seen.ts'
import { pinTo, services, sharedBy } from '#core/traffic/service-pin.ts'
import { merge } from '../test/world/controller.ts'
import { escapeOff, homeward, returning, routesAlone, tracesOf, underWay } from './requests.ts'
import type { Requests, Return } from './requests.ts'

const workload = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const ref = { apiVersion: httpRoutes.apiVersion, kind: 'HTTPRoute', name: 'web' }
const helm = { manager: 'helm', operation: 'Apply' }
const web: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadataOf('web', 's'),
  spec: { selector: { app: 'web' } },
}
const own = { name: 'web', port: 80, weight: 1 }
const route: HTTPRoute = {
  apiVersion: ref.apiVersion,
  kind: ref.kind,
  metadata: { ...metadataOf('web', 'r'), generation: 1 },
  spec: { parentRefs: [], rules: [{ backendRefs: [own] }] },
}
const canary: Service = {
  ...web,
  metadata: {
    ...metadataOf('web-canary', 'c'),
    ownerReferences: [{ ...workload, uid: 'w', controller: true }],
  },
}

function metadataOf(name: string, uid: string): KubeObject['metadata'] {
  const managed = { managedFields: [helm] }
  return { namespace: 'shop', name, uid, resourceVersion: '1', ...managed }
}

function wished<O extends KubeObject>(provider: TrafficProvider, before: O, wish: string): O {
  const object = annotated(before, { [TRAFFIC]: wish })
  return reviewTraffic({ provider, object, before, fromController: true }) as O
}

function pin(hash: string): string {
  return pinTo({ workload, routes: [ref], labels: { 'pod-template-hash': hash } })
}
const split = formatRouteWish({
  workload,
  service: 'web',
  canary: 'web-canary',
  split: { percent: 20 },
})

interface Scene {
  readonly service?: Service
  readonly way?: HTTPRoute
  readonly beside?: Service
}

function requests({ service = web, way = route, beside }: Scene): Requests {
  const touched = [service, way]
  return {
    traffic: {
      routing: { service: 'web', routes: [ref], graceSeconds: 0 },
      service: seeService(service),
      ...(beside && { canary: seeService(beside) }),
      routes: [{ ref, object: seeRoute(way) }],
      answers: new Map(),
      endpoints: [seeEndpoints({ apiVersion: '', kind: '', metadata: metadataOf('web', 'e') })],
    },
    touched,
    objects: [...touched, ...(beside ? [beside] : [])],
  }
}

const meshRef = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'web' }
const virtualService: KubeObject = { ...meshRef, metadata: metadataOf('web', 'v') }

const pods: NonNullable<Return['pods']> = {
  ref: { ...workload, namespace: 'shop' },
  uid: 'w',
  revisionLabel: 'pod-template-hash',
  stable: 'old',
  updated: 'new',
  podLabels: {},
}
const pinned = wished(services, web, pin('old'))
const routed = wished(httpRoutes, route, split)
const all = { service: pinned, way: routed, beside: canary }

function next(scene: Scene, how: Omit<Return, 'now'>): string {
  const step = returning(requests(scene), { ...how, now: 1 })
  if (!step) return 'done'
  return step.type === 'await'
    ? step.why
    : `${step.type} ${step.object.kind} ${step.object.metadata.name}`
}

test('who stays: the Service finds all, then the split goes, then what was made for it', () => {
  const to = { pods, to: 'all' } as const
  expect(next(all, to)).toBe('write Service web')
  expect(next({ ...all, service: web }, to)).toBe('write HTTPRoute web')
  expect(next({ beside: canary }, to)).toBe('delete Service web-canary')
  expect(next({}, to)).toBe('done')
})

test('new pods that leave: the split goes first, and the Service does not find them', () => {
  const to = { pods, to: 'stable' } as const
  expect(next(all, to)).toBe('write HTTPRoute web')
  expect(next({ ...all, way: route }, to)).toBe('delete Service web-canary')
  expect(next({ service: pinned }, to)).toBe('done')
  expect(next({ service: wished(services, web, pin('new')) }, to)).toBe('write Service web')
})

test('of a workload that is gone the Service is freed last: it says by what else requests come', () => {
  expect(next({ service: pinned, way: routed }, { to: 'all' })).toBe('write HTTPRoute web')
  expect(next({ service: pinned }, { to: 'all' })).toBe('write Service web')
})

test('one Service: what it remembers stands in the escape until the grace period is over', () => {
  const shared = { workload, routes: [ref], routedTo: 'new' }
  const service = wished(services, web, sharedBy(shared))
  const read = (object: Service, now: number) => {
    const { traffic, ...others } = requests({ service: object })
    const routing = { ...traffic.routing, oneService: true, graceSeconds: 3 } as const
    return returning({ ...others, traffic: { ...traffic, routing } }, { pods, to: 'all', now })
  }
  const first = read(service, 5000)
  if (first?.type !== 'write') throw new Error('nothing is written')
  const written = merge(first.object, first.patch) as Service
  const { [ESCAPE]: escape, ...others } = written.metadata.annotations!
  expect(JSON.parse(escape!)).toEqual({ ...shared, unroutedSince: '1970-01-01T00:00:05Z' })
  expect([others, written.spec]).toEqual([{}, web.spec])
  expect(read(written, 6000)).toMatchObject({ type: 'await', until: 8000 })
  expect(read(written, 8000)).toBeUndefined()
  const after = { ...requests({}), touched: [written] }
  expect(escapeOff(after, [web])).toMatchObject({ type: 'write' })
})

test.each([
  ['Service', { service: pinned }, web],
  ['HTTPRoute', { way: routed }, route],
] as const)(
  '%s: the owner’s value comes back under the escape, and that goes',
  (_, scene, free) => {
    const step = returning(requests(scene), { pods, to: 'all', now: 1 })
    if (step?.type !== 'write') throw new Error('nothing is written')
    const written = merge(step.object, step.patch) as KubeObject & { readonly spec: unknown }
    expect(written.spec).toEqual((free as { readonly spec?: unknown }).spec)
    expect(Object.keys(written.metadata.annotations!)).toEqual([ESCAPE])
    const ours = { manager: 'sluice', operation: 'Update' }
    const now = {
      ...written,
      metadata: { ...written.metadata, managedFields: [ours] },
    } as KubeObject
    const after = { ...requests({}), touched: [now] }
    const last = escapeOff(after, [free])
    expect(last?.type === 'write' && last.patch).toEqual({
      metadata: { annotations: { [ESCAPE]: null }, managedFields: [helm] },
    })
  },
)

test('an owner who has changed his rules while nobody was there keeps them', () => {
  const rules = [...(routed.spec!.rules as MergePatch[]), { backendRefs: [{ name: 'more' }] }]
  const way = { ...routed, spec: { ...routed.spec, rules } } as HTTPRoute
  const step = returning(requests({ way }), { pods, to: 'all', now: 1 })
  expect(step?.type === 'write' && step.patch['spec']).toEqual({
    rules: [{ backendRefs: [own] }, { backendRefs: [{ name: 'more' }] }],
  })
})

test('a record that somebody has damaged keeps nobody: the marks go', () => {
  const annotations = { ...pinned.metadata.annotations, [RECORD]: '{' }
  const service = { ...pinned, metadata: { ...pinned.metadata, annotations } }
  const step = returning(requests({ service }), { pods, to: 'all', now: 1 })
  expect(step?.type === 'write' && step.patch).toEqual({
    metadata: { annotations: { [TRAFFIC]: null, [RECORD]: null } },
  })
})

test('of a mesh the note of what its owner wrote goes, too', () => {
  const damaged = { [RECORD]: '{', [ORIGINAL]: '{', [TRAFFIC]: 'nonsense' }
  const object = annotated(virtualService, damaged)
  const seen = routerOf(meshRef)!.see(object)
  const { traffic } = requests({})
  const routing = { ...traffic.routing, routes: [meshRef] }
  const mesh = { ...traffic, routing, routes: [{ ref: meshRef, object: seen }] }
  const read = { traffic: mesh, touched: [object], objects: [object] }
  const step = returning(read, { pods, to: 'all', now: 1 })
  if (step?.type !== 'write') throw new Error('nothing is written')
  expect(Object.keys((merge(object, step.patch) as KubeObject).metadata.annotations!)).toEqual([])
})

test('a TrafficRouting: its routes alone, and a grace period after them', () => {
  const service = annotated(pinned, { [ESCAPE]: '{}' }) as Service
  const read = (way: HTTPRoute) => routesAlone(requests({ service, way, beside: canary }))
  expect(homeward(read(routed), 1)).toMatchObject({ type: 'write', object: { kind: 'HTTPRoute' } })
  const home = read(annotated(route, { [ESCAPE]: '{}' }) as HTTPRoute)
  expect(homeward(home, 1)).toBeUndefined()
  const { traffic } = home
  const graced = {
    ...home,
    traffic: { ...traffic, routing: { ...traffic.routing, graceSeconds: 3 } },
  }
  const at = (now: number) => underWay(graced, { away: 5000, now })
  expect(at(7999)).toMatchObject({ type: 'await', until: 8000 })
  expect(at(8000)).toBeUndefined()
  expect(tracesOf(home)).toEqual([`annotation ${ESCAPE} on HTTPRoute web`])
  expect(escapeOff(home, [])).toMatchObject({ object: { kind: 'HTTPRoute' } })
  expect(escapeOff(read(route), [])).toBeUndefined()
})

test('all of it is named', () => {
  expect(tracesOf(requests(all), pods)).toEqual([
    `annotation ${TRAFFIC} on Service web`,
    `annotation ${RECORD} on Service web`,
    `annotation ${TRAFFIC} on HTTPRoute web`,
    `annotation ${RECORD} on HTTPRoute web`,
    'Service web-canary',
  ])
  expect(tracesOf(requests({ beside: canary }), { ...pods, uid: 'another' })).toEqual([])
})

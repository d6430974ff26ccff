// Who is looked at again when something about a TrafficRouting changes, also where none is there.

import { expect, test } from 'vitest'

import type { Rollout } from '#api/rollout.generated.ts'
import { TRAFFIC_ROUTING } from '#api/names.ts'
import { keyOf } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { routingsIn, routingsOn } from '#core/traffic-routing/keys.ts'
import { routingRef } from '#core/traffic-routing/parse.ts'
import type { Traffic } from '#core/traffic/routed.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { WorkloadSeen } from '#core/workload/seen.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { createRoutings } from './routings.ts'

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop' }
const LANE = keyOf(routingRef('shop', 'lane'))
const [WEB, OTHER] = [keyOf({ ...ref, name: 'web' }), keyOf({ ...ref, name: 'other' })]

const rollout = {
  apiVersion: 'rollouts.kruise.io/v1beta1',
  kind: 'Rollout',
  metadata: {
    namespace: 'shop',
    name: 'web',
    resourceVersion: '1',
    annotations: { [TRAFFIC_ROUTING]: 'lane' },
  },
  spec: {
    workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    strategy: { canary: { steps: [] } },
  },
} as unknown as Rollout

/** In a release that has begun with the TrafficRouting, or in none. */
function workload(name: string, isHeld: boolean): WorkloadSeen {
  const metadata = { namespace: 'shop', name, uid: name, resourceVersion: isHeld ? '1' : '2' }
  const record = { trafficRouting: 'lane' }
  return { metadata, ...(isHeld && { record }) } as unknown as WorkloadSeen
}

/** Moved for it, in its owners' hands or not; nothing else is told of them. */
function routesOf(escaped: readonly boolean[]): Traffic {
  const ref = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' }
  const routes = escaped.map((each, i) => ({ ...ref, name: `${i}`, object: { escaped: each } }))
  const routing = { service: 'web', routes, graceSeconds: 3 }
  const found = routes.map(({ object, ...route }) => ({ ref: route, object }))
  return { routing, routes: found, endpoints: [], answers: new Map() } as unknown as Traffic
}

function scene(routes = true, moved?: Traffic) {
  const rollouts = new Cache<Rollout>({
    indexes: { workload: each => [workloadKey(each)], routing: routingsIn },
  })
  const cache = new Cache<WorkloadSeen>({ indexes: { routing: routingsOn } })
  const adapter = { apiVersion: 'apps/v1', kind: 'Deployment' } as WorkloadAdapter
  const woken: string[] = []
  const routings = createRoutings({
    routes,
    rollouts,
    kinds: [{ adapter, cache }],
    requests: {
      all: () => ({ ...(!routes && !moved && { unread: 'they are not moved' }) }),
      observe: () => moved ?? 'open',
      left: () => moved?.routing,
      versions: () => [],
    },
    client: {} as KubeClient,
    namespaces: [],
    onNews: () => {},
    onListenerError(error) {
      throw error
    },
    wake: key => woken.push(key),
  })
  return { rollouts, cache, routings, woken }
}

test('one that nobody has made is known by those who name it, and by releases that have begun with it', () => {
  const { rollouts, cache, routings } = scene()
  expect(routings.keys()).toEqual([])
  rollouts.replace([rollout], '1')
  cache.replace([workload('other', true)], '1')
  expect(routings.keys()).toEqual([LANE])
  expect(routings.users(LANE).toSorted()).toEqual([OTHER, WEB])
  expect(routings.through(undefined).toSorted()).toEqual([OTHER, WEB, LANE])
})

test('it is looked at again when the release that began with it is over, whoever still names it', () => {
  const { cache, woken } = scene()
  cache.replace([workload('other', true)], '1')
  expect(woken).toEqual([])
  cache.replace([workload('other', false)], '2')
  expect(woken).toEqual([LANE])
})

test('a release goes on with the one that it has begun with, also where requests are not moved any more', () => {
  const { rollouts, cache, routings } = scene(false)
  rollouts.replace([rollout], '1')
  expect(routings.of(WEB)).toBeUndefined()
  cache.replace([workload('other', true)], '1')
  expect(routings.of(OTHER)).toBe(LANE)
  expect(routings.find(LANE)).toMatchObject({ unread: 'they are not moved' })
})

test('a route that its owner has taken over is not moved any more, whatever stands on it', () => {
  const found = (escaped: readonly boolean[]) => scene(false, routesOf(escaped)).routings.find(LANE)
  expect(found([false, true])).toHaveProperty('moved')
  expect(found([true, true])).not.toHaveProperty('moved')
})

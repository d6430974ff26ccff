// How a run of a workload and one of the TrafficRouting that it names wake each other, over caches that a test fills.

import { pino } from 'pino'
import { expect, test, vi } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { keyOf } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { routingRef } from '#core/traffic-routing/parse.ts'
import { Cache } from '#kube/cache.ts'
import { Conflict } from '#kube/errors.ts'
import type { Effects } from './apply.ts'
import { createHomes } from './homes.ts'
import { createNews } from './news.ts'
import { createOwnWrites } from './own-writes.ts'
import { createRefusals } from './refusals.ts'
import { createRefusedWrites } from './refused-writes.ts'
import { reconcile } from './reconcile.ts'
import type { Running } from './reconcile.ts'
import type { RoutingFound } from './routings.ts'
import type { Watches } from './watches.ts'

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop' }
const lane = routingRef('shop', 'lane')
const LANE = keyOf(lane)
const [WEB, API] = [keyOf({ ...ref, name: 'web' }), keyOf({ ...ref, name: 'api' })]

function rollout(name: string): Rollout {
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { namespace: 'shop', name, uid: name, resourceVersion: '1', generation: 1 },
    spec: {
      workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      strategy: { canary: { steps: [{ replicas: 1 }] } },
    },
  } as unknown as Rollout
}

/** Two Rollouts without workloads, which name it; it is gone, and no route is moved for it. */
function scene() {
  const rollouts = new Cache<Rollout>({ indexes: { workload: each => [workloadKey(each)] } })
  rollouts.replace([rollout('web'), rollout('api')], '1')
  const known: { found: RoutingFound | 'open'; users: readonly string[]; now: number } = {
    found: { ref: lane },
    users: [WEB, API],
    now: 1_000_000,
  }
  const woken: string[] = []
  const later = new Map<string, number>()
  const replace = vi.fn<(type: unknown, object: KubeObject) => Promise<KubeObject>>(
    async (_, object) => object,
  )
  const effects = {
    client: { replace },
    now: () => known.now,
    onWrite: () => {},
    ownWrites: createOwnWrites(),
    refusals: createRefusals(),
    refusedWrites: createRefusedWrites(),
    news: createNews(),
    mayRepeat: () => undefined,
    routers: [],
  } as unknown as Effects
  const watches = {
    rollouts,
    configurations: new Cache(),
    kruise: new Cache(),
    sight: () => 'watched',
    workload: () => undefined,
    podUids: () => [],
    traffic: () => undefined,
    versions: () => [],
    routings: { find: () => known.found, of: () => LANE, users: () => known.users },
  } as unknown as Watches
  const running: Running = {
    watches,
    effects,
    waits: { see: () => {}, settle: () => {} },
    arrivals: async () => ({ is: 'ours' }),
    queue: { add: key => woken.push(key), addAt: (key, at) => later.set(key, at) },
    homes: createHomes(),
    routingNews: new Map(),
  }
  const options = {
    deletePods: true,
    makeDeployments: true,
    routes: true,
    log: pino({ level: 'silent' }),
    now: () => known.now,
  }
  return {
    known,
    replace,
    later,
    running,
    /** Gives the keys that it has woken. */
    run: async (key: string) => {
      await reconcile(options, running, key)
      return woken.splice(0)
    },
    woken,
  }
}

test('its TrafficRouting is looked at also where a write of a workload is refused every time', async () => {
  const { run, replace, woken } = scene()
  replace.mockRejectedValue(new Conflict({ code: 409, reason: '', message: 'no', causes: [] }))
  await expect(run(WEB)).rejects.toThrow(Conflict)
  expect(woken).toEqual([LANE])
})

test('a release that could not know its TrafficRouting is looked at again when it is known', async () => {
  const { run, known } = scene()
  const { found } = known
  expect(await run(LANE)).toEqual([WEB, API])
  expect(await run(LANE)).toEqual([])
  known.found = 'open'
  expect(await run(WEB)).toEqual([LANE])
  known.found = found
  expect(await run(LANE)).toEqual([WEB, API])
  expect(await run(LANE)).toEqual([])
})

test('one that is not known wakes nobody again and again', async () => {
  const { run, known } = scene()
  known.found = 'open'
  await run(LANE)
  expect(await run(WEB)).toEqual([LANE])
  expect(await run(LANE)).toEqual([])
})

test('of one that is gone it is kept since when no route is moved, while requests are under way or somebody names it', async () => {
  const { run, known, running, later } = scene()
  const { homes, routingNews } = running
  const { now } = known
  const since = () => homes.look(LANE, false, known.now).since
  homes.look(LANE, true, now)
  await run(LANE)
  expect(later.get(LANE)).toBe(now + 3000)
  known.users = []
  known.now = now + 2999
  await run(LANE)
  expect(since()).toBe(now)
  known.now = now + 3000
  known.users = [WEB]
  await run(LANE)
  expect(since()).toBe(now)
  expect(routingNews.size).toBe(1)
  known.users = []
  await run(LANE)
  expect(since()).toBe(known.now)
  expect(routingNews.size).toBe(0)
})

test('while it cannot be read nobody knows that its routes are home', async () => {
  const { run, known, running } = scene()
  known.found = { ref: lane, unread: 'it cannot be read' }
  await run(LANE)
  await run(WEB)
  known.now += 1000
  expect(running.homes.look(LANE, false, known.now)).toEqual({ since: known.now, seen: false })
})

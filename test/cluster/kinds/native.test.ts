// What the real controller-manager does with StatefulSets and DaemonSets that are released in steps. Each
// row was measured, and each is played again here: this is what holding these kinds is built on.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { resource } from '#kube/resources.ts'
import { makePool } from './nodes.ts'
import type { Pool } from './nodes.ts'
import { startPodPulse } from './pod-pulse.ts'
import type { PodPulse } from './pod-pulse.ts'
import { edit, kill, named, onDelete, partition, play, rolling, set, updated } from './rows.ts'
import type { Row } from './rows.ts'
import { startScene } from './scene.ts'
import type { Scene } from './scene.ts'
import { statefulSetRows } from './stateful-set-rows.ts'

const parallel = { podManagementPolicy: 'Parallel' }

/** Rows that are true of the real StatefulSet alone. */
const statefulSets: readonly Row[] = [
  ...statefulSetRows,
  {
    what: 'ordinals that start elsewhere: the partition counts from the first one',
    spec: { ordinals: { start: 10 }, ...rolling({ partition: 3 }) },
    steps: [
      [edit('app:2'), '1 1 1 2 | 1 2'],
      [partition(10), '1 1 1 2 | 1 2'],
      [kill(3), '1 1 1 1 | 1 2'],
    ],
  },
  {
    what: 'maxUnavailable of a StatefulSet is not known: the gate is off, and it goes one by one',
    spec: { ...parallel, ...rolling({ partition: 0, maxUnavailable: 2 }) },
    steps: [[edit('broken:2'), '1 1 1 2! | 1 2']],
    fewest: 3,
  },
  {
    what: 'pods that are not available for long enough stop an update in order',
    spec: rolling({ partition: 3 }),
    steps: [
      [set({ minReadySeconds: 3600 }), '1 1 1 1 | 1 1'],
      [edit('app:2'), '1 1 1 1 | 1 2'],
      [set({ minReadySeconds: 0 }), '1 1 1 2 | 1 2'],
    ],
  },
  {
    what: 'Parallel: an update takes the next pod only when the one before is available',
    spec: { ...parallel, ...rolling({ partition: 0 }) },
    steps: [
      [set({ minReadySeconds: 3600 }), '1 1 1 1 | 1 1'],
      [edit('app:2'), '1 1 1 2 | 1 2'],
      [set({ minReadySeconds: 0 }), '2 2 2 2 | 2 2'],
    ],
  },
]

/** Four pods by version, `|`, how many of them the status calls updated; `-`: it says nothing. */
const daemonSets: readonly Row[] = [
  {
    what: 'OnDelete: an edit moves nothing; what is deleted comes back new',
    spec: onDelete,
    steps: [
      [edit('app:2'), '1 1 1 1 | -'],
      [kill(0), '1 1 1 2 | 1'],
    ],
  },
  {
    what: 'OnDelete: with the old template the old ones count as updated, and the new ones stay',
    spec: onDelete,
    steps: [
      [edit('app:2'), '1 1 1 1 | -'],
      [kill(0), '1 1 1 2 | 1'],
      [edit('app:1'), '1 1 1 2 | 3'],
      [kill(3), '1 1 1 1 | 4'],
    ],
  },
  {
    what: 'OnDelete: a third template counts from 0 again',
    spec: onDelete,
    steps: [
      [edit('app:2'), '1 1 1 1 | -'],
      [kill(0), '1 1 1 2 | 1'],
      [edit('app:3'), '1 1 1 2 | -'],
      [kill(0), '1 1 2 3 | 1'],
    ],
  },
  {
    what: 'OnDelete: one that is not Ready stays, with the old template too, until it is deleted',
    spec: onDelete,
    steps: [
      [edit('broken:2'), '1 1 1 1 | -'],
      [kill(0), '1 1 1 2! | 1'],
      [edit('app:1'), '1 1 1 2! | 3'],
      [kill(3), '1 1 1 1 | 4'],
    ],
  },
  {
    what: 'RollingUpdate again replaces the rest at once, within maxUnavailable',
    spec: onDelete,
    steps: [
      [edit('app:2'), '1 1 1 1 | -'],
      [kill(0), '1 1 1 2 | 1'],
      [set(rolling({ maxUnavailable: 1 })), '2 2 2 2 | 4'],
    ],
    fewest: 3,
  },
  {
    what: 'RollingUpdate again with a surge: new ones come beside old ones, and none is missing',
    spec: onDelete,
    steps: [
      [edit('app:2'), '1 1 1 1 | -'],
      [set(rolling({ maxUnavailable: 0, maxSurge: 1 })), '2 2 2 2 | 4'],
    ],
    fewest: 4,
    most: 5,
  },
  {
    what: 'RollingUpdate: a percent of maxUnavailable rounds up',
    spec: rolling({ maxUnavailable: '30%' }),
    steps: [
      [edit('broken:2'), '1 1 2! 2! | 2'],
      [edit('app:1'), '1 1 1 1 | 4'],
    ],
    fewest: 2,
  },
  {
    what: 'RollingUpdate: old pods that are not available for long enough all go at once',
    spec: rolling({ maxUnavailable: 1 }),
    steps: [
      [set({ minReadySeconds: 3600 }), '1 1 1 1 | 4'],
      [edit('app:2'), '2 2 2 2 | 4'],
    ],
  },
  {
    what: 'OnDelete in the middle of a RollingUpdate stops it where it is',
    spec: rolling({ maxUnavailable: 1 }),
    steps: [
      [edit('broken:2'), '1 1 1 2! | 1'],
      [set(onDelete), '1 1 1 2! | 1'],
      [edit('app:3'), '1 1 1 2! | -'],
    ],
  },
]

let client: KubeClient
let pool: Pool
let pulse: PodPulse

beforeAll(async () => {
  client = new KubeClient(await fromKubeconfig(inject('cluster').kubeconfig))
  pool = await makePool(client, 4)
  pulse = await startPodPulse(client)
})
afterAll(async () => {
  await pulse?.stop()
  await pool?.remove()
  await client?.close()
})

const stage = () => ({ client, cluster: inject('cluster'), know: pulse.beat })
const STATEFUL_SETS = resource('apps/v1', 'statefulsets', 'StatefulSet')
const DAEMON_SETS = resource('apps/v1', 'daemonsets', 'DaemonSet')

describe.concurrent('a StatefulSet', () => {
  test.each(named(statefulSets))('%s', async (_, row) => {
    const spec = { replicas: 4, serviceName: 'web', ...row.spec }
    const scene = await startScene(stage(), STATEFUL_SETS, { spec })
    await play(scene, row, () => `${scene.line()} | ${scene.revisions()}`)
  })
})

describe.concurrent('a DaemonSet', () => {
  test.each(named(daemonSets))('%s', async (_, row) => {
    const options = { spec: { ...row.spec }, pod: pool.placement }
    const scene = await startScene(stage(), DAEMON_SETS, options)
    await play(scene, row, () => `${scene.line()} | ${updated(scene)}`)
  })
})

describe.concurrent('beside the pods', () => {
  test('a StatefulSet tells counters of both revisions, and finds the old one again by its name', async () => {
    const spec = { replicas: 4, serviceName: 'web', ...rolling({ partition: 3 }) }
    const scene = await startScene(stage(), STATEFUL_SETS, { spec })
    await scene.edit('broken:2')
    await scene.rest()
    const { currentRevision, updateRevision, ...counters } = scene.status()
    expect(counters).toMatchObject({
      replicas: 4,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 1,
      collisionCount: 0,
    })
    const hashes = scene.pods().map(({ metadata }) => metadata.labels!['controller-revision-hash'])
    expect(hashes).toEqual([currentRevision, currentRevision, currentRevision, updateRevision])
    await scene.edit('app:1')
    await scene.rest()
    expect(scene.status()).toMatchObject({ currentRevision, updateRevision: currentRevision })
    const history = scene.history().map(({ metadata, revision }) => [metadata.name, revision])
    expect(history).toEqual([
      [updateRevision, 2],
      [currentRevision, 3],
    ])
    scene.close()
  })

  test('a surge that does not get Ready stands beside the old pods; the way back removes it', async () => {
    const options = { spec: rolling({ maxUnavailable: 0, maxSurge: 1 }), pod: pool.placement }
    const scene = await startScene(stage(), DAEMON_SETS, options)
    await scene.edit('broken:2')
    // What the status counts of a node with both depends on their age in whole seconds: Ready 3 or 4,
    // updated 0 or 1.
    expect(await scene.rest()).toBe('1 1 1 1 2!')
    await scene.edit('app:1')
    expect(await scene.rest()).toBe('1 1 1 1')
    expect(scene.fewest()).toBe(4)
    scene.close()
  })

  test('the pods of a DaemonSet carry the short revision; a new node gets the new one', async () => {
    const own = await makePool(client, 1)
    const options = { spec: onDelete, pod: own.placement, byNode: true }
    const scene = await startScene(stage(), DAEMON_SETS, options)
    await scene.edit('app:2')
    await scene.rest()
    await own.add()
    await scene.shows('1 2')
    const short = scene.pods().map(({ metadata }) => metadata.labels!['controller-revision-hash'])
    expect(scene.history().map(({ metadata }) => metadata.name)).toEqual(
      short.map(hash => `web-${hash}`),
    )
    scene.close()
    await own.remove()
  })

  test('a StatefulSet drops maxUnavailable; it refuses OnDelete beside rollingUpdate, a DaemonSet keeps it', async () => {
    const spec = { replicas: 1, ...rolling({ partition: 0, maxUnavailable: 2 }) }
    const one = await startScene(stage(), STATEFUL_SETS, { spec })
    const daemons = await startScene(stage(), DAEMON_SETS, {
      spec: rolling({ maxUnavailable: 2 }),
      pod: pool.placement,
    })
    const strategy = async (scene: Scene, kind: string) => {
      const args = ['get', kind, 'web', '-o', 'jsonpath={.spec.updateStrategy}']
      return JSON.parse((await scene.kubectl(args)).stdout) as unknown
    }
    expect(await strategy(one, 'statefulset')).toEqual(rolling({ partition: 0 }).updateStrategy)
    const type = { updateStrategy: { type: 'OnDelete' } }
    await expect(one.patch(type)).rejects.toThrow("only allowed for updateStrategy 'RollingUpdate'")
    await daemons.patch(type)
    expect(await strategy(daemons, 'daemonset')).toEqual({
      type: 'OnDelete',
      rollingUpdate: { maxUnavailable: 2, maxSurge: 0 },
    })
    one.close()
    daemons.close()
  })
})

describe.concurrent('kubectl', () => {
  test('calls a partition complete, and leaves it as it is when it goes back or starts anew', async () => {
    const spec = { replicas: 4, serviceName: 'web', ...rolling({ partition: 3 }) }
    const scene = await startScene(stage(), STATEFUL_SETS, { spec })
    const rollout = (...args: readonly string[]) =>
      scene.kubectl(['rollout', ...args, 'statefulset/web'])
    await scene.edit('app:2')
    await scene.rest()
    const { stdout } = await rollout('status', '--watch=false')
    expect(stdout).toBe('partitioned roll out complete: 1 new pods have been updated...\n')
    const uids = () => scene.pods().map(({ metadata }) => metadata.uid)
    const before = uids()
    await rollout('restart')
    expect(await scene.rest()).toBe('1 1 1 2')
    expect(uids().map((uid, i) => uid === before[i])).toEqual([true, true, true, false])
    await rollout('undo', '--to-revision=1')
    expect(await scene.rest()).toBe('1 1 1 1')
    expect(scene.revisions()).toBe('1 1')
    expect(scene.history().map(({ revision }) => revision)).toEqual([2, 3, 4])
    scene.close()
  })

  test('refuses to tell of a StatefulSet with OnDelete', async () => {
    const scene = await startScene(stage(), STATEFUL_SETS, { spec: { replicas: 1, ...onDelete } })
    const options = { expectFailure: true }
    const { code, stderr } = await scene.kubectl(['rollout', 'status', 'statefulset/web'], options)
    expect(code).toBe(1)
    expect(stderr).toBe('error: rollout status is only available for RollingUpdate strategy type\n')
    scene.close()
  })

  test('refuses to tell of a DaemonSet with OnDelete; what it writes moves nothing there', async () => {
    const scene = await startScene(stage(), DAEMON_SETS, { spec: onDelete, pod: pool.placement })
    const rollout = (args: readonly string[], expectFailure = false) =>
      scene.kubectl(['rollout', ...args, 'daemonset/web'], { expectFailure })
    const { code, stderr } = await rollout(['status'], true)
    expect(code).toBe(1)
    expect(stderr).toBe('error: rollout status is only available for RollingUpdate strategy type\n')
    await scene.edit('app:2')
    await scene.rest()
    await rollout(['undo'])
    expect(await scene.rest()).toBe('1 1 1 1')
    expect(updated(scene)).toBe('4')
    await rollout(['restart'])
    await scene.rest()
    expect(updated(scene)).toBe('-')
    scene.close()
  })
})

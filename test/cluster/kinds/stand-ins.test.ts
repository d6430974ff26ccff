// The stand-ins do what the specification says of Kruise's controllers in 6.13: about a row per sentence.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import type { ResourceType } from '#kube/resources.ts'
import { makePool } from './nodes.ts'
import type { Pool } from './nodes.ts'
import { CLONE_SETS, KRUISE_DAEMON_SETS, KRUISE_STATEFUL_SETS } from './resources.ts'
import { KRUISE_STATEFUL_SETS_ALPHA, SHARDS } from './resources.ts'
import { edit, kill, named, partition, play, rolling, scale, set, updated } from './rows.ts'
import type { Row } from './rows.ts'
import { NAME, startScene } from './scene.ts'
import type { Scene, SceneOptions } from './scene.ts'
import { statefulSetRows } from './stateful-set-rows.ts'
import { startStandIns } from './stand-in.ts'
import type { StandIns } from './stand-in.ts'

const strategy = (updateStrategy: object) => ({ updateStrategy })
const stay = (value: number | string) => set(strategy({ partition: value }))

/** Four pods by version, `|`, the versions of currentRevision and updateRevision. */
const cloneSets: readonly Row[] = [
  {
    what: 'a partition is the number of pods that stay old',
    spec: strategy({ partition: 3 }),
    steps: [
      [edit('app:2'), '1 1 1 2 | 1 2'],
      [stay(1), '1 2 2 2 | 1 2'],
      [stay(0), '2 2 2 2 | 2 2'],
    ],
    fewest: 3,
  },
  {
    what: 'a percent of it rounds up, and follows the size',
    spec: { replicas: 5, ...strategy({ partition: '50%' }) },
    steps: [
      [edit('app:2'), '1 1 1 2 2 | 1 2'],
      [scale(10), '1 1 1 1 1 2 2 2 2 2 | 1 2'],
      [scale(3), '1 1 2 | 1 2'],
    ],
  },
  {
    what: 'a number of it does not follow the size: what is added comes new, what goes is new',
    spec: strategy({ partition: 2 }),
    steps: [
      [edit('app:2'), '1 1 2 2 | 1 2'],
      [scale(6), '1 1 2 2 2 2 | 1 2'],
      [scale(2), '1 1 | 1 2'],
    ],
  },
  {
    what: 'a number beyond the size keeps all, and a percent but the whole one leaves one to update',
    spec: strategy({ partition: 9 }),
    steps: [
      [edit('app:2'), '1 1 1 1 | 1 2'],
      [stay('100%'), '1 1 1 1 | 1 2'],
      [stay('99%'), '1 1 1 2 | 1 2'],
    ],
  },
  {
    what: 'a percent keeps the only pod there is',
    spec: { replicas: 1, ...strategy({ partition: '1%' }) },
    steps: [[edit('app:2'), '1 | 1 2']],
  },
  {
    what: 'a higher partition takes nothing back; a pod that is deleted then comes back old',
    spec: strategy({ partition: 1 }),
    steps: [
      [edit('app:2'), '1 2 2 2 | 1 2'],
      [stay('100%'), '1 2 2 2 | 1 2'],
      [kill(3), '1 1 2 2 | 1 2'],
      [kill(0), '1 1 2 2 | 1 2'],
    ],
  },
  {
    what: 'the old template takes all back that the partition lets go, under its old name',
    spec: strategy({ partition: 2 }),
    steps: [
      [edit('app:2'), '1 1 2 2 | 1 2'],
      [edit('app:1'), '1 1 2 2 | 1 1'],
      [stay(0), '1 1 1 1 | 1 1'],
    ],
  },
  {
    what: 'a third template replaces the younger pods first',
    spec: strategy({ partition: 2 }),
    steps: [
      [edit('app:2'), '1 1 2 2 | 1 2'],
      [edit('app:3'), '1 1 3 3 | 1 3'],
    ],
  },
  {
    what: 'paused, nothing is updated and nothing surges',
    spec: strategy({ paused: true, maxSurge: 2 }),
    steps: [
      [edit('app:2'), '1 1 1 1 | 1 2'],
      [set(strategy({ paused: false })), '2 2 2 2 | 2 2'],
    ],
    fewest: 4,
    most: 6,
  },
  {
    what: 'no more are unavailable than maxUnavailable',
    spec: strategy({ maxUnavailable: 2 }),
    steps: [[edit('broken:2'), '1 1 2! 2! | 1 2']],
    fewest: 2,
  },
  {
    what: 'pods that are not Ready are replaced without asking, with the partition left as it is',
    spec: strategy({ maxUnavailable: 2, partition: 2 }),
    steps: [
      [edit('broken:2'), '1 1 2! 2! | 1 2'],
      [edit('app:3'), '1 1 3 3 | 1 3'],
    ],
    fewest: 2,
  },
  {
    what: 'a surge comes first and new, and is never more than is to be updated',
    spec: strategy({ maxUnavailable: 0, maxSurge: 2, partition: 3 }),
    steps: [
      [edit('broken:2'), '1 1 1 1 2! | 1 2'],
      [stay(1), '1 1 1 1 2! 2! | 1 2'],
      [
        set({ template: { spec: { containers: [{ name: 'app', image: 'app:3' }] } } }),
        '1 3 3 3 | 1 3',
      ],
    ],
    fewest: 4,
  },
  {
    what: 'blue-green: new pods that do not count as available leave every old one in its place',
    spec: { minReadySeconds: 86_400, ...strategy({ maxUnavailable: 0, maxSurge: '100%' }) },
    steps: [
      [edit('app:2'), '1 1 1 1 2 2 2 2 | 1 2'],
      [set({ minReadySeconds: 0 }), '2 2 2 2 | 2 2'],
    ],
    fewest: 4,
    most: 8,
  },
  {
    what: 'blue-green: an old pod that goes comes again new, or not at all',
    spec: { minReadySeconds: 86_400, ...strategy({ maxUnavailable: 0, maxSurge: '50%' }) },
    steps: [
      [edit('broken:2'), '1 1 1 1 2! 2! | 1 2'],
      [kill(0), '1 1 1 2! 2! 2! | 1 2'],
      [kill(0), '1 1 2! 2! 2! | 1 2'],
      [kill(0), '1 2! 2! 2! 2! | 1 2'],
      [kill(0), '2! 2! 2! 2! | 2 2'],
    ],
    fewest: 0,
  },
  {
    what: 'when all are new, the new revision is the current one, Ready or not',
    spec: strategy({ maxUnavailable: '100%' }),
    steps: [[edit('broken:2'), '2! 2! 2! 2! | 2 2']],
  },
]

/** Four pods by ordinal, `|`, the versions of currentRevision and updateRevision. */
const statefulSets: readonly Row[] = [
  ...statefulSetRows,
  {
    what: 'maxUnavailable rounds down',
    spec: { podManagementPolicy: 'Parallel', ...rolling({ maxUnavailable: '60%' }) },
    steps: [[edit('broken:2'), '1 1 2! 2! | 1 2']],
  },
  {
    what: 'in order, the first that is missing comes back first, and keeps the others waiting',
    spec: rolling({ maxUnavailable: 2 }),
    steps: [[edit('broken:2'), '1 1 2! | 1 2']],
  },
  {
    what: 'maxUnavailable of less than a pod is one',
    spec: rolling({ maxUnavailable: '10%' }),
    steps: [[edit('broken:2'), '1 1 1 2! | 1 2']],
  },
  {
    what: 'without an order the partition counts pods, and what is updated counts first',
    spec: rolling({ partition: 1, unorderedUpdate: {} }),
    steps: [
      [edit('app:2'), '1 2 2 2 | 1 2'],
      [partition(2), '1 2 2 2 | 1 2'],
      [kill(3), '1 2 2 1 | 1 2'],
    ],
  },
  {
    what: 'paused, nothing is updated',
    spec: rolling({ paused: true }),
    steps: [
      [edit('app:2'), '1 1 1 1 | 1 2'],
      [set(rolling({ paused: false })), '2 2 2 2 | 2 2'],
    ],
  },
  {
    what: 'the new revision is the current one only when all are new and Ready',
    spec: { podManagementPolicy: 'Parallel', ...rolling({ maxUnavailable: 4 }) },
    steps: [
      [edit('broken:2'), '2! 2! 2! 2! | 1 2'],
      [edit('app:3'), '3 3 3 3 | 3 3'],
    ],
  },
  {
    what: 'a pod is available after minReadySeconds, which stops an update until then',
    spec: rolling({ partition: 0 }),
    steps: [
      [set(rolling({ minReadySeconds: 3600 })), '1 1 1 1 | 1 1'],
      [edit('app:2'), '1 1 1 1 | 1 2'],
      [set(rolling({ minReadySeconds: 0 })), '2 2 2 2 | 2 2'],
    ],
    fewest: 3,
  },
]

/** Three pods by ordinal of a kind whose `updateStrategy` nobody fills in. */
const shards: readonly Row[] = [
  {
    what: 'is updated in order without a strategy, and held by a partition',
    steps: [
      [edit('app:2'), '2 2 2 | 2 2'],
      [partition(2), '2 2 2 | 2 2'],
      [edit('app:3'), '2 2 3 | 2 3'],
      [edit('app:2'), '2 2 2 | 2 2'],
    ],
    fewest: 2,
  },
]

/** Four pods by node, `|`, how many the status calls updated. */
const daemonSets: readonly Row[] = [
  {
    what: 'the partition is a number of nodes, and nodes are taken from the last name down',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('app:2'), '1 1 1 2 | 1'],
      [partition(1), '1 2 2 2 | 3'],
      [partition(4), '1 2 2 2 | 3'],
    ],
    fewest: 3,
  },
  {
    what: 'a percent of it rounds down',
    spec: rolling({ partition: '70%' }),
    steps: [[edit('app:2'), '1 1 2 2 | 2']],
  },
  {
    what: 'a pod that is deleted comes back new, and counts before others',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('app:2'), '1 1 1 2 | 1'],
      [kill(0), '2 1 1 2 | 2'],
      [partition(2), '2 1 1 2 | 2'],
      [partition(1), '2 1 2 2 | 3'],
    ],
  },
  {
    what: 'paused, nothing is updated',
    spec: rolling({ paused: true }),
    steps: [
      [edit('app:2'), '1 1 1 1 | 0'],
      [set(rolling({ paused: false })), '2 2 2 2 | 4'],
    ],
  },
  {
    what: 'no more are unavailable than maxUnavailable, and the way back needs nobody',
    spec: rolling({ maxUnavailable: 2 }),
    steps: [
      [edit('broken:2'), '1 1 2! 2! | 2'],
      [edit('app:1'), '1 1 1 1 | 4'],
    ],
    fewest: 2,
  },
  {
    what: 'a surge stands beside the old pod until it is available',
    spec: rolling({ maxUnavailable: 0, maxSurge: 1, partition: 2 }),
    steps: [[edit('app:2'), '1 1 2 2 | 2']],
    fewest: 4,
    most: 5,
  },
  {
    what: 'OnDelete: only what is deleted comes new',
    spec: { updateStrategy: { type: 'OnDelete' } },
    steps: [
      [edit('app:2'), '1 1 1 1 | 0'],
      [kill(2), '1 1 2 1 | 1'],
    ],
  },
]

let client: KubeClient
let pool: Pool
let standIns: StandIns

beforeAll(async () => {
  client = new KubeClient(await fromKubeconfig(inject('cluster').kubeconfig))
  standIns = await startStandIns(client)
  pool = await makePool(client, 4)
})
afterAll(async () => {
  await standIns?.stop()
  await pool?.remove()
  await client?.close()
})

const begin = (type: ResourceType, options?: SceneOptions) =>
  startScene({ client, cluster: inject('cluster'), know: standIns.know }, type, options)
const withRevisions = (scene: Scene) => () => `${scene.line()} | ${scene.revisions()}`
const onPool = (spec: object = {}): SceneOptions => ({
  spec: { ...spec },
  pod: pool.placement,
  byNode: true,
})

describe.concurrent('a CloneSet', () => {
  test.each(named(cloneSets))('%s', async (_, row) => {
    const scene = await begin(CLONE_SETS, { spec: { replicas: 4, ...row.spec } })
    await play(scene, row, withRevisions(scene))
  })

  test('tells its counters, and its pods their revision in full and short', async () => {
    const spec = { replicas: 4, minReadySeconds: 86_400, ...strategy({ partition: 1 }) }
    const scene = await begin(CLONE_SETS, {
      spec: { ...spec, ...strategy({ partition: 1, maxUnavailable: 4 }) },
    })
    await scene.edit('app:2')
    expect(await scene.rest()).toBe('1 2 2 2')
    const { currentRevision, updateRevision, ...counters } = scene.status()
    expect(counters).toMatchObject({
      replicas: 4,
      readyReplicas: 4,
      availableReplicas: 0,
      updatedReplicas: 3,
      updatedReadyReplicas: 3,
      expectedUpdatedReplicas: 3,
      labelSelector: 'app=web',
    })
    const labels = scene.pods().map(({ metadata }) => metadata.labels!)
    const full = labels.map(each => each['controller-revision-hash'])
    expect(full).toEqual([currentRevision, updateRevision, updateRevision, updateRevision])
    expect(labels.map(each => `${NAME}-${each['pod-template-hash']}`)).toEqual(full)
    scene.close()
  })
})

describe.concurrent('a StatefulSet of Kruise', () => {
  test.each(named(statefulSets))('%s', async (_, row) => {
    const scene = await begin(KRUISE_STATEFUL_SETS, { spec: { replicas: 4, ...row.spec } })
    await play(scene, row, withRevisions(scene))
  })

  test('is the same in its older version, and tells counters and full revisions', async () => {
    const scene = await begin(KRUISE_STATEFUL_SETS_ALPHA, {
      spec: { replicas: 3, ...rolling({ partition: 2 }) },
    })
    await scene.edit('broken:2')
    expect(await scene.rest()).toBe('1 1 2!')
    const ref = { namespace: scene.namespace, name: NAME }
    const { apiVersion, status } = await client.get(KRUISE_STATEFUL_SETS, ref)
    expect(apiVersion).toBe('apps.kruise.io/v1beta1')
    const { currentRevision, updateRevision, ...counters } = status!
    expect(counters).toMatchObject({
      replicas: 3,
      readyReplicas: 2,
      availableReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 1,
      updatedReadyReplicas: 0,
      labelSelector: 'app=web',
    })
    const names = scene.pods().map(({ metadata }) => metadata.labels!['controller-revision-hash'])
    expect(names).toEqual([currentRevision, currentRevision, updateRevision])
    expect(scene.history().map(({ metadata }) => metadata.name)).toEqual([names[0], names[2]])
    scene.close()
  })
})

test('a stand-in looks again when a pod gets available, which nobody tells it', async () => {
  const spec = { replicas: 2, ...rolling({ minReadySeconds: 2, partition: 1 }) }
  const scene = await begin(KRUISE_STATEFUL_SETS, { spec })
  await scene.edit('app:2')
  await scene.shows('1 2')
  await scene.until('available', () => scene.status()['updatedAvailableReplicas'] === 1)
  const [, { status } = {}] = scene.pods()
  const ready = status!.conditions!.find(({ type }) => type === 'Ready')!
  expect(Date.now() - Date.parse(ready.lastTransitionTime!)).toBeGreaterThanOrEqual(2000)
  scene.close()
})

describe.concurrent('a kind of the shape of a StatefulSet', () => {
  test.each(named(shards))('%s', async (_, row) => {
    const scene = await begin(SHARDS, { spec: { replicas: 3, ...row.spec } })
    await play(scene, row, withRevisions(scene))
  })
})

describe.concurrent('a DaemonSet of Kruise', () => {
  test.each(named(daemonSets))('%s', async (_, row) => {
    const scene = await begin(KRUISE_DAEMON_SETS, onPool(row.spec))
    await play(scene, row, () => `${scene.line()} | ${updated(scene)}`)
  })

  test('updates only nodes that its selector finds', async () => {
    const selector = { matchLabels: { 'kubernetes.io/hostname': pool.names[0] } }
    const scene = await begin(KRUISE_DAEMON_SETS, onPool(rolling({ selector })))
    await scene.edit('app:2')
    expect(await scene.rest()).toBe('2 1 1 1')
    scene.close()
  })

  test('comes to a new node, and tells its pods the short revision only', async () => {
    const own = await makePool(client, 1)
    try {
      const options = { ...onPool(rolling({ partition: 1 })), pod: own.placement }
      const scene = await begin(KRUISE_DAEMON_SETS, options)
      await scene.edit('app:2')
      expect(await scene.rest()).toBe('1')
      await own.add()
      await scene.shows('1 2')
      const [old, recent] = scene.pods().map(({ metadata }) => metadata.labels!)
      await scene.rest()
      const { daemonSetHash, ...counters } = scene.status()
      expect(recent).toEqual({ app: 'web', 'controller-revision-hash': daemonSetHash })
      expect(old!['controller-revision-hash']).not.toBe(daemonSetHash)
      expect(counters).toMatchObject({
        desiredNumberScheduled: 2,
        currentNumberScheduled: 2,
        updatedNumberScheduled: 1,
        numberReady: 2,
        numberAvailable: 2,
        numberUnavailable: 0,
      })
      scene.close()
    } finally {
      await own.remove()
    }
  })
})

test.each([
  { kind: 'CloneSet', type: CLONE_SETS },
  { kind: 'StatefulSet of Kruise', type: KRUISE_STATEFUL_SETS },
  { kind: 'Shard', type: SHARDS },
])('the scale of a $kind tells size and selector', async ({ type }) => {
  const scene = await begin(type, { spec: { replicas: 1 } })
  await scene.kubectl([
    'scale',
    `${type.plural}.${type.apiVersion.split('/')[0]}/${NAME}`,
    '--replicas=2',
  ])
  await scene.shows('1 1')
  await scene.rest()
  const ref = { namespace: scene.namespace, name: NAME }
  const answer = await client.get(type as ResourceType, ref, { subresource: 'scale' })
  expect((answer as { readonly status?: unknown }).status).toEqual({
    replicas: 2,
    selector: 'app=web',
  })
  scene.close()
})

// In what the kinds with a partition differ: where it stands, how it counts, and whom it brings back.

import { expect, test } from 'vitest'

import type { IntOrPercent } from '#api/kubernetes.ts'
import { clones, rolling, told, unordered, workloadOf } from '../../test/world/partition-scene.ts'
import type { PartitionScene, SceneKind } from '../../test/world/partition-scene.ts'
import { threeSteps } from '../../test/world/three-steps.ts'
import { reviewWorkload } from '../admission/review.ts'
import { resumeWorkloadCommand } from '../commands.ts'
import { cloneSet } from './clone-set.ts'
import { formatHold, parseHold } from './hold.ts'
import type { Hold } from './hold.ts'
import { kruiseDaemonSet } from './kruise-daemon-set.ts'
import { kruiseStatefulSet } from './kruise-stateful-set.ts'
import type { WorkloadAction } from './model.ts'
import type { Partitioned } from './partition-object.ts'
import { adapterFor } from './registry.ts'
import { statefulSetLike } from './statefulset.ts'

const sets: SceneKind = { adapter: kruiseStatefulSet, strategy: rolling }
const daemons: SceneKind = {
  adapter: kruiseDaemonSet,
  strategy: rolling,
  status: desiredNumberScheduled => ({ desiredNumberScheduled, daemonSetHash: 'web-v2' }),
}

const to = (pods: number | string): WorkloadAction => ({ type: 'advance', pods })
const abort: WorkloadAction = { type: 'abort' }
const unblock: WorkloadAction = { type: 'unblock' }
const held = {}
const half = { budget: '50%', pods: '50%' }
const back: Partial<Hold> = { mode: 'back' }
const stopped: Partial<Hold> = { mode: 'stop' }
const unorderedBy = (partition: number) => ({ updateStrategy: unordered.strategy(partition) })

const gaps =
  'its reserveOrdinals leave gaps between the ordinals of its pods, by which a partition counts'
const cannotGoBack =
  'wait: it cannot be aborted: a pod would not come back at the stable revision; apply its template'

test.each<[string, WorkloadAction, PartitionScene, string]>([
  ['a CloneSet: the step stands', to(2), { kind: clones, pods: '2112', hold: held }, 'done'],
  [
    'of pods that are new too early broken ones go first',
    to(1),
    { kind: clones, pods: '122x', hold: { budget: 1, pods: 1 } },
    'delete web-3',
  ],
  [
    'and never more than are to be old, however broken they are',
    to(1),
    { kind: clones, pods: '1xxx', hold: { budget: 1, pods: 1 } },
    'delete web-1, delete web-2',
  ],
  [
    'once as many are old, nobody goes',
    to('50%'),
    { kind: clones, pods: '11222', replicas: 4, hold: half },
    'done',
  ],
  ['the way back of a CloneSet', abort, { kind: clones, pods: '2132', hold: back }, 'delete web-3'],
  [
    'a CloneSet that has given its old version up',
    abort,
    { kind: clones, pods: '2222', hold: stopped, status: { currentRevision: 'web-v2' } },
    cannotGoBack,
  ],
  [
    'a CloneSet whose owner lets nobody be missing',
    abort,
    {
      kind: clones,
      pods: '1122',
      hold: back,
      spec: { updateStrategy: { partition: 2147483647, maxUnavailable: 0, maxSurge: 1 } },
    },
    'wait: 2 of 4 pods are still to go back; its maxUnavailable of 0 lets none be missing: apply the old template',
  ],
  [
    'a broken pod is nobody’s hindrance',
    unblock,
    { kind: clones, pods: '11y1', hold: held },
    'done',
  ],
  [
    'a StatefulSet of Kruise goes back by ordinal',
    to(1),
    { kind: sets, pods: '12222', hold: { budget: 1, pods: 1 } },
    'delete web-1',
  ],
  [
    'and without an order by count, broken ones first',
    to(1),
    { kind: unordered, pods: '12x22', hold: { budget: 1, pods: 1 } },
    'delete web-2',
  ],
  [
    'a broken pod is in the way without an order as well',
    unblock,
    { kind: unordered, pods: '11y1', hold: held },
    'delete web-2',
  ],
  [
    'a pod of a DaemonSet that is new too early stays',
    to(1),
    { kind: daemons, pods: '1222', hold: { budget: 1, pods: 1 } },
    'done',
  ],
  [
    'an abort of a DaemonSet stops it',
    abort,
    { kind: daemons, pods: '1122', hold: held },
    'stop 1%',
  ],
  ['and is none', abort, { kind: daemons, pods: '1122', hold: stopped }, cannotGoBack],
  [
    'taken away, it goes on from there',
    to(1),
    { kind: daemons, pods: '1122', hold: stopped },
    'wave 1',
  ],
  [
    'gaps between ordinals stop a StatefulSet of Kruise',
    to(2),
    { kind: sets, pods: '1122', hold: held, spec: { reserveOrdinals: [0, 2] } },
    `wait: ${gaps}`,
  ],
  [
    'and where the partition counts pods they do not',
    to(2),
    {
      kind: unordered,
      pods: '1122',
      hold: held,
      spec: { reserveOrdinals: [0, 2], ...unorderedBy(2) },
    },
    'done',
  ],
  [
    'a node that has joined is counted',
    to('50%'),
    { kind: daemons, pods: '112222', hold: { ...half, size: 4 }, partition: 2 },
    'wave 50%',
  ],
])('%s', (_, action, scene, expected) => {
  expect(told(action, scene)).toBe(expected)
})

test('an edit beside gaps between ordinals is not held, and says why', () => {
  const before = workloadOf({ kind: sets, pods: '1122', spec: { reserveOrdinals: [0, 2] } })
  const template = { spec: { containers: [{ name: 'app', image: 'v3' }] } }
  const object = { ...before, spec: { ...before.spec, template } }
  const rollout = { ...threeSteps, ref: { ...threeSteps.ref, kind: 'StatefulSet' } }
  const review = { adapter: kruiseStatefulSet, object, before, rollout, fromController: false }
  expect(reviewWorkload(review)).toMatchObject({
    outcome: 'notHeld',
    warnings: [
      `not held: ${gaps}; the edit goes out now, without steps, by the strategy of the workload`,
    ],
  })
})

/** A hold that lets so many pods out. */
function holdFor(pods: IntOrPercent): Hold {
  return { mode: 'wave', pods, budget: pods, surge: '0%', rolloutId: 'v2-2', seq: 1 }
}

/** The partition of a CloneSet of so many pods while a step is held, beside that of its owner. */
function partitionOf(replicas: number, step: IntOrPercent, own?: IntOrPercent) {
  const updateStrategy = { type: 'ReCreate', ...(own !== undefined && { partition: own }) }
  const object = { spec: { replicas, template: {}, updateStrategy } } as Partitioned
  const owner = cloneSet.ownerOfFree(object)
  return cloneSet.project(object, holdFor(step), owner).spec.updateStrategy?.partition
}

test.each<[number, IntOrPercent, IntOrPercent | undefined, IntOrPercent]>([
  // A share wherever it says it exactly, marked as ours.
  [10, '50%', undefined, '050%'],
  [10, 2, undefined, '080%'],
  [3, 2, undefined, '033%'],
  [101, 100, undefined, 1],
  [5, '100%', undefined, '00%'],
  [2, '99%', undefined, '050%'],
  // The owner's own counts where it keeps as many, also a share.
  [10, '50%', 7, 7],
  [10, '50%', '70%', '70%'],
  [10, '50%', '30%', '050%'],
  [1, 1, '1%', '1%'],
])('a CloneSet of %d pods at a step of %s, its own partition %s', (size, step, own, expected) => {
  expect(partitionOf(size, step, own)).toBe(expected)
})

test('of the shares of a CloneSet only the whole one keeps the last pod', () => {
  const object = { spec: { replicas: 2, template: {} } } as Partitioned
  const kept = (partition: IntOrPercent) => cloneSet.kept(object, { updateStrategy: { partition } })
  expect(['40%', '99%', '100%', 5].map(kept)).toEqual([1, 1, 2, 2])
})

test('what a hold notes of a share is read again', () => {
  const hold: Hold = { ...holdFor('50%'), partition: '050%', size: 10 }
  expect(parseHold(formatHold(hold))).toEqual(hold)
  const nobody: Hold = { ...holdFor(1), partition: 2147483647, size: 3 }
  expect(parseHold(formatHold(nobody))).toEqual(nobody)
})

test('a pod of a CloneSet may tell only the end of its revision’s name', () => {
  const spec = { replicas: 1, template: {} }
  const status = { observedGeneration: 1, updateRevision: 'web-v2', currentRevision: 'web-v1' }
  const metadata = { namespace: 'shop', name: 'web', uid: 'u', generation: 1 }
  const object = { apiVersion: '', kind: '', metadata, spec, status } as Partitioned
  const pod = { metadata: { ...metadata, name: 'web-abcde', resourceVersion: '1' }, revision: 'v2' }
  const owned = {
    replicaSets: [],
    pods: [{ ...pod, ownerUid: 'u', created: 0, terminating: false }],
  }
  expect(cloneSet.observe(cloneSet.see(object), owned, 0).updated).toBe(1)
})

test('the peak counts the surge of those kinds that have one', () => {
  const spec = (updateStrategy: object) =>
    ({ spec: { replicas: 10, updateStrategy } }) as Partitioned
  const peak = (updateStrategy: object, n: number) =>
    cloneSet.peak(spec(updateStrategy), { updateStrategy: null }, n)
  expect([peak({ maxSurge: '25%' }, 5), peak({ maxSurge: '25%' }, 1), peak({}, 5)]).toEqual([
    13, 11, 10,
  ])
})

test('each version of a kind is the same kind, and its owner resumes it in its own words', () => {
  const ref = { kind: 'StatefulSet', namespace: 'shop', name: 'db' }
  const older = adapterFor({ ...ref, apiVersion: 'apps.kruise.io/v1alpha1' })
  expect(older).toBe(kruiseStatefulSet)
  expect(adapterFor({ ...ref, apiVersion: 'apps/v1beta1' })).toBeUndefined()
  const resumed = `--type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"paused":false}}}}'`
  const newer = { ...ref, apiVersion: 'apps.kruise.io/v1beta1' }
  expect(resumeWorkloadCommand(newer, kruiseStatefulSet)).toBe(
    `kubectl -n shop patch statefulset.apps.kruise.io/db ${resumed}`,
  )
  const own = { apiVersion: 'databases.example.com/v1', kind: 'Shard', plural: 'shards' }
  expect(resumeWorkloadCommand({ ...ref, ...own }, statefulSetLike(own))).toBe(
    `kubectl -n shop patch shard.databases.example.com/db ${resumed}`,
  )
})

// When a step counts as complete although some of its pods are not Ready.

import { expect, test } from 'vitest'

import { observed, rolling } from '../../test/world/partition-scene.ts'
import type { PartitionScene, SceneKind } from '../../test/world/partition-scene.ts'
import { threeSteps } from '../../test/world/three-steps.ts'
import { kruiseDaemonSet } from '../workload/kruise-daemon-set.ts'
import { statefulSet } from '../workload/statefulset.ts'
import { podsUpdated } from './goals.ts'
import type { Snapshot } from './model.ts'
import { memoryOf } from './status.ts'

const daemons: SceneKind = {
  adapter: kruiseDaemonSet,
  strategy: rolling,
  status: desiredNumberScheduled => ({ desiredNumberScheduled, daemonSetHash: 'web-v2' }),
}
const sets: SceneKind = { adapter: statefulSet, strategy: rolling }
const held = {}

test.each<[string, PartitionScene, number | string, boolean]>([
  ['one of two is tolerated', { kind: daemons, pods: '11112x', hold: held }, 1, true],
  ['none is', { kind: daemons, pods: '11112x', hold: held }, 0, false],
  ['one is, and two are broken', { kind: daemons, pods: '1111xx', hold: held }, 1, false],
  ['a node has joined', { kind: daemons, pods: '11112xx', hold: held }, 1, true],
  ['and its pod is broken, too', { kind: daemons, pods: '1111xxx', hold: held }, 1, false],
  ['they are not yet new', { kind: daemons, pods: '11111x', hold: held }, 1, false],
  ['too many that can go back', { kind: sets, pods: '112xx', hold: held }, '50%', false],
])('%s', (_, scene, failureThreshold, complete) => {
  const steps = [{ replicas: 2 }]
  const memory = { ...memoryOf(undefined), stepIndex: 1 }
  const s: Snapshot = {
    now: Date.parse('2030-01-01T00:00:00Z'),
    rollout: { ...threeSteps, steps, failureThreshold },
    memory,
    workload: observed(scene),
    adapter: scene.kind!.adapter,
    kruiseRuns: false,
    registered: true,
    holdRefused: false,
  }
  expect(podsUpdated.met(s)).toBe(complete)
})

// A workload of any kind that is deleted in the middle of its release, and made anew: nothing of the release
// before is left, neither on the Rollout nor in what holds the next edit.

import { expect, test } from 'vitest'

import { holdOf } from '#core/workload/hold.ts'
import * as kinds from '../world/kinds.ts'
import { deleteWorkload, edit, manifest, replace } from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'
import { rolloutIn, workloadIn } from '../world/world.ts'

const rolling = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } }
const cloning = { updateStrategy: { partition: 0, maxUnavailable: 1 } }
const onNodes = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } }

test.each([
  ['a StatefulSet', kinds.statefulSetKind, rolling],
  ['a DaemonSet', kinds.daemonSetKind, onNodes],
  ['a StatefulSet of Kruise', kinds.kruiseStatefulSetKind, rolling],
  ['a CloneSet', kinds.cloneSetKind, cloning],
  ['a DaemonSet of Kruise', kinds.kruiseDaemonSetKind, rolling],
])('%s', (_, kind, spec) => {
  const world = newWorld({ kind, replicas: 4, spec })
  expect(play(world, edit('v2'))).toContain('StepPaused: 3 v1 1 v2')
  expect(play(world, deleteWorkload)).toBe('nothing -> Initial: no workload')
  const { canaryStatus } = { ...rolloutIn(world)?.status }
  expect(canaryStatus).toBeUndefined()
  const again = manifest('v2', { ...spec, replicas: 4 }, kind)
  expect(play(world, replace(again))).toMatch(/Healthy: 4 v2$/)
  expect(holdOf(workloadIn(world)!)).toBeUndefined()
  expect(play(world, edit('v1'))).toMatch(/^ReleaseStarted.*StepPaused: 3 v2 1 v1$/)
})

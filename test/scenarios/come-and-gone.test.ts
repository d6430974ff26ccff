// A workload of any kind that is deleted in the middle of its release, and made anew: nothing of the release
// before is left, neither on the Rollout nor in what holds the next edit.

import { expect, test } from 'vitest'

import { holdOf } from '#core/workload/hold.ts'
import { deleteWorkload, disable, edit, manifest, replace } from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'
import { rolloutIn, workloadIn } from '../world/world.ts'
import { everyKind } from './every-kind.ts'

test.each(everyKind)('%s', (_, kind, spec) => {
  const world = newWorld({ kind, replicas: 4, spec })
  expect(play(world, edit('v2'))).toContain('StepPaused: 3 v1 1 v2')
  expect(play(world, deleteWorkload)).toBe('nothing -> Initial: no workload')
  const { canaryStatus } = { ...rolloutIn(world)?.status }
  expect(canaryStatus).toBeUndefined()
  const again = manifest('v2', { ...spec, replicas: 4 }, kind)
  expect(play(world, replace(again))).toMatch(/Healthy: 4 v2$/)
  expect(holdOf(workloadIn(world)!)).toBeUndefined()
  expect(play(world, edit('v1'))).toMatch(/^ReleaseStarted.*StepPaused: (3 v2 1 v1|1 v1 3 v2)$/)
})

test('a Rollout that is disabled is so without a workload as well', () => {
  const world = newWorld()
  play(world, deleteWorkload)
  expect(play(world, disable(true))).toBe('nothing -> Disabled: no workload')
  const { message, conditions = [] } = { ...rolloutIn(world)?.status }
  expect(message).toBe('disabled: there is no Deployment web')
  const stands = conditions.filter(({ status }) => status === 'True').map(({ type }) => type)
  expect(stands).toContain('Ready')
  expect(stands).not.toContain('Reconciling')
  expect(play(world, disable(false))).toBe('nothing -> Initial: no workload')
})

// The stable template returns in the middle of a release, and its Rollout asks for a way back by steps.

import { describe, expect, test } from 'vitest'

import { cloneSet } from '#core/workload/clone-set.ts'
import { holdOf } from '#core/workload/hold.ts'
import { kruiseDaemonSet } from '#core/workload/kruise-daemon-set.ts'
import { kruiseStatefulSet } from '#core/workload/kruise-stateful-set.ts'
import { statefulSet } from '#core/workload/statefulset.ts'
import { approve, change, edit, newPartitionWorld, scale, sight } from '../world/partition-world.ts'

const steps = [{ replicas: '20%' }, { replicas: '50%' }, { replicas: '100%' }]

describe.each([statefulSet, kruiseStatefulSet, cloneSet])('$apiVersion $kind', adapter => {
  function half() {
    const world = newPartitionWorld(adapter, steps)
    edit(world, 'v2')
    expect(sight(world)).toBe('Progressing 1 StepPaused: 8 v1 2 v2')
    approve(world)
    expect(sight(world)).toBe('Progressing 2 StepPaused: 5 v1 5 v2')
    return world
  }

  test('those that have left go back step by step, and that is a release of its own', () => {
    const world = half()
    edit(world, 'v1')
    const { rolloutId: release } = holdOf(world.object)!
    expect(world.memory.release).toBe(release)
    expect(world.warnings).toEqual([
      'the stable template is back, and pods go back in steps (rollouts.kruise.io/rollback-in-batch): step 1 of 3 takes 20% of those that have left it, then waits for approval',
      `approve with: kubectl -n shop patch rollout web-rollout --subresource=status --type=merge -p '{"status":{"canaryStatus":{"currentStepState":"StepReady"}}}'`,
      expect.stringContaining('take it for finished while it is held'),
      `to wait for the end: kubectl -n shop wait rollout web-rollout --for=jsonpath='{..observedRelease}'=${release} --timeout=5m && kubectl -n shop wait rollout web-rollout --for=condition=Ready --timeout=1h`,
      `take all pods back at once with: kubectl -n shop annotate rollout web-rollout --overwrite sluice.dev/abort=${release}`,
    ])
    expect(sight(world)).toBe('Progressing 1 StepPaused: 6 v1 4 v2')
    const { stableRevision, canaryRevision, rolloutId } = world.memory
    expect([stableRevision, canaryRevision]).toEqual(['web-v1', 'web-v1'])
    expect(rolloutId).toMatch(/^rollback-/)
    expect(world.decision!.message).toMatch(/step 1 of 3 reached: 6 of 10 pods are stable/)
    approve(world)
    expect(sight(world)).toBe('Progressing 2 StepPaused: 8 v1 2 v2')
    approve(world)
    expect(sight(world)).toBe('Healthy: 10 v1')
    expect(holdOf(world.object)).toBeUndefined()
    expect(world.memory.ending).toBe('completed')
    expect(world.told.slice(-2)).toEqual(['StepReached', 'ReleaseCompleted'])
    edit(world, 'v2')
    expect(sight(world)).toBe('Progressing 1 StepPaused: 8 v1 2 v2')
  })

  test('an abort on the way lets all go back at once; one from before does not', () => {
    const world = half()
    change(world, { abort: 'early' })
    change(world, { abort: undefined } as never)
    edit(world, 'v2b')
    edit(world, 'v1')
    expect(world.memory.stepIndex).toBe(1)
    change(world, { abort: 'now' })
    expect(sight(world)).toBe('Healthy: 10 v1')
    expect(world.memory.ending).toBe('completed')
  })

  test('after an abort all are back: the template ends it at once', () => {
    const world = half()
    change(world, { abort: 'now' })
    expect(sight(world)).toBe('Progressing 1 BeforeStepUpgrade: 10 v1')
    edit(world, 'v1')
    expect(sight(world)).toBe('Healthy: 10 v1')
    expect(world.memory.ending).toBe('canceled')
  })

  test('another version on the way back begins at step 1, and the stable one stays the same', () => {
    const world = half()
    edit(world, 'v1')
    edit(world, 'v3')
    expect(sight(world)).toMatch(/^Progressing 1 StepPaused: .*2 v3/)
    edit(world, 'v1')
    expect(world.memory.stableRevision).toBe('web-v1')
    expect(sight(world)).toMatch(/^Progressing 1 StepPaused/)
    approve(world)
    approve(world)
    expect(sight(world)).toBe('Healthy: 10 v1')
  })

  test('a scaling on the way brings pods of the stable version, and lets no others go', () => {
    const world = half()
    edit(world, 'v1')
    scale(world, 14)
    expect(sight(world)).toBe('Progressing 1 StepPaused: 10 v1 4 v2')
    approve(world)
    approve(world)
    expect(sight(world)).toBe('Healthy: 14 v1')
  })

  test('a paused Rollout lets nobody go back; a disabled one everybody', () => {
    const world = half()
    change(world, { paused: true })
    edit(world, 'v1')
    expect(sight(world)).toBe('Progressing 1 BeforeStepUpgrade: 5 v1 5 v2')
    change(world, { paused: false })
    expect(sight(world)).toBe('Progressing 1 StepPaused: 6 v1 4 v2')
    change(world, { disabled: true })
    expect(sight(world)).toBe('Disabled: 10 v1')
  })

  test('a disabled Rollout holds no rollback', () => {
    const world = half()
    world.rollout = { ...world.rollout, disabled: true }
    edit(world, 'v1')
    expect(world.warnings[0]).toMatch(/^rolling back to the stable template: /)
    expect(sight(world)).toBe('Disabled: 10 v1')
  })

  test('without the annotation all go back at once', () => {
    const world = half()
    const { rollbackInSteps: _, ...rollout } = world.rollout
    world.rollout = rollout
    edit(world, 'v1')
    expect(sight(world)).toBe('Healthy: 10 v1')
    expect(world.memory.ending).toBe('canceled')
  })

  test('in the last step, too, the way back is by steps', () => {
    const world = newPartitionWorld(adapter, [{ replicas: '20%' }, { replicas: '100%' }])
    edit(world, 'v2')
    // Its own controller has taken half of them when the template returns.
    world.memory = { ...world.memory, state: 'StepReady' }
    world.object = {
      ...world.object,
      metadata: {
        ...world.object.metadata,
        annotations: {
          ...world.object.metadata.annotations,
          'sluice.dev/hold': world.object.metadata.annotations!['sluice.dev/hold']!.replace(
            'mode=wave',
            'mode=finishing',
          ),
        },
      },
    }
    edit(world, 'v1')
    expect(holdOf(world.object)?.ran).toBeGreaterThan(0)
    expect(sight(world)).toMatch(/^Progressing 1 StepPaused/)
  })
})

test('a kind whose pods come new whatever happens goes back at once', () => {
  expect(kruiseDaemonSet.rollsBackInSteps).toBeUndefined()
})

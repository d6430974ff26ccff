// The owner takes his workload over with the one command, and does with it what he likes, while nobody of
// ours is alive. When we are back it is guarded again, and nothing of before counts.

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { WORKLOAD_TYPE } from '#api/names.ts'
import * as people from '../world/people.ts'
import type { Happening } from '../world/people.ts'
import { newWorld, play, settle, withoutUs } from '../world/play.ts'
import { deploymentIn, setsIn, versionOf, wanted } from '../world/world.ts'
import type { World } from '../world/world.ts'
import { tell } from './story.ts'

const { abort, approve, deleteRollout, edit, escape, jump, manifest } = people
const { pauseWorkload, replace, resumeWorkload, undo, webhook } = people

const begins = 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'

/** As under Ignore where no policy is served. */
const unguarded: Happening = world => {
  world.policy = false
  world.webhook = false
}

tell({
  'everybody is new: it is told whose doing that was': {
    rows: [
      [edit('v2'), begins],
      [withoutUs(escape), 'guard v2, ReleaseTakenOver, forget escape -> Healthy: 10 v2'],
      [edit('v3'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v2 1 v3'],
    ],
  },
  'and back with rollout undo: what the ReplicaSet remembers does not count': {
    rows: [
      [edit('v2'), begins],
      [withoutUs(escape, undo('v1')), 'guard v1, ReleaseRolledBack -> Healthy: 10 v1'],
      [edit('v2'), begins],
    ],
  },
  'and on to a version whose ReplicaSet remembers a hold': {
    rows: [
      [edit('v2'), begins],
      [edit('v3'), 'ReleaseRestarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v3'],
      [withoutUs(escape, undo('v2')), 'guard v2, ReleaseOvertaken -> Healthy: 10 v2'],
      [edit('v1'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 1 v1 9 v2'],
    ],
  },
  'an edit that the policy has caught': {
    rows: [
      [withoutUs(edit('v2'), escape), 'guard v2, forget escape, NotHeld -> Healthy: 10 v2'],
      [edit('v3'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v2 1 v3'],
    ],
  },
  'and deletes the Rollout: nothing is left': {
    rows: [
      [edit('v2'), begins],
      [withoutUs(escape, undo('v1'), undo('v2'), deleteRollout), 'unguard -> no Rollout: 10 v2'],
    ],
  },
  'while we are alive it is left alone until all are where he wants them': {
    rows: [
      [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [escape, 'nothing -> Progressing 1 StepUpgrade: 5 broken 8 v1, 8 ready'],
      [undo('v1'), 'guard v1, ReleaseRolledBack -> Healthy: 10 v1'],
      [edit('v2'), begins],
    ],
  },
  'a version that nobody held overtakes a release': {
    rows: [
      [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [jump(3), 'StepJumped, finishing -> Progressing 3 StepUpgrade: 5 broken 8 v1, 8 ready'],
      [unguarded, 'nothing -> Progressing 3 StepUpgrade: 5 broken 8 v1, 8 ready'],
      [
        edit('v3'),
        'released, released, released, released, released -> Progressing 3 StepUpgrade: 10 v3',
      ],
      [webhook(true), 'released, ReleaseOvertaken -> Healthy: 10 v3'],
      [edit('v4'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v3 1 v4'],
    ],
  },
})

const before: Readonly<Record<string, readonly Happening[]>> = {
  'in the pause of a step': [edit('v2')],
  'after a third version': [edit('v2'), edit('v3')],
  'frozen by its owner': [edit('v2'), pauseWorkload],
  aborted: [edit('v2'), abort()],
  'after a release': [edit('v2'), approve, approve, edit('v3')],
}
const version = fc.constantFrom('v1', 'v2', 'v3', 'v4')
const acts = fc.array(
  fc.oneof(
    version.map(each => ({ how: 'edit', each, act: edit(each) })),
    version.map(each => ({ how: 'undo', each, act: undo(each) })),
    version.map(each => ({
      how: 'replace',
      each,
      act: replace(manifest(each, { replicas: 10 })),
    })),
  ),
  { minLength: 1, maxLength: 6 },
)

test.each(Object.keys(before))('whatever its owner does then goes out, %s', name => {
  const place = fc.record({
    policy: fc.boolean(),
    failurePolicy: fc.constantFrom('Fail' as const, 'Ignore' as const),
  })
  fc.assert(
    fc.property(place, acts, (given, doings) => {
      const world = newWorld()
      for (const happening of before[name]!) play(world, happening)
      Object.assign(world, given)
      const steps = doings.map(({ how, each, act }) => (now: World) => {
        if (how === 'undo' && !setsIn(now).some(set => versionOf(set) === each)) return
        act(now)
        expect(deploymentIn(now)!.spec.paused ?? false).toBe(false)
        expect(versionOf(deploymentIn(now)!)).toBe(each)
      })
      withoutUs(escape, resumeWorkload, ...steps)(world)
      const last = versionOf(deploymentIn(world)!)
      expect(wanted(world)).toEqual({ [last]: 10 })
      settle(world)
      const { labels, annotations } = deploymentIn(world)!.metadata
      expect(Object.keys({ ...annotations }).filter(key => key.startsWith('sluice'))).toEqual([])
      expect(labels).toHaveProperty([WORKLOAD_TYPE])
      expect(play(world, edit('v9'))).toContain(`Progressing 1 StepPaused: 9 ${last} 1 v9`)
    }),
    { numRuns: 10 },
  )
})

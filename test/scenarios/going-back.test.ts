// Releases that go back: the old template, an abort, a third version, the end of a Rollout.

import { expect, test } from 'vitest'

import { catchUp, reconcile } from '../world/controller.ts'
import { syncDeployment } from '../world/deployment-controller.ts'
import * as people from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'
import { tell } from './story.ts'

const { abort, approve, deleteRollout, disable, edit, pass, pauseWorkload, plan } = people
const { scale, unabort, undo } = people

const surgeless = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
}

tell({
  'the old template is a rollback in the first step': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [edit('v1'), 'disarm web-v2, ReleaseRolledBack -> Healthy: 10 v1'],
    ],
  },
  'the old template is a rollback in the second step': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [edit('v1'), 'disarm web-v2, ReleaseRolledBack -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
    ],
  },
  'rollout undo is a rollback, and brings no old hold back': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [undo('v1'), 'disarm web-v2, ReleaseRolledBack -> Healthy: 10 v1'],
      [undo('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
    ],
  },
  'a broken version is rolled back without a Ready pod missed': {
    rows: [
      [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [edit('v1'), 'disarm web-broken, ReleaseRolledBack -> Healthy: 10 v1'],
    ],
  },
  'a third version starts from the first step, and the one in between leaves first': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [
        edit('v3'),
        'ReleaseRestarted, 10%+0%, disarm web-v2, StepReached -> Progressing 1 StepPaused: 5 v1 4 v2 1 v3',
      ],
      [approve, 'arm web-v2, 30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v3'],
      [edit('v1'), 'disarm web-v3, ReleaseRolledBack -> Healthy: 10 v1'],
    ],
  },
  'a version between that comes back lets nobody out beside its pods that stand': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [
        edit('v3'),
        'ReleaseRestarted, 10%+0%, disarm web-v2, StepReached -> Progressing 1 StepPaused: 5 v1 4 v2 1 v3',
      ],
      [
        edit('v2'),
        'ReleaseRestarted, disarm web-v3, scale web-v1 to 8, scale web-v2 to 1, StepReached -> Progressing 1 StepPaused: 8 v1 1 v2 1 v3',
      ],
    ],
  },
  'a third version mends a broken one': {
    rows: [
      [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [edit('v3'), 'ReleaseRestarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v3'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v3'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v3'],
    ],
  },
  'an abort takes everybody back and leaves the template; without it the release starts again': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [
        abort(),
        'Aborting, back 10%+0%, scale web-v1 to 8, scale web-v2 to 2, scale web-v1 to 9, scale web-v2 to 1, stop, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1',
      ],
      [pass(3600), 'nothing -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1'],
      [scale(4), 'nothing -> Progressing 1 BeforeStepUpgrade Aborted: 4 v1'],
      [unabort, '25%+0%, StepReached -> Progressing 1 StepPaused: 3 v1 1 v2'],
      [approve, '50%+0%, StepReached -> Progressing 2 StepPaused: 2 v1 2 v2'],
    ],
  },
  'an aborted release ends with the old template, and a new one begins anew': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        abort(),
        'Aborting, stop, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1',
      ],
      [edit('v1'), 'ReleaseRolledBack -> Healthy: 10 v1'],
      [edit('v3'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v3'],
      [
        abort('again'),
        'Aborting, stop, scale web-v3 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1',
      ],
      [edit('v2'), 'ReleaseRestarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
    ],
  },
  'an abort with 2 replicas without a surge': {
    beginning: { replicas: 2, spec: surgeless },
    rows: [
      [edit('v2'), 'ReleaseStarted, StepReached -> Progressing 1 StepPaused: 1 v1 1 v2'],
      [
        abort(),
        'Aborting, stop, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 2 v1',
      ],
    ],
  },
  'an abort while the workload is paused': {
    beginning: { replicas: 3 },
    rows: [
      [edit('v2'), 'ReleaseStarted, 34%+0%, StepReached -> Progressing 1 StepPaused: 2 v1 1 v2'],
      [pauseWorkload, 'nothing -> Progressing 1 StepPaused: 2 v1 1 v2'],
      [
        abort(),
        'Aborting, stop, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 3 v1',
      ],
    ],
  },
  'an abort of the only pod': {
    beginning: { replicas: 1, spec: surgeless },
    rows: [
      [edit('v2'), 'ReleaseStarted, StepReached -> Progressing 1 StepPaused: 1 v2'],
      [
        abort(),
        'Aborting, stop, scale web-v1 to 1, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 1 v1',
      ],
      [unabort, '100%+0%, StepReached -> Progressing 1 StepPaused: 1 v2'],
    ],
  },
  'an aborted workload that is scaled to nobody and back comes home again': {
    beginning: { replicas: 5 },
    rows: [
      [edit('v2'), 'ReleaseStarted, 20%+0%, StepReached -> Progressing 1 StepPaused: 4 v1 1 v2'],
      [
        abort(),
        'Aborting, stop, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 5 v1',
      ],
      [scale(0), 'nothing -> Progressing 1 BeforeStepUpgrade Aborted: no pod'],
      [
        scale(5),
        'back 20%+0%, scale web-v1 to 2, scale web-v2 to 3, scale web-v1 to 4, scale web-v2 to 1, stop, scale web-v2 to 0, aborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 5 v1',
      ],
    ],
  },
  'a Rollout that is deleted gives the workload back, and the rest is released': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [deleteRollout, 'Released, released, unguard -> no Rollout: 10 v2'],
      [edit('v3'), 'nothing -> no Rollout: 10 v3'],
      [plan([{ replicas: 1 }, { replicas: '100%' }]), 'guard v3 -> Healthy: 10 v3'],
      [edit('v1'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 1 v1 9 v3'],
    ],
  },
  'a Rollout that is disabled gives the workload back, and holds again when it is enabled': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [disable(true), 'Released, released, guard -> Disabled: 10 v2'],
      [edit('v3'), 'guard -> Disabled: 10 v3'],
      [disable(false), 'guard v3 -> Healthy: 10 v3'],
      [edit('v1'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 1 v1 9 v3'],
    ],
  },
})

test('an edit back while the rest of a disabled release rolls out is a rollback, not a release', () => {
  const world = newWorld({ replicas: 4 })
  for (const happening of [edit('broken'), disable(true)]) play(world, happening)
  disable(false)(world)
  expect(play(world, edit('v1'))).toBe('guard v1 -> Healthy: 4 v1')
})

test('a version that nobody has ever run well is not the stable one while the way back is open', () => {
  const spec = {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  }
  const world = newWorld({ replicas: 1, spec })
  edit('broken')(world)
  for (let i = 0; i < 2; i++) syncDeployment(world)
  edit('v1')(world)
  catchUp(world)
  reconcile(world)
  for (const happening of [edit('v2'), scale(3)]) play(world, happening)
  expect(play(world, abort())).toMatch(/Aborted: 3 v1$/)
})

test('an abort after a scaling to 2 takes everybody back', () => {
  const world = newWorld({ replicas: 1 })
  edit('v2')(world)
  syncDeployment(world)
  scale(2)(world)
  expect(play(world, abort())).toMatch(/Aborted: 2 v1$/)
})

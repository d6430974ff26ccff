// Releases that go forward: approvals, pauses by time, jumps, changed plans, waves that keep the
// owner's promises, pods that do not get Ready.

import { expect, test } from 'vitest'

import { keptReady } from '../properties/deployments.ts'
import { catchUp, reconcile } from '../world/controller.ts'
import { syncDeployment } from '../world/deployment-controller.ts'
import * as people from '../world/people.ts'
import { newWorld, play, pods } from '../world/play.ts'
import { wanted } from '../world/world.ts'
import type { World } from '../world/world.ts'
import { tell } from './story.ts'

const { approve, edit, freeze, jump, pass, plan, scale } = people

const rolling = (maxUnavailable: number | string, maxSurge: number | string) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
})

tell({
  'each approval lets one step out, and the last one ends the release': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
      [approve, 'nothing -> Healthy: 10 v2'],
    ],
  },
  'an edit needs no write of ours for its first pods, and one to end their surge': {
    beginning: { steps: [{ replicas: 1 }, { replicas: '100%' }] },
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
    ],
  },
  'a step with a duration goes on by itself, not a second early': {
    beginning: {
      steps: [{ replicas: 1, pause: { duration: 60 } }, { replicas: '50%' }, { replicas: '100%' }],
    },
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [pass(49), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [pass(1), '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'a duration of 0 waits for nobody': {
    beginning: {
      steps: [{ replicas: 1, pause: { duration: 0 } }, { replicas: '50%' }, { replicas: '100%' }],
    },
    rows: [
      [
        edit('v2'),
        'ReleaseStarted, StepReached, 30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2',
      ],
    ],
  },
  'a last step of 10 of 10 waits, one of 100% does not': {
    beginning: { steps: [{ replicas: 5 }, { replicas: 10 }] },
    rows: [
      [edit('v2'), 'ReleaseStarted, 50%+0%, StepReached -> Progressing 1 StepPaused: 5 v1 5 v2'],
      [approve, '70%+21%, 100%+0%, StepReached -> Progressing 2 StepPaused: 10 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'with maxUnavailable 0 each wave surges first, and no Ready pod is missed': {
    beginning: { spec: rolling(0, 2) },
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '10%+2, 30%+2, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'one pod at a time, where the owner allows one': {
    beginning: { replicas: 4, spec: rolling(1, 0) },
    rows: [
      [edit('v2'), 'ReleaseStarted, StepReached -> Progressing 1 StepPaused: 3 v1 1 v2'],
      [approve, '50%+0%, StepReached -> Progressing 2 StepPaused: 2 v1 2 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 4 v2'],
    ],
  },
  'one pod is one step': {
    beginning: { replicas: 1 },
    rows: [
      [edit('v2'), 'ReleaseStarted, 100%+0%, StepReached -> Progressing 1 StepPaused: 1 v2'],
      [approve, '100%+0%, StepReached -> Progressing 2 StepPaused: 1 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 1 v2'],
    ],
  },
  'a pod that does not get Ready stops the wave, and is told when the deadline is over': {
    rows: [
      [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [approve, 'ApprovalIgnored -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [pass(300), 'nothing -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [
        pass(300),
        'ProgressDeadlineExceeded -> Progressing 1 StepUpgrade ProgressDeadlineExceeded: 1 broken 10 v1, 10 ready',
      ],
    ],
  },
  'failureThreshold counts a step as complete, and stops no pod from being tried': {
    beginning: { canary: { failureThreshold: 1 } },
    rows: [
      [
        edit('broken'),
        'ReleaseStarted, StepReached -> Progressing 1 StepPaused: 1 broken 10 v1, 10 ready',
      ],
      [approve, '20%+21% -> Progressing 2 StepUpgrade: 5 broken 8 v1, 8 ready'],
    ],
  },
  'minReadySeconds are counted before the next pods follow': {
    beginning: { spec: { ...rolling(1, 0), minReadySeconds: 20 }, replicas: 4 },
    rows: [
      [edit('v2'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 3 v1 1 v2'],
      [pass(20), 'StepReached -> Progressing 1 StepPaused: 3 v1 1 v2'],
    ],
  },
  'a jump goes to any step, and pods that were let out stay': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [jump(2), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [jump(1), 'StepJumped -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [jump(3), 'StepJumped, finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'a jump to a step that there is not goes nowhere, and is told': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [jump(9), 'JumpIgnored -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [jump(0), 'JumpIgnored -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [freeze(true), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [jump(7), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [freeze(false), 'JumpIgnored -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'an approval that comes before the pause is refused, and said so': {
    rows: [
      [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [approve, 'ApprovalIgnored -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [edit('v3'), 'ReleaseRestarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v3'],
    ],
  },
  'two approvals of one pause are one': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        world => {
          approve(world)
          approve(world)
        },
        '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2',
      ],
    ],
  },
  'a changed plan goes on with the step that covers what was let out': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [
        plan([{ replicas: '10%' }, { replicas: '80%' }, { replicas: '100%' }]),
        'PlanChanged, 70%+1%, 80%+0%, StepReached -> Progressing 2 StepPaused: 2 v1 8 v2',
      ],
      [
        plan([{ replicas: '90%' }, { replicas: '95%' }, { replicas: '100%' }]),
        'PlanChanged, 90%+0%, StepReached -> Progressing 2 StepPaused: 1 v1 9 v2',
      ],
    ],
  },
  'a changed pause changes no step': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        plan([{ replicas: 1, pause: { duration: 30 } }, { replicas: '50%' }, { replicas: '100%' }]),
        'nothing -> Progressing 1 StepPaused: 9 v1 1 v2',
      ],
      [pass(30), '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'proportion is kept when the workload is scaled': {
    beginning: { steps: [{ replicas: '30%' }, { replicas: '60%' }, { replicas: '100%' }] },
    rows: [
      [edit('v2'), 'ReleaseStarted, 30%+0%, StepReached -> Progressing 1 StepPaused: 7 v1 3 v2'],
      [scale(20), 'nothing -> Progressing 1 StepPaused: 14 v1 6 v2'],
      [scale(5), '40%+0% -> Progressing 1 StepPaused: 3 v1 2 v2'],
      [
        scale(13),
        '31%+0%, scale web-v1 to 9, scale web-v2 to 4 -> Progressing 1 StepPaused: 9 v1 4 v2',
      ],
      [approve, '54%+1%, 62%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 8 v2'],
    ],
  },
  'scaled to nobody and back all come up new, which is told and taken back': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [scale(0), 'nothing -> Progressing 1 StepPaused: no pod'],
      [
        scale(6),
        'CameUpNew, 17%+0%, scale web-v1 to 2, scale web-v2 to 4, scale web-v1 to 4, scale web-v2 to 2, scale web-v1 to 5, scale web-v2 to 1 -> Progressing 1 StepPaused: 5 v1 1 v2',
      ],
    ],
  },
  'scaled to nobody and back without a history all are new, and there is no way back': {
    beginning: { replicas: 5, spec: { revisionHistoryLimit: 0 } },
    rows: [
      [edit('v2'), 'ReleaseStarted, 20%+0%, StepReached -> Progressing 1 StepPaused: 4 v1 1 v2'],
      [scale(0), 'nothing -> Progressing 1 StepPaused: no pod'],
      [scale(5), 'StableRevisionGone, 100%+0% -> Progressing 1 StepPaused: 5 v2'],
    ],
  },
  'an edit while nobody runs is not held': {
    beginning: { replicas: 0 },
    rows: [
      [edit('v2'), 'guard v2, NotHeld -> Healthy: no pod'],
      [scale(3), 'nothing -> Healthy: 3 v2'],
      [edit('v3'), 'ReleaseStarted, 34%+0%, StepReached -> Progressing 1 StepPaused: 2 v2 1 v3'],
    ],
  },
  'more than 100 pods are counted one by one': {
    beginning: { replicas: 250, steps: [{ replicas: 1 }, { replicas: '33%' }] },
    rows: [
      [edit('v2'), 'ReleaseStarted, 1+0%, StepReached -> Progressing 1 StepPaused: 249 v1 1 v2'],
      [approve, '63+8%, 83+0%, StepReached -> Progressing 2 StepPaused: 167 v1 83 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 250 v2'],
    ],
  },
})

test('a revision between is armed only while old pods leave: the next edit would cost its Ready pods', () => {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }
  const world = newWorld({ replicas: 13, spec: { strategy }, steps: [{ replicas: '20%' }] })
  for (const version of ['v2', 'broken']) {
    pass(5)(world)
    play(world, edit(version))
  }
  edit('v4')(world)
  for (let i = 0; i < 3; i++) syncDeployment(world)
  expect(keptReady(world)).toBe(13)
})

test('a version whose pods a rollback has not yet taken comes back like one between', () => {
  const steps = [{ replicas: '20%' }, { replicas: '80%' }]
  const world = newWorld({ replicas: 5, spec: rolling('100%', 0), steps })
  for (const happening of [edit('v2'), approve]) play(world, happening)
  edit('v1')(world)
  edit('v3')(world)
  play(world, pass(1))
  const stood = wanted(world)['v2']!
  expect(stood).toBeGreaterThan(1)
  edit('v2')(world)
  lookUncounted(world)
  expect(wanted(world)['v2']).toBe(stood + 1)
})

test.each([
  ['100%', 0],
  ['25%', '25%'],
  [0, 1],
])(
  'a version between that comes back grows by one at most, however late its ReplicaSet tells (%s, %s)',
  (maxUnavailable, maxSurge) => {
    const steps = [{ replicas: '20%' }, { replicas: '80%' }]
    const world = newWorld({ spec: rolling(maxUnavailable, maxSurge), steps })
    for (const happening of [edit('v2'), approve, edit('v3')]) play(world, happening)
    const stood = wanted(world)['v2']!
    edit('v2')(world)
    lookUncounted(world)
    expect(wanted(world)['v2']).toBe(stood + 1)
    play(world, pass(1))
    expect(pods(world)).toMatch(/ 2 v2/)
  },
)

/** Nobody counts pods anew meanwhile: disarmed, those of a version between were available. */
function lookUncounted(world: World): void {
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 3; j++) syncDeployment(world)
    catchUp(world)
    reconcile(world)
  }
}

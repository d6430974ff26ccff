// Releases in which all old pods stay until the last step is over: forward, scaled, back, and with nobody
// of ours alive.

import { ROLLOUT_ID } from '#api/names.ts'
import * as people from '../world/people.ts'
import { withoutUs } from '../world/play.ts'
import { tell } from './story.ts'
import type { Row } from './story.ts'

const { abort, approve, deleteRollout, disable, edit, escape, freeze, jump, plan, scale, unabort } =
  people
const { pauseWorkload, restyle, resumeWorkload, undo } = people

const beginning = { style: 'blueGreen' } as const
const begun = (pods: string) => `ReleaseStarted, StepReached -> Progressing 1 StepPaused: ${pods}`
const first: Row = [edit('v2'), begun('10 v1 1 v2')]
const half: Row = [approve, '0%+50%, StepReached -> Progressing 2 StepPaused: 10 v1 5 v2']
const whole: Row = [approve, '0%+100%, StepReached -> Progressing 3 StepPaused: 10 v1 10 v2']
/** The steps in numbers of pods. */
const numbers = plan([{ replicas: 3 }, { replicas: 8 }], {}, 'blueGreen')

tell({
  'a step at a time, and a last one of 100% waits as well': {
    beginning,
    rows: [
      first,
      half,
      whole,
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'pods carry the release and the step of an owner who names it, also after a scaling': {
    beginning,
    rows: [
      [people.label(ROLLOUT_ID, 'r1'), 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted, label 1, StepReached -> Progressing 1 StepPaused: 10 v1 1 v2'],
      [
        approve,
        '0%+50%, label 2, label 2, label 2, label 2, StepReached -> Progressing 2 StepPaused: 10 v1 5 v2',
      ],
      [scale(12), 'label 2 -> Progressing 2 StepPaused: 12 v1 6 v2'],
    ],
  },
  'a style that changes while the webhook is away is that of the next release': {
    beginning,
    rows: [
      first,
      half,
      whole,
      [withoutUs(restyle('canary')), 'nothing -> Progressing 3 StepPaused: 10 v1 10 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
      [edit('v3'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v2 1 v3'],
    ],
  },
  'a last step of less lets the rest out by the owner’s own strategy': {
    beginning: { ...beginning, steps: [{ replicas: '50%' }] },
    rows: [
      [edit('v2'), begun('10 v1 5 v2')],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'a single pod has one beside it from the first step on': {
    beginning: { ...beginning, replicas: 1 },
    rows: [
      [edit('v2'), begun('1 v1 1 v2')],
      [approve, '0%+50%, StepReached -> Progressing 2 StepPaused: 1 v1 1 v2'],
      [approve, '0%+100%, StepReached -> Progressing 3 StepPaused: 1 v1 1 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 1 v2'],
    ],
  },
  'a scaling needs nobody of ours, but where all comes up new': {
    beginning,
    rows: [
      first,
      half,
      [scale(14), 'nothing -> Progressing 2 StepPaused: 14 v1 7 v2'],
      [scale(6), 'nothing -> Progressing 2 StepPaused: 6 v1 3 v2'],
      [scale(1), 'nothing -> Progressing 2 StepPaused: 1 v1 1 v2'],
      [scale(10), 'scale web-v1 to 10, scale web-v2 to 5 -> Progressing 2 StepPaused: 10 v1 5 v2'],
      [scale(0), 'nothing -> Progressing 2 StepPaused: no pod'],
      [
        scale(7),
        'CameUpNew, scale web-v1 to 7, scale web-v2 to 4 -> Progressing 2 StepPaused: 7 v1 4 v2',
      ],
    ],
  },
  'a step by number stays that number': {
    beginning,
    rows: [
      [numbers, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), begun('10 v1 3 v2')],
      [
        scale(20),
        'scale web-v1 to 20, 0%+11%, scale web-v2 to 3 -> Progressing 1 StepPaused: 20 v1 3 v2',
      ],
      [scale(5), '0%+41% -> Progressing 1 StepPaused: 5 v1 3 v2'],
      [approve, '0%+81%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'a jump back takes nobody away': {
    beginning,
    rows: [
      first,
      half,
      [jump(1), 'StepJumped, StepReached -> Progressing 1 StepPaused: 10 v1 5 v2'],
      [jump(3), 'StepJumped, 0%+100%, StepReached -> Progressing 3 StepPaused: 10 v1 10 v2'],
    ],
  },
  'a Rollout that is paused lets nobody out, and keeps the share': {
    beginning,
    rows: [
      first,
      [freeze(true), 'nothing -> Progressing 1 StepPaused: 10 v1 1 v2'],
      [scale(20), 'scale web-v1 to 20, scale web-v2 to 1 -> Progressing 1 StepPaused: 20 v1 1 v2'],
      [freeze(false), 'nothing -> Progressing 1 StepPaused: 20 v1 1 v2'],
    ],
  },
  'a workload that its owner has paused begins when he resumes it': {
    beginning,
    rows: [
      [pauseWorkload, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted -> Progressing 1 BeforeStepUpgrade: 10 v1'],
      [resumeWorkload, '0%+1%, StepReached -> Progressing 1 StepPaused: 10 v1 1 v2'],
    ],
  },
  'broken new pods beside all old ones': {
    beginning,
    rows: [
      [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 1 broken 10 v1, 10 ready'],
      [edit('v1'), 'disarm web-broken, ReleaseRolledBack -> Healthy: 10 v1'],
    ],
  },
  'the old template back, from two whole sides': {
    beginning,
    rows: [first, half, whole, [edit('v1'), 'disarm web-v2, ReleaseRolledBack -> Healthy: 10 v1']],
  },
  'kubectl rollout undo is the same': {
    beginning,
    rows: [first, half, [undo('v1'), 'disarm web-v2, ReleaseRolledBack -> Healthy: 10 v1']],
  },
  'a third version moves nothing; the second one back begins at step 1': {
    beginning,
    rows: [
      first,
      half,
      [edit('v3'), 'ReleaseRestarted -> Progressing 1 StepUpgrade: 10 v1 5 v2'],
      [approve, 'ApprovalIgnored -> Progressing 1 StepUpgrade: 10 v1 5 v2'],
      [
        edit('v2'),
        'ReleaseRestarted, 0%+1%, scale web-v2 to 1, StepReached -> Progressing 1 StepPaused: 10 v1 1 v2',
      ],
      [edit('v3'), 'ReleaseRestarted -> Progressing 1 StepUpgrade: 10 v1 1 v2'],
      [edit('v1'), 'disarm web-v2, ReleaseRolledBack -> Healthy: 10 v1'],
    ],
  },
  'an abort, a scaling of what was aborted, and the begin once more': {
    beginning,
    rows: [
      first,
      half,
      [
        abort(),
        'Aborting, stop, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1',
      ],
      [scale(0), 'nothing -> Progressing 1 BeforeStepUpgrade Aborted: no pod'],
      [
        scale(10),
        'back 0%+1%, scale web-v1 to 10, stop, scale web-v2 to 0, aborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1',
      ],
      [unabort, '0%+1%, StepReached -> Progressing 1 StepPaused: 10 v1 1 v2'],
    ],
  },
  'an abort while a third version waits takes the second one away': {
    beginning,
    rows: [
      first,
      half,
      [edit('v3'), 'ReleaseRestarted -> Progressing 1 StepUpgrade: 10 v1 5 v2'],
      [
        abort(),
        'Aborting, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1',
      ],
    ],
  },
  'an abort while a third version waits, after a scaling that the old side has too little of': {
    beginning,
    rows: [
      first,
      [edit('v3'), 'ReleaseRestarted -> Progressing 1 StepUpgrade: 10 v1 1 v2'],
      [scale(20), 'nothing -> Progressing 1 StepUpgrade: 19 v1 2 v2'],
      [
        abort(),
        'Aborting, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 20 v1',
      ],
    ],
  },
  'another version after an abort': {
    beginning,
    rows: [
      first,
      half,
      whole,
      [
        abort(),
        'Aborting, stop, scale web-v2 to 0, aborted, ReleaseAborted, tell -> Progressing 1 BeforeStepUpgrade Aborted: 10 v1',
      ],
      [edit('v3'), 'ReleaseRestarted, 0%+1%, StepReached -> Progressing 1 StepPaused: 10 v1 1 v3'],
    ],
  },
  'disabled in the middle': {
    beginning,
    rows: [first, [disable(true), 'Released, released, guard -> Disabled: 10 v2']],
  },
  'deleted in the middle': {
    beginning,
    rows: [first, half, [deleteRollout, 'Released, released, unguard -> no Rollout: 10 v2']],
  },
  'taken over in the middle': {
    beginning,
    rows: [first, half, [escape, 'guard v2, ReleaseTakenOver, forget escape -> Healthy: 10 v2']],
  },
  'a first edit that the policy has caught': {
    beginning,
    rows: [
      [
        withoutUs(edit('v2')),
        'EditCaught, take over, ReleaseStarted, 0%+1%, StepReached -> Progressing 1 StepPaused: 10 v1 1 v2',
      ],
    ],
  },
  'a third version that the policy has caught': {
    beginning,
    rows: [
      first,
      half,
      [
        withoutUs(edit('v3')),
        'EditCaught, take over, ReleaseRestarted -> Progressing 1 StepUpgrade: 10 v1 5 v2',
      ],
    ],
  },
  'the old template that the policy has caught': {
    beginning,
    rows: [
      first,
      half,
      [
        withoutUs(edit('v1')),
        'EditCaught, take over, ReleaseRolledBack, guard v1 -> Healthy: 10 v1',
      ],
    ],
  },
})

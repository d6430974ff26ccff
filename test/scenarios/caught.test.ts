// Edits that come while the webhook is away: the policy in the API server holds them, and when the webhook
// is back each ends as if it had been there.

import * as people from '../world/people.ts'
import { tell } from './story.ts'

const { approve, disable, edit, manifest, pass, pauseWorkload, replace } = people
const { deleteRollout, resumeWorkload, scale, undo, webhook } = people

const away = webhook(false)
const back = webhook(true)

tell({
  'a first edit waits, and is released from step 1': {
    rows: [
      [away, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'EditCaught, take over, take over, take over, take over -> Initial: 10 v1'],
      [resumeWorkload, 'take over -> Initial: 10 v1'],
      [back, 'nothing -> Initial: 10 v1'],
      [
        pass(60),
        'take over, ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2',
      ],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'edited twice, and back: nothing was released': {
    rows: [
      [away, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'EditCaught, take over, take over, take over, take over -> Initial: 10 v1'],
      [edit('v3'), 'EditCaught, take over -> Initial: 10 v1'],
      [edit('v1'), 'EditCaught -> Initial: 10 v1'],
      [back, 'nothing -> Initial: 10 v1'],
      [pass(60), 'take over, guard v1 -> Healthy: 10 v1'],
    ],
  },
  'a third version in the middle of a release begins at step 1': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [away, 'nothing -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [
        edit('v3'),
        'EditCaught, take over, take over, take over, take over -> Progressing 2 StepPaused: 5 v1 5 v2',
      ],
      [scale(20), 'take over -> Progressing 2 StepPaused: 10 v1 10 v2'],
      [back, 'nothing -> Progressing 2 StepPaused: 10 v1 10 v2'],
      [
        pass(60),
        'take over, ReleaseRestarted, disarm web-v2, 5%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 10 v2 1 v3',
      ],
      [
        edit('v2'),
        'ReleaseRestarted, disarm web-v3, scale web-v1 to 14, scale web-v2 to 5, scale web-v1 to 18, scale web-v2 to 1, StepReached -> Progressing 1 StepPaused: 18 v1 1 v2 1 v3',
      ],
    ],
  },
  'the stable version in the middle of a release takes it back': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [away, 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        edit('v1'),
        'EditCaught, take over, take over, take over, take over -> Progressing 1 StepPaused: 9 v1 1 v2',
      ],
      [back, 'take over, disarm web-v2, ReleaseRolledBack, guard v1 -> Healthy: 10 v1'],
      [pass(60), 'nothing -> Healthy: 10 v1'],
    ],
  },
  'an undo brings an old record back, which does not count': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
      [away, 'nothing -> Healthy: 10 v2'],
      [undo('v1'), 'EditCaught, take over, take over, take over, take over -> Initial: 10 v2'],
      [
        back,
        'take over, ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 1 v1 9 v2',
      ],
      [pass(60), 'nothing -> Progressing 1 StepPaused: 1 v1 9 v2'],
    ],
  },
  'the version that is released, put in place whole, moves nothing': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [away, 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        replace(manifest('v2', { replicas: 10 })),
        'EditCaught, take over, take over, take over, take over -> Progressing 1 StepPaused: 12 v1 1 v2',
      ],
      [edit('v3'), 'EditCaught, take over -> Progressing 1 StepPaused: 12 v1 1 v2'],
      [edit('v2'), 'nothing -> Progressing 1 StepPaused: 12 v1 1 v2'],
      [back, 'nothing -> Progressing 1 StepPaused: 12 v1 1 v2'],
      [pass(60), 'take over -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'an owner’s pause stays his': {
    rows: [
      [pauseWorkload, 'nothing -> Healthy: 10 v1'],
      [away, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'EditCaught, take over, take over, take over, take over -> Initial: 10 v1'],
      [back, 'take over, ReleaseStarted -> Progressing 1 BeforeStepUpgrade: 10 v1'],
      [pass(60), 'nothing -> Progressing 1 BeforeStepUpgrade: 10 v1'],
      [resumeWorkload, '10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
    ],
  },
  'a Rollout that is disabled lets it go': {
    rows: [
      [away, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'EditCaught, take over, take over, take over, take over -> Initial: 10 v1'],
      [disable(true), 'take over -> Initial: 10 v1'],
      [back, 'nothing -> Initial: 10 v1'],
      [pass(60), 'take over, guard -> Disabled: 10 v2'],
    ],
  },
  'a Rollout that is gone lets it go': {
    rows: [
      [away, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'EditCaught, take over, take over, take over, take over -> Initial: 10 v1'],
      [deleteRollout, 'take over -> no Rollout: 10 v1'],
      [back, 'nothing -> no Rollout: 10 v1'],
      [pass(60), 'take over, unguard -> no Rollout: 10 v2'],
    ],
  },
  'the end of a release that the webhook did not hear of is its end': {
    beginning: { steps: [{ replicas: 5 }] },
    rows: [
      [edit('v2'), 'ReleaseStarted, 50%+0%, StepReached -> Progressing 1 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
      [away, 'nothing -> Healthy: 10 v2'],
      [edit('v3'), 'EditCaught, take over, take over, take over, take over -> Initial: 10 v2'],
      [
        back,
        'take over, ReleaseStarted, 20%+21%, 50%+0%, StepReached -> Progressing 1 StepPaused: 5 v2 5 v3',
      ],
      [pass(60), 'nothing -> Progressing 1 StepPaused: 5 v2 5 v3'],
    ],
  },
})

// The controller's clock is an hour ahead of everybody else's, or behind, or is set in the middle of
// something. Nobody goes before somebody said so; what waits for a time may wait by another clock.

import * as people from '../world/people.ts'
import { tell } from './story.ts'

const { approve, clockAhead, edit, pass } = people
const hour = 3600
const timed = [{ replicas: 1, pause: { duration: 300 } }, { replicas: '50%' }, { replicas: '100%' }]

tell({
  'an hour behind, pods that are Ready count': {
    rows: [
      [clockAhead(-hour), 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'an hour ahead, the release goes its way': {
    rows: [
      [clockAhead(hour), 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'set an hour ahead, a pause that has a duration is over, one that has none is not': {
    beginning: { steps: timed },
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [clockAhead(hour), '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [clockAhead(2 * hour), 'nothing -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
    ],
  },
  'set an hour back, a pause that has a duration waits by the new clock, or for an approval': {
    beginning: { steps: timed },
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [clockAhead(-hour), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [pass(300), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'an hour behind, minReadySeconds are not over before the clock is right': {
    beginning: { spec: { minReadySeconds: 5 } },
    rows: [
      [clockAhead(-hour), 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 10 v1 1 v2'],
      [
        clockAhead(0),
        'ProgressDeadlineExceeded, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2',
      ],
    ],
  },
})

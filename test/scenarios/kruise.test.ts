// Kruise Rollouts was there before us, or comes beside us: nothing is done while it runs, nor to a workload
// that it has left held.

import { KRUISE_PROGRESSING } from '#api/names.ts'
import * as people from '../world/people.ts'
import { tell } from './story.ts'

const { annotate, approve, deleteRollout, edit, kruise, pauseWorkload } = people

const inItsRelease = annotate({ [KRUISE_PROGRESSING]: '{"rolloutName":"web"}' })

tell({
  'comes in the middle of a release: that stays where it is, and goes on afterwards': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [kruise(true), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, 'nothing -> Progressing 1 StepReady: 9 v1 1 v2'],
      [kruise(false), '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'has left the workload held: that is named, and nothing else done, with a Rollout or without': {
    rows: [
      [pauseWorkload, 'nothing -> Healthy: 10 v1'],
      [inItsRelease, 'LeftByKruise -> Initial LeftByKruise: 10 v1'],
      [deleteRollout, 'nothing -> no Rollout: 10 v1'],
    ],
  },
  'a pause of the owner is his own, and so is an annotation without a pause': {
    rows: [
      [inItsRelease, 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [pauseWorkload, 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
    ],
  },
})

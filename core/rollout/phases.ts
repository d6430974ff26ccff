// Which plan applies. This table is the state machine's first half; the second is `plans`.

import { isOn } from '../workload/hold.ts'
import { ending } from './outcomes.ts'
import { isWayBack, wantsJump, wantsNoStep } from './plan-steps.ts'
import type { Snapshot } from './model.ts'

/** The name of a plan. */
export type PlanName =
  | 'NotAlone'
  | 'LeftByKruise'
  | 'Orphaned'
  | 'Caught'
  | 'Refused'
  | 'Unseen'
  | 'Missing'
  | 'Replaced'
  | 'Foreign'
  | 'Escaped'
  | 'Disabled'
  | 'NotGuarding'
  | 'Beginning'
  | 'Aborting'
  | 'Cancelling'
  | 'Finishing'
  | 'Resting'
  | 'Frozen'
  | 'PlanChanged'
  | 'Jumping'
  | 'NoSuchStep'
  | 'Approved'
  | 'Stepping'

/** A rule of the table. */
export interface PhaseRule {
  readonly plan: PlanName
  /** In words, for the documentation. */
  readonly because: string
  readonly when: (s: Snapshot) => boolean
}

/** The first rule that holds wins, so order is meaning. */
export const phaseRules: readonly PhaseRule[] = [
  {
    plan: 'NotAlone',
    because: 'the controller of Kruise Rollouts runs as well',
    when: s => s.kruiseRuns,
  },
  {
    plan: 'LeftByKruise',
    because: 'Kruise Rollouts has left the workload held, in a release of its own',
    when: s => s.workload?.leftHold !== undefined,
  },
  {
    plan: 'Unseen',
    because: 'the Rollout is gone, and whether its workload is cannot be read',
    when: s => s.rollout === undefined && s.unseen !== undefined,
  },
  {
    plan: 'Orphaned',
    because: 'the Rollout is gone, or being deleted',
    when: s => s.rollout === undefined,
  },
  {
    plan: 'Caught',
    because: 'the webhook did not answer an edit, and the policy holds it',
    when: s => isFirst(s) && s.workload?.caught !== undefined && s.workload.guarded,
  },
  {
    plan: 'Refused',
    because: 'the Rollout asks for what is not there, or another one was first',
    when: s => s.rollout!.refused !== undefined,
  },
  {
    plan: 'Unseen',
    because: 'nobody looks at workloads of its kind: not served, not registered, or not to be read',
    when: s => s.unseen !== undefined,
  },
  { plan: 'Missing', because: 'there is no such workload', when: s => s.workload === undefined },
  {
    plan: 'Replaced',
    because: 'the workload was deleted during a release, and one of its name was created',
    when: s => s.memory.releasing && !isHeld(s) && isAnother(s),
  },
  {
    plan: 'Escaped',
    because: 'its owner set the escape annotation, but the fields of the hold are still there',
    when: s => s.workload!.escaped && s.workload!.hold !== undefined,
  },
  {
    plan: 'Foreign',
    because: 'the workload is held by a Rollout that is gone',
    when: s => isHeld(s) && s.workload!.record?.rolloutUid !== s.rollout!.uid,
  },
  { plan: 'Disabled', because: 'the Rollout is disabled', when: s => s.rollout!.disabled },
  {
    plan: 'NotGuarding',
    because: 'the API server would not call the webhook for an edit',
    when: s => !s.registered || (!s.workload!.guarded && !isTakenBack(s)),
  },
  {
    plan: 'Beginning',
    because: 'the workload is held for a release that is not remembered',
    when: s => isHeld(s) && (!s.memory.releasing || isNewer(s)),
  },
  {
    plan: 'Cancelling',
    because: 'the stable template has returned during a release',
    when: s => s.memory.releasing && isStableAgain(s) && !isGoingBack(s),
  },
  {
    plan: 'Aborting',
    because: 'the Rollout carries an abort annotation that came after the edit',
    when: s => isHeld(s) && isAborted(s) && !isGoingBack(s),
  },
  {
    plan: 'Finishing',
    because:
      'the last step lets everybody go, or an abort of a rollback by steps, or the owner took the workload back',
    when: s => s.memory.releasing && (!isHeld(s) || ending(s) || isAborted(s)),
  },
  { plan: 'Resting', because: 'no release is running', when: s => !s.memory.releasing },
  {
    plan: 'Frozen',
    because: 'the Rollout or the workload is paused by its owner',
    when: s => s.rollout!.paused || s.workload!.ownerPaused,
  },
  {
    plan: 'PlanChanged',
    because: 'the steps are not those that the release began with',
    when: s => s.memory.planHash !== s.rollout!.planHash,
  },
  { plan: 'Jumping', because: 'somebody wrote nextStepIndex', when: wantsJump },
  {
    plan: 'NoSuchStep',
    because: 'somebody wrote a nextStepIndex that is none',
    when: wantsNoStep,
  },
  {
    plan: 'Approved',
    because: 'somebody wrote StepReady while the step was in its pause',
    when: s => s.memory.state === 'StepReady' && s.memory.pauseReached,
  },
  { plan: 'Stepping', because: 'otherwise', when: () => true },
]

/** The plan that applies. */
export function planFor(s: Snapshot): PlanName {
  return phaseRules.find(rule => rule.when(s))!.plan
}

/** Whatever its release has reached is over, or on its way back. */
const leaving: readonly PlanName[] = [
  'Orphaned',
  'Missing',
  'Replaced',
  'Foreign',
  'Disabled',
  'Aborting',
  'Cancelling',
  'Finishing',
  'Resting',
]

/** It is in a release whose new pods are to have their requests. */
export function isReleasing(s: Snapshot): boolean {
  return s.memory.releasing && !leaving.includes(planFor(s))
}

/** Of two Rollouts for one workload only one speaks for it. */
function isFirst({ rollout }: Snapshot): boolean {
  return rollout!.refused?.reason !== 'Conflict'
}

function isHeld({ workload }: Snapshot): boolean {
  return isOn(workload!.hold)
}

/** Its owner took it out of our hands, and it is not yet where he wants it. */
function isTakenBack({ workload }: Snapshot): boolean {
  return workload!.escaped && !workload!.rolledOut
}

/** A new object comes without a hold. */
function isAnother({ workload, memory }: Snapshot): boolean {
  return memory.workloadUid !== '' && workload!.uid !== memory.workloadUid
}

/**
 * The workload is seen as it was before the Rollout's status told of it: an API server that is behind has
 * listed it. By that a release that runs would seem to be over; the watch brings what has happened since.
 */
export function isBehind({ workload, memory }: Snapshot): boolean {
  return workload?.uid === memory.workloadUid && workload.generation < memory.generation
}

function isNewer({ workload, memory }: Snapshot): boolean {
  return workload!.hold!.rolloutId !== memory.release
}

function isAborted({ rollout, workload }: Snapshot): boolean {
  return rollout!.abort !== undefined && rollout!.abort !== workload!.hold!.abortSeen
}

/** The stable template goes out by the steps, as its Rollout asks: that it has returned ends nothing. */
function isGoingBack({ workload, memory }: Snapshot): boolean {
  return workload!.hold ? workload!.hold.ran !== undefined : isWayBack(memory)
}

function isStableAgain({ workload, memory }: Snapshot): boolean {
  const { updateRevision } = workload!
  return updateRevision !== '' && updateRevision === memory.stableRevision
}

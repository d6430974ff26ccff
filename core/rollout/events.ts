// Everything that is told on the workload, where people look. The key makes an event one of its
// release: told again after a crash, it is still the same.

import type { KubeObject } from '#api/kubernetes.ts'
import { wordsOf } from '../change.ts'
import type { Change } from '../change.ts'
import {
  approveCommand,
  finalizerCommand,
  letGoInWords,
  patchCommand,
  resumeCommand,
  takeBackInWords,
  undoneBy,
} from '../commands.ts'
import type { WorkloadRef } from '../ref.ts'
import { sinceOf } from '../time.ts'
import type { LeftHold } from '../workload/model.ts'
import { currentStep, isWayBack } from './plan-steps.ts'
import type { Action, Goal, Snapshot, WorkloadEvent } from './model.ts'

/** The action that tells an event. */
export function tell(event: WorkloadEvent): Action {
  return { type: 'event', event }
}

/** An edit began a release. */
export function started(s: Snapshot): WorkloadEvent {
  const { rollout, workload } = s
  const release = workload!.hold!.rolloutId
  const steps = rollout!.steps.length
  const { goingBack } = workload!
  const [what, words] = goingBack
    ? ['the rollback', letGoInWords(rollout!, release)]
    : [`release ${release}`, takeBackInWords(rollout!, release, wayBackOf(s))]
  return {
    type: 'Normal',
    reason: 'ReleaseStarted',
    message: `${what} of ${steps} steps begins; ${words}`,
    key: `${release}/begin`,
  }
}

/** How all pods go back: after a third version the one before the last edit is not the stable one. */
function wayBackOf({ workload }: Snapshot) {
  const { noAbort, hold, stableRevision } = workload!
  return { noAbort, ...(hold?.between && { stable: stableRevision }) }
}

/** The webhook did not answer an edit, and the policy in the API server holds it. */
export function caught({ workload, memory }: Snapshot): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'EditCaught',
    message:
      'the webhook did not answer an edit: the policy in the API server holds it, and no new pod starts; it is taken over as soon as the webhook answers',
    key: `${memory.release}/caught/${workload!.caught}`,
  }
}

/** Two controllers on one Rollout would undo each other's work. */
export const KRUISE_RUNNING =
  'Kruise Rollouts runs in this cluster too: Sluice does nothing until it is gone; see docs/coming-from-kruise-rollouts.md'

/** Whether it runs shows when its finalizer is taken off; where we may not do that, somebody has to say so. */
export function finalizerInWords(rollout: {
  readonly namespace: string
  readonly name: string
}): string {
  return `the finalizer of Kruise Rollouts is on Rollout ${rollout.name}, and Sluice may not take it off: where Kruise Rollouts runs no more, install with kruiseRollouts.takeOver=true, or: ${finalizerCommand(rollout)}`
}

/** What there is to say of a Rollout that another controller may lead. */
export function notAlone({ finalizerKept, rollout }: Snapshot): string {
  return finalizerKept && rollout ? finalizerInWords(rollout) : KRUISE_RUNNING
}

/** The end of that, for the log. */
export const KRUISE_GONE = 'Kruise Rollouts is not registered any more: going on'

/** What is wrong with a workload that Kruise Rollouts has left held, and the command that mends it. */
export function leftInWords(ref: WorkloadRef, left: LeftHold): string {
  const { patch, recreates, batchRelease } = left
  const state = recreates
    ? 'paused with strategy Recreate, so to resume it would replace all its pods at once'
    : 'held'
  const lingers =
    batchRelease === undefined ? '' : `; its BatchRelease ${batchRelease} is left, too`
  return `Kruise Rollouts has left it ${state}; give it back, and the rest goes out by its own strategy, with: ${patchCommand(ref, patch)}${lingers}`
}

/** The same as an event. */
export function leftByKruise({ workload }: Snapshot): WorkloadEvent {
  const { ref, leftHold } = workload!
  const message = leftInWords(ref, leftHold!)
  const key = `left-by-kruise/${leftHold!.patch}`
  return { type: 'Warning', reason: 'LeftByKruise', message, key }
}

/** The webhook took a write of ours for somebody else's: nothing moves until it is told who we are. */
export const HOLD_REFUSED =
  "the webhook does not take this controller's holds, so nothing moves: give its --controller-user the name that this controller has at the API server"

/** The same as an event. */
export function holdRefused(release: string): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'HoldRefused',
    message: HOLD_REFUSED,
    key: `${release}/hold-refused`,
  }
}

/** Another edit came during a release. */
export function restarted(s: Snapshot): WorkloadEvent {
  const { rollout, workload, memory } = s
  const release = workload!.hold!.rolloutId
  const back = `the stable template is back: release ${memory.rolloutId} goes back in ${rollout!.steps.length} steps; ${letGoInWords(rollout!, release)}`
  return {
    type: 'Normal',
    reason: 'ReleaseRestarted',
    message: workload!.goingBack
      ? back
      : `the template changed again: release ${release} starts from step 1 instead of ${memory.rolloutId}`,
    key: `${release}/begin`,
  }
}

/** The pods of a step are there, and its pause begins. Told again when it is reached again. */
export function stepReached(s: Snapshot): WorkloadEvent {
  const { release, stepIndex } = s.memory
  const key = `${release}/${stepIndex}/reached/${s.workload!.generation}`
  return { type: 'Normal', reason: 'StepReached', message: pauseInWords(s), key }
}

/** What a step in its pause waits for, since when, and the command that goes on. */
export function pauseInWords(s: Snapshot): string {
  const { memory, workload, rollout } = s
  const { pauseSeconds } = currentStep(s)
  const since = sinceOf(memory.since)
  const are = workload!.goingBack ? 'stable' : 'new'
  const reached = `${stepName(s)} reached: ${workload!.updated} of ${workload!.replicas} pods are ${are}`
  return pauseSeconds === undefined
    ? `${reached}, waiting for approval since ${since}: ${approveCommand(rollout!)}`
    : `${reached}, waiting ${pauseSeconds} s since ${since}`
}

/** `step 1 of 3`. */
export function stepName({ memory, rollout }: Snapshot): string {
  return `step ${memory.stepIndex} of ${rollout!.steps.length}`
}

/** An approval counts while the step is in its pause: one that came before is refused. */
export function approvalIgnored({ memory }: Snapshot): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'ApprovalIgnored',
    message: `the approval of step ${memory.stepIndex} came before its pause: approve again then`,
    key: `${memory.release}/${memory.stepIndex}/early`,
  }
}

/** The owner's progressDeadlineSeconds are over for the running step. */
export function stalled(s: Snapshot): WorkloadEvent {
  const { release, stepIndex, since } = s.memory
  return {
    type: 'Warning',
    reason: 'ProgressDeadlineExceeded',
    message: `${stepName(s)} has not been reached within ${s.workload!.deadlineSeconds} s: nothing moves until its pods are Ready; ${takeBackInWords(s.rollout!, release, wayBackOf(s))}`,
    key: `${release}/${stepIndex}/stalled/${since}`,
  }
}

/** The controller-manager scales its newest ReplicaSet from nothing: no hold can keep it from that. */
export function cameUpNew({ memory, workload }: Snapshot): WorkloadEvent {
  const { replicas } = workload!
  return {
    type: 'Warning',
    reason: 'CameUpNew',
    message: `after a scaling to ${replicas} all pods are new, as always when it comes from 0 or 1; those that the step does not want are taken back`,
    key: `${memory.release}/came-up-new/${replicas}`,
  }
}

/** Its own controller gave the stable version up while nobody ran. */
export function stableGone({ memory, workload }: Snapshot): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'StableRevisionGone',
    message: `the stable revision is forgotten, and nobody can go back to it: all ${workload!.replicas} pods stay new`,
    key: `${memory.release}/stable-gone`,
  }
}

/** Somebody wrote which step comes next. */
export function jumped({ memory }: Snapshot): WorkloadEvent {
  const { release, stepIndex, nextStepIndex, since } = memory
  return {
    type: 'Normal',
    reason: 'StepJumped',
    message: `from step ${stepIndex} to step ${nextStepIndex}`,
    key: `${release}/${stepIndex}/${nextStepIndex}/${since}`,
  }
}

/** Somebody wrote as the next step what is none: it is written back. */
export function jumpIgnored(s: Snapshot): WorkloadEvent {
  const { release, stepIndex, nextStepIndex, since } = s.memory
  return {
    type: 'Warning',
    reason: 'JumpIgnored',
    message: `there is no step ${nextStepIndex} to jump to: write 1 to ${s.rollout!.steps.length} as nextStepIndex; ${stepName(s)} goes on`,
    key: `${release}/${stepIndex}/${nextStepIndex}/${since}/no-step`,
  }
}

/** The plan changed under the release. */
export function planChanged({ memory, rollout }: Snapshot, step: number): WorkloadEvent {
  return {
    type: 'Normal',
    reason: 'PlanChanged',
    message: `the plan changed: going on with step ${step} of ${rollout!.steps.length}`,
    key: `${memory.release}/${rollout!.planHash}`,
  }
}

/** Everybody runs the new revision. */
export function completed({ memory, workload }: Snapshot): WorkloadEvent {
  return {
    type: 'Normal',
    reason: 'ReleaseCompleted',
    message: `release ${memory.rolloutId} is complete: all ${workload!.replicas} pods are ${isWayBack(memory) ? 'stable' : 'new'}`,
    key: `${memory.release}/completed`,
  }
}

/** Its owner took the workload out of our hands, and everybody is where he wanted them. */
export function takenOver({ memory, workload }: Snapshot): WorkloadEvent {
  const { replicas, updateRevision } = workload!
  return {
    type: 'Normal',
    reason: 'ReleaseTakenOver',
    message: `release ${memory.rolloutId} was taken over by its owner: all ${replicas} pods run revision ${updateRevision}, and the next edit is held`,
    key: `${memory.release}/taken-over`,
  }
}

/** Everybody runs a version that came in the middle, and that nobody held. */
export function overtaken(s: Snapshot): WorkloadEvent {
  const { memory, workload } = s
  const { replicas, updateRevision } = workload!
  return {
    type: 'Warning',
    reason: 'ReleaseOvertaken',
    message: `release ${memory.rolloutId} was overtaken: all ${replicas} pods run revision ${updateRevision}, which no step has held: ${whyNotHeld(s)}; the next edit is held`,
    key: `${memory.release}/overtaken`,
  }
}

/** Everybody is back on the stable revision, since its template returned. */
export function rolledBack({ memory, workload }: Snapshot): WorkloadEvent {
  return {
    type: 'Normal',
    reason: 'ReleaseRolledBack',
    message: `release ${memory.rolloutId} was rolled back: all ${workload!.replicas} pods are stable`,
    key: `${memory.release}/canceled`,
  }
}

/** Somebody asked for all pods of the release back. */
export function aborting(s: Snapshot): WorkloadEvent {
  const { memory, rollout, workload } = s
  const { noAbort, stable } = wayBackOf(s)
  const what =
    noAbort === undefined
      ? 'all pods go back to the stable revision'
      : undoneBy(`${noAbort}; put the old template back`, workload!.ref, stable)
  return {
    type: 'Warning',
    reason: 'Aborting',
    message: `aborting release ${memory.rolloutId}: ${what}`,
    key: `${memory.release}/aborting/${rollout!.abort}`,
  }
}

/** Everybody is back on the stable revision, since somebody asked for it. */
export function aborted({ memory, rollout }: Snapshot): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'ReleaseAborted',
    message: `release ${memory.rolloutId} was aborted: all pods run the stable revision; start it again with: ${resumeCommand(rollout!)}; or end it by putting the old template back (kubectl apply, helm rollback)`,
    key: `${memory.release}/aborted/${rollout!.abort}`,
  }
}

/** Hold fields were left without a hold: something took our annotations away while we were not asked. */
export function valuesRestored({ workload }: Snapshot): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'ValuesRestored',
    message:
      "fields of a hold were left without the hold: the owner's values are put back, or the defaults where no ReplicaSet remembers them",
    key: `values-restored/${workload!.generation}`,
  }
}

/** A release ends since its Rollout does. */
export function released({ rollout, workload }: Snapshot): WorkloadEvent {
  const why = rollout?.disabled ? 'is disabled' : 'is gone'
  return {
    type: 'Warning',
    reason: 'Released',
    message: `the Rollout that held the workload ${why}: the rest rolls out now, by the workload's own strategy`,
    key: `${workload!.hold?.rolloutId}/released`,
  }
}

/** The API server does not take what the release needs beside the workload, and is called after. */
export function notCreated({ kind, metadata }: KubeObject, why: string): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'NotCreated',
    message: `${kind} ${metadata.name} cannot be created, and the release waits: ${why}`,
    key: `${metadata.name}/not-created`,
  }
}

/** The API server does not take what moves requests. */
export function requestsRefused(change: Change, why: string): WorkloadEvent {
  const { kind, metadata } =
    change.type === 'create' ? change.object : { kind: change.target.kind, metadata: change.target }
  return {
    type: 'Warning',
    reason: 'RequestsRefused',
    message: `${kind} ${metadata.name} cannot be written, and requests stay where they are: ${why}`,
    key: `${wordsOf(change)}/requests-refused`,
  }
}

/** What the status of a Rollout would tell that is gone: why requests do not leave the new pods of its workload. */
export function untold(s: Snapshot, goal: Goal): readonly Action[] {
  if (s.rollout || goal.blocked?.(s) !== 'RequestsBlocked') return []
  return [tell(requestsBlocked(s, goal.why(s)))]
}

function requestsBlocked({ workload }: Snapshot, why: string): WorkloadEvent {
  return {
    type: 'Warning',
    reason: 'RequestsBlocked',
    message: `its Rollout is gone, and it is given back when no request goes to its new pods any more, or by hand as docs/safe-when-we-vanish.md says: ${why}`,
    key: `${workload?.hold?.rolloutId}/requests-blocked/${why}`,
  }
}

/** A version went out that no step has held. */
export function notHeld(s: Snapshot): WorkloadEvent {
  const { stableRevision } = s.memory
  const { updateRevision } = s.workload!
  return {
    type: 'Warning',
    reason: 'NotHeld',
    message: `revision ${updateRevision} replaced ${stableRevision} at once: ${whyNotHeld(s)}`,
    key: `${stableRevision}/${updateRevision}/not-held`,
  }
}

function whyNotHeld({ workload }: Snapshot): string {
  const { replicas, unheldBecause } = workload!
  return replicas === 0 ? 'no pod ran' : (unheldBecause ?? 'the webhook was not asked')
}

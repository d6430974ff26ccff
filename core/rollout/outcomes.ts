// What happens once every goal of a plan is met: a change of memory, or the end.

import { resumeCommand } from './commands.ts'
import { isFullLastStep, naturalNext, stepForChangedPlan } from './plan-steps.ts'
import type { Memory, Outcome, Snapshot, WorkloadEvent } from './model.ts'

/** Nothing to remember but what is told. */
export function stay(message: (s: Snapshot) => string): (s: Snapshot) => Outcome {
  return s => ({ memory: s.memory, message: message(s) })
}

/** The workload is not there, or not ours: nothing is remembered of it. */
export function forget(message: (s: Snapshot) => string): (s: Snapshot) => Outcome {
  return s => ({ memory: { ...nothing, since: s.memory.since }, message: message(s) })
}

/** A release that an edit just started begins at the first step. */
export function begin(s: Snapshot): Outcome {
  const { workload, memory } = s
  const release = workload!.hold!.rolloutId
  const restarted = memory.releasing && memory.release !== release
  const event: WorkloadEvent = {
    type: 'Normal',
    reason: restarted ? 'ReleaseRestarted' : 'ReleaseStarted',
    message: restarted
      ? `the template changed again: release ${release} starts from step 1`
      : `release ${release} of ${s.rollout!.steps.length} steps begins`,
    key: `${release}/begin`,
  }
  return {
    memory: {
      ...enter(s, 1),
      releasing: true,
      stableRevision: workload!.stableRevision,
      canaryRevision: workload!.updateRevision,
      rolloutId: workload!.ownerRolloutId ?? release,
      release,
      planHash: s.rollout!.planHash,
    },
    message: event.message,
    events: [event],
  }
}

/** The step is over, by approval or by time: on to the next one, or to the end. */
export function nextStep(s: Snapshot): Outcome {
  const { rollout, memory } = s
  const next = naturalNext(rollout!, memory.stepIndex)
  if (next !== -1) return { memory: enter(s, next), message: '' }
  return { memory: { ...memory, state: 'Completed', since: s.now }, message: '' }
}

/** Somebody wrote which step comes next. */
export function jump(s: Snapshot): Outcome {
  const { memory } = s
  const event: WorkloadEvent = {
    type: 'Normal',
    reason: 'StepJumped',
    message: `from step ${memory.stepIndex} to step ${memory.nextStepIndex}`,
    key: `${memory.release}/${memory.stepIndex}/${memory.nextStepIndex}/${memory.since}`,
  }
  return { memory: enter(s, memory.nextStepIndex), message: event.message, events: [event] }
}

/** The plan changed under the release: it goes on with the step that covers what was let out. */
export function relocate(s: Snapshot): Outcome {
  const planHash = s.rollout!.planHash
  const step = stepForChangedPlan(s)
  const event: WorkloadEvent = {
    type: 'Normal',
    reason: 'PlanChanged',
    message: `the plan changed: going on with step ${step} of ${s.rollout!.steps.length}`,
    key: `${s.memory.release}/${planHash}`,
  }
  return { memory: { ...enter(s, step), planHash }, message: event.message, events: [event] }
}

/** Everybody runs the new revision: it is the stable one from now on. */
export function promote(s: Snapshot): Outcome {
  const event: WorkloadEvent = {
    type: 'Normal',
    reason: 'ReleaseCompleted',
    message: `release ${s.memory.rolloutId} is complete: all ${s.workload!.replicas} pods are new`,
    key: `${s.memory.release}/completed`,
  }
  const memory: Memory = { ...atRest(s), ending: 'completed' }
  return { memory, message: event.message, events: [event] }
}

/** Everybody is back on the stable revision. */
export function cancel(s: Snapshot): Outcome {
  const event: WorkloadEvent = {
    type: 'Normal',
    reason: 'ReleaseRolledBack',
    message: `release ${s.memory.rolloutId} was rolled back: all ${s.workload!.replicas} pods are stable`,
    key: `${s.memory.release}/canceled`,
  }
  const memory: Memory = { ...atRest(s), ending: 'canceled' }
  return { memory, message: event.message, events: [event] }
}

/** All pods are back and the template is left as it is: it waits for a person. */
export function stayAborted(s: Snapshot): Outcome {
  const message = `release ${s.memory.rolloutId} was aborted: all pods run the stable revision`
  const event: WorkloadEvent = {
    type: 'Warning',
    reason: 'ReleaseAborted',
    message: `${message}; start it again with: ${resumeCommand(s.rollout!)}`,
    key: `${s.memory.release}/aborted/${s.rollout!.abort}`,
  }
  return { memory: enter(s, 1), message: event.message, events: [event] }
}

/** Nothing is being released: what is remembered is what is there. */
export function settle(s: Snapshot): Outcome {
  const message = s.memory.ending === undefined ? 'ready for the next edit' : ended(s)
  return { memory: atRest(s), message }
}

function ended({ memory }: Snapshot): string {
  return memory.ending === 'completed'
    ? `release ${memory.rolloutId} is complete`
    : `release ${memory.rolloutId} was rolled back`
}

/** As a Rollout that has never seen its workload. */
export const nothing: Memory = {
  releasing: false,
  stableRevision: '',
  canaryRevision: '',
  rolloutId: '',
  release: '',
  stepIndex: 0,
  nextStepIndex: 0,
  state: '',
  pauseReached: false,
  since: 0,
  planHash: '',
}

function atRest(s: Snapshot): Memory {
  const { memory, rollout, workload } = s
  const { updateRevision } = workload!
  const steps = rollout!.steps.length
  return {
    ...memory,
    releasing: false,
    stableRevision: updateRevision,
    canaryRevision: updateRevision,
    rolloutId: workload!.ownerRolloutId ?? (memory.rolloutId || updateRevision),
    stepIndex: steps,
    nextStepIndex: -1,
    state: 'Completed',
    pauseReached: false,
    planHash: rollout!.planHash,
    since: memory.releasing || memory.since === 0 ? s.now : memory.since,
  }
}

function enter(s: Snapshot, stepIndex: number): Memory {
  const { memory, rollout } = s
  const same = memory.stepIndex === stepIndex && memory.state === 'StepUpgrade'
  return {
    ...memory,
    stepIndex,
    nextStepIndex: naturalNext(rollout!, stepIndex),
    state: 'StepUpgrade',
    pauseReached: false,
    since: same ? memory.since : s.now,
  }
}

/** The last step is the end, or all of them are over. */
export function ending(s: Snapshot): boolean {
  return s.memory.state === 'Completed' || isFullLastStep(s)
}

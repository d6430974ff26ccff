// What happens once every goal of a plan is met: a change of memory, or the end.

import { namePart } from '../admission/release-name.ts'
import type { Workload } from '../workload/model.ts'
import {
  completed,
  jumpIgnored,
  jumped,
  notHeld,
  overtaken,
  planChanged,
  restarted,
  rolledBack,
  started,
  stepReached,
  takenOver,
} from './events.ts'
import { isFullLastStep, naturalNext, stepForChangedPlan } from './plan-steps.ts'
import { obstacle } from './obstacle.ts'
import type { Ending, Memory, Outcome, Snapshot, WorkloadEvent } from './model.ts'

/** Nothing to remember but what is told. */
export function stay(message: (s: Snapshot) => string): (s: Snapshot) => Outcome {
  return s => ({ memory: s.memory, message: message(s) })
}

/** Nothing moves until its owner says so; the time until then does not count for the step. */
export function freeze(message: (s: Snapshot) => string): (s: Snapshot) => Outcome {
  return s => {
    const { memory } = s
    const waits = memory.state === 'StepUpgrade' || memory.state === 'StepTrafficRouting'
    return {
      memory: waits ? { ...memory, state: 'BeforeStepUpgrade' } : memory,
      message: message(s),
    }
  }
}

/** The workload is not there, or not ours: nothing is remembered of it. */
export function forget(message: (s: Snapshot) => string): (s: Snapshot) => Outcome {
  return s => ({ memory: { ...nothing, since: s.memory.since }, message: message(s) })
}

/** It cannot be followed; a release that it holds stays where it is until somebody acts. */
export function refuse(s: Snapshot): Outcome {
  const { rollout, workload, memory } = s
  const { message } = rollout!.refused!
  const hold = workload?.hold
  if (!hold || workload.record?.rolloutUid !== rollout!.uid) return forget(() => message)(s)
  const held = `release ${memory.rolloutId} is held at ${workload.updated} of ${workload.replicas} pods`
  return {
    memory,
    message: `${message}; ${held}: mend the Rollout, or delete it to release the rest`,
  }
}

/** A release that an edit just started begins at the first step. */
export function begin(s: Snapshot): Outcome {
  const { workload, memory, rollout } = s
  const release = workload!.hold!.rolloutId
  const event = memory.releasing ? restarted(s) : started(s)
  return {
    memory: {
      ...enter(s, 1),
      releasing: true,
      stableRevision: workload!.stableRevision,
      canaryRevision: workload!.updateRevision,
      rolloutId: workload!.ownerRolloutId ?? nameOf(workload!),
      release,
      planHash: rollout!.planHash,
    },
    message: event.message,
    events: [event],
  }
}

/** As the API names it: a release by which the stable template returns is a rollback. */
function nameOf({ hold, goingBack }: Workload): string {
  return goingBack ? `rollback-${hold!.rolloutId}` : hold!.rolloutId
}

/** The step is over, by approval or by time: on to the next one, or to the end. */
export function nextStep(s: Snapshot): Outcome {
  const { rollout, memory } = s
  const next = naturalNext(rollout!, memory.stepIndex)
  // A pause of no time is none: that its step was reached is told all the same.
  const events = memory.pauseReached ? [] : [stepReached(s)]
  if (next !== -1) return { memory: enter(s, next), message: '', events }
  return { memory: { ...memory, state: 'Completed', since: s.now }, message: '', events }
}

/** Somebody wrote which step comes next. */
export function jump(s: Snapshot): Outcome {
  const event = jumped(s)
  return { memory: enter(s, s.memory.nextStepIndex), message: event.message, events: [event] }
}

/** Somebody wrote as the next step what is none. */
export function stayInStep(s: Snapshot): Outcome {
  const { rollout, memory } = s
  const event = jumpIgnored(s)
  const nextStepIndex = naturalNext(rollout!, memory.stepIndex)
  return { memory: { ...memory, nextStepIndex }, message: event.message, events: [event] }
}

/** The plan changed under the release: it goes on with the step that covers what was let out. */
export function relocate(s: Snapshot): Outcome {
  const step = stepForChangedPlan(s)
  const event = planChanged(s, step)
  const memory = { ...enter(s, step), planHash: s.rollout!.planHash }
  return { memory, message: event.message, events: [event] }
}

/** Everybody runs the newest revision, whoever brought it: it is the stable one from now on. */
export function promote(s: Snapshot): Outcome {
  const { memory, workload } = s
  if (workload!.escaped) return end(s, 'takenOver', takenOver)
  const known = memory.canaryRevision !== ''
  const isAnother = known && memory.canaryRevision !== workload!.updateRevision && !isReleased(s)
  return isAnother ? end(s, 'overtaken', overtaken) : end(s, 'completed', completed)
}

/** A version that ran in a second workload has another revision here. */
function isReleased({ memory, workload }: Snapshot): boolean {
  return memory.release.startsWith(`${namePart(workload!.seen.fingerprint)}-`)
}

/** Everybody is back on the stable revision. */
export function cancel(s: Snapshot): Outcome {
  return end(s, 'canceled', rolledBack)
}

function end(s: Snapshot, ending: Ending, told: (s: Snapshot) => WorkloadEvent): Outcome {
  const event = told(s)
  return { memory: { ...atRest(s), ending }, message: event.message, events: [event] }
}

/** Before the first step, as if nothing of it had been reached. */
export function rewind(s: Snapshot): Memory {
  return { ...enter(s, 1), state: 'BeforeStepUpgrade' }
}

/** Nothing is being released: what is remembered is what is there. */
export function settle(s: Snapshot): Outcome {
  const { memory, workload } = s
  const { otherStyleBecause: because } = s.rollout!
  const ready = memory.ending === undefined ? 'ready for the next edit' : endInWords(memory)
  const told = obstacle(s)?.why ?? ready
  const message = because === undefined ? told : `${told}; ${because}`
  const known = memory.stableRevision !== '' && memory.stableRevision !== workload!.updateRevision
  return { memory: atRest(s), message, ...(known && { events: [notHeld(s)] }) }
}

/** How the last release ended. */
export function endInWords({ ending = 'completed', rolloutId }: Memory): string {
  const words: Readonly<Record<Ending, string>> = {
    completed: 'is complete',
    canceled: 'was rolled back',
    takenOver: 'was taken over by its owner',
    overtaken: 'was overtaken by another version',
  }
  return `release ${rolloutId} ${words[ending]}`
}

/** As a Rollout that has never seen its workload. */
export const nothing: Memory = {
  releasing: false,
  stableRevision: '',
  canaryRevision: '',
  rolloutId: '',
  release: '',
  workloadUid: '',
  generation: 0,
  stepIndex: 0,
  nextStepIndex: 0,
  state: '',
  pauseReached: false,
  since: 0,
  late: false,
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

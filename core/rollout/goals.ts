// Facts about the world, each with what brings it about and what to tell while it is not there.

import { resumeWorkloadCommand } from '../commands.ts'
import type { Move } from '../move.ts'
import { once } from '../once.ts'
import { keepsOld } from '../style.ts'
import type { Instant } from '../time.ts'
import type { TrafficAim } from '../traffic/routed.ts'
import { wordsOf } from '../change.ts'
import { isInForce } from '../workload/hold.ts'
import { newPods, podCount } from '../replicas.ts'
import { sinceOf } from '../time.ts'
import type { WorkloadAction } from '../workload/model.ts'
import {
  aborted,
  aborting,
  approvalIgnored,
  cameUpNew,
  caught,
  leftByKruise,
  leftInWords,
  pauseInWords,
  released,
  stableGone,
  stalled,
  stepName,
  stepReached,
  tell,
  valuesRestored,
} from './events.ts'
import { moveFor as move, routeMove } from './moves.ts'
import { rewind } from './outcomes.ts'
import { currentStep, splitNow } from './plan-steps.ts'
import type { Action, Goal, Memory, Snapshot } from './model.ts'

/** Admission is called for the workload. */
export const guarded = reached({ type: 'guard' })

/** No label of ours is left on the workload. */
export const unguarded = reached({ type: 'unguard' })

/** The owner's values apply, and the update revision is on its way to everybody. */
export const lettingAllGo = reached({ type: 'finish' })

/** Nothing of the hold is left, and the update revision is the stable one. */
export const promoted = reached({ type: 'release', promote: true })

/** Nothing of a hold is left. Who asked for it is told: it is the end of a release. */
export const givenBack: Goal = {
  ...reached({ type: 'release', promote: false }),
  act: s => {
    const { hold } = s.workload!
    const held = hold?.mode !== 'released' && !s.memory.releasing
    const gone = s.rollout === undefined || s.rollout.disabled || held
    const news = hold && gone ? [tell(released(s))] : []
    return { actions: [...news, { type: 'release', promote: false }] }
  },
}

/** Its owner has ended the hold that Kruise Rollouts left: only he knows which version he wants. */
export const leftMended: Goal = {
  met: s => s.workload?.leftHold === undefined,
  act: s => ({ actions: [tell(leftByKruise(s))] }),
  why: ({ workload }) => leftInWords(workload!.ref, workload!.leftHold!),
}

/** Nothing of ours keeps the workload's own controller from finishing. */
export const unhindered: Goal = {
  ...reached({ type: 'rest' }),
  act: s => {
    const news = s.workload!.armed ? [tell(valuesRestored(s))] : []
    return { actions: [...news, { type: 'rest' }] }
  },
}

/** No broken pod of a version that nobody wants keeps its workload from going on, or back. */
export const unblocked = reached({ type: 'unblock' })

/** No edit stands still that the webhook did not answer. */
export const takenOver: Goal = {
  ...reached({ type: 'takeOver' }),
  act: s => ({ actions: [tell(caught(s)), { type: 'takeOver' }] }),
}

/** An abort annotation that is older than the release does not hide a new one. */
export const abortForgotten: Goal = {
  ...reached({ type: 'forgetAbort' }),
  met: ({ rollout, workload }) =>
    workload!.hold?.abortSeen === undefined || workload!.hold.abortSeen === rollout!.abort,
}

/** Nothing remembers where a native rollout began that is over. */
export const nativeForgotten = reached({ type: 'forgetNative' })

/** The escape that its owner took is over. */
export const escapeForgotten = reached({ type: 'forgetEscape' })

/** All pods are back on the stable revision. */
export const allStable: Goal = {
  ...reached({ type: 'abort' }),
  act: s => ({
    actions: [{ type: 'abort' }],
    ...due(s, move(s, { type: 'abort' })?.requeueAt, deadline(s)),
  }),
}

/** The release stands before its first step again: what it had reached does not count any more. */
export const rewound: Goal = {
  met: ({ memory }) =>
    memory.stepIndex === 1 && memory.state === 'BeforeStepUpgrade' && !memory.pauseReached,
  act: s => ({ memory: rewind(s), actions: [tell(aborting(s))] }),
  why: s => `aborting release ${s.memory.rolloutId}`,
}

/** What was let out stays as it was let out, while its Rollout is paused. */
export const kept: Goal = {
  ...reached({ type: 'keep' }),
}

/** Everybody who waits for an aborted release knows. */
export const abortTold: Goal = {
  met: s => move(s, tellAborted(s)) === undefined,
  act: s => ({ actions: [tell(aborted(s)), tellAborted(s)] }),
  why: () => 'telling waiting clients',
}

/** The workload's own controller has nothing left to do. */
export const rolledOut: Goal = {
  met: s => s.workload!.rolledOut,
  act: () => ({}),
  why: ({ workload, memory, adapter }) => {
    if (workload!.ownerPaused) {
      return `the workload is paused by its owner; go on with: ${resumeWorkloadCommand(workload!.ref, adapter!)}`
    }
    const ready = `${workload!.updatedReady} of ${workload!.replicas} pods are up to date and ready`
    return memory.releasing
      ? `${ready}, rolling out since ${sinceOf(memory.since)}`
      : `waiting for a native rollout: ${ready}`
  },
}

/** As many pods as the step wants run the update revision and are Ready. */
export const podsUpdated: Goal = {
  met: s => advanceMove(s) === undefined || enoughReady(s) || onlyPassed(s),
  act: s => ({
    memory: entered(s),
    actions: [...news(s), advance(s)],
    ...due(s, advanceMove(s)?.requeueAt, deadline(s)),
  }),
  why: s => `${stepName(s)} since ${sinceOf(s.memory.since)}: ${advanceMove(s)?.why ?? ''}`,
}

/** The pause of the step is over, by time; an approval has a rule of its own. */
export const pauseOver: Goal = {
  met: s => currentStep(s).pauseSeconds === 0 || (s.memory.pauseReached && s.now >= pauseEnd(s)),
  act: s => {
    const since = s.memory.pauseReached ? s.memory.since : s.now
    const after = { ...s, memory: { ...s.memory, pauseReached: true, since } }
    const actions = s.memory.pauseReached ? [] : [tell(stepReached(after))]
    return { memory: after.memory, actions, ...due(s, pauseEnd(after)) }
  },
  why: pauseInWords,
}

/** No request is sent where nobody answers. */
export const requestsAnswered = routed(({ traffic }) =>
  // What keeps it from being known by what requests come keeps no pods: who moves requests tells of it.
  traffic!.unread === undefined ? { to: 'answered' } : undefined,
)

/** The same, unless the API server refuses it: who leaves nobody without an answer does not wait for that. */
export const requestsAnsweredIfTaken: Goal = {
  ...requestsAnswered,
  met: s => requestsAnswered.met(s) || requestsAnswered.blocked?.(s) !== undefined,
}

/** New pods receive no requests but those that the step sends them. */
export const requestsReady = routed(s => ({ to: splitNow(s) ? 'pinned' : 'all' }))

/** The requests go where the step wants them. */
export const requestsSplit = routed(s => {
  const split = splitNow(s)
  return split && { to: 'split', split }
})

/** No request goes to new pods. */
export const requestsBack = routed(() => ({ to: 'stable' }))

/** All requests go to the Service, and it has new pods: in a release that keeps all old ones nobody else. */
export const requestsToNew = routed(({ rollout, workload }) => {
  if (!keepsOld[rollout!.style]) return { to: 'all' }
  // With them its own controller is done, and whoever is there is new.
  return workload!.rolledOut ? undefined : { to: 'new' }
})

/** No pod of a second workload is left that a Service could find again; requests have left them. */
export const besideGone: Goal = {
  ...reached({ type: 'abort' }),
  met: s => {
    const { hold } = s.workload!
    const routed = isRouted(s) && s.rollout!.style === 'canary' && hold && isInForce(hold)
    return !routed || move(s, { type: 'abort' }) === undefined
  },
}

/** The owner's values apply again, to the stable template. */
export const goingBack: Goal = {
  met: s => move(s, backward(s)) === undefined,
  act: s => ({ actions: [backward(s)] }),
  why: s => move(s, backward(s))?.why ?? '',
}

/** What is to be undone stays on record while there is something: the Service must not find new pods again. */
function backward(s: Snapshot): WorkloadAction {
  return isRouted(s) ? { type: 'finish' } : { type: 'release', promote: false }
}

function isRouted({ traffic, trafficRouting }: Snapshot): boolean {
  return traffic !== undefined || trafficRouting !== undefined
}

/** Requests go wherever the Service sends them, as its owner wrote it, and nothing of ours is left on their way. */
export const requestsFree = routed(() => ({ to: 'all' }))

/** Pods carry the owner's rollout-id and the step that let them out, where he gave one. */
export const podsLabelled: Goal = {
  met: s => move(s, labelPods(s)) === undefined,
  act: s => ({ actions: [labelPods(s)] }),
  why: s => `${stepName(s)}: labelling its pods`,
}

/** The owner's patience with the running step is over. */
export function overdue(s: Snapshot): boolean {
  return s.now >= deadline(s)
}

/** A goal that one action of the workload's adapter brings about. */
function reached(action: WorkloadAction): Goal {
  return {
    met: s => move(s, action) === undefined,
    act: s => ({ actions: [action], ...due(s, move(s, action)?.requeueAt) }),
    why: s => move(s, action)?.why ?? '',
  }
}

/** Requests go where the aim says; undefined: wherever they go. */
function routed(aimOf: (s: Snapshot) => TrafficAim | undefined): Goal {
  // A goal is asked several things of one snapshot.
  const next = once((s: Snapshot) => {
    const aim = s.traffic && aimOf(s)
    return aim && routeMove(s, aim)
  })
  return {
    met: s => next(s) === undefined,
    act: s => ({
      actions: [{ type: 'route', aim: aimOf(s)! }],
      ...due(s, next(s)?.requeueAt),
    }),
    why: s => refusalOf(s, next(s)) ?? next(s)?.why ?? '',
    blocked(s) {
      const move = next(s)
      return move?.blocked || refusalOf(s, move) ? 'RequestsBlocked' : undefined
    },
    state: 'StepTrafficRouting',
    task: s => next(s)?.task,
  }
}

/** Why what is to be done is not done, where the API server does not take it. */
function refusalOf({ refusedWrite }: Snapshot, move: Move | undefined): string | undefined {
  const { write, why } = { ...refusedWrite }
  const refused = move?.changes.some(change => wordsOf(change) === write)
  return refused ? `${move!.why}: ${why}; it is tried again` : undefined
}

/** An aborted release that goes on again begins its step anew. */
function entered({ memory, now }: Snapshot): Memory {
  return memory.state === 'BeforeStepUpgrade' ? { ...memory, since: now } : memory
}

/** What happened on the way that people should know. */
function news(s: Snapshot): readonly Action[] {
  const { memory } = s
  const { stableRevision } = s.workload!
  const events = [
    memory.state === 'StepReady' && !memory.pauseReached && approvalIgnored(s),
    overdue({ ...s, memory: entered(s) }) && !memory.pauseReached && !memory.late && stalled(s),
    allNew(s) && (stableRevision === '' ? stableGone(s) : cameUpNew(s)),
  ]
  return events.filter(event => event !== false).map(tell)
}

/** Those that the step does not want are to go back, where any can. */
function allNew(s: Snapshot): boolean {
  const { replicas, updated, total, noAbort, goingBack } = s.workload!
  if (noAbort !== undefined || goingBack) return false
  const all = updated === total && updated === replicas
  return all && replicas > podCount(currentStep(s).replicas, replicas)
}

function labelPods({ rollout, memory, workload }: Snapshot): WorkloadAction {
  const reached = rollout!.steps.slice(0, memory.stepIndex)
  const { ran = 0 } = { ...workload!.goingBack }
  const batches = reached.map(({ replicas }) => newPods(replicas, workload!) - ran)
  return { type: 'labelPods', batches }
}

function advanceMove(s: Snapshot): Move | undefined {
  return move(s, advance(s))
}

function advance(s: Snapshot): WorkloadAction {
  const { podMetadata } = s.rollout!
  return { type: 'advance', pods: currentStep(s).replicas, ...(podMetadata && { podMetadata }) }
}

/** failureThreshold: the step counts as complete although some of its pods are not Ready. */
function enoughReady(s: Snapshot): boolean {
  const { workload, rollout } = s
  const n = newPods(currentStep(s).replicas, workload!)
  const tolerated = toleratedPods(rollout!.failureThreshold, workload!.updated)
  if (tolerated === 0 || workload!.replicas === 0 || !workload!.projected) return false
  const { updated, updatedReady } = workload!
  const out = updated === n || (updated > n && advanceMove(s)?.surplusStays === true)
  return out && updatedReady >= n - tolerated
}

/** Nobody looks at a step without a pause: surge pods that are still out serve the next one. */
function onlyPassed(s: Snapshot): boolean {
  const { replicas, pauseSeconds } = currentStep(s)
  const { updatedReady, projected, replicas: all } = s.workload!
  const n = newPods(replicas, s.workload!)
  return pauseSeconds === 0 && projected && all > 0 && updatedReady >= n
}

function toleratedPods(threshold: number | string, updated: number): number {
  if (typeof threshold === 'number') return threshold
  return Math.ceil((Number.parseInt(threshold, 10) * updated) / 100)
}

function tellAborted(s: Snapshot): WorkloadAction {
  const { rollout, memory } = s
  const message = `release ${memory.rolloutId} was aborted by rollout/${rollout!.name}`
  return { type: 'tellAborted', message }
}

function pauseEnd(s: Snapshot): Instant {
  return s.memory.since + Math.max(currentStep(s).pauseSeconds ?? Infinity, 0) * 1000
}

/** Without pods nobody is late. */
function deadline({ workload, memory }: Snapshot): Instant {
  const { replicas, deadlineSeconds = Infinity } = workload!
  return replicas === 0 ? Infinity : memory.since + deadlineSeconds * 1000
}

function due({ now }: Snapshot, ...instants: (Instant | undefined)[]): { requeueAt?: Instant } {
  const next = Math.min(...instants.filter((instant): instant is Instant => (instant ?? 0) > now))
  return Number.isFinite(next) ? { requeueAt: next } : {}
}

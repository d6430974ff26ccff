// The Rollout's status: what of it is remembered, and how a decision is written into it. Enums,
// reasons and paths are the API's; messages are ours.

import { conditionOf } from '../condition.ts'
import type { Condition } from '#api/kubernetes.ts'
import type { ProgressingReason, ReadyReason, StalledReason, SucceededReason } from '#api/names.ts'
import type { CanaryStatus, RolloutCondition, RolloutStatus } from '#api/rollout.generated.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import type { Style } from '../style.ts'
import { instantOf, timeOf } from '../time.ts'
import type { Instant } from '../time.ts'
import type { Workload } from '../workload/model.ts'
import type { Decision, Ending, Memory, Phase, StepState } from './model.ts'
import { endInWords, nothing } from './outcomes.ts'
import { toldIn, releaseIn } from './release-status.ts'

/** What a status remembers. */
export function memoryOf(status: RolloutStatus | undefined): Memory {
  const canary = releaseIn(status)
  // Kruise Rollouts has written it: what that was in the middle of is no release of ours.
  if (!status || !canary || canary.observedRelease === undefined) return nothing
  const remembered = defined({
    ending: endingOf(condition(status, 'Succeeded')),
    stableRevision: canary.stableRevision,
    rolloutId: canary.observedRolloutID,
    release: canary.observedRelease,
    workloadUid: canary.observedWorkloadUID,
    generation: canary.observedWorkloadGeneration,
    stepIndex: canary.currentStepIndex,
    planHash: canary.rolloutHash,
  })
  return {
    ...nothing,
    ...remembered,
    releasing: status.phase === 'Progressing',
    canaryRevision: canary.canaryRevision,
    nextStepIndex: canary.nextStepIndex,
    state: canary.currentStepState as StepState | '',
    // An approval overwrites the state, so that the pause was reached stands in a second place.
    pauseReached: condition(status, 'Reconciling')?.reason === STEP_PAUSED,
    since: instantOf(canary.lastUpdateTime),
    late: condition(status, 'Stalled')?.reason === LATE,
  }
}

/** We have written the status, and a field that a release is known by is not in it: the CRD dropped it. */
export function isDropped(status: RolloutStatus | undefined): boolean {
  const { conditions = [] } = { ...status }
  const written = conditions.some(({ type, reason }) => type === 'Ready' && reason !== NOT_ALONE)
  const release = releaseIn(status)
  return written && release !== undefined && release.observedRelease === undefined
}

/** With this reason nothing but condition Ready is ours: the rest is Kruise Rollouts'. */
const NOT_ALONE = 'KruiseRunning' satisfies ReadyReason
/** Reason of condition Reconciling while a step is in its pause; else it is the phase. */
const STEP_PAUSED = 'StepPaused' satisfies StepState
const LATE: StalledReason = 'ProgressDeadlineExceeded'

/** Clients of the Kruise API read the status alone; the reason, there always '', tells the others apart. */
const succeeded: Readonly<Record<Ending, { status: boolean; reason: SucceededReason | '' }>> = {
  completed: { status: true, reason: '' },
  canceled: { status: false, reason: '' },
  takenOver: { status: true, reason: 'TakenOver' },
  overtaken: { status: true, reason: 'Overtaken' },
}

function endingOf(known: Condition | undefined): Ending | undefined {
  const endings = Object.keys(succeeded) as Ending[]
  return endings.find(ending => {
    const { status, reason } = succeeded[ending]
    return known?.status === (status ? 'True' : 'False') && known.reason === reason
  })
}

/** What a decision is written with. */
export interface StatusInput {
  readonly generation: number
  readonly before: RolloutStatus | undefined
  /** That of the Rollout: each has a field of its own in the status. */
  readonly style: Style
  readonly decision: Decision
  readonly workload: Workload | undefined
  readonly now: Instant
}

/** The whole status after a decision. Equal to the one before if nothing changed. */
export function statusOf(input: StatusInput): RolloutStatus {
  const { generation, before, style, decision, workload, now } = input
  const { standing, message } = decision
  if (standing.notReady === NOT_ALONE) return withWord(before, decision, now)
  const kept = standing.unseen && releaseIn(before)
  const release = workload ? releaseOf(decision, workload) : kept
  return {
    observedGeneration: generation,
    phase: standing.phase,
    message: briefly(message),
    conditions: conditionsOf(before, decision, now),
    currentStepIndex: release?.currentStepIndex ?? 0,
    currentStepState: release?.currentStepState ?? '',
    ...(release && toldIn(style, release)),
  }
}

/** So many characters of a line can be read at a glance. */
const BRIEF = 120

/** For `kubectl get`, which prints it in a table: without the command that goes on. Conditions have all of it. */
export function briefly(message: string): string {
  const said = message.replace(/(?:; [^;:]*)?: kubectl .*$/su, '')
  const hint = said === message ? '' : ' (command: -o wide)'
  if (said.length + hint.length <= BRIEF) return `${said}${hint}`
  const cut = said.slice(0, BRIEF - 3 - hint.length)
  return `${cut.slice(0, cut.lastIndexOf(' '))} ...${hint}`
}

const nowhere: RolloutStatus = { currentStepIndex: 0, currentStepState: '' }

/** The status of another controller, with our word in it. */
function withWord(
  before: RolloutStatus | undefined,
  decision: Decision,
  now: Instant,
): RolloutStatus {
  const { conditions = [], ...rest } = before ?? nowhere
  const ours = ofKstatus(decision).filter(({ type }) => type === 'Ready')
  const said = ours.map(each => conditionOf(condition(before, each.type), each, now))
  return { ...rest, conditions: [...conditions.filter(({ type }) => type !== 'Ready'), ...said] }
}

/**
 * How long news that only count pods may wait: each would be a write, and another reconcile. A state
 * that lasts is told ever more seldom.
 */
const patienceMs = { least: 5000, most: 10_000 }

/** When the status is to be written: now, later where only words and counts changed, or never. */
export function statusDue(
  before: RolloutStatus | undefined,
  after: RolloutStatus,
  now: Instant,
): Instant | undefined {
  if (equalJson(before, after)) return undefined
  if (!before || !equalJson(essence(before), essence(after))) return now
  const written = instantOf(condition(before, 'Ready')?.lastUpdateTime)
  // A clock that was set back would make the news as old. Times are rounded up to the next second.
  if (written >= now + 1000) return now
  const lasted = written - instantOf(releaseIn(before)?.lastUpdateTime)
  const patience = Math.min(Math.max(lasted, patienceMs.least), patienceMs.most)
  return Math.max(now, written + patience)
}

/**
 * The next status is likely to come in a moment: a release or a step has just begun. Who writes it may
 * wait that moment.
 */
export function isPassing(before: RolloutStatus | undefined, after: RolloutStatus): boolean {
  const [was, is] = [releaseIn(before), releaseIn(after)]
  if (!was || !is || !isUnderWay(is) || after.phase !== 'Progressing') return false
  if (was.observedRelease !== is.observedRelease) return true
  return was.currentStepState === 'StepReady' || was.currentStepState === 'StepPaused'
}

/** Pods or requests are being moved. */
function isUnderWay({ currentStepState: state }: CanaryStatus): boolean {
  return state === 'StepUpgrade' || state === 'StepTrafficRouting'
}

/** The status without what changes with every pod. */
function essence(status: RolloutStatus): unknown {
  const { canaryStatus: _, blueGreenStatus: __, conditions = [], ...rest } = status
  const release = releaseIn(status)
  const counts = { canaryReplicas: 0, canaryReadyReplicas: 0, observedWorkloadGeneration: 0 }
  // The name of the revision comes a moment after the edit, and says no more than the release's.
  const names = { canaryRevision: '', podTemplateHash: '' }
  return {
    ...rest,
    message: '',
    release: release && { ...release, ...counts, ...names, message: '' },
    conditions: conditions.map(({ type, status: is, reason }) => [type, is, reason]),
  }
}

function releaseOf({ memory, standing, message }: Decision, workload: Workload): CanaryStatus {
  const id = memory.releasing ? (workload.ownerRolloutId ?? memory.rolloutId) : memory.rolloutId
  const done = memory.state === 'Completed' && !memory.releasing
  return {
    observedWorkloadGeneration: workload.generation,
    observedWorkloadUID: workload.uid,
    observedRolloutID: id,
    observedRelease: memory.release,
    rolloutHash: memory.planHash,
    stableRevision: memory.stableRevision,
    canaryRevision: memory.canaryRevision,
    podTemplateHash: workload.updateRevision,
    currentStepIndex: memory.stepIndex,
    nextStepIndex: memory.nextStepIndex,
    finalisingStep: done && memory.ending ? 'END' : (standing.finalising ?? ''),
    currentStepState: memory.state,
    canaryReplicas: workload.updated,
    canaryReadyReplicas: workload.updatedReady,
    message,
    ...(memory.since > 0 && { lastUpdateTime: timeOf(memory.since) }),
  }
}

/** A condition as a decision wants it: each type with reasons of its own. */
type Wanted = { readonly status: boolean; readonly message: string } & (
  | { readonly type: 'Ready'; readonly reason: ReadyReason }
  | { readonly type: 'Reconciling'; readonly reason: Phase | typeof STEP_PAUSED }
  | { readonly type: 'Stalled'; readonly reason: StalledReason }
  | { readonly type: 'Progressing'; readonly reason: ProgressingReason }
  | { readonly type: 'Succeeded'; readonly reason: SucceededReason | '' }
)

function conditionsOf(
  before: RolloutStatus | undefined,
  decision: Decision,
  now: Instant,
): readonly RolloutCondition[] {
  return [...ofTheApi(decision), ...ofKstatus(decision)].map(each =>
    conditionOf(condition(before, each.type), each, now),
  )
}

/** The conditions of the Kruise API. */
function ofTheApi({ memory, standing }: Decision): readonly Wanted[] {
  const { progressing, phase } = standing
  const { releasing, ending } = memory
  const wanted: Wanted[] = []
  if (progressing !== undefined) {
    const message = progressingMessage(phase, memory)
    wanted.push({ type: 'Progressing', status: releasing, reason: progressing, message })
  }
  if (!releasing && ending !== undefined) {
    wanted.push({ type: 'Succeeded', ...succeeded[ending], message: '' })
  }
  return wanted
}

/** The conditions by which kstatus, and with it Flux and Helm, know how an object stands. */
function ofKstatus({ memory, standing, message }: Decision): readonly Wanted[] {
  const { stalled, notReady, reconciling, phase } = standing
  const why = notReady ?? stalled
  const idle = reconciling ? 'Releasing' : 'Guarding'
  const ready = why === undefined && !reconciling
  const wanted: Wanted[] = [{ type: 'Ready', status: ready, reason: why ?? idle, message }]
  if (reconciling) {
    const reason = memory.releasing && memory.pauseReached ? STEP_PAUSED : phase
    wanted.push({ type: 'Reconciling', status: true, reason, message })
  }
  if (stalled !== undefined) {
    wanted.push({ type: 'Stalled', status: true, reason: stalled, message })
  }
  return wanted
}

function condition(status: RolloutStatus | undefined, type: string): Condition | undefined {
  return status?.conditions?.find(each => each.type === type)
}

function progressingMessage(phase: Phase, memory: Memory): string {
  if (phase === 'Progressing') return `release ${memory.rolloutId} is in progress`
  return endInWords(memory)
}

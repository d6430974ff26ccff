// What the answer to an edit tells: what happens now, what it waits for, and the command that goes on.
// With names of usual length a line is at most 256 characters: where there are many an API server cuts what is longer.

import { ROLLBACK_IN_BATCH } from '#api/names.ts'
import {
  approveCommand,
  letGoInWords,
  resumeCommand,
  resumeWorkloadCommand,
  takeBackInWords,
  unpauseCommand,
  waitCommand,
} from '../commands.ts'
import { defined } from '../defined.ts'
import type { Rollout, Step } from '../rollout/model.ts'
import { isTheEnd } from '../rollout/plan-steps.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import type { Hold } from '../workload/hold.ts'

/** The plan of an edit that is held. */
export interface PlanInWords {
  readonly rollout: Rollout
  /** Our name of the release. */
  readonly release: string
  readonly replicas: number
  /** New pods of the first step. */
  readonly n: number
  /** The most pods that run at a time in the first step. */
  readonly peak: number
  /** The owner has paused the workload. */
  readonly paused: boolean
  /** A release was running. */
  readonly again: boolean
  /** The revision to go back to, where that is not the one before the edit. */
  readonly stable?: string
  /** Pods of another new version keep its own from starting. */
  readonly noSide: boolean
  /** It brings the stable version back. */
  readonly goesBack: boolean
  /** What its kind makes of such a release. */
  readonly adapter: Pick<WorkloadAdapter, 'deceived' | 'noAbort' | 'resumedBy'>
  /** Why its requests cannot be moved, as its Rollout says. */
  readonly blocked?: string
  /** What else such a release brings, a line each. */
  readonly caveats: readonly string[]
}

/** The edit is held: the plan, and the command that goes on. */
export function holdWarnings(plan: PlanInWords): readonly string[] {
  const { rollout, release, goesBack, noSide, caveats, adapter, stable } = plan
  const lines = [beginningInWords(plan), ...goOnInWords(plan)]
  if (plan.blocked !== undefined) lines.push(`its Rollout says: ${plan.blocked}`)
  if (adapter.deceived !== undefined) {
    lines.push(adapter.deceived, `to wait for the end: ${waitCommand(rollout, release)}`)
  }
  if (rollout.otherStyleBecause !== undefined) lines.push(rollout.otherStyleBecause)
  if (rollout.traffic || rollout.trafficRouting !== undefined) lines.push(REQUESTS_FIRST)
  const takeBack = goesBack
    ? letGoInWords(rollout, release)
    : takeBackInWords(rollout, release, { noAbort: adapter.noAbort, ...defined({ stable }) })
  const anew = noSide ? [`then start this version with: ${resumeCommand(rollout)}`] : []
  return [...lines, ...caveats, takeBack, ...anew]
}

function beginningInWords(plan: PlanInWords): string {
  if (plan.noSide) return NO_SIDE
  return plan.goesBack ? wayBackInWords(plan) : releaseInWords(plan)
}

/** The command that goes on, where somebody has to. */
function goOnInWords({ rollout, paused, noSide, adapter }: PlanInWords): readonly string[] {
  const still = 'paused and no new pod starts; go on with:'
  if (rollout.paused) return [`Rollout ${rollout.name} is ${still} ${unpauseCommand(rollout)}`]
  if (paused) {
    return [`the workload is ${still} ${resumeWorkloadCommand(rollout.ref, adapter)}`]
  }
  const waits = isApproval(rollout, rollout.steps[0]!) && !noSide
  return waits ? [`approve with: ${approveCommand(rollout)}`] : []
}

/** What keeps all old pods has no room for the pods of two other versions. */
const NO_SIDE =
  'held at 0 new pods while those of another new version stand beside the old ones: put the stable template back, or the one before this (kubectl apply, helm rollback), or take those back first'

/** The patch that frees the workload lets those leave whom its Service selects alone. */
const REQUESTS_FIRST =
  'requests move with the pods: with nobody of ours alive give its Service and its routes back first, each by its own record: docs/safe-when-we-vanish.md'

function releaseInWords({ rollout, replicas, n, peak, again }: PlanInWords): string {
  const first = rollout.steps[0]!
  const start = again ? 'release starts again' : 'release starts'
  const step = `${start} with step 1 of ${rollout.steps.length}`
  const pods = `${n} of ${replicas} pods${requestsInWords(first)}`
  return `${step}: ${pods}, then ${pauseInWords(rollout, first)}; peak ${peak} pods`
}

/** How many pods have left the stable version is counted in a moment. */
function wayBackInWords({ rollout }: PlanInWords): string {
  const [first] = rollout.steps
  const { replicas: pods } = first!
  const share = typeof pods === 'number' ? `${pods}` : `${pods} of those`
  const step = `step 1 of ${rollout.steps.length}`
  return `the stable template is back, and pods go back in steps (${ROLLBACK_IN_BATCH}): ${step} takes ${share} that have left it, then ${pauseInWords(rollout, first!)}`
}

/** The template is back with which a native rollout began that is still running. */
export function nativeWarnings(): readonly string[] {
  return ["back to the stable template: all pods go back now by the workload's own strategy"]
}

/** The fields of a hold stand there without its record: what the owner wanted is not known. */
export function lostWarnings(): readonly string[] {
  return [
    "the owner's values of the fields by which a workload is held were lost while the webhook was away: the defaults count; apply the manifest again",
  ]
}

/** The edit is not held: why, and what that means. */
export function notHeldWarnings(reason: string): readonly string[] {
  if (reason === 'no pod runs') return ['no pod runs: scaling up starts the new version at once']
  return [
    `not held: ${reason}; the edit goes out now, without steps, by the strategy of the workload`,
  ]
}

/** A first look told of a release, and then another webhook changed the template. */
export function takenBackWarnings(): readonly string[] {
  return ['no release starts, whatever was said: another webhook has put a known template back']
}

/** An edit that nobody of ours answered waits for the controller. */
export function caughtWarnings(): readonly string[] {
  return [
    'held at 0 new pods: an edit came while the webhook was away; the controller takes it over',
  ]
}

/** The policy in the API server has caught an edit, and tells so itself. */
export function unansweredWarnings(): readonly string[] {
  return [
    'an edit came while no webhook answered: the policy holds it at 0 new pods, and its Rollout releases it once one does; to let go now: docs/safe-when-we-vanish.md',
  ]
}

/** The stable template is back. */
export function rollbackWarnings(hold: Hold, wasPaused: boolean): readonly string[] {
  const lines = [
    `rolling back to the stable template: release ${hold.rolloutId} ends, all pods go back now by the workload's own strategy`,
  ]
  if (wasPaused) lines.push('spec.paused is set to false, or the rollback could not run')
  return lines
}

/** The stable template is back, and requests may still be sent to new pods. */
export function requestsFirstWarnings(hold: Hold): readonly string[] {
  return [
    `rolling back to the stable template: release ${hold.rolloutId} ends; requests leave the new pods first, then all pods go back by the workload's own strategy`,
  ]
}

/** The owner changed his own values while the workload is held; `resting`: nobody is replaced by them. */
export function ownerWarnings(
  wasPaused: boolean,
  paused: boolean,
  {
    rollout,
    resting,
  }: { readonly rollout?: Rollout | undefined; readonly resting?: string | undefined },
): readonly string[] {
  const name = rollout ? ` of Rollout ${rollout.name}` : ''
  if (paused && !wasPaused) return [`the release${name} is frozen until the workload is resumed`]
  if (!paused && wasPaused) return [`the release${name} goes on`]
  if (resting !== undefined) {
    return [
      `recorded, but it stands at once: ${resting}; the release waits until that is taken back`,
    ]
  }
  return [
    `recorded: the new values govern the next pods of the release and are restored at its end`,
  ]
}

/** `kubectl rollout resume` does not end what was not paused by the owner. */
export function abortedWarnings(
  rollout: Rollout | undefined,
  hold: Hold,
  asked: boolean,
): readonly string[] {
  if (!asked || !rollout || hold.mode === 'wave') return []
  return hold.mode === 'aborted'
    ? [`the release was aborted; start it again with: ${resumeCommand(rollout)}`]
    : [
        `no new pod may start yet: kubectl -n ${rollout.namespace} get rollout ${rollout.name} says why`,
      ]
}

function isApproval(rollout: Rollout, step: Step): boolean {
  return step.pauseSeconds === undefined && !isTheEnd(rollout, step)
}

function requestsInWords({ split }: Step): string {
  if (!split) return ''
  const { percent, matches } = split
  return matches ? ' with the requests that match' : ` with ${percent}% of the requests`
}

function pauseInWords(rollout: Rollout, step: Step): string {
  if (isTheEnd(rollout, step)) return 'done'
  return step.pauseSeconds === undefined ? 'waits for approval' : `waits ${step.pauseSeconds} s`
}

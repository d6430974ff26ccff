// How a Deployment gets to where a release wants it. Each list is an order: the first rule with
// something to do, or to wait for, acts. Forward goes by budget, backward by ReplicaSets, since the
// controller-manager never scales an old ReplicaSet up.

import { ARMED_MIN_READY_SECONDS } from '#api/names.ts'
import { firstMove } from '../move.ts'
import type { Move, Rule } from '../move.ts'
import type { Instant } from '../time.ts'
import { lastOneLeft, parted, stopped } from './deployment-abort.ts'
import { holdChange } from './changes.ts'
import { scale, setChange } from './deployment-changes.ts'
import type { DeploymentWorkload, Revision } from './deployment-view.ts'
import { nextReadyAt, readyFor } from './deployment-view.ts'
import { allowed, growth, narrowed, quiet, stands, waveFor, waveHold } from './deployment-waves.ts'
import type { Aim } from './deployment-waves.ts'
import type { Hold } from './hold.ts'
import { budgetPods } from './percent.ts'
import { someRun, wantedBy } from './rules.ts'

/** A target on which the rules agree. */
export interface Target extends Aim {
  readonly now: Instant
}

type Rules = readonly Rule<DeploymentWorkload, Target>[]

const observed: Rules = [heldAgain, mended, overtaken, seenByManager]
const forward: Rules = [someRun, ...observed, steered, countedByManager, withdrawn, wave]
const backward: Rules = [...observed, disarmed, fewLeft, stopped, lastOneLeft, parted]
const keeping: Rules = [...observed, disarmed, countedByManager, withdrawn]
const resting: Rules = [mended, overtaken, disarmed]

/** Exactly as many pods as the step wants run the update revision. */
export function advance(w: DeploymentWorkload, step: Hold['pods'], now: Instant): Move | undefined {
  return firstMove(forward, w, targetOf(w, step, now))
}

/** No more pods than the hold is for, which stays as it is: nothing is let out. */
export function keep(w: DeploymentWorkload, now: Instant): Move | undefined {
  if (!w.hold) return undefined
  // What stands still needs nothing, but that the webhook is told what its owner wrote while it was away.
  const still = w.hold.mode !== 'wave' || w.ownerPaused
  return firstMove(still ? [heldAgain] : keeping, w, targetOf(w, w.hold.pods, now))
}

/** What an abort says where there is nothing to go back to. */
export const noStable =
  'it cannot be aborted: no ReplicaSet of the stable revision is left; apply its template'

/** Everybody runs the stable revision again, and the template is left as it is. */
export function abort(w: DeploymentWorkload, now: Instant): Move | undefined {
  const aim = { mode: 'back', pods: 0, now } as const
  if (!w.stable) return { changes: [], why: noStable }
  // Scaled from nobody, the controller-manager brings the aborted revision up again.
  const home = w.active.every(set => set === w.stable)
  if (w.hold?.mode === 'aborted' && home) return firstMove(observed, w, { ...aim, n: 0 })
  return firstMove(backward, w, { ...aim, n: 1 })
}

/** The controller-manager can finish on its own. */
export function rest(w: DeploymentWorkload, now: Instant): Move | undefined {
  return firstMove(resting, w, { mode: 'wave', n: w.replicas, pods: w.replicas, now })
}

/** What a step wants. */
export function targetOf(w: DeploymentWorkload, step: Hold['pods'], now: Instant): Target {
  const { n, pods } = wantedBy(w, step)
  // Nothing is left to go back to: the stable ReplicaSet was cleaned up while nobody ran.
  const alone = w.stable === undefined && w.total === w.updated && w.total > 0
  return { mode: 'wave', n: alone ? w.replicas : n, pods, now }
}

/** The webhook was away when the hold was written: annotation and fields differ. */
function heldAgain(w: DeploymentWorkload, { n }: Target): Move | undefined {
  if (w.projected || !w.hold) return undefined
  const why = 'sending the hold again: the webhook did not answer'
  return { changes: [holdChange(w, narrowed(w, n))], why, again: true }
}

/**
 * A lone ReplicaSet of the right size that was scaled for another one never rolls again
 * (kubernetes/kubernetes pull request 138036).
 */
export function mended(w: DeploymentWorkload): Move | undefined {
  const [set, ...others] = w.active
  if (!set || others.length > 0 || !w.seen.observed) return undefined
  if (set.replicas !== w.replicas || set.desiredReplicas === w.replicas) return undefined
  return { changes: [scale(w, set, set.replicas)], why: 'mending a stuck ReplicaSet' }
}

/**
 * A ReplicaSet of a later edit is there already, since the watch of Deployments is late. It is armed by right:
 * disarmed, its pods would count as available, and the controller-manager would let more of them out.
 */
export function overtaken(w: DeploymentWorkload): Move | undefined {
  const newest = w.update?.revision ?? Infinity
  if (w.active.every(({ revision }) => revision <= newest)) return undefined
  return { changes: [], why: 'waiting to see the latest edit, which has a ReplicaSet already' }
}

/** All rules below count ReplicaSets: they hold only for those that the manager has caught up with. */
export function seenByManager(w: DeploymentWorkload): Move | undefined {
  // An adopted ReplicaSet has no such annotation until it is first scaled.
  const scaling = w.active.some(({ desiredReplicas: n }) => n !== undefined && n !== w.replicas)
  if (w.seen.observed && !scaling) return undefined
  return { changes: [], why: 'waiting for the controller-manager to see the latest change' }
}

/**
 * Pods of an armed ReplicaSet never count as available. Once it is not the newest, the
 * controller-manager would take them first, Ready or not.
 */
function disarmed(w: DeploymentWorkload): Move | undefined {
  const armed = w.active.filter(set => set !== w.update && isArmed(set))
  // Until the manager has seen the edit, its newest one is armed by right.
  if (armed.length === 0 || (!w.update && !w.seen.observed)) return undefined
  const patch = { spec: { minReadySeconds: w.seen.owner.minReadySeconds } }
  return { changes: armed.map(set => setChange(set, patch)), why: 'disarming an older revision' }
}

/**
 * While old pods leave, a revision between the stable and the newest one is armed on purpose: then the
 * controller-manager takes its pods and leaves the stable ones, the oldest, for last. Only while all
 * old pods are Ready: it would not tell a Ready pod of an armed revision from a broken one.
 */
function steered(w: DeploymentWorkload, target: Target): Move | undefined {
  const old = w.active.filter(set => set !== w.update)
  const calm = old.every(set => set.ready === set.replicas)
  if (!calm || !w.update || !someLeave(w, w.update, target)) return disarmed(w)
  const between = old.filter(set => set !== w.stable)
  const unarmed = between.filter(set => !isArmed(set))
  const patch = { spec: { minReadySeconds: ARMED_MIN_READY_SECONDS } }
  const changes = unarmed.map(set => setChange(set, patch))
  return changes.length === 0
    ? undefined
    : { changes, why: 'letting the revision between go first' }
}

/**
 * Pods of a ReplicaSet that has just been armed count as available until its status tells otherwise. Until
 * then the controller-manager would let as many more out of the newest one, and take the stable ones, which
 * are the oldest, before those of a version between.
 */
function countedByManager(w: DeploymentWorkload): Move | undefined {
  const armed = w.active.filter(isArmed).reduce((sum, { replicas }) => sum + replicas, 0)
  if (w.seen.status.available <= w.total - armed) return undefined
  return { changes: [], why: 'waiting for the controller-manager to count who is available' }
}

/** Old pods are on their way out, or will be with the next wave, for which all new pods are Ready. */
function someLeave(w: DeploymentWorkload, update: Revision, { n, now }: Target): boolean {
  const old = w.total - w.updated
  if (w.hold?.mode === 'wave' && old > w.replicas - budgetPods(w.hold.budget, w.replicas))
    return true
  const running = readyFor(update, w.seen.owner.minReadySeconds, now) < n || old > w.replicas - n
  return running && update.ready > 0 && update.ready === update.replicas
}

/** No more than `n` new pods: what the controller-manager's rounding added goes back. */
function withdrawn(w: DeploymentWorkload, target: Target): Move | undefined {
  const { n } = target
  if (!w.update || !w.hold || w.updated <= n) return undefined
  const why = `taking ${w.updated - n} of ${w.updated} new pods back`
  const still = quiet(w, target)
  if (!stands(w, still)) return { changes: [holdChange(w, waveHold(w, still))], why }

  const room = w.replicas + Math.max(w.promised.maxSurge, 1) - w.total
  const up = Math.min(w.replicas - n - (w.total - w.updated), room)
  // Stable up first: in the other order the controller-manager would refill the new one.
  if (up > 0 && w.stable) return { changes: [scale(w, w.stable, w.stable.replicas + up)], why }

  const surplus = w.total - w.replicas
  const broken = w.active.find(set => isBetween(w, set) && set.ready < set.replicas)
  if (broken && surplus > 0) {
    const size = Math.max(broken.ready, broken.replicas - surplus)
    return { changes: [scale(w, broken, size)], why }
  }

  const spare = w.ready - (w.replicas - w.promised.maxUnavailable)
  const notReady = w.updated - w.update.ready
  const down = Math.min(w.updated - n, surplus, notReady + Math.max(spare, 0))
  const changes = down > 0 ? [scale(w, w.update, w.updated - down)] : []
  return { changes, why }
}

/** Once all stand still, one that the controller-manager adds goes as the last ones go. */
function fewLeft(w: DeploymentWorkload, target: Target): Move | undefined {
  return w.hold?.mode === 'stop' && w.updated <= target.n + 1 ? undefined : withdrawn(w, target)
}

/** A revision of an edit that another one has replaced. */
export function isBetween(w: DeploymentWorkload, set: Revision): boolean {
  return set !== w.update && set !== w.stable
}

/** Its pods never count as available. */
export function isArmed({ minReadySeconds }: Revision): boolean {
  return minReadySeconds === ARMED_MIN_READY_SECONDS
}

/** As many new pods as the step wants, in waves that keep the owner's promises. */
function wave(w: DeploymentWorkload, target: Target): Move | undefined {
  const { minReadySeconds } = w.seen.owner
  const ready = readyFor(w.update, minReadySeconds, target.now)
  const next = waveFor(w, target, ready)
  const why = `${Math.min(ready, target.n)} of ${target.n} new pods are ready`
  if (stands(w, next)) return ready >= target.n ? undefined : readyIn(w, target, why)

  const settled = readyFor(w.update, minReadySeconds + 1, target.now)
  const now = ready >= target.n || ready >= allowed(w, target.n) || w.hold?.mode !== 'wave'
  const worth = growth(w, waveFor(w, target, settled))
  const quarter = Math.ceil((w.promised.maxUnavailable + w.promised.maxSurge) / 4)
  // Pods that get Ready one by one must not cost a write each.
  if (!now && worth >= 0 && worth < quarter) return readyIn(w, target, why)
  return { changes: [holdChange(w, waveHold(w, next))], why }
}

/** Nothing to write; looks again when one more new pod will have been Ready for long enough. */
export function readyIn(w: DeploymentWorkload, { now }: Target, why: string): Move {
  const { minReadySeconds } = w.seen.owner
  const due =
    nextReadyAt(w.update, minReadySeconds, now) ?? nextReadyAt(w.update, minReadySeconds + 1, now)
  const { shortage } = w.seen
  const said = shortage === undefined ? why : `${why}; no more can be created: ${shortage}`
  return { changes: [], why: said, ...(due !== undefined && { requeueAt: due }) }
}

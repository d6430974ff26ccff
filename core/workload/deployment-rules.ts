// How a Deployment gets to where a release wants it. Each list is an order: the first rule with
// something to do, or to wait for, acts. Forward goes by budget, backward by ReplicaSets, since the
// controller-manager never scales an old ReplicaSet up.

import { ARMED_MIN_READY_SECONDS } from '#api/names.ts'
import type { Change } from '../change.ts'
import type { Instant, Move } from '../rollout/model.ts'
import { podCount } from '../replicas.ts'
import { holdChange, scale, setChange } from './deployment-changes.ts'
import type { DeploymentWorkload, Revision } from './deployment-view.ts'
import { nextReadyAt, readyFor } from './deployment-view.ts'
import { allowed, growth, narrowed, quiet, stands, waveFor, waveHold } from './deployment-waves.ts'
import type { Aim } from './deployment-waves.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
import { surgeFor, surgePods } from './percent.ts'

/** A target on which the rules agree. */
interface Target extends Aim {
  readonly now: Instant
}

type Rule = (w: DeploymentWorkload, target: Target) => Move | undefined

const observed: readonly Rule[] = [heldAgain, mended, seenByManager]
const forward: readonly Rule[] = [someRun, ...observed, steered, withdrawn, wave]
const backward: readonly Rule[] = [...observed, disarmed, withdrawn, stopped, lastOneLeft, parted]
const keeping: readonly Rule[] = [...observed, disarmed, withdrawn]
const resting: readonly Rule[] = [mended, disarmed]

/** Exactly as many pods as the step wants run the update revision. */
export function advance(w: DeploymentWorkload, step: Hold['pods'], now: Instant): Move | undefined {
  return first(forward, w, targetOf(w, step, now))
}

/** No more pods than the hold is for, which stays as it is: nothing is let out. */
export function keep(w: DeploymentWorkload, now: Instant): Move | undefined {
  if (w.hold?.mode !== 'wave') return undefined
  return first(keeping, w, targetOf(w, w.hold.pods, now))
}

/** Everybody runs the stable revision again, and the template is left as it is. */
export function abort(w: DeploymentWorkload, now: Instant): Move | undefined {
  const aim = { mode: 'back', pods: 0, now } as const
  if (!w.stable) {
    const why =
      'it cannot be aborted: no ReplicaSet of the stable revision is left; apply its template'
    return { changes: [], why }
  }
  // Scaled from nobody, the controller-manager brings the aborted revision up again.
  const home = w.active.every(set => set === w.stable)
  if (w.hold?.mode === 'aborted' && home) return first(observed, w, { ...aim, n: 0 })
  return first(backward, w, { ...aim, n: 1 })
}

/** The controller-manager can finish on its own. */
export function rest(w: DeploymentWorkload, now: Instant): Move | undefined {
  return first(resting, w, { mode: 'wave', n: w.replicas, pods: w.replicas, now })
}

function targetOf(w: DeploymentWorkload, step: Hold['pods'], now: Instant): Target {
  const n = podCount(step, w.replicas)
  const before = w.hold?.mode === 'wave' ? podCount(w.hold.pods, w.replicas) : 0
  // Jumping back, or a smaller plan, does not take pods away that were let out.
  const pods = before > n ? w.hold!.pods : step
  // Nothing is left to go back to: the stable ReplicaSet was cleaned up while nobody ran.
  const alone = w.stable === undefined && w.total === w.updated && w.total > 0
  return { mode: 'wave', n: alone ? w.replicas : Math.max(n, before), pods, now }
}

function someRun(w: DeploymentWorkload): Move | undefined {
  return w.replicas > 0 ? undefined : { changes: [], why: 'no pod runs: scale up to go on' }
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
function mended(w: DeploymentWorkload): Move | undefined {
  const [set, ...others] = w.active
  if (!set || others.length > 0 || !isObserved(w)) return undefined
  if (set.replicas !== w.replicas || set.desiredReplicas === w.replicas) return undefined
  return { changes: [scale(w, set, set.replicas)], why: 'mending a stuck ReplicaSet' }
}

/** All rules below count ReplicaSets: they hold only for those that the manager has caught up with. */
function seenByManager(w: DeploymentWorkload): Move | undefined {
  // An adopted ReplicaSet has no such annotation until it is first scaled.
  const scaling = w.active.some(({ desiredReplicas: n }) => n !== undefined && n !== w.replicas)
  if (isObserved(w) && !scaling) return undefined
  return { changes: [], why: 'waiting for the controller-manager to see the latest change' }
}

/**
 * Pods of an armed ReplicaSet never count as available. Once it is not the newest, the
 * controller-manager would take them first, Ready or not.
 */
function disarmed(w: DeploymentWorkload): Move | undefined {
  const armed = w.active.filter(
    set => set !== w.update && set.minReadySeconds === ARMED_MIN_READY_SECONDS,
  )
  if (armed.length === 0 || !w.update) return undefined
  const patch = { spec: { minReadySeconds: w.seen.owner.minReadySeconds } }
  return { changes: armed.map(set => setChange(set, patch)), why: 'disarming an older revision' }
}

/**
 * While a wave runs, a revision between the stable and the newest one is armed on purpose: then the
 * controller-manager takes its pods and leaves the stable ones, the oldest, for last. Only while all
 * old pods are Ready: it would not tell a Ready pod of an armed revision from a broken one.
 */
function steered(w: DeploymentWorkload, target: Target): Move | undefined {
  const ready = readyFor(w.update, w.seen.owner.minReadySeconds, target.now)
  const running = ready < target.n || w.total - w.updated > w.replicas - target.n
  const old = w.active.filter(set => set !== w.update)
  const calm = old.every(set => set.ready === set.replicas)
  if (!running || !calm || !w.update) return disarmed(w)
  const between = old.filter(set => set !== w.stable)
  const unarmed = between.filter(set => set.minReadySeconds !== ARMED_MIN_READY_SECONDS)
  const patch = { spec: { minReadySeconds: ARMED_MIN_READY_SECONDS } }
  const changes = unarmed.map(set => setChange(set, patch))
  return changes.length === 0
    ? undefined
    : { changes, why: 'letting the revision between go first' }
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

/** A revision of an edit that another one has replaced. */
function isBetween(w: DeploymentWorkload, set: Revision): boolean {
  return set !== w.update && set !== w.stable
}

/** As many new pods as the step wants, in waves that keep the owner's promises. */
function wave(w: DeploymentWorkload, target: Target): Move | undefined {
  const { minReadySeconds } = w.seen.owner
  const ready = readyFor(w.update, minReadySeconds, target.now)
  const next = waveFor(w, target, ready)
  const why = `${Math.min(ready, target.n)} of ${target.n} new pods are ready`
  if (stands(w, next)) return ready >= target.n ? undefined : waiting(w, target, why)

  const settled = readyFor(w.update, minReadySeconds + 1, target.now)
  const now = ready >= target.n || ready >= allowed(w, target.n) || w.hold?.mode !== 'wave'
  const worth = growth(w, waveFor(w, target, settled))
  const quarter = Math.ceil((w.promised.maxUnavailable + w.promised.maxSurge) / 4)
  // Pods that get Ready one by one must not cost a write each.
  if (!now && worth >= 0 && worth < quarter) return waiting(w, target, why)
  return { changes: [holdChange(w, waveHold(w, next))], why }
}

/** Paused; where nobody may be missing, with room for the last stable pod beside the last new one. */
function stopped(w: DeploymentWorkload): Move | undefined {
  const { hold, stable } = w
  const leaving = w.active.filter(set => set !== stable)
  if (hold?.mode === 'stop' || leaving.length === 0) return undefined
  const why = 'making room for the last stable pod'
  const stop: Hold = { ...hold!, mode: 'stop', pods: 0, ...still }
  const spare = w.promised.maxUnavailable > 0 && w.total <= w.replicas
  if (spare && stable && stable.replicas > 0) return { changes: [holdChange(w, stop)], why }
  const room: Hold = { ...stop, surge: beside(1, w) }
  const served = stable && stable.replicas > 0 ? servedFirst(w, stable, leaving) : []
  return { changes: [...served, holdChange(w, room)], why }
}

/**
 * The controller-manager shares room out by size and by what each was last scaled for: those that
 * would come before the stable one have had theirs, and it has not.
 */
function servedFirst(w: DeploymentWorkload, stable: Revision, leaving: readonly Revision[]) {
  const forSurge = (set: Revision, surge: number) =>
    scale({ ...w, hold: { ...w.hold!, surge } }, set, set.replicas)
  const served = leaving.filter(set => set.replicas >= stable.replicas).map(set => forSurge(set, 1))
  return served.length > 0 ? [...served, forSurge(stable, 0)] : []
}

/**
 * One by one the last pods that are not stable go, each when a stable one stands in for it. While
 * paused the controller-manager gives what is missing to the largest ReplicaSet, and takes from it
 * what is too much; of two alike it favours the newer one both times.
 */
function lastOneLeft(w: DeploymentWorkload): Move | undefined {
  const { stable } = w
  const leaving = w.active.filter(set => set !== stable).toSorted(byReplicas)[0]
  if (!leaving || !stable) return undefined
  const why = 'waiting for the last stable pod'
  const room = w.replicas + surgePods(w.hold!.surge, w.replicas) - w.total
  if (room > 0) return { changes: [scale(w, stable, stable.replicas + room)], why }

  const spare = Math.max(w.ready - (w.replicas - w.promised.maxUnavailable), 0)
  const lead = leaving.replicas - stable.replicas
  if (lead > 1) return { changes: spare > 0 ? [scale(w, stable, stable.replicas + 1)] : [], why }
  if (lead === 1 && spare < 2) return { changes: outOfStep(w), why }
  const down = Math.min(Math.max(lead + 1, 1), leaving.replicas - leaving.ready + spare)
  return { changes: down > 0 ? [scale(w, leaving, leaving.replicas - down)] : [], why }
}

/** One pod more or less in all, so that no two ReplicaSets become alike. */
function outOfStep(w: DeploymentWorkload): readonly Change[] {
  const { maxUnavailable, maxSurge } = w.promised
  const surge = surgePods(w.hold!.surge, w.replicas)
  const other = maxUnavailable > 0 ? 1 - surge : surge + 1
  // Nobody may be missing and no more than one be added: it stays as it is, safe and paused.
  if (other > Math.max(maxSurge, 1) || other < 0) return []
  return [holdChange(w, { ...w.hold!, surge: beside(other, w) })]
}

/** A surge in percent, whatever the owner's unit: it can be marked as ours. */
function beside(pods: number, { replicas }: DeploymentWorkload): Hold['surge'] {
  return surgeFor(pods, replicas, '100%')
}

function byReplicas(a: Revision, b: Revision): number {
  return b.replicas - a.replicas
}

/** Still, disarmed and paused: nobody moves, and waiting clients can be told. */
function parted(w: DeploymentWorkload): Move | undefined {
  const aborted: Hold = { ...w.hold!, mode: 'aborted', pods: 0, ...still }
  return { changes: [holdChange(w, aborted)], why: 'all pods are back on the stable revision' }
}

function waiting(w: DeploymentWorkload, { now }: Target, why: string): Move {
  const { minReadySeconds } = w.seen.owner
  const due =
    nextReadyAt(w.update, minReadySeconds, now) ?? nextReadyAt(w.update, minReadySeconds + 1, now)
  return { changes: [], why, ...(due !== undefined && { requeueAt: due }) }
}

function isObserved(w: DeploymentWorkload): boolean {
  return w.seen.observedGeneration >= w.generation
}

function first(rules: readonly Rule[], w: DeploymentWorkload, target: Target): Move | undefined {
  for (const rule of rules) {
    const move = rule(w, target)
    if (move) return move
  }
  return undefined
}

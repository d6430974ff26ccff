// How a blue-green release gets to where it should be. Forward goes by maxSurge alone: all old pods stay,
// and the controller-manager scales both sides in proportion. What it cannot do is left to us: bring the
// old side back to its full size, and take new pods away.

import { abortCommand, resumeCommand } from '../commands.ts'
import { firstMove } from '../move.ts'
import type { Move, Rule } from '../move.ts'
import type { Instant } from '../time.ts'
import { parted } from './deployment-abort.ts'
import { holdChange } from './changes.ts'
import { scale } from './deployment-changes.ts'
import {
  isArmed,
  isBetween,
  mended,
  overtaken,
  readyIn,
  seenByManager,
  targetOf,
} from './deployment-rules.ts'
import type { Target } from './deployment-rules.ts'
import type { DeploymentWorkload, Revision } from './deployment-view.ts'
import { readyFor } from './deployment-view.ts'
import { stands, waveHold } from './deployment-waves.ts'
import type { Wave } from './deployment-waves.ts'
import type { Hold } from './hold.ts'
import { still } from './hold.ts'
import { surgeFor, surgePods } from './percent.ts'
import { sentAgain, someRun } from './rules.ts'

type Rules<T> = readonly Rule<DeploymentWorkload, T>[]

const observed: Rules<unknown> = [sentAgain, mended, overtaken, seenByManager]
const forward: Rules<Target> = [someRun, ...observed, twoSides, opened, oldWhole, withdrawn, side]
const keeping: Rules<Target> = [...observed, oldWhole, withdrawn]
const backward: Rules<unknown> = [...observed, stableWhole, stopped, emptied, parted]

/** Exactly as many pods as the step wants stand beside all old ones. */
export function advance(w: DeploymentWorkload, step: Hold['pods'], now: Instant): Move | undefined {
  return firstMove(forward, w, targetOf(w, step, now))
}

/** No more new pods than the hold is for, and no fewer old ones: nothing is let out. */
export function keep(w: DeploymentWorkload, now: Instant): Move | undefined {
  if (!w.hold) return undefined
  // What stands still needs nothing, but that the webhook is told what its owner wrote while it was away.
  const resting = w.hold.mode !== 'wave' || w.ownerPaused || w.replicas === 0
  return firstMove(resting ? [sentAgain] : keeping, w, targetOf(w, w.hold.pods, now))
}

/** Only the stable side is left, and the template as it is. */
export function abort(w: DeploymentWorkload): Move | undefined {
  if (!w.stable) {
    const why =
      'it cannot be aborted: no ReplicaSet of the stable revision is left; apply its template'
    return { changes: [], why }
  }
  const home = w.active.every(set => set === w.stable)
  return firstMove(w.hold?.mode === 'aborted' && home ? observed : backward, w, undefined)
}

/**
 * The hold at which exactly `n` pods stand beside the others: in the step's own words where they come to
 * that, so that a scaling keeps the share.
 */
export function sideHold(pods: Hold['pods'], n: number, replicas: number): Omit<Wave, 'pods'> {
  const exact = typeof pods === 'string' && surgePods(pods, replicas) === n
  return { mode: 'wave', budget: '0%', surge: exact ? pods : surgeFor(n, replicas, '100%') }
}

/**
 * A third version has no side to stand on. While it waits nothing moves: the second one stays armed, so
 * that its template may come back without one pod being counted as available.
 */
function twoSides(w: DeploymentWorkload): Move | undefined {
  const third = w.active.some(set => isBetween(w, set) && isArmed(set))
  return third ? { changes: [], why: thirdInWords(w) } : undefined
}

/** Paused, the Deployment takes no `rollout undo`: kubectl refuses it. */
function thirdInWords({ ref, record, hold }: DeploymentWorkload): string {
  const { namespace } = ref
  const rollout = { namespace, name: record?.rollout ?? '' }
  const back = 'put the stable template back, or the one before this (kubectl apply, helm rollback)'
  const anew = `${abortCommand(rollout, hold!.rolloutId)}; and then start this version with: ${resumeCommand(rollout)}`
  return `a third version came in the middle of a blue-green release, and no pod moves: ${back}, or take the other new pods back with: ${anew}`
}

/** Paused until no pod of the new version counts as available: else old ones would leave for them. */
function opened(w: DeploymentWorkload, target: Target): Move | undefined {
  const { hold, total, updated, seen } = w
  if (hold?.mode === 'wave') return undefined
  const old = total - updated
  if (updated > 0 && old > 0 && seen.status.available > old) {
    const why = 'waiting for pods of the new version not to count as available'
    return { changes: hold?.mode === 'stop' ? [] : [holdChange(w, standing(w))], why }
  }
  const wave = { ...sideHold(target.pods, roomFor(w, target), w.replicas), pods: target.pods }
  return { changes: [holdChange(w, waveHold(w, wave))], why: 'beginning the new side' }
}

/** Room that missing old pods leave would be taken by new ones: it is given once they are back. */
function roomFor(w: DeploymentWorkload, { n }: Target): number {
  return missingOld(w) > 0 ? Math.min(n, Math.max(w.total - w.replicas, 1)) : n
}

function missingOld({ replicas, total, updated }: DeploymentWorkload): number {
  return replicas - (total - updated)
}

/** What the controller-manager's rounding took from the old side comes back, before anything else. */
function oldWhole(w: DeploymentWorkload): Move | undefined {
  const missing = missingOld(w)
  if (missing <= 0 || !w.stable) return undefined
  const why = `bringing ${missing} of ${w.replicas} old pods back`
  return { changes: [scale(w, w.stable, w.stable.replicas + missing)], why }
}

/** No more than `n` new pods: what a scaling added goes again, once the hold does not ask for it. */
function withdrawn(w: DeploymentWorkload, target: Target): Move | undefined {
  const { n } = target
  if (!w.update || !w.stable || w.updated <= n) return undefined
  const why = `taking ${w.updated - n} of ${w.updated} new pods back`
  const next = waveFor(w, target)
  if (!stands(w, next)) return { changes: [holdChange(w, waveHold(w, next))], why }
  const spare = Math.max(w.ready - w.replicas, 0)
  const down = Math.min(w.updated - n, w.updated - w.update.ready + spare)
  return { changes: down > 0 ? [scale(w, w.update, w.updated - down)] : [], why }
}

/** As many new pods as the step wants, all at once: nobody has to leave for them. */
function side(w: DeploymentWorkload, target: Target): Move | undefined {
  const { n, now } = target
  const ready = readyFor(w.update, w.seen.owner.minReadySeconds, now)
  const why = `${Math.min(ready, n)} of ${n} new pods are ready, beside ${w.total - w.updated} old ones`
  const next = waveFor(w, target)
  if (!stands(w, next)) return { changes: [holdChange(w, waveHold(w, next))], why }
  return ready >= n ? undefined : readyIn(w, target, why)
}

function waveFor(w: DeploymentWorkload, { n, pods }: Target): Wave {
  return { ...sideHold(pods, n, w.replicas), pods }
}

/**
 * The stable side has all its pods before the other one goes. While the Deployment rolls, the
 * controller-manager leaves both alone. But with a third version there it takes old pods that are not
 * Ready, the oldest ReplicaSet's first: those that were just brought back.
 */
function stableWhole(w: DeploymentWorkload): Move | undefined {
  const { stable, replicas } = w
  const missing = replicas - stable!.replicas
  const third = w.active.some(set => isBetween(w, set))
  if (missing > 0 && !third) return broughtBack(w, missing)
  const promised = replicas - w.promised.maxUnavailable
  // Where none is left, the controller-manager would bring up another version instead.
  const wanted = missing > 0 ? Math.max(promised, 1) : promised
  if (stable!.ready >= wanted) return undefined
  const count = `${stable!.ready} of ${replicas} stable pods are ready: the new ones stay until ${wanted} are`
  const why = missing > 0 ? `${count}; put the stable template back` : count
  return { changes: [], why }
}

function broughtBack(w: DeploymentWorkload, missing: number): Move {
  const { stable, replicas, total, hold } = w
  const why = `bringing ${missing} of ${replicas} stable pods back`
  const surge = surgeFor(Math.max(total - replicas, 1), replicas, '100%')
  const back: Hold = { ...hold!, mode: 'back', pods: 0, budget: '0%', surge }
  if (hold?.mode !== 'back') return { changes: [holdChange(w, back)], why }
  return { changes: [scale(w, stable!, replicas)], why }
}

/** Nobody moves while the new pods are taken away. */
function stopped(w: DeploymentWorkload): Move | undefined {
  if (w.hold?.mode === 'stop' || leaving(w).length === 0) return undefined
  return { changes: [holdChange(w, standing(w))], why: 'stopping before the new pods go' }
}

/** Paused, with room for exactly the pods that there are: then the controller-manager moves none. */
function standing({ hold, total, replicas }: DeploymentWorkload): Hold {
  const surge = surgeFor(Math.max(total - replicas, 0), replicas, '100%')
  return { ...hold!, mode: 'stop', pods: 0, ...still, surge }
}

/** Of one active ReplicaSet alone the controller-manager makes the size right, and no more. */
function emptied(w: DeploymentWorkload): Move | undefined {
  const sets = leaving(w)
  if (sets.length === 0) return undefined
  const pods = w.total - w.stable!.replicas
  return { changes: sets.map(set => scale(w, set, 0)), why: `taking ${pods} new pods back` }
}

function leaving(w: DeploymentWorkload): readonly Revision[] {
  return w.active.filter(set => set !== w.stable)
}

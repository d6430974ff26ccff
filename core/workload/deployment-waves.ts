// The arithmetic of a wave: how many new pods may run now, so that the owner's maxUnavailable and
// maxSurge hold at every moment on the way to `n`.

import { ownAmounts } from './deployment-fields.ts'
import type { DeploymentWorkload } from './deployment-view.ts'
import type { Hold } from './hold.ts'
import { budgetFor, budgetPods, surgeFor, surgePods } from './percent.ts'

/** What a step wants: `n` new pods, in the words `pods`. */
export interface Aim {
  readonly mode: 'wave' | 'back'
  readonly n: number
  readonly pods: Hold['pods']
}

/** How far a hold lets a release go. */
export type Wave = Pick<Hold, 'mode' | 'pods' | 'budget' | 'surge'>

/** The widest wave that is safe with `ready` new pods Ready. It needs no memory of the last one. */
export function waveFor(w: DeploymentWorkload, aim: Aim, ready: number): Wave {
  const { n } = aim
  const budget = budgetWith(w, n, ready)
  const surge = Math.min(w.promised.maxSurge, n - budget)
  return waveOf(w, aim, budget, budget + surge === 0 ? 1 : surge)
}

/** The wave at which the controller-manager leaves both sides alone while ours move. */
export function quiet(w: DeploymentWorkload, aim: Aim): Wave {
  const { n } = aim
  const budget = budgetWith(w, n, Math.min(w.update?.ready ?? 0, n))
  return waveOf(w, aim, budget, Math.min(Math.max(w.promised.maxSurge, 1), n - budget))
}

/** The hold as it stands, for no more than `n` new pods: a scaling has made its percents more. */
export function narrowed(w: DeploymentWorkload, n: number): Hold {
  const hold = w.hold!
  const out = budgetPods(hold.budget, w.replicas)
  const beside = surgePods(hold.surge, w.replicas)
  const { mode, pods } = hold
  if ((mode !== 'wave' && mode !== 'back') || out + beside <= n) return hold
  const budget = Math.min(out, n)
  return waveHold(w, waveOf(w, { mode, pods }, budget, Math.min(beside, n - budget)))
}

/** The hold of a wave. */
export function waveHold(w: DeploymentWorkload, wave: Wave): Hold {
  return { ...w.hold!, ...wave }
}

/** The workload's hold is that wave. */
export function stands(w: DeploymentWorkload, next: Wave): boolean {
  const { hold } = w
  return (
    hold?.mode === next.mode &&
    hold.pods === next.pods &&
    hold.budget === next.budget &&
    hold.surge === next.surge
  )
}

/** How many new pods the hold lets run now, of the `n` that are wanted. */
export function allowed(w: DeploymentWorkload, n: number): number {
  const { budget, surge } = w.hold!
  return Math.min(n, budgetPods(budget, w.replicas) + surgePods(surge, w.replicas))
}

/** How many more new pods a wave lets run than the hold does. */
export function growth(w: DeploymentWorkload, next: Wave): number {
  const more = budgetPods(next.budget, w.replicas) + surgePods(next.surge, w.replicas)
  return more - budgetPods(w.hold!.budget, w.replicas) - surgePods(w.hold!.surge, w.replicas)
}

/** As many as may be missing beside those that are Ready; never fewer than are out by now. */
function budgetWith(w: DeploymentWorkload, n: number, ready: number): number {
  const out = w.replicas - (w.total - w.updated)
  return Math.min(n, Math.max(ready + w.promised.maxUnavailable, out))
}

function waveOf(
  w: DeploymentWorkload,
  { mode, pods }: Pick<Aim, 'mode' | 'pods'>,
  budget: number,
  surge: number,
): Wave {
  return {
    mode,
    pods,
    budget: budgetFor(budget, w.replicas),
    surge: surgeFor(surge, w.replicas, ownAmounts(w.seen.owner).maxSurge),
  }
}

// The last part of the way back: where only few pods are not stable, the Deployment is paused, and they
// go one by one. While paused the controller-manager only sees to the number of all pods: it gives what is
// missing to the largest ReplicaSet, and takes from it what is too much; of two alike it adds to the newer
// and takes from the older one.

import type { Move } from '../move.ts'
import { holdChange } from './changes.ts'
import { scale } from './deployment-changes.ts'
import type { Change } from '../change.ts'
import type { DeploymentWorkload, Revision } from './deployment-view.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
import { surgeFor, surgePods } from './percent.ts'

/** Paused; where nobody may be missing, with room for the last stable pod beside the last new one. */
export function stopped(w: DeploymentWorkload): Move | undefined {
  const { hold, stable } = w
  const leaving = w.active.filter(set => set !== stable)
  if (hold?.mode === 'stop' || leaving.length === 0) return undefined
  const why = 'making room for the last stable pod'
  const stop: Hold = { ...hold!, mode: 'stop', pods: 0, ...still }
  const spare = w.promised.maxUnavailable > 0 && w.total <= w.replicas
  const several = w.active.length > 1
  if (spare && several) return { changes: [holdChange(w, stop)], why }
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

/** One by one the last pods that are not stable go, each when a stable one stands in for it. */
export function lastOneLeft(w: DeploymentWorkload): Move | undefined {
  const { stable } = w
  const leaving = w.active.filter(set => set !== stable).toSorted(byReplicas)
  if (leaving.length === 0 || !stable) return undefined
  return { changes: oneOut(w, stable, leaving), why: 'waiting for the last stable pod' }
}

/** How those that are leaving stand to the stable one. */
interface Standing {
  readonly stable: Revision
  /** The largest that is leaving. */
  readonly largest: Revision
  /** The others that are. */
  readonly smaller: readonly Revision[]
  /** How many pods the largest has more than the stable one. */
  readonly lead: number
  /** Ready pods beyond those that the owner was promised. */
  readonly spare: number
  /** Pods of the largest that may go: those that are not Ready go first. */
  readonly free: number
}

type Way = (w: DeploymentWorkload, standing: Standing) => readonly Change[] | undefined

/** The first that applies; an empty list waits for pods to become Ready. */
const ways: readonly Way[] = [filled, brokenOut, lessCrowded, exchanged, outOfStep, fewerLeft]

function oneOut(w: DeploymentWorkload, stable: Revision, leaving: readonly Revision[]) {
  const [largest, ...smaller] = leaving as readonly [Revision, ...Revision[]]
  const spare = Math.max(w.ready - (w.replicas - w.promised.maxUnavailable), 0)
  const lead = largest.replicas - stable.replicas
  const free = largest.replicas - largest.ready + spare
  const standing = { stable, largest, smaller, lead, spare, free }
  for (const way of ways) {
    const changes = way(w, standing)
    if (changes) return changes
  }
  return []
}

function filled(w: DeploymentWorkload, { stable }: Standing) {
  const room = w.replicas + liveSurge(w) - w.total
  return room > 0 ? [scale(w, stable, stable.replicas + room)] : undefined
}

function brokenOut(w: DeploymentWorkload, { smaller }: Standing) {
  const broken = smaller.find(set => set.ready < set.replicas)
  return broken && [scale(w, broken, broken.ready)]
}

/** One pod more would be beyond the owner's maxSurge, where some may as well be missing. */
function lessCrowded(w: DeploymentWorkload, { lead, spare }: Standing) {
  const { maxUnavailable, maxSurge } = w.promised
  const surge = liveSurge(w)
  const crowded = maxUnavailable > 0 && surge > 0 && surge + 1 > Math.max(maxSurge, 1)
  return crowded && lead > 2 && spare > 0 ? [withSurge(w, 0)] : undefined
}

/** The controller-manager takes one of the largest for each that the stable one gets. */
function exchanged(w: DeploymentWorkload, { stable, lead, free }: Standing) {
  if (lead < 2) return undefined
  // For as long as the stable one is smaller it is the other one that loses them.
  const room = Math.max(w.replicas + Math.max(w.promised.maxSurge, 1) - w.total, 1)
  const up = Math.min(free, lead - 1, room)
  return up > 0 ? [scale(w, stable, stable.replicas + up)] : []
}

/**
 * One pod more or less in all, or in another revision, so that no two become alike. Where nobody may be
 * missing that can be one pod more than the owner's maxSurge: without it there is no way back.
 */
function outOfStep(w: DeploymentWorkload, { smaller, lead, spare, largest, free }: Standing) {
  if (lead < 1) return undefined
  if (free > 1) return fewer(w, largest, 2, spare)
  const other = newestOf(w, smaller)
  if (other && spare > 0) return [scale(w, other, other.replicas - 1)]
  const { maxUnavailable, maxSurge } = w.promised
  const surge = liveSurge(w)
  const next = maxUnavailable > 0 && surge < 2 ? 1 - surge : surge + 1
  return next > Math.max(maxSurge, 1) + 1 ? [] : [withSurge(w, next)]
}

function fewerLeft(w: DeploymentWorkload, { largest, smaller, spare, free }: Standing) {
  const leaving = free > spare ? largest : (newestOf(w, smaller) ?? largest)
  // The stable one is the largest by then, and gets as many.
  return fewer(w, leaving, leaving.replicas, spare)
}

function newestOf(w: DeploymentWorkload, sets: readonly Revision[]): Revision | undefined {
  return sets.find(set => set === w.update) ?? sets[0]
}

function fewer(w: DeploymentWorkload, set: Revision, most: number, spare: number) {
  const down = Math.min(most, set.replicas - set.ready + spare)
  return down > 0 ? [scale(w, set, set.replicas - down)] : []
}

function liveSurge(w: DeploymentWorkload): number {
  return surgePods(w.hold!.surge, w.replicas)
}

function withSurge(w: DeploymentWorkload, pods: number): Change {
  return holdChange(w, { ...w.hold!, surge: beside(pods, w) })
}

/** A surge in percent, whatever the owner's unit: it can be marked as ours. */
function beside(pods: number, { replicas }: DeploymentWorkload): Hold['surge'] {
  return surgeFor(pods, replicas, '100%')
}

function byReplicas(a: Revision, b: Revision): number {
  return b.replicas - a.replicas
}

/** Still, disarmed and paused: nobody moves, and waiting clients can be told. */
export function parted(w: DeploymentWorkload): Move | undefined {
  const aborted: Hold = { ...w.hold!, mode: 'aborted', pods: 0, ...still }
  return { changes: [holdChange(w, aborted)], why: 'all pods are back on the stable revision' }
}

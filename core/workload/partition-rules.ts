// How a workload with a partition gets to where a release wants it. Forward goes by the partition alone:
// its own controller replaces pods as its owner's strategy says. Backward goes by deleting pods: those
// that the partition keeps old come again as such.

import type { Change } from '../change.ts'
import type { Instant, Move } from '../rollout/model.ts'
import { podCount } from '../replicas.ts'
import { holdChange, podDeletion } from './changes.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
import { podsOf, readyFor } from './partition-view.ts'
import type { PartitionWorkload } from './partition-view.ts'
import type { PodSeen } from './seen.ts'

/** So many new pods, in the words of a step. */
interface Target {
  readonly n: number
  readonly pods: Hold['pods']
  readonly now: Instant
}

type Rule = (w: PartitionWorkload, target: Target) => Move | undefined

const observed: readonly Rule[] = [heldAgain, seenByItsController]
const forward: readonly Rule[] = [someRun, ...observed, unblocked, wave, withdrawn, grown]
const keeping: readonly Rule[] = [...observed, unblocked, withdrawn]

/** As many pods as the step wants run the update revision. */
export function advance(w: PartitionWorkload, step: Hold['pods'], now: Instant): Move | undefined {
  return first(forward, w, targetOf(w, step, now))
}

/** No more pods than the hold is for, which stays as it is. */
export function keep(w: PartitionWorkload, now: Instant): Move | undefined {
  if (w.hold?.mode !== 'wave') return first(observed, w, targetOf(w, 0, now))
  return first(keeping, w, targetOf(w, w.hold.pods, now))
}

/** Everybody runs the stable revision again, and the template is left as it is. */
export function abort(w: PartitionWorkload, now: Instant): Move | undefined {
  if (!w.stable) {
    const why = `it cannot be aborted: no pod of the stable revision is left; apply its template`
    return { changes: [], why }
  }
  const target = { n: 0, pods: 0, now }
  const waiting = first(observed, w, target)
  if (waiting) return waiting
  const strangers = w.pods.filter(pod => !isAtHome(w, pod))
  const home = strangers.length === 0 && w.total === w.replicas
  if (w.hold?.mode === 'aborted' && home) return undefined
  const mode = home ? 'aborted' : 'back'
  const why = home
    ? 'all pods are back on the stable revision'
    : `${strangers.length} of ${w.replicas} pods are still to go back`
  if (w.hold!.mode !== mode)
    return { changes: [holdChange(w, { ...w.hold!, mode, pods: 0, ...still })], why }
  return { changes: leaving(w, strangers), why }
}

/**
 * A broken pod of another version keeps an ordered workload from everything, its own way back too: it
 * waits for that pod, which will never be Ready.
 */
export function unblock(w: PartitionWorkload): Move | undefined {
  if (!w.seen.ordered || !w.seen.observed || !w.update) return undefined
  const broken = w.pods.filter(
    pod => pod.readySince === undefined && pod.revision !== w.update!.hash && !isLeftOld(w, pod),
  )
  if (broken.length === 0) return undefined
  return { changes: broken.map(podDeletion), why: 'taking broken pods out of the way' }
}

function targetOf(w: PartitionWorkload, step: Hold['pods'], now: Instant): Target {
  const n = podCount(step, w.replicas)
  const before = w.hold?.mode === 'wave' ? podCount(w.hold.pods, w.replicas) : 0
  // Jumping back, or a smaller plan, does not take pods away that were let out.
  const pods = before > n ? w.hold!.pods : step
  return { n: Math.min(Math.max(n, before), w.most), pods, now }
}

function someRun(w: PartitionWorkload): Move | undefined {
  return w.replicas > 0 ? undefined : { changes: [], why: 'no pod runs: scale up to go on' }
}

/** A scaling carries no partition; or the webhook was away when the hold was written. */
function heldAgain(w: PartitionWorkload): Move | undefined {
  if (w.projected || !w.hold) return undefined
  const scaled = w.hold.partition === w.seen.partition
  const why =
    scaled && w.hold.size !== w.replicas
      ? `keeping the step's share of ${w.replicas} pods`
      : 'sending the hold again: the webhook did not answer'
  const hold = { ...w.hold, size: w.replicas }
  // Once for each size: what is asked for again was not answered.
  const again = w.hold.size === w.replicas && ({ again: true } as const)
  return { changes: [holdChange(w, hold)], why, ...again }
}

function seenByItsController(w: PartitionWorkload): Move | undefined {
  if (w.seen.observed) return undefined
  return { changes: [], why: 'waiting for its own controller to see the latest change' }
}

/** A broken pod of a version between keeps the next one from coming. */
function unblocked(w: PartitionWorkload): Move | undefined {
  return unblock({ ...w, pods: w.pods.filter(pod => isBetween(w, pod)) })
}

function wave(w: PartitionWorkload, { pods }: Target): Move | undefined {
  const { hold } = w
  if (hold?.mode === 'wave' && hold.pods === pods && hold.budget === pods) return undefined
  const next = { ...hold!, mode: 'wave', pods, budget: pods, surge: '0%' } as const
  return {
    changes: [holdChange(w, next)],
    why: `letting ${podCount(pods, w.replicas)} pods be new`,
  }
}

/** Pods that a scaling has brought up new too early come again as old ones. */
function withdrawn(w: PartitionWorkload, { n }: Target): Move | undefined {
  if (!w.stable || w.updated <= n) return undefined
  const early = byOrdinal(w.updatePods).slice(0, w.updated - n)
  const why = `taking ${w.updated - n} of ${w.updated} new pods back`
  return { changes: leaving(w, early), why }
}

function grown(w: PartitionWorkload, { n, now }: Target): Move | undefined {
  const { minReadySeconds } = w.seen
  const ready = readyFor(w.updatePods, minReadySeconds, now)
  if (ready >= n) return undefined
  const due = w.updatePods
    .flatMap(({ readySince }) => (readySince === undefined ? [] : [readySince]))
    .map(since => since + minReadySeconds * 1000)
    .filter(at => at > now)
  const soonest = due.length > 0 && { requeueAt: Math.min(...due) }
  return { changes: [], why: `${ready} of ${n} new pods are ready`, ...soonest }
}

/** So many of them leave as may be missing beside those that are; broken ones in any case. */
function leaving(w: PartitionWorkload, pods: readonly PodSeen[]): readonly Change[] {
  const ready = readyFor(w.pods, 0, 0)
  const spare = Math.max(ready - (w.replicas - w.maxUnavailable), 0)
  const broken = pods.filter(({ readySince }) => readySince === undefined)
  const sound = pods.filter(({ readySince }) => readySince !== undefined)
  return [...broken, ...sound.slice(0, spare)].map(podDeletion)
}

/** Nobody wants its version any more: another edit has replaced it. */
function isBetween(w: PartitionWorkload, pod: PodSeen): boolean {
  return podsOf(w.update, [pod]).length === 0 && !isAtHome(w, pod)
}

/** It runs what it would run if it came again now, or what everybody is to go back to. */
function isAtHome(w: PartitionWorkload, pod: PodSeen): boolean {
  return podsOf(w.stable, [pod]).length > 0 || isLeftOld(w, pod)
}

/** An older version that the owner's own partition keeps: its controller makes no other of it. */
function isLeftOld({ seen, update }: PartitionWorkload, { revision }: PodSeen): boolean {
  const { currentRevision } = seen.status
  return revision === currentRevision && currentRevision !== update?.hash
}

/** The lowest ordinal first: it is the farthest from its turn. */
function byOrdinal(pods: readonly PodSeen[]): readonly PodSeen[] {
  return pods.toSorted((a, b) => ordinalOf(a) - ordinalOf(b))
}

function ordinalOf({ metadata }: PodSeen): number {
  return Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1))
}

function first(rules: readonly Rule[], w: PartitionWorkload, target: Target): Move | undefined {
  for (const rule of rules) {
    const move = rule(w, target)
    if (move) return move
  }
  return undefined
}

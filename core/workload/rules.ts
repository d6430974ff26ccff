// What the rules of all kinds share: a list of rules is an order, and a step never takes back what was let
// out.

import type { Deletion } from '../change.ts'
import { defined } from '../defined.ts'
import type { Move } from '../move.ts'
import { newPods } from '../replicas.ts'
import type { Instant } from '../time.ts'
import { holdChange, podDeletion } from './changes.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
import type { Workload } from './model.ts'
import { nextReady, readyFor } from './ready.ts'
import type { PodSeen, WorkloadSeen } from './seen.ts'

/** So many new pods, in the words of a step. */
export interface Target {
  readonly n: number
  readonly pods: Hold['pods']
  /** What their hold is to allow; absent: the words of the step. */
  readonly budget?: Hold['budget']
  readonly now: Instant
}

/** A workload that owns its pods itself. */
interface Owning extends Workload {
  readonly seen: WorkloadSeen & { readonly minReadySeconds: number }
  readonly pods: readonly PodSeen[]
  readonly maxUnavailable: number
}

/** How many pods a step wants, in pods and in words: jumping back takes none away that was let out. */
export function wantedBy(
  w: Workload,
  step: Hold['pods'],
): { readonly n: number; readonly pods: Hold['pods'] } {
  const { hold } = w
  const n = newPods(step, w)
  const before = hold?.mode === 'wave' ? newPods(hold.pods, w) : 0
  return { n: Math.max(n, before), pods: before > n ? hold!.pods : step }
}

/** Without pods nobody can be new. */
export function someRun({ replicas }: Workload): Move | undefined {
  return replicas > 0
    ? undefined
    : { changes: [], why: 'no pod is wanted: it goes on with the first one' }
}

/** Its owner has changed to what nobody can hold. */
export function rolling({ unheldBecause: why }: Workload): Move | undefined {
  return why === undefined ? undefined : { changes: [], why }
}

/** The webhook was away when the hold was written. */
export function sentAgain(w: Workload): Move | undefined {
  if (w.projected || !w.hold) return undefined
  const why = 'sending the hold again: the webhook did not answer'
  return { changes: [holdChange(w, w.hold)], why, again: true }
}

/** Who cannot go back where an abort wants it: it stands still from now on, and waits for its owner. */
export function standStill(w: Workload, why: string): Move {
  const { hold } = w
  if (hold!.mode === 'stop') return sentAgain(w) ?? { changes: [], why }
  return { changes: [holdChange(w, { ...hold!, mode: 'stop', ...still })], why }
}

/** What it tells is about the object as it is. */
export function seenByItsController({ seen }: Workload): Move | undefined {
  if (seen.observed) return undefined
  return { changes: [], why: 'waiting for its own controller to see the latest change' }
}

/** The hold is the one of the step. */
export function wave(w: Workload, { pods, budget = pods }: Target): Move | undefined {
  const { hold, goingBack } = w
  const { ran } = { ...goingBack }
  const stands = hold?.mode === 'wave' && hold.pods === pods && hold.budget === budget
  if (stands && hold.ran === ran) return undefined
  const next = { ...hold!, mode: 'wave', pods, budget, surge: '0%', ...defined({ ran }) } as const
  return { changes: [holdChange(w, next)], why: `letting ${newPods(pods, w)} pods be new` }
}

/** So many of these leave as may be missing beside those that are; broken ones in any case. */
export function deletions(
  w: Owning,
  chosen: readonly PodSeen[],
  now: Instant,
): readonly Deletion[] {
  const available = readyFor(w.pods, w.seen.minReadySeconds, now)
  const spare = Math.max(available - (w.replicas - w.maxUnavailable), 0)
  const broken = chosen.filter(({ readySince }) => readySince === undefined)
  const sound = chosen.filter(({ readySince }) => readySince !== undefined)
  return [...broken, ...sound.slice(0, spare)].map(podDeletion)
}

/** As many new pods as the step wants have been Ready for as long as their owner asks. */
export function grown(w: Owning, { n, now }: Target): Move | undefined {
  const { minReadySeconds } = w.seen
  const ready = readyFor(w.updatePods, minReadySeconds, now)
  if (ready >= n) return undefined
  const why = `${ready} of ${n} new pods are ready`
  const due = nextReady(w.updatePods, minReadySeconds, now)
  return { changes: [], why, surplusStays: true, ...due }
}

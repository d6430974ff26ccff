// What the rules of all kinds share: a list of rules is an order, and a step never takes back what was let
// out.

import { podCount } from '../replicas.ts'
import type { Move, Workload } from '../rollout/model.ts'
import type { Hold } from './hold.ts'

/** One reason to act, or to wait; undefined: it has nothing to say. */
export type Rule<W, T> = (w: W, target: T) => Move | undefined

/** What the first rule says that has something to say. */
export function firstMove<W, T>(rules: readonly Rule<W, T>[], w: W, target: T): Move | undefined {
  for (const rule of rules) {
    const move = rule(w, target)
    if (move) return move
  }
  return undefined
}

/** How many pods a step wants, in pods and in words: jumping back takes none away that was let out. */
export function wantedBy(
  { hold, replicas }: Workload,
  step: Hold['pods'],
): { readonly n: number; readonly pods: Hold['pods'] } {
  const n = podCount(step, replicas)
  const before = hold?.mode === 'wave' ? podCount(hold.pods, replicas) : 0
  return { n: Math.max(n, before), pods: before > n ? hold!.pods : step }
}

/** Without pods nobody can be new. */
export function someRun({ replicas }: Workload): Move | undefined {
  return replicas > 0 ? undefined : { changes: [], why: 'no pod runs: scale up to go on' }
}

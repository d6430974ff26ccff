// The one line of the status: what is awaited, since when, and what nobody waits for.

import { sinceOf } from '../time.ts'
import type { Memory, Snapshot } from './model.ts'

/** Whoever reads what is awaited is told of pods that nobody waits for, and that serve all the same. */
export function toldOf({ workload, memory }: Snapshot, message: string): string {
  const told = dated(message, memory)
  if (!memory.releasing || !workload) return told
  const { abandoned, stableRevision, updateRevision } = workload
  // On the way back to the stable version all others leave: that is what is waited for.
  if (abandoned === 0 || stableRevision === updateRevision) return told
  const are = abandoned === 1 ? '1 pod is' : `${abandoned} pods are`
  return `${are} of a version between, neither stable nor new; ${told}`
}

/** Waiting is never silent, and never without its age. */
function dated(message: string, { releasing, since }: Memory): string {
  if (!releasing || message.includes(' since ')) return message
  return `since ${sinceOf(since)}: ${message}`
}

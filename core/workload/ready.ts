// How many pods have been Ready for as long as their owner asks, and when the next one will have been.

import type { Instant } from '../rollout/model.ts'
import type { PodSeen } from './seen.ts'

/** How many have been Ready for `seconds`. For none it needs no clock, which may be behind theirs. */
export function readyFor(pods: readonly PodSeen[], seconds: number, now: Instant): number {
  const latest = seconds === 0 ? Infinity : now - seconds * 1000
  return pods.filter(({ readySince = Infinity }) => readySince < Infinity && readySince <= latest)
    .length
}

/** When one more of them will have been Ready for `seconds`. */
export function nextReady(
  pods: readonly PodSeen[],
  seconds: number,
  now: Instant,
): { readonly requeueAt?: Instant } {
  const due = pods
    .flatMap(({ readySince }) => (readySince === undefined ? [] : [readySince + seconds * 1000]))
    .filter(at => at > now)
  return due.length === 0 ? {} : { requeueAt: Math.min(...due) }
}

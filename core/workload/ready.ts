// How many pods have been Ready for as long as their owner asks, and when the next one will have been.

import type { Instant } from '../time.ts'
import type { PodSeen } from './seen.ts'

/** How many have been Ready for `seconds`, by when each became so. For none it needs no clock, which may be behind theirs. */
export function countFor(since: readonly Instant[], seconds: number, now: Instant): number {
  const latest = seconds === 0 ? Infinity : now - seconds * 1000
  return since.filter(each => each <= latest).length
}

/** How many have been Ready for `seconds`. */
export function readyFor(pods: readonly PodSeen[], seconds: number, now: Instant): number {
  return countFor(sinceOf(pods), seconds, now)
}

/** When one more of them will have been Ready for `seconds`. */
export function nextReady(
  pods: readonly PodSeen[],
  seconds: number,
  now: Instant,
): { readonly requeueAt?: Instant } {
  const due = sinceOf(pods)
    .map(since => since + seconds * 1000)
    .filter(at => at > now)
  return due.length === 0 ? {} : { requeueAt: Math.min(...due) }
}

function sinceOf(pods: readonly PodSeen[]): readonly Instant[] {
  return pods.flatMap(({ readySince }) => readySince ?? [])
}

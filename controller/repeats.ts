// Writes that did not take: an admission that is away, or refuses us. They are sent again, but ever
// more seldom, since each try is a write.

import type { Instant } from '#core/time.ts'

/** When a write that did not take may be tried again: undefined for now, which counts as a try. */
export type Repeats = (key: string, now: Instant) => Instant | undefined

const FIRST_MS = 1000
const LONGEST_MS = 60_000
/** Quiet for so long: what comes then is another outage. */
const FORGOTTEN_MS = 600_000

interface Tried {
  readonly times: number
  readonly next: Instant
}

/** Remembers what was tried, and forgets what has been quiet. */
export function createRepeats(): Repeats {
  const tried = new Map<string, Tried>()
  return (key, now) => {
    // A key that is tried goes to the end: those at the front have been quiet for the longest.
    for (const [each, { next }] of tried) {
      if (now - next <= FORGOTTEN_MS) break
      tried.delete(each)
    }
    const { times, next } = tried.get(key) ?? { times: 0, next: 0 }
    // A clock that was set back would make it long.
    if (now < next && next <= now + LONGEST_MS) return next
    tried.delete(key)
    tried.set(key, { times: times + 1, next: now + Math.min(FIRST_MS * 2 ** times, LONGEST_MS) })
    return undefined
  }
}

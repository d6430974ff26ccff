// Looks again and again, one look after the other: a late answer must never bring back what is older. By
// an interval and the wall clock, never by a timer set long ago: a process that was suspended for a week
// looks as soon as it goes on.

/** Looks that repeat. */
export interface Checks {
  /** Looks now, after the look that is under way. */
  readonly check: () => Promise<void>
  readonly stopped: () => boolean
  readonly stop: () => void
}

/** Begins to look every so many milliseconds; a look must not throw. Nothing waits for it at the end. */
export function startChecks(look: () => Promise<void>, everyMs: number): Checks {
  let stopped = false
  let last = Promise.resolve()
  const check = () => (last = last.then(look))
  const timer = setInterval(() => void check(), everyMs)
  timer.unref()
  return {
    check,
    stopped: () => stopped,
    stop() {
      stopped = true
      clearInterval(timer)
    },
  }
}

// How long to wait before the next attempt, and waiting that ends at once when we are told to stop.

/** Bounds of a wait that doubles with each failure, in milliseconds. */
export interface Backoff {
  readonly baseMs: number
  readonly capMs: number
}

/**
 * Gives a random wait between half and all of `base * 2^(failures - 1)`, up to the cap: replicas
 * that failed together do not come back together, and no wait is next to nothing.
 */
export function backoffMs(failures: number, bounds: Backoff, random: () => number): number {
  const ceiling = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(failures - 1, 40))
  return ceiling / 2 + (random() * ceiling) / 2
}

/** Waits, or ends early without an error when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}

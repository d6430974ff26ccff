// How long something has lasted, for whoever must not believe that it was shorter.

/** Gives the milliseconds since it was made. */
export type Stopwatch = () => number

/**
 * Counts from now, by whichever clock saw more time pass: the monotonic one stands still while a
 * machine is suspended, and the wall clock may be set back.
 */
export function stopwatch(): Stopwatch {
  const monotonic = performance.now()
  const wall = Date.now()
  return () => Math.max(performance.now() - monotonic, Date.now() - wall)
}

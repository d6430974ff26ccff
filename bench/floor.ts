// The floor under every target in time: the whole roll-out of a plain Deployment of 10, measured beside the
// row in the same run. Targets in time were set on a machine on which that takes 0.31 s; where it takes longer,
// a time counts for as much less. So a slow hour of the machine is no miss, and a slow Sluice is.

import { inWords, short } from './samples.ts'
import type { Spread } from './samples.ts'
import type { Subject } from './subject.ts'

/** Milliseconds that the roll-out takes on the machine on which the targets were set. */
export const FLOOR_MS = 310

/** One time of a row, and the most that it may count. */
export interface Limit {
  /** Such as `p50 `; empty where the row has one time. */
  readonly name: string
  readonly time: number
  readonly most: number
  readonly unit: 'ms' | 's'
}

/** What the times of a row count. */
export interface Counted {
  /** The floor, and what the times count beside it. */
  readonly words: string
  /** Each counts for no more than it may. */
  readonly met: boolean
}

/** Rolls the next image out, and gives the milliseconds from the answer until all of it is available. */
export async function rollOut(plain: Subject): Promise<number> {
  const { acceptedAt } = await plain.edit()
  return (await plain.rolledOut()) - acceptedAt
}

/** Judges times beside the plain roll-outs of their run. On a faster machine they count as measured. */
export function counted(plain: Spread, limits: readonly Limit[]): Counted {
  const share = Math.min(1, FLOOR_MS / plain.p50)
  const told = limits.map(({ name, time, unit }) => `${name}${short(time * share)} ${unit}`)
  return {
    words: `beside a plain roll-out of ${inWords(plain, ' ms')} counts as ${share === 1 ? 'measured' : told.join(', ')}`,
    // Without a floor nothing is met: the share is no number then.
    met: limits.every(({ time, most }) => time * share <= most),
  }
}

// Writes that move requests and that the API server refuses: as by a right that we have not, or by somebody's
// policy. Each is tried again after a while, not at each event of a pod; another one is not kept waiting.

import type { RefusedWrite } from '#core/move.ts'
import type { Instant } from '#core/time.ts'

const REFUSED_MS = 30_000
/** Enough for all that one leader moves; an older one only costs a write. */
const REMEMBERED = 1024

/** What was refused last, by the key of the workload: of one that is gone there may be something left to undo. */
export interface RefusedWrites {
  readonly note: (key: string, refused: RefusedWrite, now: Instant) => void
  /** When the write may be tried again; undefined for now. */
  readonly until: (key: string, write: string, now: Instant) => Instant | undefined
  readonly of: (key: string) => RefusedWrite | undefined
  /** A write was taken. */
  readonly over: (key: string) => void
}

/** Nothing was refused yet. */
export function createRefusedWrites(): RefusedWrites {
  const all = new Map<string, RefusedWrite & { readonly until: Instant }>()
  return {
    note(key, refused, now) {
      all.delete(key)
      all.set(key, { ...refused, until: now + REFUSED_MS })
      const [oldest] = all.keys()
      if (all.size > REMEMBERED) all.delete(oldest!)
    },
    until(key, write, now) {
      const { write: refused, until = 0 } = { ...all.get(key) }
      // A clock that was set back would make it long.
      const waits = refused === write && now < until && until <= now + REFUSED_MS
      return waits ? until : undefined
    },
    of: key => all.get(key),
    over: key => void all.delete(key),
  }
}

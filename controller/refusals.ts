// Workloads whose holds admission does not take. What is refused stays refused until somebody changes a
// setting: it is not sent again at each event of a pod.

import { HOLD } from '#api/names.ts'
import type { Change } from '#core/change.ts'
import type { Instant } from '#core/rollout/model.ts'
import { parseHold } from '#core/workload/hold.ts'

const REFUSED_MS = 30_000
/** Enough for all that one leader holds; an older one only costs a write. */
const REMEMBERED = 4096

/** Which workloads' holds were refused. */
export interface Refusals {
  /** A hold was refused; gives when one may be sent again. */
  readonly note: (uid: string, now: Instant) => Instant
  /** When a hold may be sent; undefined for now. */
  readonly until: (uid: string, now: Instant) => Instant | undefined
  /** The last hold that was sent was refused. */
  readonly stands: (uid: string) => boolean
  /** A hold was taken. */
  readonly over: (uid: string) => void
}

/** Nothing was refused yet. */
export function createRefusals(): Refusals {
  const refused = new Map<string, Instant>()
  return {
    note(uid, now) {
      const until = now + REFUSED_MS
      refused.delete(uid)
      refused.set(uid, until)
      const [oldest] = refused.keys()
      if (refused.size > REMEMBERED) refused.delete(oldest!)
      return until
    },
    until(uid, now) {
      const until = refused.get(uid)
      // A clock that was set back would make it long.
      const stands = until !== undefined && now < until && until <= now + REFUSED_MS
      return stands ? until : undefined
    },
    stands: uid => refused.has(uid),
    over: uid => void refused.delete(uid),
  }
}

/** Annotations as they are sent, or stored. */
export interface Marks {
  readonly annotations?: Readonly<Record<string, unknown>>
}

/** The change sends a hold, which admission may refuse. */
export function sendsHold(change: Change): boolean {
  if (change.type !== 'patch') return false
  return typeof (change.patch['metadata'] as Marks | undefined)?.annotations?.[HOLD] === 'string'
}

/**
 * Admission leaves the hold before in place of one that it does not take: the same release, another
 * number. The last one it removes; one that it takes it may change, as where the owner has paused
 * meanwhile; and where another webhook brings a template with our write, that begins a release.
 */
export function holdTaken(sent: Marks | undefined, { annotations }: Marks): boolean {
  const [hold, stored] = [sent, { annotations }].map(each => each?.annotations?.[HOLD])
  if (typeof hold !== 'string' || typeof stored !== 'string' || hold === stored) return true
  const [ours, theirs] = [parseHold(hold), parseHold(stored)]
  return ours?.seq === theirs?.seq || ours?.rolloutId !== theirs?.rolloutId
}

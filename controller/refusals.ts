// Workloads whose holds admission does not take. What is refused stays refused until somebody changes a
// setting: it is not sent again at each event of a pod.

import { HOLD, WAVE } from '#api/names.ts'
import type { Change } from '#core/change.ts'
import type { Instant } from '#core/time.ts'
import { holdOf } from '#core/workload/hold.ts'

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

type Words = Readonly<Record<string, string | null>>

/** Labels and annotations as they are sent, or stored; what is null is taken away. */
export interface Marks {
  readonly labels?: Words
  readonly annotations?: Words
}

/** The change sends a hold, which admission may refuse. */
export function sendsHold(change: Change): boolean {
  return change.type === 'patch' && carriesHold(change.patch['metadata'] as Marks | undefined)
}

function carriesHold(sent: Marks | undefined): sent is Marks {
  return [sent?.annotations?.[HOLD], sent?.labels?.[WAVE]].some(it => typeof it === 'string')
}

/**
 * Admission leaves the hold before in place of one that it does not take: the same release, another
 * number. The last one it removes; one that it takes it may change, as where the owner has paused
 * meanwhile; and where another webhook brings a template with our write, that begins a release.
 */
export function holdTaken(sent: Marks | undefined, stored: Marks): boolean {
  if (!carriesHold(sent) || stored.annotations?.[HOLD] === undefined) return true
  const asked = {
    labels: { ...stored.labels, ...sent.labels },
    annotations: { ...stored.annotations, ...sent.annotations },
  }
  const [ours, theirs] = [holdIn(asked), holdIn(stored)]
  return ours?.seq === theirs?.seq || ours?.rolloutId !== theirs?.rolloutId
}

function holdIn({ labels, annotations }: Marks) {
  const metadata = { name: '', labels: present(labels), annotations: present(annotations) }
  return holdOf({ apiVersion: '', kind: '', metadata })
}

function present(words: Words = {}): Readonly<Record<string, string>> {
  const there = Object.entries(words).filter((word): word is [string, string] => word[1] !== null)
  return Object.fromEntries(there)
}

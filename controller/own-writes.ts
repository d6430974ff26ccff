// What we wrote comes back as a watch event, a moment later than the answer. A decision in between would
// be made from what we ourselves have changed: it would tell the same again, and meet a conflict.

import type { ObjectMeta } from '#api/kubernetes.ts'
import type { Instant } from '#core/time.ts'

/** Enough for every write on its way; an older one only costs a conflict. */
const REMEMBERED = 4096
/**
 * A watch tells within milliseconds, or is broken. What is decided without it meets a conflict, which
 * harms nobody; to wait for it would freeze an abort for as long as nobody notices that it is broken.
 */
const PATIENCE_MS = 1000

/** An object in one of its versions. */
export type Version = Pick<ObjectMeta, 'uid' | 'resourceVersion'>

/** The versions that our own writes have replaced. */
export interface OwnWrites {
  /** A write made `to` of `from`. */
  readonly note: (from: Version, to: Version, now: Instant) => void
  /**
   * Until when a decision about these waits: one of them is replaced, and the watch will tell by what,
   * which wakes the key. Undefined where nothing is to be waited for.
   */
  readonly awaited: (versions: Iterable<Version>, now: Instant) => Instant | undefined
}

/** Remembers nothing yet. */
export function createOwnWrites(): OwnWrites {
  const replaced = new Map<string, Instant>()
  return {
    note(from, to, now) {
      // A write that changes nothing makes no version, and no event.
      if (!from.resourceVersion || to.resourceVersion === from.resourceVersion) return
      replaced.set(nameOf(from), now + PATIENCE_MS)
      const [oldest] = replaced.keys()
      if (replaced.size > REMEMBERED) replaced.delete(oldest!)
    },
    awaited(versions, now) {
      if (replaced.size === 0) return undefined
      const times = [...versions].map(version => replaced.get(nameOf(version)) ?? now)
      const last = times.reduce((a, b) => Math.max(a, b), now)
      // A clock that was set back would make it long.
      return last > now ? Math.min(last, now + PATIENCE_MS) : undefined
    },
  }
}

/** A version says nothing alone: objects of two types may have the same one. */
function nameOf({ uid = '', resourceVersion = '' }: Version): string {
  return `${uid}/${resourceVersion}`
}

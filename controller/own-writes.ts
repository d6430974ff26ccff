// What we wrote comes back as a watch event, a moment later than the answer. A decision in between would
// be made from what we ourselves have changed: it would tell the same again, and meet a conflict.

/** Enough for every write on its way; an older one only costs a conflict. */
const REMEMBERED = 4096

/** The versions that our own writes have replaced. Every version of every object is unique. */
export interface OwnWrites {
  /** A write made `to` of `from`. */
  readonly note: (from: string, to: string | undefined) => void
  /** One of these versions is replaced, and the watch will tell by what: that wakes the key. */
  readonly outdated: (versions: Iterable<string>) => boolean
}

/** Remembers nothing yet. */
export function createOwnWrites(): OwnWrites {
  const replaced = new Set<string>()
  return {
    note(from, to) {
      // A write that changes nothing makes no version, and no event.
      if (from === '' || to === from) return
      replaced.add(from)
      const [oldest] = replaced
      if (replaced.size > REMEMBERED) replaced.delete(oldest!)
    },
    outdated(versions) {
      if (replaced.size === 0) return false
      for (const version of versions) if (replaced.has(version)) return true
      return false
    },
  }
}

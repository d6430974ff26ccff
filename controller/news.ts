// What was told, and what is about to be: an event is told once although it is decided again and again,
// and a status that the next one overtakes in a moment is not written at all.

import type { Instant } from '#core/time.ts'

/**
 * How long a passing status may wait for the next one: longer while many wait at once, since what each of
 * them waits for takes as much longer.
 */
const momentMs = { least: 300, each: 60, most: 8000 }
/** Enough for all that is decided again; an older one only costs a request. */
const REMEMBERED = 4096

/** What one leader has told. */
export interface News {
  readonly wasTold: (event: string) => boolean
  readonly told: (event: string) => void
  /** False the first time that an event could not be told. */
  readonly failedBefore: (event: string) => boolean
  /**
   * When a passing status of an object is to be written, if no other one has come by then. Asked again then:
   * others that have begun since put it off.
   */
  readonly worthwhileAt: (uid: string, now: Instant) => Instant
  /** A status of the object is written. */
  readonly written: (uid: string) => void
}

/** Nothing was told yet. */
export function createNews(): News {
  const told = new Set<string>()
  const failed = new Set<string>()
  const passing = new Map<string, Instant>()
  return {
    wasTold: event => told.has(event),
    told(event) {
      failed.delete(event)
      remember(told, event)
    },
    failedBefore(event) {
      const before = failed.has(event)
      remember(failed, event)
      return before
    },
    worthwhileAt(uid, now) {
      const since = passing.get(uid) ?? now
      forget(passing, now - momentMs.most)
      passing.set(uid, since)
      const others = passing.size - 1
      return since + Math.min(momentMs.least + momentMs.each * others, momentMs.most)
    },
    written: uid => void passing.delete(uid),
  }
}

/** Objects that went before their status came. */
function forget(passing: Map<string, Instant>, before: Instant): void {
  for (const [uid, since] of passing) if (since < before) passing.delete(uid)
}

function remember(events: Set<string>, event: string): void {
  events.add(event)
  const [oldest] = events
  if (events.size > REMEMBERED) events.delete(oldest!)
}

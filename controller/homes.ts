// Since when no route is moved for a TrafficRouting, by what whoever leads has seen itself. One that is gone cannot
// say so, nor one that was made anew, and requests may still be under way.

import type { Instant } from '#core/time.ts'
import type { Home } from '#core/traffic-routing/decide.ts'

/** What is known of all of them, each by its key. */
export interface Homes {
  /** `moved`: a route is. */
  readonly look: (key: string, moved: boolean, now: Instant) => Home
  /** It is gone, and so are the requests that were under way by it. */
  readonly forget: (key: string) => void
}

/** Nothing has been seen yet. */
export function createHomes(): Homes {
  const known = new Map<string, Home | 'moved'>()
  return {
    look(key, moved, now) {
      const before = known.get(key)
      if (before !== undefined && before !== 'moved' && !moved) return before
      const home = { since: now, seen: moved || before === 'moved' }
      known.set(key, moved ? 'moved' : home)
      return home
    },
    forget: key => void known.delete(key),
  }
}

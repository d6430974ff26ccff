// Since when no route is moved for a TrafficRouting, by what whoever leads has seen itself. One that is gone cannot
// say so, nor one that was made anew, and requests may still be under way.

import type { Instant } from '#core/time.ts'
import type { Home } from '#core/traffic-routing/decide.ts'

/** Of the TrafficRouting of a key; `moved`: a route is. */
export type Homes = (key: string, moved: boolean, now: Instant) => Home

/** Nothing has been seen yet. */
export function createHomes(): Homes {
  const known = new Map<string, Home | 'moved'>()
  return (key, moved, now) => {
    const before = known.get(key)
    if (before !== undefined && before !== 'moved' && !moved) return before
    const home = { since: now, seen: moved || before === 'moved' }
    known.set(key, moved ? 'moved' : home)
    return home
  }
}

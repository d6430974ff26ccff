// What keeps the next edit from its release, while nothing is released.

import { unservedIn } from '../traffic/route-moves.ts'
import type { Snapshot, Standing } from './model.ts'
import { routeMove } from './moves.ts'
import { notHoldable, notMovable, routesNotServed } from './unguarded.ts'

/** Something in its way, as condition Ready tells it. */
interface Obstacle {
  readonly standing: Partial<Standing>
  readonly why: string
}

/** The first that is found; undefined: the next edit is held, and released. */
export function obstacle(s: Snapshot): Obstacle | undefined {
  const { ref, unheldBecause } = s.workload!
  if (unheldBecause !== undefined) {
    const standing = { notReady: 'NotHoldable', stalled: 'NotHoldable' } as const
    return { standing, why: notHoldable(ref, unheldBecause) }
  }
  const unserved = unservedIn(s.traffic)
  if (unserved.length > 0) {
    const standing = { notReady: 'KindNotServed', reconciling: true } as const
    return { standing, why: routesNotServed(unserved) }
  }
  const because = whyNotMovable(s)
  const standing = { notReady: 'RequestsBlocked', reconciling: true } as const
  return because === undefined ? undefined : { standing, why: notMovable(because) }
}

function whyNotMovable(s: Snapshot): string | undefined {
  return routeMove(s, { to: 'there' })?.why ?? s.trafficRouting?.trouble
}

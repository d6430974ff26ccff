// What keeps the next edit from its release, while nothing is released.

import { once } from '../once.ts'
import type { Snapshot, Standing } from './model.ts'
import { routeMove } from './moves.ts'
import { firstRouted } from './plan-steps.ts'
import { notHoldable, notMovable } from './unguarded.ts'

/** Something in its way, as condition Ready tells it. */
interface Obstacle {
  readonly standing: Partial<Standing>
  readonly why: string
}

/** The first that is found; undefined: the next edit is held, and released. Message and conditions are of one. */
export const obstacle = once((s: Snapshot): Obstacle | undefined => {
  const { ref, unheldBecause } = s.workload!
  if (unheldBecause !== undefined) {
    const standing = { notReady: 'NotHoldable', stalled: 'NotHoldable' } as const
    return { standing, why: notHoldable(ref, unheldBecause) }
  }
  const why = whyNotMovable(s)
  return why === undefined
    ? undefined
    : { standing: { notReady: 'RequestsBlocked', reconciling: true }, why }
})

function whyNotMovable(s: Snapshot): string | undefined {
  const { steps } = s.rollout!
  const { trouble } = { ...s.trafficRouting }
  if (trouble !== undefined) return notMovable(1, trouble)
  const step = firstRouted(steps)
  const move = step === undefined ? undefined : routeMove(s, { to: 'there' })
  return move && notMovable(step!, move.why)
}

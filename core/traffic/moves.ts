// How requests are moved. Each aim is an ordered list of rules: the first with something to do, or to wait for,
// acts. Which Services there are is decided here, and nowhere else.

import { firstMove } from '../move.ts'
import type { Move } from '../move.ts'
import type { Instant } from '../time.ts'
import { oneService } from './one-service.ts'
import type { Routed, TrafficAim } from './routed.ts'
import { twoServices } from './two-services.ts'
import { blocked } from './writes.ts'

/** What to do so that requests go where the aim says; undefined when they do. */
export function trafficMove(routed: Routed, aim: TrafficAim, now: Instant): Move | undefined {
  const { unread, routing } = routed.traffic
  if (unread !== undefined) return blocked(unread)
  const { aims, gone } = routing.oneService ? oneService : twoServices
  const split = aim.to === 'split' ? aim.split : {}
  return firstMove(routed.pods ? aims[aim.to] : gone, routed, { split, now })
}

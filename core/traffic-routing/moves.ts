// What is done with the routes of a TrafficRouting. Its Service stays untouched: that its routes are moved is
// remembered by their own wishes, which name it, and by its status.

import { defined } from '../defined.ts'
import { firstMove } from '../move.ts'
import type { Move } from '../move.ts'
import type { Instant } from '../time.ts'
import type { Split } from '../traffic/model.ts'
import {
  routesThere,
  seenByRoutes,
  splitByRoutes,
  unsplit,
  unsplitSeen,
} from '../traffic/route-moves.ts'
import type { Routed, RoutedPods, Rules, Traffic } from '../traffic/routed.ts'
import { blocked } from '../traffic/writes.ts'

/** For whom they are moved; undefined: it is gone. */
export type Routing = Pick<RoutedPods, 'ref' | 'uid'> | undefined

/** The routes can be moved. */
const there: Rules = [serviceThere, routesThere]
/** They are as it says. */
const routed: Rules = [...there, splitByRoutes, seenByRoutes]
/** They are as their owners wrote them. */
const home: Rules = [unsplit, unsplitSeen]

const aims = { there, routed, home }

/** How its routes are to be. */
export interface RoutesAim {
  readonly to: keyof typeof aims
  /** What it says of requests, where they are to be routed. */
  readonly split?: Split
}

/** What to do so that its routes are so; undefined when they are. */
export function routesMove(
  traffic: Traffic,
  owner: Routing,
  { to, split = {} }: RoutesAim,
  now: Instant,
): Move | undefined {
  if (traffic.unread !== undefined) return blocked(traffic.unread)
  const pods = owner && { ...owner, ...nobody }
  return firstMove(aims[to], defined({ traffic, pods }), { split, now })
}

/** The routes alone tell which pods are new. */
const nobody = { revisionLabel: '', stable: '', updated: '', updatePods: [], podLabels: {} }

function serviceThere({ traffic: { service, routing } }: Routed): Move | undefined {
  const missing = !service || service.deleting
  return missing ? blocked(`Service ${routing.service} does not exist`) : undefined
}

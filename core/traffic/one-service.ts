// One Service has the pods of both versions, and selects as its owner wrote: the routes alone tell these apart, as by
// a label of pods. A wish on it remembers the routes, and whose new pods they may send requests to.

import { firstMove } from '../move.ts'
import type { Move } from '../move.ts'
import { momentOf } from '../time.ts'
import {
  firstOfRoutes,
  routesThere,
  seenByRoutes,
  splitByRoutes,
  unsplit,
  unsplitSeen,
} from './route-moves.ts'
import { ofTask } from './routed.ts'
import type { Order, Routed, Rules } from './routed.ts'
import { nameOfRoute } from './router.ts'
import type { SplitAsked } from './router.ts'
import {
  answered,
  freed,
  gracePeriod,
  newServes,
  nobodyNew,
  serviceThere,
} from './service-moves.ts'
import { services, sharedBy } from './service-pin.ts'
import type { Shared } from './service-pin.ts'
import { whoseOf } from './wish.ts'
import { atAnyTime, blocked, isFree, nameOf, wishing } from './writes.ts'

/** Nobody is sent to new pods by the routes any more. */
const away: Rules = ofTask('FinalisingStepRouteTrafficToStable', [unsplit, unsplitSeen, graced])
const there: Rules = [serviceThere, toldApart, routesThere]
const pinned: Rules = [...there, othersAway, remembered]
const split: Rules = [...pinned, noted, newServes, splitByRoutes, seenByRoutes]

/** One Service. */
export const oneService: Order = {
  aims: {
    there,
    answered: [answered],
    pinned,
    split,
    stable: away,
    // Nobody can be left out of the Service: until all others are gone the routes send everybody to new pods.
    new: ofTask('FinalisingStepRouteTrafficToNew', split.map(toAll)),
    all: [...away, ...ofTask('RestoreStableService', [forgotten])],
  },
  // Pods that are gone have no requests under way.
  gone: [unsplit, unsplitSeen, forgotten],
}

function toAll(rule: Rules[number]): Rules[number] {
  return (routed, { now }) => rule(routed, { split: { percent: 100 }, now })
}

function toldApart(routed: Routed): Move | undefined {
  return firstOfRoutes(routed, ({ betweenServices }, { ref }) => {
    const why = `${nameOfRoute(ref)} tells new pods by a Service of their own, and none is made: move requests by an Ingress or by customNetworkRefs`
    return betweenServices && blocked(why)
  })
}

/** Routes may send requests to pods of another version, which are to leave. */
function othersAway(routed: Routed, asked: SplitAsked): Move | undefined {
  const { routedTo } = routed.traffic.service!
  if (!routedTo || routedTo === routed.pods!.updated) return undefined
  return firstMove(away, routed, asked)
}

/** Whoever finds the Service alone knows by what its requests come. */
function remembered(routed: Routed): Move | undefined {
  return remembering(routed, sharedOf(routed), 'remember by what its requests come')
}

/** Before the first request is sent to them; the grace period is that of the next way back. */
function noted(routed: Routed): Move | undefined {
  const { updated: routedTo } = routed.pods!
  if (routedTo === '') return nobodyNew
  return remembering(routed, { routedTo }, 'remember that routes send requests to new pods')
}

/** A router's proxies are a moment behind, and requests are under way. */
function graced(routed: Routed, { now }: SplitAsked): Move | undefined {
  const { service, routing } = routed.traffic
  const { graceSeconds } = routing
  if (!service?.routedTo || graceSeconds <= 0) return undefined
  const { routedTo, unroutedSince } = service
  if (unroutedSince !== undefined) return gracePeriod(unroutedSince, graceSeconds, now)
  if (isFree(service)) return undefined
  const shared = { routedTo, unroutedSince: momentOf(now) }
  const move = remembering(routed, shared, 'remember when requests went away from new pods')
  return move && atAnyTime(move, routedTo)
}

function forgotten(routed: Routed): Move | undefined {
  return freed(routed, 'forget by what its requests come')
}

function sharedOf({ traffic }: Routed): Shared {
  const { routedTo = '', unroutedSince } = traffic.service!
  return {
    routedTo,
    ...(unroutedSince !== undefined && { unroutedSince: momentOf(unroutedSince) }),
  }
}

function remembering({ traffic, pods }: Routed, shared: Shared, what: string): Move | undefined {
  const { service, routing } = traffic
  const wish = sharedBy({ workload: whoseOf(pods!.ref), routes: routing.routes, ...shared })
  return wishing(services, service!, wish, `letting Service ${nameOf(service!)} ${what}`)
}

// Routes of the Gateway API: the split stands in their rules, and each gateway tells whether it has taken them
// over. It learns of Services and of routes by different watches: the Service of new pods is named with no share
// first, so that nobody is sent to one that a gateway does not know yet.

import type { HTTPRoute } from '#api/kubernetes.ts'
import type { Move } from '../move.ts'
import type { Instant } from '../time.ts'
import { canaryServiceName } from './canary-service.ts'
import { formatRouteWish, routeWishOf } from './gateway-route.ts'
import { BEHIND_MS } from './model.ts'
import type { RouteRef, Split, TrafficProvider } from './model.ts'
import { matchesMore, namedIn, nameOfRoute, sendsSome, splitInWords } from './router.ts'
import type { Router, RouteUse } from './router.ts'
import { reaches, seeRoute } from './seen.ts'
import type { ParentSeen, RouteSeen } from './seen.ts'
import { movedForAnother } from './touched.ts'
import { OVER, whoseOf } from './wish.ts'
import { blocked, isFree, notTwice, takenOut, wishing } from './writes.ts'

/** HTTPRoutes, in a version. */
export function httpRouteRouter(provider: TrafficProvider): Router<RouteSeen> {
  const { apiVersion, kind } = provider
  return {
    ...gatewayRouter(provider),
    refsIn: ({ gateway: { httpRouteName: name } = {} }) =>
      name ? [{ apiVersion, kind, name }] : [],
  }
}

/** GRPCRoutes: what they match beside headers is a method, of which a step does not speak. */
export function grpcRouteRouter(provider: TrafficProvider): Router<RouteSeen> {
  const { split, ...router } = gatewayRouter(provider)
  return {
    ...router,
    headersAlone: true,
    refsIn: routing => namedIn(provider, routing),
    split(route, use, asked) {
      if (!matchesMore(asked.split.matches)) return split(route, use, asked)
      return blocked(`${nameOfRoute(route.ref)} matches by headers alone`)
    },
  }
}

function gatewayRouter(provider: TrafficProvider): Omit<Router<RouteSeen>, 'refsIn'> {
  const { apiVersion, kind, plural } = provider
  return {
    apiVersion,
    kind,
    plural,
    betweenServices: true,
    see: object => seeRoute(object as HTTPRoute, provider),

    trouble({ ref, object: route }, { routing: { service }, whose }) {
      const name = nameOfRoute(ref)
      if (!route || route.deleting) return `${name} does not exist`
      if (!reaches(route, service)) return `no rule of ${name} sends requests to Service ${service}`
      if (route.parents.length === 0) return `${name} names no gateway in spec.parentRefs`
      if (route.escaped) return takenOut(name)
      const other = movedForAnother(route, whose)
      return other === undefined ? undefined : notTwice(name, other)
    },

    announced({ ref, object }, use, { now }) {
      const canary = canaryServiceName(use.routing.service)
      const before = routeWishOf(object!.wish ?? '')
      if (before?.canary === canary && sendsSome(before.split)) return undefined
      const why = `naming Service ${canary} in ${nameOfRoute(ref)}, with no requests yet`
      const wish = wishOf(use, NO_SHARE)
      return wishing(provider, object!, wish, why) ?? notYetKnown(canary, object!, now)
    },

    split({ object }, use, { split }) {
      return wishing(provider, object!, wishOf(use, split), `${splitInWords(split)} to new pods`)
    },

    splitSeen: ({ ref, object }) => notTakenOver(ref, object!),

    off({ object }, { whose }, why) {
      if (!object || isFree(object)) return undefined
      if (movedForAnother(object, whose) !== undefined) return undefined
      return wishing(provider, object, OVER, why)
    },

    // Whoever has ever read the route must have read it again; others send nobody.
    offSeen({ ref, object }) {
      const behind = object?.parents.find(({ observed }) => observed === 'no')
      return behind && takingOver(behind.name, ref)
    },
  }
}

function wishOf({ routing: { service }, owner }: RouteUse, split: Split): string {
  const canary = canaryServiceName(service)
  return formatRouteWish({ workload: whoseOf(owner!.ref), service, canary, split })
}

/** The Service of new pods is named, and has no requests yet. */
const NO_SHARE: Split = { percent: 0 }

/** The first gateway that does not route by it as it is now; undefined: all do. */
function firstBehind({ parents }: RouteSeen): ParentSeen | undefined {
  return parents.find(({ observed, trouble }) => observed !== 'yes' || trouble !== undefined)
}

function notTakenOver(ref: RouteRef, route: RouteSeen): Move | undefined {
  const behind = firstBehind(route)
  if (!behind) return undefined
  const { name, observed, trouble } = behind
  if (observed !== 'yes') return takingOver(name, ref)
  return blocked(`Gateway ${name} does not route ${nameOfRoute(ref)}: ${trouble}`)
}

/** A gateway may say that there is no such Service until it has heard of it; for how long is its own affair. */
function notYetKnown(canary: string, route: RouteSeen, now: Instant): Move | undefined {
  const behind = firstBehind(route)
  if (!behind) return undefined
  const { name, observed, trouble, troubleSince = 0 } = behind
  const why = `waiting for Gateway ${name} to know Service ${canary}, to which no request goes yet`
  if (observed !== 'yes') return { changes: [], why }
  const requeueAt = troubleSince + BEHIND_MS
  const told = `${why}: ${trouble}`
  return now < requeueAt ? { changes: [], why: told, requeueAt } : blocked(told)
}

function takingOver(gateway: string, ref: RouteRef): Move {
  return { changes: [], why: `waiting for Gateway ${gateway} to take ${nameOfRoute(ref)} over` }
}

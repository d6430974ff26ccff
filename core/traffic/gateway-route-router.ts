// Routes of the Gateway API: the split stands in their rules, and each gateway tells whether it has taken them
// over. It learns of Services and of routes by different watches: the Service of new pods is named with no share
// first, so that nobody is sent to one that a gateway does not know yet.

import type { HTTPRoute } from '#api/kubernetes.ts'
import type { Move } from '../move.ts'
import { canaryServiceName } from './canary-service.ts'
import { formatRouteWish, routeWishOf } from './gateway-route.ts'
import type { RouteRef, Split, TrafficProvider } from './model.ts'
import { matchesMore, movesRequests, namedIn, nameOfRoute, splitInWords } from './router.ts'
import type { Router } from './router.ts'
import { reaches, seeRoute } from './seen.ts'
import type { RouteSeen } from './seen.ts'
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

    split({ ref, object }, { routing: { service }, owner }, { split }) {
      const canary = canaryServiceName(service)
      const writing = (to: Split, why: string) => {
        const wish = formatRouteWish({ workload: whoseOf(owner!.ref), service, canary, split: to })
        return wishing(provider, object!, wish, why)
      }
      const before = routeWishOf(object!.wish ?? '')
      const sent = before?.canary === canary && movesRequests(before.split)
      const naming = () => writing(NO_SHARE, `naming Service ${canary} in ${nameOfRoute(ref)}`)
      const first = sent ? undefined : (naming() ?? notTakenOver(ref, object!))
      return first ?? writing(split, `${splitInWords(split)} to new pods`)
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

/** The Service of new pods is named, and has no requests yet. */
const NO_SHARE: Split = { percent: 0 }

function notTakenOver(ref: RouteRef, { parents }: RouteSeen): Move | undefined {
  for (const { name, observed, trouble } of parents) {
    if (observed !== 'yes') return takingOver(name, ref)
    if (trouble) return blocked(`Gateway ${name} does not route ${nameOfRoute(ref)}: ${trouble}`)
  }
  return undefined
}

function takingOver(gateway: string, ref: RouteRef): Move {
  return { changes: [], why: `waiting for Gateway ${gateway} to take ${nameOfRoute(ref)} over` }
}

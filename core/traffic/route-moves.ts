// What is done with the objects that send requests to a Service, whoever has the pods of which version.

import { defined } from '../defined.ts'
import type { Move } from '../move.ts'
import { ownCanary } from './canary-service.ts'
import type { RouteRef } from './model.ts'
import { routerOf } from './registry.ts'
import type { Routed } from './routed.ts'
import type { RouteFound, Router, RouteUse, SplitAsked } from './router.ts'
import { blocked, isFree } from './writes.ts'

/** By each of them requests can be moved. */
export function routesThere(routed: Routed): Move | undefined {
  return firstOfRoutes(routed, (router, route, use) => {
    const trouble = route.unserved ? notServed(route.ref) : router.trouble(route, use)
    return trouble === undefined ? undefined : blocked(trouble)
  })
}

/** What to do about a route whose kind the cluster does not have. */
export function notServed({ apiVersion, kind }: RouteRef): string {
  return `the cluster does not serve ${apiVersion} ${kind}: install its CRD`
}

/** All of them know where new pods are, before one of them sends anybody there. */
export function announcedByRoutes(routed: Routed, asked: SplitAsked): Move | undefined {
  return firstOfRoutes(routed, (router, route, use) => router.announced?.(route, use, asked))
}

/** Has the split written by all of them. */
export function splitByRoutes(routed: Routed, asked: SplitAsked): Move | undefined {
  const next = ofRoutes(routed, (router, route, use) => router.split(route, use, asked))
  // None is written before it is known of all how they are to be.
  return next.find(({ changes }) => changes.length === 0) ?? next[0]
}

/** Whoever routes by them has taken it over. */
export function seenByRoutes(routed: Routed, asked: SplitAsked): Move | undefined {
  return firstOfRoutes(routed, (router, route, use) => router.splitSeen(route, use, asked))
}

/** Nobody is sent to new pods by them. */
export function unsplit(routed: Routed): Move | undefined {
  return routesOff(routed, 'sending no requests to new pods by the route')
}

/** The same, for a reason. */
export function routesOff(routed: Routed, why: string): Move | undefined {
  // Who leads to another one leaves before it.
  const next = ofMoved(routed, (router, route, use) => router.off(route, use, why))
  return next.findLast(move => !move.blocked) ?? next.at(-1)
}

/** Whoever routes by them has seen that. */
export function unsplitSeen(routed: Routed): Move | undefined {
  return ofMoved(routed, (router, route, use) => router.offSeen(route, use))[0]
}

/** Of those that may have been moved: of the others none keeps a release from its end. */
function ofMoved(routed: Routed, move: RouteMove): readonly Move[] {
  const { traffic } = routed
  if (isBegun(routed)) return ofRoutes(routed, move)
  const routes = traffic.routes.filter(route => routerFor(route) !== undefined)
  return ofRoutes({ ...routed, traffic: { ...traffic, routes } }, move)
}

/** The Service is written before any route, or that of new pods is made; one of them comes home after all routes. */
function isBegun(routed: Routed): boolean {
  const { service } = routed.traffic
  return ownCanary(routed) !== undefined || (service !== undefined && !isFree(service))
}

type RouteMove = (router: Router, route: RouteFound, use: RouteUse) => Move | undefined

/** What the first of them has to do, or waits for. */
export function firstOfRoutes(routed: Routed, move: RouteMove): Move | undefined {
  return ofRoutes(routed, move)[0]
}

function ofRoutes({ traffic, pods, whose }: Routed, move: RouteMove): readonly Move[] {
  const { routes, routing, answers } = traffic
  const use = defined({ routing, answers, owner: pods, whose: pods?.ref ?? whose })
  return routes.flatMap(route => {
    const router = routerFor(route)
    return (router ? move(router, route, use) : blocked(notRegistered(route.ref))) ?? []
  })
}

/** Undefined: its kind is not registered. */
function routerFor({ router, ref }: RouteFound): Router | undefined {
  return router ?? routerOf(ref)
}

/** What to do about one where nobody has added the kind to this installation, or another version knew it. */
export function notRegistered({ apiVersion, kind }: RouteRef): string {
  const value = `{apiVersion: ${apiVersion}, kind: ${kind}, plural: <its plural>}`
  return `${apiVersion} ${kind} is not registered: name another kind, or add it to traffic.extraKinds of the chart: ${value}`
}

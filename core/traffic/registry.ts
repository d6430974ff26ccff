// Every kind of object by which requests are moved, a row each.

import { httpRouteRouter } from './http-route-router.ts'
import { httpRoutes } from './http-route.ts'
import { ingressRouter } from './ingress-router.ts'
import { networkObjects } from './network-object.ts'
import { networkRouter } from './network-router.ts'
import type { RouteRef, TrafficProvider } from './model.ts'
import type { Router } from './router.ts'
import { services } from './service-pin.ts'

/** Of Istio. The one that names the subsets of a Service comes before the one that sends requests to them. */
const mesh = [
  ['DestinationRule', 'destinationrules'] as const,
  ['VirtualService', 'virtualservices'] as const,
].map(([kind, plural]) => networkObjects({ apiVersion: 'networking.istio.io/v1', kind, plural }))

/** The kinds that admission computes. */
export const trafficProviders: readonly TrafficProvider[] = [services, httpRoutes, ...mesh]

/** Those that `customNetworkRefs` may name, in the order in which they are to be written. */
export const networkRouters: readonly Router[] = mesh.map(networkRouter)

/** The kinds that send requests to a Service. */
export const routers: readonly Router[] = [...networkRouters, ingressRouter, httpRouteRouter]

/** The one of a kind. */
export function routerOf({
  apiVersion,
  kind,
}: Pick<RouteRef, 'apiVersion' | 'kind'>): Router | undefined {
  return routers.find(each => each.apiVersion === apiVersion && each.kind === kind)
}

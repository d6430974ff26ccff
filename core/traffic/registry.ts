// Every kind of object by which requests are moved, a row each.

import { httpRouteRouter } from './http-route-router.ts'
import { httpRoutes } from './http-route.ts'
import { ingressRouter } from './ingress-router.ts'
import type { RouteRef, TrafficProvider } from './model.ts'
import type { Router } from './router.ts'
import { services } from './service-pin.ts'

/** The kinds that admission computes. */
export const trafficProviders: readonly TrafficProvider[] = [services, httpRoutes]

/** The kinds that send requests to a Service. */
export const routers: readonly Router[] = [ingressRouter, httpRouteRouter]

/** The one of a kind. */
export function routerOf({
  apiVersion,
  kind,
}: Pick<RouteRef, 'apiVersion' | 'kind'>): Router | undefined {
  return routers.find(each => each.apiVersion === apiVersion && each.kind === kind)
}

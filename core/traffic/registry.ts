// Every kind of object by which requests are moved, a row each.

import type { TrafficRouting } from '#api/rollout.generated.ts'
import { httpRouteRouter } from './http-route-router.ts'
import { httpRoutes } from './http-route.ts'
import { ingressRouter } from './ingress-router.ts'
import { networkObjects } from './network-object.ts'
import { networkRouter } from './network-router.ts'
import type { RouteRef, TrafficProvider } from './model.ts'
import type { Router } from './router.ts'
import { services } from './service-pin.ts'

/** Of Istio. The one that names the subsets of a Service comes before the one that sends requests to them. */
const istio = 'networking.istio.io/v1'
const [rules, virtualServices] = [
  networkObjects({ apiVersion: istio, kind: 'DestinationRule', plural: 'destinationrules' }),
  networkObjects({ apiVersion: istio, kind: 'VirtualService', plural: 'virtualservices' }),
]

/** The kinds that admission computes. */
export const trafficProviders: readonly TrafficProvider[] = [
  services,
  httpRoutes,
  rules,
  virtualServices,
]

/** Those that `customNetworkRefs` may name, in the order in which they are to be written. */
export const networkRouters: readonly Router[] = [
  networkRouter(rules, virtualServices.kind),
  networkRouter(virtualServices),
]

/** The kinds that send requests to a Service. */
export const routers: readonly Router[] = [...networkRouters, ingressRouter, httpRouteRouter]

/** What an item of `trafficRoutings` names, in the order in which it is to be written. */
export function routesIn(routing: TrafficRouting): readonly RouteRef[] {
  return routers.flatMap(router => router.refsIn(routing))
}

/** The one of a kind. */
export function routerOf({
  apiVersion,
  kind,
}: Pick<RouteRef, 'apiVersion' | 'kind'>): Router | undefined {
  return routers.find(each => each.apiVersion === apiVersion && each.kind === kind)
}

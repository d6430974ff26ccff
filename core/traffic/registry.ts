// Every kind of object by which requests are moved, a row each.

import type { TrafficRouting } from '#api/rollout.generated.ts'
import { isSameKind } from '../workload/native.ts'
import { httpRouteRouter } from './http-route-router.ts'
import { httpRoutesIn } from './http-route.ts'
import { ingressRouter } from './ingress-router.ts'
import { networkObjects } from './network-object.ts'
import { networkRouter } from './network-router.ts'
import type { RouteRef, TrafficProvider } from './model.ts'
import type { Router } from './router.ts'
import { services } from './service-pin.ts'

/** The newest one that a cluster serves is read and written: in all of them the fields are the same. */
const versions = ['v1', 'v1beta1']

const httpRoutes = versions.map(httpRoutesIn)
/** Of Istio. The one that names the subsets of a Service comes before the one that sends requests to them. */
const rules = istio('DestinationRule', 'destinationrules')
const virtualServices = istio('VirtualService', 'virtualservices')

function istio(kind: string, plural: string): readonly TrafficProvider[] {
  return versions.map(version => {
    return networkObjects({ apiVersion: `networking.istio.io/${version}`, kind, plural })
  })
}

/** The kinds that admission computes. */
export const trafficProviders: readonly TrafficProvider[] = [
  services,
  ...httpRoutes,
  ...rules,
  ...virtualServices,
]

/** Those that `customNetworkRefs` may name, in the order in which they are to be written. */
const networkRouters: readonly (readonly Router[])[] = [
  rules.map(provider => networkRouter(provider, 'VirtualService')),
  virtualServices.map(provider => networkRouter(provider)),
]

/** The kinds that send requests to a Service, each in all of its versions, the newest first. */
export const routerKinds: readonly (readonly Router[])[] = [
  ...networkRouters,
  [ingressRouter],
  httpRoutes.map(httpRouteRouter),
]

/** The same, one by one. */
export const routers: readonly Router[] = routerKinds.flat()

/** One of each kind. */
export const newestRouters: readonly Router[] = routerKinds.map(([newest]) => newest!)

/** The names of the kinds that `customNetworkRefs` may name. */
export const networkKinds: readonly string[] = networkRouters.map(([newest]) => newest!.kind)

/** What an item of `trafficRoutings` names, in the order in which it is to be written. */
export function routesIn(routing: TrafficRouting): readonly RouteRef[] {
  return newestRouters.flatMap(router => router.refsIn(routing))
}

/** `customNetworkRefs` may name it. */
export function isNetworkKind(ref: Kind): boolean {
  return networkRouters.some(([newest]) => isSameKind(ref, newest!))
}

type Kind = Pick<RouteRef, 'apiVersion' | 'kind'>

/** The one of a kind in that version. */
export function routerOf({ apiVersion, kind }: Kind): Router | undefined {
  return routers.find(each => each.apiVersion === apiVersion && each.kind === kind)
}

/** Those of a kind, in whatever version, the newest first. */
export function routersOf(ref: Kind): readonly Router[] {
  return routerKinds.find(([newest]) => isSameKind(ref, newest!)) ?? []
}

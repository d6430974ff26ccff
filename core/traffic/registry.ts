// Every kind of object by which requests are moved, a row each.

import type { TrafficRouting } from '#api/rollout.generated.ts'
import { groupOf, isNative, isSameKind, isSameVersion } from '../ref.ts'
import type { KindRef } from '../ref.ts'
import { grpcRouteRouter, httpRouteRouter } from './gateway-route-router.ts'
import { grpcRoutes, httpRoutesIn } from './gateway-route.ts'
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

/** The one that sends requests to a subset, and the one that makes it. */
export const [virtualService, destinationRule] = [virtualServices[0]!, rules[0]!] as const

/** Of pods that are in the subset, as our script for a DestinationRule says. */
export const subsetLabel = { key: 'istio.service.tag', value: 'gray' } as const

function istio(kind: string, plural: string): readonly TrafficProvider[] {
  return versions.map(version => {
    return networkObjects({ apiVersion: `networking.istio.io/${version}`, kind, plural })
  })
}

/** The kinds that admission computes. */
export const trafficProviders: readonly TrafficProvider[] = [
  services,
  ...httpRoutes,
  grpcRoutes,
  ...rules,
  ...virtualServices,
]

/** Those that `customNetworkRefs` may name, in the order in which they are to be written. */
const networkRouters: readonly (readonly Router[])[] = [
  rules.map(provider => networkRouter(provider, 'VirtualService')),
  virtualServices.map(provider => networkRouter(provider)),
  [grpcRouteRouter(grpcRoutes)],
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

/** The kinds that admission computes, and those that an installation has added. */
export function providersWith(added: readonly KindRef[]): readonly TrafficProvider[] {
  return [...trafficProviders, ...added.map(networkObjects)]
}

/** Of kinds that an installation has added: a script of the users' own says how each is split. */
export function addedRouters(kinds: readonly KindRef[]): readonly Router[] {
  return kinds.map(kind => networkRouter(networkObjects(kind)))
}

/** All that send requests to a Service, those of added kinds as well. */
export function routersWith(added: readonly KindRef[]): readonly Router[] {
  return [...routers, ...addedRouters(added)]
}

/** What an item of `trafficRoutings` names, in the order in which it is to be written. */
export function routesIn(routing: TrafficRouting): readonly RouteRef[] {
  return [...newestRouters.flatMap(router => router.refsIn(routing)), ...othersIn(routing)]
}

/** Those of kinds that may have been added. */
export function othersIn({ customNetworkRefs = [] }: TrafficRouting): readonly RouteRef[] {
  const others = customNetworkRefs.filter(ref => routersOf(ref).length === 0)
  return others.map(({ apiVersion, kind, name }) => ({ apiVersion, kind, name }))
}

/** `customNetworkRefs` may name it: it has no field of its own, and is none of Kubernetes' that route nothing. */
export function isNetworkKind(ref: Kind): boolean {
  if (routersOf(ref).length > 0) return networkRouters.some(all => all === routerKind(ref))
  return !isNative(ref) || groupOf(ref) === groupOf(grpcRoutes)
}

type Kind = Pick<RouteRef, 'apiVersion' | 'kind'>

/** The one of a kind in that version. */
export function routerOf(ref: Kind): Router | undefined {
  return routers.find(each => isSameVersion(each, ref))
}

/** Those of a kind, in whatever version, the newest first. */
export function routersOf(ref: Kind): readonly Router[] {
  return routerKind(ref) ?? []
}

function routerKind(ref: Kind): readonly Router[] | undefined {
  return routerKinds.find(([newest]) => isSameKind(ref, newest!))
}

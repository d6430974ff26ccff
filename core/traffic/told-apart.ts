// Where one Service has the pods of both versions, its routes have to tell them apart, and some cannot. A share
// that leads to the same pods is none, and one that leads to nobody is worse: whoever asks for it is told.

import type { TrafficRouting } from '#api/rollout.generated.ts'
import { isSameKind } from '../ref.ts'
import type { KindRef } from '../ref.ts'
import { DEFAULT_CLASS, classesByService } from './ingress.ts'
import { destinationRule, routesIn, virtualService } from './registry.ts'

/** By an Ingress whose class needs a Service of theirs; `remedy`: what to do instead. */
export function notByIngress(
  { ingress }: Pick<TrafficRouting, 'ingress'>,
  remedy: string,
): string | undefined {
  const type = ingress?.classType || DEFAULT_CLASS
  if (!ingress || !classesByService.includes(type)) return undefined
  return `leaves Ingress ${ingress.name} nothing to tell new pods by: the class ${type} does so by a Service of their own; ${remedy}, unless a script of yours for the class does otherwise`
}

/** By a subset of Istio that nobody makes, where the mesh answers with 503. */
export function notBySubset(item: TrafficRouting): string | undefined {
  const [route, rule] = [virtualService, destinationRule].map(kind => nameOf(item, kind))
  if (route === undefined || rule !== undefined) return undefined
  return `has VirtualService ${route} send requests to the subset canary: name the DestinationRule in customNetworkRefs too, unless one of yours has that subset`
}

/** Name of the DestinationRule that makes one. */
export function subsetRule(item: TrafficRouting): string | undefined {
  const [route, rule] = [virtualService, destinationRule].map(kind => nameOf(item, kind))
  return route === undefined ? undefined : rule
}

function nameOf(item: TrafficRouting, kind: KindRef): string | undefined {
  return routesIn(item).find(ref => isSameKind(ref, kind))?.name
}

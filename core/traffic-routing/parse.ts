// From a TrafficRouting as the API server stores it to what the core speaks of. Its CRD refuses what cannot be
// followed; a CRD that is not ours lets it through, and then its status says so.

import { OLDER_API_VERSION } from '#api/names.ts'
import type { RoutedService, TrafficRouting } from '#api/trafficrouting.generated.ts'
import { defined } from '../defined.ts'
import type { WorkloadRef } from '../ref.ts'
import { GRACE_SECONDS } from '../traffic/model.ts'
import type { RouteRef, Routing, Split } from '../traffic/model.ts'
import { isNetworkKind, routesIn, routersOf } from '../traffic/registry.ts'

const KIND = 'TrafficRouting'

/** As keys and wishes name one. */
export function routingRef(namespace: string, name: string): WorkloadRef {
  return { apiVersion: OLDER_API_VERSION, kind: KIND, namespace, name }
}

/** It is one. */
export function isRoutingRef({
  apiVersion,
  kind,
}: Pick<WorkloadRef, 'apiVersion' | 'kind'>): boolean {
  return apiVersion === OLDER_API_VERSION && kind === KIND
}

/** What one asks for. */
export interface RoutingAsked {
  readonly routing: Routing
  readonly split: Split
}

/** What it asks for, or why it cannot be followed. */
export function routingAsked({
  spec,
}: TrafficRouting): RoutingAsked | { readonly refused: string } {
  // A CRD that is not ours need not ask for either.
  const { objectRef = [], strategy = {} } = spec as Partial<TrafficRouting['spec']>
  const [item] = objectRef
  if (!item || objectRef.length > 1) return { refused: 'spec.objectRef: write one item' }
  const routes = routesIn(item)
  const refused = troubleOf(item, routes)
  if (refused !== undefined) return { refused: `spec.objectRef[0]${refused}` }
  const unsaid = unsaidOf(strategy)
  if (unsaid !== undefined) return { refused: `spec.strategy${unsaid}` }
  const { service, gracePeriodSeconds: graceSeconds = GRACE_SECONDS } = item
  return { routing: { service, routes, oneService: true, graceSeconds }, split: splitIn(strategy) }
}

/** Why no request can be moved by what it names. */
function troubleOf(item: RoutedService, routes: readonly RouteRef[]): string | undefined {
  if (item.gateway) return NO_GATEWAY
  if (routes.length === 0) return NOTHING
  const unknown = (item.customNetworkRefs ?? []).find(ref => !isNetworkKind(ref))
  if (unknown) return `.customNetworkRefs: requests are not moved by a ${unknown.kind}`
  if (routes.some(ref => routersOf(ref)[0]?.betweenServices)) return NO_GRPC_ROUTE
  const alone = routes.every(ref => routersOf(ref)[0]?.onlyBeside !== undefined)
  return alone ? ALONE : undefined
}

const NOTHING = ': name what sends the requests: add `ingress` or `customNetworkRefs`'
const NO_GATEWAY =
  '.gateway: a TrafficRouting has no second Service to which an HTTPRoute could send requests: remove `gateway`, and write it in `trafficRoutings` of the Rollout'
const NO_GRPC_ROUTE =
  '.customNetworkRefs: a TrafficRouting has no second Service to which a GRPCRoute could send requests: write it in `trafficRoutings` of the Rollout'
const ALONE =
  ': a DestinationRule alone splits nothing: add the VirtualService that sends the requests to `customNetworkRefs`'

type Strategy = TrafficRouting['spec']['strategy']

/** Why it does not say which requests are to go to new pods. */
function unsaidOf({ weight, matches = [] }: Strategy): string | undefined {
  if (weight === undefined) {
    return matches.length > 0 ? undefined : ': say which requests: add `weight` or `matches`'
  }
  const isShare = weight >= 0 && weight <= 100
  return isShare ? undefined : `.weight: expected 0 to 100, got ${weight}`
}

function splitIn({ weight, matches = [], requestHeaderModifier }: Strategy): Split {
  return defined({
    percent: weight,
    matches: matches.length > 0 ? matches : undefined,
    headers: requestHeaderModifier,
  })
}

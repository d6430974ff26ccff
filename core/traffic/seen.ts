// What is kept of Services, routes and endpoints while nobody looks.

import type {
  Condition,
  EndpointSlice,
  HTTPRoute,
  ParentReference,
  Service,
} from '#api/kubernetes.ts'
import { SERVICE_NAME, UNROUTED } from '#api/names.ts'
import { defined } from '../defined.ts'
import { seen } from '../seen.ts'
import type { Seen } from '../seen.ts'
import { instantOf } from '../time.ts'
import type { Instant } from '../time.ts'
import { httpRoutes, routeWishOf, rulesOf } from './gateway-route.ts'
import type { RouteRef, TrafficProvider } from './model.ts'
import { seeMade } from './made.ts'
import type { MadeSeen } from './made.ts'
import { pared } from './pared.ts'
import { services, sharedIn } from './service-pin.ts'
import { routesTo } from './split-rules.ts'
import type { RouteRule } from './split-rules.ts'
import { look } from './touched.ts'
import type { TouchedSeen } from './touched.ts'
import { routesIn } from './wish.ts'

/** A Service. */
export interface ServiceSeen extends TouchedSeen, MadeSeen {
  /** As its owner wrote it. */
  readonly selector?: Readonly<Record<string, string>>
  /** Its labels, annotations and spec: a second one is made of them. */
  readonly object: Service
  /** By what else the requests come for whose sake it is pinned. */
  readonly routes: readonly RouteRef[]
  /** The version to whose pods routes may send requests; undefined: no wish says so. */
  readonly routedTo?: string
  /** Since when no route sends requests to new pods there. */
  readonly unroutedSince?: Instant
}

/** A route. */
export interface RouteSeen extends TouchedSeen {
  /** Whose requests the wish splits. */
  readonly service?: string
  /** As its owner wrote them. */
  readonly rules: readonly RouteRule[]
  readonly parents: readonly ParentSeen[]
}

/** What one gateway says of a route. */
export interface ParentSeen {
  readonly name: string
  /** Whether it has seen the route as it is now; `silent`: it has never said anything of it. */
  readonly observed: 'yes' | 'no' | 'silent'
  /** Why it does not route. */
  readonly trouble?: string
  /** Undefined: it does not say. */
  readonly troubleSince?: Instant
}

/** The endpoints of a Service, or a part of them. */
export interface EndpointsSeen extends Seen {
  readonly service: string
  /** The uids of pods that are ready. */
  readonly ready: readonly string[]
}

/** What is kept of a Service. */
export function seeService(object: Service): ServiceSeen {
  const { metadata } = object
  const { owner, said, ...touched } = look(services, object)
  const { routedTo, unroutedSince } = { ...sharedIn(said) }
  const since = metadata.annotations?.[UNROUTED] ?? unroutedSince
  return defined({
    ...touched,
    selector: owner as ServiceSeen['selector'],
    object: pared(object),
    ...seeMade(object),
    routes: routesIn(said),
    routedTo,
    unroutedSince: since === undefined ? undefined : instantOf(since),
  })
}

/** What is kept of a route. */
export function seeRoute(object: HTTPRoute, provider: TrafficProvider = httpRoutes): RouteSeen {
  const { spec } = object
  const { owner, said, ...touched } = look(provider, object)
  return defined({
    ...touched,
    service: routeWishOf(said)?.service,
    rules: rulesOf(owner),
    parents: (spec?.parentRefs ?? []).map(parent => seeParent(object, parent)),
  })
}

/** What is kept of endpoints. */
export function seeEndpoints(object: EndpointSlice): EndpointsSeen {
  const ready = (object.endpoints ?? []).flatMap(({ conditions, targetRef }) =>
    // What says nothing of it counts as ready.
    conditions?.ready !== false && targetRef?.kind === 'Pod' ? [targetRef.uid ?? ''] : [],
  )
  return { ...seen(object), service: object.metadata.labels?.[SERVICE_NAME] ?? '', ready }
}

/** Its owner sends requests to the Service. */
export function reaches({ rules }: RouteSeen, service: string): boolean {
  return routesTo(rules, service)
}

/** The conditions by which a gateway says that it routes. */
const ROUTED_BY: readonly string[] = ['Accepted', 'ResolvedRefs']

function seeParent({ metadata, status }: HTTPRoute, parent: ParentReference): ParentSeen {
  const { generation = 0 } = metadata
  const said = (status?.parents ?? []).filter(({ parentRef }) => isSameParent(parentRef, parent))
  // What a gateway says beside these is its own business, and need not be of any generation.
  const conditions = said
    .flatMap(each => each.conditions ?? [])
    .filter(({ type }) => ROUTED_BY.includes(type))
  return defined({
    name: parent.sectionName ? `${parent.name}/${parent.sectionName}` : parent.name,
    observed: observedBy(conditions, generation),
    ...ROUTED_BY.map(type => troubleOf(type, conditions)).find(each => each !== undefined),
  })
}

function observedBy(
  conditions: readonly { readonly observedGeneration?: number }[],
  generation: number,
): ParentSeen['observed'] {
  if (conditions.length === 0) return 'silent'
  return conditions.every(each => (each.observedGeneration ?? 0) >= generation) ? 'yes' : 'no'
}

function troubleOf(
  type: string,
  conditions: readonly Condition[],
): Pick<ParentSeen, 'trouble' | 'troubleSince'> | undefined {
  const told = conditions.filter(each => each.type === type)
  const bad = told.find(({ status }) => status !== 'True')
  if (!bad) return told.length > 0 ? undefined : { trouble: `it has no condition ${type}` }
  const { reason = type, message = '', lastTransitionTime: since } = bad
  return defined({
    trouble: `${reason}: ${message}`,
    troubleSince: since === undefined ? undefined : instantOf(since),
  })
}

function isSameParent(a: ParentReference, b: ParentReference): boolean {
  const key = ({ group, kind, namespace, name, sectionName, port }: ParentReference) => [
    group ?? 'gateway.networking.k8s.io',
    kind ?? 'Gateway',
    name,
    sectionName ?? '',
    port ?? 0,
    namespace ?? '',
  ]
  const [left, right] = [key(a), key(b)]
  // A gateway may tell the namespace that the route leaves out.
  return left.every(
    (each, index) => each === right[index] || (index === 5 && !left[5] !== !right[5]),
  )
}

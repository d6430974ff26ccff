// What is kept of Services, routes and endpoints while nobody looks.

import type {
  Condition,
  EndpointSlice,
  HTTPRoute,
  ParentReference,
  Service,
} from '#api/kubernetes.ts'
import { ESCAPE, SERVICE_NAME, UNROUTED } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import { instantOf } from '../time.ts'
import type { Instant } from '../rollout/model.ts'
import { controllerUid, seen } from '../workload/seen.ts'
import type { Seen } from '../workload/seen.ts'
import { httpRoutes } from './http-route.ts'
import type { TrafficProvider } from './model.ts'
import { services } from './service-pin.ts'
import { routesTo } from './split-rules.ts'
import type { RouteRule } from './split-rules.ts'
import { OVER, wishedOn, wishOn } from './wish.ts'

/** An object by which requests are moved. */
export interface TouchedSeen extends Seen {
  /** Our controller's wish, or the word that it is over; undefined: none. */
  readonly wish?: string
  /** The field stands as the wish says. */
  readonly projected: boolean
  /** Its owner has taken it out of our hands. */
  readonly escaped: boolean
  readonly deleting: boolean
}

/** A Service. */
export interface ServiceSeen extends TouchedSeen {
  /** As its owner wrote it. */
  readonly selector?: Readonly<Record<string, string>>
  /** All of it: a second one is made of it. */
  readonly object: Service
  /** The workload that it was made for, if it was. */
  readonly ownerUid: string
  /** Since when no route sends requests there. */
  readonly unroutedSince?: Instant
}

/** A route. */
export interface RouteSeen extends TouchedSeen {
  /** Names of the Services that rules of its owner send requests to, as he wrote them. */
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
  const since = metadata.annotations?.[UNROUTED]
  return defined({
    ...touched(services, object),
    selector: services.undone(ownerOf(services, object)) as ServiceSeen['selector'],
    object,
    ownerUid: controllerUid(object),
    unroutedSince: since === undefined ? undefined : instantOf(since),
  })
}

/** What is kept of a route. */
export function seeRoute(object: HTTPRoute): RouteSeen {
  const { spec } = object
  const rules = ownerOf(httpRoutes, object)
  return {
    ...touched(httpRoutes, object),
    rules: Array.isArray(rules) ? (rules as RouteRule[]) : [],
    parents: (spec?.parentRefs ?? []).map(parent => seeParent(object, parent)),
  }
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

function ownerOf(provider: TrafficProvider, object: KubeObject): unknown {
  const was = wishedOn(provider, object)
  return was ? provider.ownerOf(provider.valueIn(object), was) : provider.valueIn(object)
}

function touched(provider: TrafficProvider, object: KubeObject): TouchedSeen {
  const { metadata } = object
  const wish = wishOn(object)
  const { [ESCAPE]: escape } = { ...metadata.annotations }
  return defined({
    ...seen(object),
    wish,
    projected: isProjected(provider, object, wish),
    escaped: escape !== undefined,
    deleting: metadata.deletionTimestamp !== undefined,
  })
}

/** A record without a wish, or the word that it is over, waits for admission. */
function isProjected(
  provider: TrafficProvider,
  object: KubeObject,
  wish: string | undefined,
): boolean {
  const was = wishedOn(provider, object)
  if (wish === undefined || wish === OVER) return wish === undefined && was === undefined
  if (was === undefined || was.wish !== wish) return false
  return equalJson(provider.valueIn(object), provider.project(was.owner, wish))
}

function seeParent({ metadata, status }: HTTPRoute, parent: ParentReference): ParentSeen {
  const { generation = 0 } = metadata
  const said = (status?.parents ?? []).filter(({ parentRef }) => isSameParent(parentRef, parent))
  const conditions = said.flatMap(each => each.conditions ?? [])
  return defined({
    name: parent.sectionName ? `${parent.name}/${parent.sectionName}` : parent.name,
    observed: observedBy(conditions, generation),
    trouble: ['Accepted', 'ResolvedRefs'].flatMap(type => troubleOf(type, conditions))[0],
  })
}

function observedBy(
  conditions: readonly { readonly observedGeneration?: number }[],
  generation: number,
): ParentSeen['observed'] {
  if (conditions.length === 0) return 'silent'
  return conditions.every(each => (each.observedGeneration ?? 0) >= generation) ? 'yes' : 'no'
}

function troubleOf(type: string, conditions: readonly Condition[]): readonly string[] {
  const told = conditions.filter(each => each.type === type)
  const bad = told.find(({ status }) => status !== 'True')
  if (bad) return [`${bad.reason ?? type}: ${bad.message ?? ''}`]
  return told.length > 0 ? [] : [`it has no condition ${type}`]
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

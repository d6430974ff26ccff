// How requests are moved. Each aim is an ordered list of rules: the first with something to do, or to wait
// for, acts. A Service is never without a selector, and nobody is sent where no pod is ready.

import { TRAFFIC, UNROUTED } from '#api/names.ts'
import type { Change, MergePatch, Target } from '../change.ts'
import type { Instant, Move, WorkloadRef } from '../rollout/model.ts'
import { timeOf } from '../time.ts'
import { firstMove } from '../workload/rules.ts'
import type { Rule } from '../workload/rules.ts'
import type { PodSeen, Seen } from '../workload/seen.ts'
import { canarySelector, canaryServiceName, canaryServiceOf } from './canary-service.ts'
import { formatRouteWish, httpRoutes } from './http-route.ts'
import type { Routing, Split } from './model.ts'
import { reaches } from './seen.ts'
import type { EndpointsSeen, RouteSeen, ServiceSeen } from './seen.ts'
import { pinnedTo, pinTo, services } from './service-pin.ts'
import { equalJson } from '../equal.ts'
import { OVER } from './wish.ts'

/** What is there of it. */
export interface Traffic {
  readonly routing: Routing
  readonly service?: ServiceSeen
  /** That of the new pods, or one of somebody else that has its name. */
  readonly canary?: ServiceSeen
  readonly route?: RouteSeen
  /** Of both Services. */
  readonly endpoints: readonly EndpointsSeen[]
  /** Why it is not known what is there; undefined: it is. */
  readonly unread?: string
}

/** Whose requests they are. */
export interface RoutedPods {
  readonly ref: WorkloadRef
  readonly uid: string
  /** The label of pods that tells their version. */
  readonly revisionLabel: string
  /** Its value on stable pods; empty: there are none. */
  readonly stable: string
  /** Its value on new pods; empty until there is one. */
  readonly updated: string
  readonly updatePods: readonly PodSeen[]
  /** Labels that new pods carry beside those of their template. */
  readonly podLabels: Readonly<Record<string, string>>
}

/** Where requests are to go; docs/adr/0017-traffic.md says when which is reached. */
export type TrafficAim =
  | { readonly to: 'pinned' | 'stable' | 'new' | 'all' }
  | { readonly to: 'split'; readonly split: Split }

/** What a rule looks at. */
export interface Routed {
  readonly traffic: Traffic
  /** Undefined: the workload is gone. */
  readonly pods?: RoutedPods
}

interface Asked {
  readonly split: Split
  readonly now: Instant
}

type Rules = readonly Rule<Routed, Asked>[]

const there: Rules = [serviceThere, routeThere, canaryFree]
/** Nobody is sent to new pods by the route any more. */
const away: Rules = [unsplit, unsplitSeen, graced, canaryGone]
const pinned: Rules = [...there, othersAway, pinnedToStable, stableAlone]

const rules: Readonly<Record<TrafficAim['to'], Rules>> = {
  pinned,
  split: [...pinned, canaryMade, canaryServes, splitWritten, splitSeen],
  stable: [unpinnedFromNew, ...away],
  new: [serviceThere, pinnedToNew, newAlone, ...away],
  all: [unpinned, newServed, ...away],
}

/** What to do so that requests go where the aim says; undefined when they do. */
export function trafficMove(routed: Routed, aim: TrafficAim, now: Instant): Move | undefined {
  const { unread } = routed.traffic
  if (unread !== undefined) return blocked(unread)
  const split = aim.to === 'split' ? aim.split : {}
  return firstMove(rules[aim.to], routed, { split, now })
}

function serviceThere({ traffic: { service, routing } }: Routed): Move | undefined {
  const name = `Service ${routing.service}`
  if (!service || service.deleting) return blocked(`${name} does not exist`)
  if (!service.selector) return blocked(`${name} has no selector, so it sends requests elsewhere`)
  return service.escaped ? blocked(takenOut(name)) : undefined
}

function routeThere({ traffic: { route, routing } }: Routed): Move | undefined {
  const name = `HTTPRoute ${routing.route}`
  if (!route || route.deleting) return blocked(`${name} does not exist`)
  if (!reaches(route, routing.service)) {
    return blocked(`no rule of ${name} sends requests to Service ${routing.service}`)
  }
  if (route.parents.length === 0) return blocked(`${name} names no gateway in spec.parentRefs`)
  return route.escaped ? blocked(takenOut(name)) : undefined
}

function takenOut(name: string): string {
  return `its owner took ${name} over: take the annotation sluice.dev/escape off it to go on`
}

function canaryFree(routed: Routed): Move | undefined {
  const { canary, routing } = routed.traffic
  if (!canary || isOurs(routed, canary)) return undefined
  const name = canaryServiceName(routing.service)
  return blocked(`Service ${name} was not made for this workload: rename it, or delete it`)
}

/** The Service of new pods selects those of another version: nobody may be sent there when they leave. */
function othersAway(routed: Routed, target: Asked): Move | undefined {
  const { traffic, pods } = routed
  const selected = traffic.canary?.selector?.[pods!.revisionLabel]
  if (selected === undefined || selected === pods!.updated) return undefined
  return firstMove(away, routed, target)
}

function pinnedToStable(routed: Routed): Move | undefined {
  const { stable } = routed.pods!
  if (stable === '') return { changes: [], why: 'no pod of the stable version is left' }
  return pin(routed, stable, 'stable pods')
}

function pinnedToNew(routed: Routed): Move | undefined {
  const { updated } = routed.pods!
  return updated === '' ? nobodyNew : pin(routed, updated, 'new pods')
}

const nobodyNew: Move = { changes: [], why: 'waiting for the new version to be made' }

function pin({ traffic, pods }: Routed, revision: string, whom: string): Move | undefined {
  const { service } = traffic
  const wish = pinTo({ [pods!.revisionLabel]: revision })
  return wishing(
    services,
    service!,
    wish,
    `letting Service ${nameOf(service!)} select ${whom} alone`,
  )
}

/** The endpoints are a moment behind the selector. */
function stableAlone({ traffic, pods }: Routed): Move | undefined {
  const { service } = traffic.routing
  const ready = readyOf(traffic, service)
  if (!pods!.updatePods.some(({ metadata }) => ready.has(metadata.uid))) return undefined
  return { changes: [], why: `waiting for Service ${service} to leave new pods out` }
}

function newAlone({ traffic, pods }: Routed): Move | undefined {
  const { service } = traffic.routing
  const ready = [...readyOf(traffic, service)]
  const fresh = new Set(pods!.updatePods.map(({ metadata }) => metadata.uid))
  if (ready.length > 0 && ready.every(uid => fresh.has(uid))) return undefined
  return {
    changes: [],
    why: `waiting for Service ${service} to have ready new pods, and no others`,
  }
}

/** Who selects nobody at all is not waited for. */
function newServed({ traffic, pods }: Routed): Move | undefined {
  const { service } = traffic.routing
  const ready = readyOf(traffic, service)
  const fresh = (pods?.updatePods ?? []).filter(({ readySince }) => readySince !== undefined)
  const served = fresh.some(({ metadata }) => ready.has(metadata.uid))
  if (ready.size === 0 || fresh.length === 0 || served) return undefined
  return { changes: [], why: `waiting for Service ${service} to have new pods again` }
}

function canaryMade(routed: Routed): Move | undefined {
  const { traffic, pods } = routed
  const { service, canary, routing } = traffic
  const { revisionLabel, updated, podLabels } = pods!
  if (updated === '') return nobodyNew
  const name = `Service ${canaryServiceName(routing.service)}`
  const selector = canarySelector(service!, { [revisionLabel]: updated }, podLabels)
  if (!canary) {
    const object = canaryServiceOf(service!, pods!, selector)
    return { changes: [{ type: 'create', object }], why: `creating ${name}` }
  }
  if (canary.deleting) return { changes: [], why: `waiting for ${name} to be gone` }
  if (equalJson(canary.selector, selector)) return undefined
  const gone = Object.keys({ ...canary.selector }).map(key => [key, null])
  const patch = { spec: { selector: { ...Object.fromEntries(gone), ...selector } } }
  return {
    changes: [patched('v1', 'Service', canary, patch)],
    why: `letting ${name} select new pods`,
  }
}

/** Requests do not go where nobody answers; those that go there come back. */
function canaryServes({ traffic, pods }: Routed): Move | undefined {
  const name = canaryServiceName(traffic.routing.service)
  const ready = readyOf(traffic, name)
  if (pods!.updatePods.some(({ metadata }) => ready.has(metadata.uid))) return undefined
  const why = `no new pod is ready in Service ${name}: its requests go to the stable ones`
  return { ...(routeOff(traffic, why) ?? { changes: [], why }) }
}

function splitWritten({ traffic }: Routed, { split }: Asked): Move | undefined {
  const { route, routing } = traffic
  const { service } = routing
  if (!moves(split)) return routeOff(traffic, 'taking the split out of the route')
  const wish = formatRouteWish({ service, canary: canaryServiceName(service), split })
  return wishing(httpRoutes, route!, wish, `${splitInWords(split)} to new pods`)
}

/** A step may ask for nothing yet. */
function moves({ percent = 0, matches = [] }: Split): boolean {
  return percent > 0 || matches.length > 0
}

/** What goes to new pods. */
function splitInWords({ percent = 0, matches = [] }: Split): string {
  return matches.length > 0 ? 'sending matching requests' : `sending ${percent}% of the requests`
}

function splitSeen({ traffic }: Routed): Move | undefined {
  const { route, routing } = traffic
  for (const { name, observed, trouble } of route!.parents) {
    if (observed !== 'yes') {
      return {
        changes: [],
        why: `waiting for Gateway ${name} to take HTTPRoute ${routing.route} over`,
      }
    }
    if (trouble)
      return blocked(`Gateway ${name} does not route HTTPRoute ${routing.route}: ${trouble}`)
  }
  return undefined
}

function unpinned({ traffic: { service } }: Routed): Move | undefined {
  if (!service || isFree(service)) return undefined
  const why = `letting Service ${nameOf(service)} select all pods`
  return wishing(services, service, OVER, why)
}

/** Those leave: a Service that selects them alone would be left with nobody. */
function unpinnedFromNew(routed: Routed): Move | undefined {
  const { traffic, pods } = routed
  const { wish = '' } = { ...traffic.service }
  const pinned = pods && pinnedTo(wish)[pods.revisionLabel]
  return pinned === undefined || pinned === pods?.stable ? undefined : unpinned(routed)
}

function unsplit({ traffic }: Routed): Move | undefined {
  return routeOff(traffic, 'sending no requests to new pods by the route')
}

function routeOff({ route }: Traffic, why: string): Move | undefined {
  if (!route || isFree(route)) return undefined
  return wishing(httpRoutes, route, OVER, why)
}

/** Whoever has ever read the route must have read it again; others send nobody. */
function unsplitSeen({ traffic: { route, routing } }: Routed): Move | undefined {
  const behind = route?.parents.find(({ observed }) => observed === 'no')
  if (!behind) return undefined
  const why = `waiting for Gateway ${behind.name} to take HTTPRoute ${routing.route} over`
  return { changes: [], why }
}

/** A gateway's proxies are a moment behind what it says, and requests are under way. */
function graced(routed: Routed, { now }: Asked): Move | undefined {
  const { canary, route, routing } = routed.traffic
  const { graceSeconds } = routing
  if (!canary || !isOurs(routed, canary) || graceSeconds <= 0) return undefined
  const generation = route?.generation ?? 0
  if (canary.unrouted?.generation !== generation) {
    const annotations = { [UNROUTED]: `${generation}/${timeOf(now)}` }
    const change = patched('v1', 'Service', canary, { metadata: { annotations } })
    return { changes: [change], why: 'noting when requests went away from new pods' }
  }
  const over = canary.unrouted.since + graceSeconds * 1000
  if (now >= over) return undefined
  return { changes: [], why: `giving requests under way ${graceSeconds} s`, requeueAt: over }
}

function canaryGone(routed: Routed): Move | undefined {
  const { canary } = routed.traffic
  if (!canary || !isOurs(routed, canary)) return undefined
  const why = `taking Service ${nameOf(canary)} away`
  if (canary.deleting) return { changes: [], why }
  const target = targetOf('v1', 'Service', canary)
  return { changes: [{ type: 'delete', target, uid: canary.metadata.uid }], why }
}

/** A workload that is gone takes what belongs to it along. */
function isOurs({ pods }: Routed, { ownerUid }: ServiceSeen): boolean {
  return pods !== undefined && ownerUid === pods.uid
}

function readyOf({ endpoints }: Traffic, service: string): ReadonlySet<string> {
  return new Set(endpoints.flatMap(each => (each.service === service ? each.ready : [])))
}

/** Nothing of ours is on it, or its owner took that over. */
function isFree({ wish, projected, escaped }: ServiceSeen | RouteSeen): boolean {
  return escaped || (wish === undefined && projected)
}

/** A wish that stands there, and not in the field, met no webhook. */
function wishing(
  { apiVersion, kind }: Pick<Target, 'apiVersion' | 'kind'>,
  object: ServiceSeen | RouteSeen,
  wish: string,
  why: string,
): Move | undefined {
  if (object.wish === wish && object.projected) return undefined
  const change = patched(apiVersion, kind, object, {
    metadata: { annotations: { [TRAFFIC]: wish } },
  })
  if (object.wish !== wish) return { changes: [change], why }
  return { changes: [change], why: `${why}: the webhook must answer first`, again: true }
}

function patched(apiVersion: string, kind: string, object: Seen, patch: MergePatch): Change {
  return { type: 'patch', target: targetOf(apiVersion, kind, object), patch }
}

function targetOf(apiVersion: string, kind: string, { metadata }: Seen): Target {
  const { namespace, name, resourceVersion } = metadata
  return { apiVersion, kind, namespace, name, resourceVersion }
}

function nameOf({ metadata }: Seen): string {
  return metadata.name
}

function blocked(why: string): Move {
  return { changes: [], why, blocked: true }
}

// How requests are moved. Each aim is an ordered list of rules: the first with something to do, or to wait
// for, acts. A Service is never without a selector, and nobody is sent where no pod is ready.

import { UNROUTED } from '#api/names.ts'
import type { FinalisingStep } from '#api/rollout.generated.ts'
import type { Instant, Move, WorkloadRef } from '../rollout/model.ts'
import { timeOf } from '../time.ts'
import { firstMove } from '../workload/rules.ts'
import type { Rule } from '../workload/rules.ts'
import { canarySelector, canaryServiceName, canaryServiceOf, portsOf } from './canary-service.ts'
import { equalJson } from '../equal.ts'
import { isMadeFor } from './made.ts'
import type { RouteRef, Routing, Split } from './model.ts'
import { routerOf } from './registry.ts'
import type { RouteFound, Router, RouteUse, SplitAsked } from './router.ts'
import type { Answers } from './script.ts'
import type { EndpointsSeen, ServiceSeen } from './seen.ts'
import { pinnedTo, pinTo, services } from './service-pin.ts'
import { OVER, whoseOf } from './wish.ts'
import {
  atAnyTime,
  blocked,
  isFree,
  nameOf,
  patched,
  takenOut,
  targetOf,
  wishing,
} from './writes.ts'

/** What is there of it. */
export interface Traffic {
  readonly routing: Routing
  readonly service?: ServiceSeen
  /** That of the new pods, or one of somebody else that has its name. */
  readonly canary?: ServiceSeen
  readonly routes: readonly RouteFound[]
  /** What scripts have said of them. */
  readonly answers: Answers
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
  readonly updatePods: readonly NewPod[]
  /** Labels that new pods carry beside those of their template. */
  readonly podLabels: Readonly<Record<string, string>>
}

/** A pod of the new version. */
export interface NewPod {
  readonly uid: string
  /** Undefined: not Ready. */
  readonly readySince?: Instant
}

/** Where requests are to go; docs/adr/0017-traffic.md says when which is reached. */
export type TrafficAim =
  | { readonly to: 'answered' | 'pinned' | 'stable' | 'new' | 'all' }
  | { readonly to: 'split'; readonly split: Split }

/** What a rule looks at. */
export interface Routed {
  readonly traffic: Traffic
  /** Undefined: the workload is gone. */
  readonly pods?: RoutedPods
}

type Rules = readonly Rule<Routed, SplitAsked>[]

const there: Rules = [serviceThere, routesThere, canaryFree]
/** Nobody is sent to new pods by the route any more. */
const away: Rules = [
  ...ofTask('FinalisingStepRouteTrafficToStable', [unsplit, unsplitSeen, graced]),
  ...ofTask('RemoveCanaryService', [canaryGone]),
]
const free: Rules = ofTask('RestoreStableService', [unpinned, newServed])
const pinned: Rules = [...there, othersAway, pinnedToStable, stableAlone]

const rules: Readonly<Record<TrafficAim['to'], Rules>> = {
  answered: [answered],
  pinned,
  split: [...pinned, canaryMade, canaryServes, splitWritten, splitSeen],
  stable: [unpinnedFromNew, ...away],
  new: [
    ...ofTask('FinalisingStepRouteTrafficToNew', [serviceThere, newReady, pinnedToNew, newAlone]),
    ...away,
  ],
  all: [...free, ...away],
}
/** Of a workload that is gone the Service remembers by what requests come: it is freed last. */
const gone: Rules = [...away, unpinned]

/** What they have to do is the task at the end of a release that the API calls so. */
function ofTask(task: FinalisingStep, those: Rules): Rules {
  return those.map(rule => (routed, asked) => {
    const move = rule(routed, asked)
    return move && { ...move, task }
  })
}

/** What to do so that requests go where the aim says; undefined when they do. */
export function trafficMove(routed: Routed, aim: TrafficAim, now: Instant): Move | undefined {
  const { unread } = routed.traffic
  if (unread !== undefined) return blocked(unread)
  const split = aim.to === 'split' ? aim.split : {}
  return firstMove(routed.pods ? rules[aim.to] : gone, routed, { split, now })
}

function serviceThere({ traffic: { service, routing } }: Routed): Move | undefined {
  const name = `Service ${routing.service}`
  if (!service || service.deleting) return blocked(`${name} does not exist`)
  if (!service.selector) return blocked(`${name} has no selector, so it sends requests elsewhere`)
  return service.escaped ? blocked(takenOut(name)) : undefined
}

function routesThere(routed: Routed): Move | undefined {
  return firstOfRoutes(routed, (router, route, use) => {
    const trouble = route.unserved ? notServed(route.ref) : router.trouble(route, use)
    return trouble === undefined ? undefined : blocked(trouble)
  })
}

function notServed({ apiVersion, kind }: RouteRef): string {
  return `the cluster does not serve ${apiVersion} ${kind}: install its CRD`
}

function canaryFree(routed: Routed): Move | undefined {
  const { canary, routing } = routed.traffic
  if (!canary || isOurs(routed, canary)) return undefined
  const name = canaryServiceName(routing.service)
  return blocked(`Service ${name} was not made for this workload: rename it, or delete it`)
}

/** The Service of new pods selects those of another version: nobody may be sent there when they leave. */
function othersAway(routed: Routed, target: SplitAsked): Move | undefined {
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

/** A Service that selects nobody who is ready answers nobody; once it selects them, going back is no better. */
function newReady(routed: Routed): Move | undefined {
  const { traffic, pods } = routed
  const { service } = traffic
  const selected = pinnedTo(service!.wish ?? '')[pods!.revisionLabel]
  if (selected === pods!.updated || newAnswers(routed)) return undefined
  const why = `no new pod is ready: Service ${nameOf(service!)} goes on selecting as it does`
  return routesOff(routed, why) ?? blocked(why)
}

/** By the Services that select new pods; where none does, by the pods themselves. */
function newAnswers(routed: Routed): boolean {
  const { traffic, pods } = routed
  const ready = readyOf(traffic, traffic.routing.service)
  if (canaryAnswers(routed) || pods!.updatePods.some(({ uid }) => ready.has(uid))) return true
  const told = traffic.canary?.selector?.[pods!.revisionLabel] === pods!.updated
  return !told && pods!.updatePods.some(({ readySince }) => readySince !== undefined)
}

const nobodyNew: Move = { changes: [], why: 'waiting for the new version to be made' }

function pin({ traffic, pods }: Routed, revision: string, whom: string): Move | undefined {
  const { service } = traffic
  const { routes } = traffic.routing
  const labels = { [pods!.revisionLabel]: revision }
  const wish = pinTo({ workload: whoseOf(pods!.ref), routes, labels })
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
  if (!pods!.updatePods.some(({ uid }) => ready.has(uid))) return undefined
  return { changes: [], why: `waiting for Service ${service} to leave new pods out` }
}

function newAlone({ traffic, pods }: Routed): Move | undefined {
  const { service } = traffic.routing
  const ready = [...readyOf(traffic, service)]
  const fresh = new Set(pods!.updatePods.map(({ uid }) => uid))
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
  const served = fresh.some(({ uid }) => ready.has(uid))
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
  const ports = portsOf(service!) ?? []
  const same = equalJson(canary.selector, selector) && equalJson(portsOf(canary) ?? [], ports)
  if (same && canary.unroutedSince === undefined) return undefined
  const gone = Object.keys({ ...canary.selector }).map(key => [key, null])
  const spec = { selector: { ...Object.fromEntries(gone), ...selector }, ports }
  // The grace period is that of the next way back.
  const metadata = { annotations: { [UNROUTED]: null } }
  return {
    changes: [patched(services, canary, { metadata, spec })],
    why: `letting ${name} select new pods`,
  }
}

/** Requests that go where nobody answers come back. */
function answered(routed: Routed): Move | undefined {
  const off = canaryAnswers(routed) ? undefined : routesOff(routed, noAnswer(routed))
  // By what nobody here can move none are brought back either.
  return off?.blocked ? undefined : off
}

/** Requests wait for who answers. */
function canaryServes(routed: Routed): Move | undefined {
  if (canaryAnswers(routed)) return undefined
  return answered(routed) ?? { changes: [], why: noAnswer(routed) }
}

function canaryAnswers({ traffic, pods }: Routed): boolean {
  const ready = readyOf(traffic, canaryServiceName(traffic.routing.service))
  return pods!.updatePods.some(({ uid }) => ready.has(uid))
}

function noAnswer({ traffic }: Routed): string {
  const name = canaryServiceName(traffic.routing.service)
  return `no new pod is ready in Service ${name}: its requests go to the stable ones`
}

function splitWritten(routed: Routed, asked: SplitAsked): Move | undefined {
  if (!moves(asked.split)) return routesOff(routed, 'taking the split out of the route')
  const next = ofRoutes(routed, (router, route, use) => router.split(route, use, asked))
  // None is written before it is known of all how they are to be.
  return next.find(({ changes }) => changes.length === 0) ?? next[0]
}

/** A step may ask for nothing yet. */
function moves({ percent = 0, matches = [] }: Split): boolean {
  return percent > 0 || matches.length > 0
}

function splitSeen(routed: Routed, asked: SplitAsked): Move | undefined {
  if (!moves(asked.split)) return undefined
  return firstOfRoutes(routed, (router, route, use) => router.splitSeen(route, use, asked))
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

function unsplit(routed: Routed): Move | undefined {
  return routesOff(routed, 'sending no requests to new pods by the route')
}

function routesOff(routed: Routed, why: string): Move | undefined {
  // Who leads to another one leaves before it.
  const next = ofRoutes(routed, (router, route, use) => router.off(route, use, why))
  return next.findLast(move => !move.blocked) ?? next.at(-1)
}

function unsplitSeen(routed: Routed): Move | undefined {
  return firstOfRoutes(routed, (router, route, use) => router.offSeen(route, use))
}

type RouteMove = (router: Router, route: RouteFound, use: RouteUse) => Move | undefined

/** What the first of them has to do, or waits for. */
function firstOfRoutes(routed: Routed, move: RouteMove): Move | undefined {
  return ofRoutes(routed, move)[0]
}

function ofRoutes({ traffic, pods }: Routed, move: RouteMove): readonly Move[] {
  const { routes, routing, answers } = traffic
  const use = { routing, answers, ...(pods && { owner: pods }) }
  return routes.flatMap(route => {
    const router = route.router ?? routerOf(route.ref)
    return (router ? move(router, route, use) : unknown(route.ref)) ?? []
  })
}

/** Nobody has added it to this installation, or another version knew it. */
function unknown({ apiVersion, kind, name }: RouteRef): Move {
  const value = `{apiVersion: ${apiVersion}, kind: ${kind}, plural: <its plural>}`
  return blocked(
    `${kind} ${name} cannot be moved: ${apiVersion} ${kind} is not registered; add it to the values of the chart: traffic.extraKinds: [${value}]`,
  )
}

/** A gateway's proxies are a moment behind what it says, and requests are under way. */
function graced(routed: Routed, { now }: SplitAsked): Move | undefined {
  const { canary, routing } = routed.traffic
  const { graceSeconds } = routing
  if (!canary || !isOurs(routed, canary) || graceSeconds <= 0) return undefined
  if (canary.unroutedSince === undefined) {
    const annotations = { [UNROUTED]: timeOf(now) }
    const change = patched(services, canary, { metadata: { annotations } })
    const why = 'noting when requests went away from new pods'
    return atAnyTime({ changes: [change], why }, UNROUTED)
  }
  const over = canary.unroutedSince + graceSeconds * 1000
  if (now >= over) return undefined
  return { changes: [], why: `giving requests under way ${graceSeconds} s`, requeueAt: over }
}

function canaryGone(routed: Routed): Move | undefined {
  const { canary } = routed.traffic
  if (!canary || !isOurs(routed, canary)) return undefined
  const why = `taking Service ${nameOf(canary)} away`
  if (canary.deleting) return { changes: [], why }
  const target = targetOf(services, canary)
  return { changes: [{ type: 'delete', target, uid: canary.metadata.uid }], why }
}

function isOurs({ pods, traffic }: Routed, canary: ServiceSeen): boolean {
  return isMadeFor(pods, traffic.routing.service, canary)
}

function readyOf({ endpoints }: Traffic, service: string): ReadonlySet<string> {
  return new Set(endpoints.flatMap(each => (each.service === service ? each.ready : [])))
}

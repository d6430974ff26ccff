// Each version has a Service of its own: that of the owner is pinned to stable pods, and one is made for new
// pods. A Service is never without a selector, and nobody is sent where no pod is ready.

import { UNROUTED } from '#api/names.ts'
import { firstMove } from '../move.ts'
import type { Move } from '../move.ts'
import { momentOf } from '../time.ts'
import {
  canarySelector,
  canaryServiceName,
  canaryServiceOf,
  ownCanary,
  portsOf,
} from './canary-service.ts'
import { equalJson } from '../equal.ts'
import {
  announcedByRoutes,
  routesOff,
  routesThere,
  seenByRoutes,
  splitByRoutes,
  unsplit,
  unsplitSeen,
} from './route-moves.ts'
import { ofTask } from './routed.ts'
import type { Order, Routed, Rules } from './routed.ts'
import { sendsSome } from './router.ts'
import type { SplitAsked } from './router.ts'
import {
  answered,
  freed,
  gracePeriod,
  newAnswers,
  newServes,
  nobodyNew,
  readyOf,
  serviceThere,
} from './service-moves.ts'
import { pinnedTo, pinTo, services } from './service-pin.ts'
import { whoseOf } from './wish.ts'
import { atAnyTime, blocked, nameOf, patched, targetOf, wishing } from './writes.ts'

const there: Rules = [serviceThere, routesThere, canaryFree]
/** Nobody is sent to new pods by the route any more. */
const away: Rules = [
  ...ofTask('FinalisingStepRouteTrafficToStable', [unsplit, unsplitSeen, graced]),
  ...ofTask('RemoveCanaryService', [canaryGone]),
]
const free: Rules = ofTask('RestoreStableService', [unpinned, newServed])
const pinned: Rules = [...there, othersAway, pinnedToStable, stableAlone]

const aims: Order['aims'] = {
  there,
  answered: [answered],
  pinned,
  split: [...pinned, canaryMade, newServes, announced, splitWritten, splitSeen],
  stable: [unpinnedFromNew, ...away],
  new: [
    ...ofTask('FinalisingStepRouteTrafficToNew', [serviceThere, newReady, pinnedToNew, newAlone]),
    ...away,
  ],
  all: [...free, ...away],
}
/** Two Services. */
export const twoServices: Order = { aims, gone: [...away, unpinned] }

function canaryFree(routed: Routed): Move | undefined {
  const { canary, routing } = routed.traffic
  if (!canary || ownCanary(routed)) return undefined
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
  if (selected === pods!.updated || anyNewAnswers(routed)) return undefined
  const why = `no new pod is ready: Service ${nameOf(service!)} goes on selecting as it does`
  return routesOff(routed, why) ?? blocked(why)
}

/** By the Services that select new pods; where none does, by the pods themselves. */
function anyNewAnswers(routed: Routed): boolean {
  const { traffic, pods } = routed
  const ready = readyOf(traffic, traffic.routing.service)
  if (newAnswers(routed) || pods!.updatePods.some(({ uid }) => ready.has(uid))) return true
  const told = traffic.canary?.selector?.[pods!.revisionLabel] === pods!.updated
  return !told && pods!.updatePods.some(({ readySince }) => readySince !== undefined)
}

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

function announced(routed: Routed, asked: SplitAsked): Move | undefined {
  return sendsSome(asked.split) ? announcedByRoutes(routed, asked) : undefined
}

function splitWritten(routed: Routed, asked: SplitAsked): Move | undefined {
  if (!sendsSome(asked.split)) return routesOff(routed, 'taking the split out of the route')
  return splitByRoutes(routed, asked)
}

function splitSeen(routed: Routed, asked: SplitAsked): Move | undefined {
  return sendsSome(asked.split) ? seenByRoutes(routed, asked) : undefined
}

function unpinned(routed: Routed): Move | undefined {
  return freed(routed, 'select all pods')
}

/** Those leave: a Service that selects them alone would be left with nobody. */
function unpinnedFromNew(routed: Routed): Move | undefined {
  const { traffic, pods } = routed
  const { wish = '' } = { ...traffic.service }
  const pinned = pods && pinnedTo(wish)[pods.revisionLabel]
  return pinned === undefined || pinned === pods?.stable ? undefined : unpinned(routed)
}

function graced(routed: Routed, { now }: SplitAsked): Move | undefined {
  const canary = ownCanary(routed)
  const { graceSeconds } = routed.traffic.routing
  if (!canary || graceSeconds <= 0) return undefined
  if (canary.unroutedSince === undefined) {
    const annotations = { [UNROUTED]: momentOf(now) }
    const change = patched(services, canary, { metadata: { annotations } })
    const why = 'noting when requests went away from new pods'
    return atAnyTime({ changes: [change], why }, UNROUTED)
  }
  return gracePeriod(canary.unroutedSince, graceSeconds, now)
}

function canaryGone(routed: Routed): Move | undefined {
  const canary = ownCanary(routed)
  if (!canary) return undefined
  const why = `taking Service ${nameOf(canary)} away`
  if (canary.deleting) return { changes: [], why }
  const target = targetOf(services, canary)
  return { changes: [{ type: 'delete', target, uid: canary.metadata.uid }], why }
}

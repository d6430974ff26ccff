// What is done with the Service of the owner, and who answers behind one.

import type { Move } from '../move.ts'
import type { Instant } from '../time.ts'
import { newServiceOf } from './canary-service.ts'
import { BEHIND_MS } from './model.ts'
import { routesOff } from './route-moves.ts'
import type { Routed, Traffic } from './routed.ts'
import type { SplitAsked } from './router.ts'
import { services } from './service-pin.ts'
import { OVER } from './wish.ts'
import { blocked, isFree, nameOf, takenOut, wishing } from './writes.ts'

/** There is no new pod to send anybody to. */
export const nobodyNew: Move = { changes: [], why: 'waiting for the new version to be made' }

/** It has a selector, and it is ours to write. */
export function serviceThere({ traffic: { service, routing } }: Routed): Move | undefined {
  const name = `Service ${routing.service}`
  if (!service || service.deleting) return blocked(`${name} does not exist`)
  if (!service.selector) return blocked(`${name} has no selector, so it sends requests elsewhere`)
  return service.escaped ? blocked(takenOut(name)) : undefined
}

/** Nothing of ours is on it; `what` it does then. */
export function freed({ traffic: { service } }: Routed, what: string): Move | undefined {
  if (!service || isFree(service)) return undefined
  return wishing(services, service, OVER, `letting Service ${nameOf(service)} ${what}`)
}

/** Requests that go where nobody answers come back. */
export function answered(routed: Routed): Move | undefined {
  const off = newAnswers(routed) ? undefined : routesOff(routed, noAnswer(routed))
  // By what nobody here can move none are brought back either.
  return off?.blocked ? undefined : off
}

/** Requests wait for who answers. */
export function newServes(routed: Routed, { now }: SplitAsked): Move | undefined {
  if (newAnswers(routed)) return undefined
  return answered(routed) ?? waitedFor(routed, now)
}

/** A Service that does not find pods that are there will not find them by waiting. */
function waitedFor(routed: Routed, now: Instant): Move {
  const ready = routed.pods!.updatePods.flatMap(({ readySince }) => readySince ?? [])
  if (ready.length === 0) return { changes: [], why: noAnswer(routed) }
  const requeueAt = Math.min(...ready) + BEHIND_MS
  if (now < requeueAt) return { changes: [], why: noAnswer(routed), requeueAt }
  const name = newServiceOf(routed.traffic.routing)
  const are = ready.length === 1 ? '1 new pod is' : `${ready.length} new pods are`
  return blocked(
    `${are} Ready, and none in Service ${name}: see that its selector and its ports fit them`,
  )
}

/** A new pod is ready where requests for new pods are sent. */
export function newAnswers({ traffic, pods }: Routed): boolean {
  const ready = readyOf(traffic, newServiceOf(traffic.routing))
  return pods!.updatePods.some(({ uid }) => ready.has(uid))
}

function noAnswer({ traffic }: Routed): string {
  const name = newServiceOf(traffic.routing)
  return `no new pod is ready in Service ${name}: its requests go to the stable ones`
}

/** A gateway's proxies are a moment behind what it says, and requests are under way. */
export function gracePeriod(since: Instant, graceSeconds: number, now: Instant): Move | undefined {
  const over = since + graceSeconds * 1000
  if (now >= over) return undefined
  return { changes: [], why: `giving requests under way ${graceSeconds} s`, requeueAt: over }
}

/** The uids of pods that are ready behind a Service. */
export function readyOf({ endpoints }: Traffic, service: string): ReadonlySet<string> {
  return new Set(endpoints.flatMap(each => (each.service === service ? each.ready : [])))
}

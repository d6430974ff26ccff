// What is left on the way of requests to a workload that nobody remembers: its record is gone with it, and
// so is its Rollout. The wishes say for whose pods they are, and what was made beside says for whom.

import type { Seen } from '../seen.ts'
import type { Made } from './made.ts'
import { GRACE_SECONDS } from './model.ts'
import type { RouteRef, Routing } from './model.ts'
import type { ServiceSeen } from './seen.ts'

/** A route with a wish, which some kinds have. */
export interface WishedRoute extends Seen {
  /** Key of the workload for whose pods that is. */
  readonly workload?: string
  /** Whose requests it splits. */
  readonly service?: string
  /** For what we have made it. */
  readonly made?: Made
}

/** Keys of the workloads for whose pods something stands there. */
export function workloadsOf(...all: readonly (WishedRoute | undefined)[]): readonly string[] {
  return all.flatMap(each => [each?.workload ?? [], each?.made?.workload ?? []].flat())
}

/** Of objects with wishes for one workload, by what its requests come; undefined: there are none. */
export function routingLeft(
  services: readonly ServiceSeen[],
  routes: readonly (readonly [RouteRef, WishedRoute])[],
): Routing | undefined {
  // Pods that are gone have no requests under way.
  const graceSeconds = GRACE_SECONDS
  const pinned = services.find(({ workload }) => workload !== undefined)
  if (pinned) {
    const { metadata, routes, routedTo } = pinned
    const shared = routedTo !== undefined && ({ oneService: true } as const)
    return { service: metadata.name, routes, ...shared, graceSeconds }
  }
  const found = routes.flatMap(([ref, { service, made }]) => {
    const [name, route] = made ? [made.service, made.route] : [service, ref.name]
    return name === undefined || route === undefined ? [] : [{ name, ref: { ...ref, name: route } }]
  })
  const service = found[0]?.name ?? services.find(({ made }) => made)?.made?.service
  if (service === undefined) return undefined
  // In the order of their kinds: who leads to another one is taken back before that.
  const ways = found.filter(({ name }) => name === service).map(({ ref }) => ref)
  return { service, routes: ways, graceSeconds }
}

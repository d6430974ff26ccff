// What is left on the way of requests to a workload that nobody remembers: its record is gone with it, and
// so is its Rollout. The wishes say for whose pods they are.

import type { Seen } from '../workload/seen.ts'
import { GRACE_SECONDS } from './model.ts'
import type { RouteRef, Routing } from './model.ts'
import type { ServiceSeen } from './seen.ts'

/** A route with a wish, which some kinds have. */
export interface WishedRoute extends Seen {
  /** Key of the workload for whose pods that is. */
  readonly workload?: string
  /** Whose requests it splits. */
  readonly service?: string
}

/** Of objects with wishes for one workload, by what its requests come; undefined: there are none. */
export function routingLeft(
  [service]: readonly ServiceSeen[],
  [route]: readonly (readonly [RouteRef, WishedRoute])[],
): Routing | undefined {
  // Pods that are gone have no requests under way.
  const graceSeconds = GRACE_SECONDS
  if (service) return { service: service.metadata.name, routes: service.routes, graceSeconds }
  const [ref, { service: name } = {}] = route ?? []
  return ref && name ? { service: name, routes: [ref], graceSeconds } : undefined
}

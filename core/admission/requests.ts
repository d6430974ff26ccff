// What an edit does to requests that are moved with the pods.

import { recordOf } from '../workload/record.ts'
import type { Routing } from '../traffic/model.ts'
import type { WorkloadReview } from './review.ts'

/**
 * The Service must leave new pods out before the first one starts; and none may leave while requests may
 * still be sent there. Our controller goes on when that is so.
 */
export function waitsForRequests({ before, rollout }: WorkloadReview): boolean {
  const isHeld = before !== undefined && recordOf(before)?.traffic !== undefined
  return isHeld || (rollout?.traffic && rollout.steps[0]?.split) !== undefined
}

/** What a release has begun with is to be undone, whatever the Rollout says by now. */
export function routingFor({ before, rollout }: WorkloadReview): Routing | undefined {
  return (before && recordOf(before)?.traffic) ?? rollout?.traffic
}

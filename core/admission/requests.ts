// What an edit does to requests that are moved with the pods.

import type { Rollout as RolloutObject } from '#api/rollout.generated.ts'
import { defined } from '../defined.ts'
import type { Rollout } from '../rollout/model.ts'
import { firstRouted } from '../rollout/plan-steps.ts'
import { movesRequests, recordOf } from '../workload/record.ts'
import type { HoldRecord } from '../workload/record.ts'
import type { WorkloadReview } from './model.ts'

/**
 * The Service must leave new pods out before the first one starts; and none may leave while requests may
 * still be sent there. Our controller goes on when that is so.
 */
export function waitsForRequests({ before, rollout }: WorkloadReview): boolean {
  const record = before && recordOf(before)
  if (record && movesRequests(record)) return true
  if (!rollout) return false
  return rollout.trafficRouting !== undefined || isRoutedAtOnce(rollout)
}

function isRoutedAtOnce({ traffic, steps }: Rollout): boolean {
  return traffic !== undefined && firstRouted(steps) === 1
}

/** What a Rollout says while nothing is released; in a release it is of that, and may be over with it. */
export function blockedAtRest({ status }: RolloutObject): string | undefined {
  const { phase = '', conditions = [] } = { ...status }
  const ready = conditions.find(({ type }) => type === 'Ready')
  const rests = ['Initial', 'Healthy'].includes(phase)
  return rests && ready?.reason === 'RequestsBlocked' ? ready.message : undefined
}

/** What a release has begun with is to be undone, whatever the Rollout says by now. */
export function requestsIn({
  before,
  rollout,
}: WorkloadReview): Pick<HoldRecord, 'traffic' | 'trafficRouting'> {
  const { traffic = rollout?.traffic, trafficRouting = rollout?.trafficRouting } = {
    ...(before && recordOf(before)),
  }
  return defined({ traffic, trafficRouting })
}

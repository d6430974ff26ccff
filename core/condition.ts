// Conditions of a status, in the words of the API.

import type { RolloutCondition } from '#api/rollout.generated.ts'
import { timeOf } from './time.ts'
import type { Instant } from './time.ts'

/** What a condition is to say. */
export interface ConditionWanted {
  readonly type: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
}

/** A condition as it is to stand; the times of one that stays as it is are those of before. */
export function conditionOf(
  before: Partial<RolloutCondition> | undefined,
  wanted: ConditionWanted,
  now: Instant,
): RolloutCondition {
  const status = wanted.status ? 'True' : 'False'
  const { type, reason, message } = wanted
  const same = before?.status === status && before.reason === reason && before.message === message
  const time = timeOf(now)
  return {
    type,
    status,
    reason,
    message,
    lastUpdateTime: same ? (before.lastUpdateTime ?? time) : time,
    lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? time) : time,
  }
}

// The status of a TrafficRouting: phases and messages are those of the API, a condition is ours.

import type { TrafficRouting, TrafficRoutingStatus } from '#api/trafficrouting.generated.ts'
import { equalJson } from '../equal.ts'
import type { Instant } from '../rollout/model.ts'
import { conditionOf } from '../rollout/status.ts'
import type { RoutingDecision } from './decide.ts'

/** The whole status after a decision; undefined if nothing changed. */
export function routingStatus(
  { metadata, status: before }: TrafficRouting,
  { phase, reason, message }: RoutingDecision,
  now: Instant,
): TrafficRoutingStatus | undefined {
  const was = before?.conditions?.find(({ type }) => type === 'Ready')
  const status = (reason === 'Home' && phase === 'Healthy') || reason === 'Routed'
  const ready = conditionOf(was, { type: 'Ready', status, reason, message }, now)
  const { generation: observedGeneration = 0 } = metadata
  const after = { observedGeneration, phase, message, conditions: [ready] }
  return equalJson(before, after) ? undefined : after
}

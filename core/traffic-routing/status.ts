// The status of a TrafficRouting: phases and messages are those of the API, a condition is ours.

import type { TrafficRouting, TrafficRoutingStatus } from '#api/trafficrouting.generated.ts'
import { conditionOf } from '../condition.ts'
import { equalJson } from '../equal.ts'
import type { Instant } from '../time.ts'
import { notByIngress, notBySubset } from '../traffic/told-apart.ts'
import type { RoutingDecision } from './decide.ts'

/** The whole status after a decision; undefined if nothing changed. */
export function routingStatus(
  { metadata, spec, status: before }: TrafficRouting,
  { phase, reason, message }: RoutingDecision,
  now: Instant,
): TrafficRoutingStatus | undefined {
  const was = before?.conditions?.find(({ type }) => type === 'Ready')
  const status = (reason === 'Home' && phase === 'Healthy') || reason === 'Routed'
  const told = [message, ...unheard(spec)].join('; ')
  const ready = conditionOf(was, { type: 'Ready', status, reason, message: told }, now)
  const { generation: observedGeneration = 0 } = metadata
  const after = { observedGeneration, phase, message, conditions: [ready] }
  return equalJson(before, after) ? undefined : after
}

/** What it asks for in vain; the phase and its message are what others wait for. */
function unheard({ objectRef: [item] = [] }: Partial<TrafficRouting['spec']>): readonly string[] {
  const why = item && (notByIngress(item, INSTEAD) ?? notBySubset(item))
  return why === undefined ? [] : [`it ${why}`]
}

const INSTEAD = 'name it in `trafficRoutings` of the Rollout'

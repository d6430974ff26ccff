// What a release waits for of the TrafficRouting that it names, which is moved by itself: it learns from the
// same snapshot who needs it.

import type { NamedRouting } from '../traffic-routing/decide.ts'
import type { Goal, Snapshot } from './model.ts'

/** It can be followed, and sends nobody to pods of which none is ready. */
export const routingReady = routing(
  ({ trouble, answers, home }) => trouble === undefined && (answers || home),
)

/** Its routes are as it says; there is nobody to send requests to where no pod is wanted. */
export const routingReached = routing(
  ({ trouble, routed, home }, { workload }) =>
    trouble === undefined && (routed || (home && workload!.replicas === 0)),
)

/** It sends nobody to the pods of this release any more. What keeps it from being told keeps no pods. */
export const routingHome: Goal = { ...routing(({ home }) => home), blocked: () => undefined }

function routing(met: (named: NamedRouting, s: Snapshot) => boolean): Goal {
  return {
    met: s => s.trafficRouting === undefined || met(s.trafficRouting, s),
    act: () => ({}),
    why: ({ trafficRouting: named }) => named?.trouble ?? named?.why ?? '',
    blocked: ({ trafficRouting: named }) =>
      named?.trouble === undefined ? undefined : 'RequestsBlocked',
    state: 'StepTrafficRouting',
  }
}

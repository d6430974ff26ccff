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

/** It sends nobody to the pods of this release any more. That it is missing keeps no pods, once its routes are home. */
export const routingHome: Goal = {
  ...routing(({ home }) => home),
  why: ({ trafficRouting: named }) => named?.stuck ?? whyOf(named),
  blocked: ({ trafficRouting: named }) => blockedBy(named?.stuck),
}

function routing(met: (named: NamedRouting, s: Snapshot) => boolean): Goal {
  return {
    met: s => s.trafficRouting === undefined || met(s.trafficRouting, s),
    act: () => ({}),
    why: ({ trafficRouting: named }) => whyOf(named),
    blocked: ({ trafficRouting: named }) => blockedBy(named?.trouble),
    state: 'StepTrafficRouting',
  }
}

function whyOf(named: NamedRouting | undefined): string {
  return named?.trouble ?? named?.why ?? ''
}

function blockedBy(trouble: string | undefined) {
  return trouble === undefined ? undefined : 'RequestsBlocked'
}

// Carries out what was decided about a TrafficRouting: its routes, then its status. That it is moved stands in the
// status before the first route moves, as the decision wants it.

import { CONTROLLER_MANAGER } from '#api/names.ts'
import type { RoutingDecision, RoutingSnapshot } from '#core/traffic-routing/decide.ts'
import { routingStatus } from '#core/traffic-routing/status.ts'
import { defined } from '#core/defined.ts'
import { TRAFFIC_ROUTINGS } from '#kube/resources.ts'
import { dueOf, moveRequests, together } from './apply.ts'
import type { Applied, Effects } from './apply.ts'
import type { About } from './tell.ts'

/** Applies one decision. Throws the API server's errors. */
export async function applyRouting(
  effects: Effects,
  key: string,
  snapshot: RoutingSnapshot,
  decision: RoutingDecision,
): Promise<Applied> {
  const { object, now } = snapshot
  const about = aboutOf(snapshot)
  const uid = about.routing?.uid ?? key
  const due = dueOf(effects, { key, uid, now }, decision.move)
  const applied = await moveRequests(effects, { key, about }, due)
  // The answer of a script is there in a moment.
  const passing = decision.move?.run !== undefined && object?.status?.phase === decision.phase
  const wrote = object && !passing ? await writeStatus(effects, object, decision, now) : false
  const { requeueAt } = decision
  return together(applied, { wrote, refused: false, ...defined({ requeueAt }) })
}

/** Of one that is gone it is told where its routes led. */
function aboutOf({ ref, object, now, traffic, moved }: RoutingSnapshot): About {
  const routing = object && { ...ref, uid: object.metadata.uid ?? '' }
  return defined({ now, traffic: traffic ?? moved, routing })
}

async function writeStatus(
  { client, ownWrites, onWrite, now: clock }: Effects,
  object: NonNullable<RoutingSnapshot['object']>,
  decision: RoutingDecision,
  now: number,
): Promise<boolean> {
  const status = routingStatus(object, decision, now)
  if (!status) return false
  const options = { subresource: 'status', fieldManager: CONTROLLER_MANAGER }
  const written = await client.replace(TRAFFIC_ROUTINGS, { ...object, status }, options)
  ownWrites.note(object.metadata, written.metadata, clock())
  onWrite('status')
  // A CRD that is not ours may have dropped what was new in it.
  return written.metadata.resourceVersion !== object.metadata.resourceVersion
}

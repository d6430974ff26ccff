// Reads the caches once and puts together all that a decision may look at.

import type { Rollout as RolloutObject } from '#api/rollout.generated.ts'
import { refOf } from '#core/rollout/key.ts'
import type { Instant, Snapshot, Workload } from '#core/rollout/model.ts'
import { firstOf, refusedFor, rolloutOf } from '#core/rollout/parse.ts'
import { memoryOf } from '#core/rollout/status.ts'
import { viewDeployment } from '#core/workload/deployment-view.ts'
import type { Watches } from './watches.ts'

/** A snapshot, and the stored Rollout that its decision is written to. */
export interface Observation {
  readonly snapshot: Snapshot
  /** Undefined: the workload's Rollout is gone. */
  readonly object?: RolloutObject
}

/** One observation for the Rollout that guards the workload, one for each that came too late. */
export function observe(watches: Watches, key: string, now: Instant): readonly Observation[] {
  const objects = watches.rollouts.byIndex('workload', key).filter(isAlive)
  const first = firstOf(objects)
  const workload = observeWorkload(watches, key, now)
  const base = { now, registered: isRegistered(watches), ...(workload && { workload }) }
  if (!first) return workload ? [{ snapshot: { ...base, memory: memoryOf(undefined) } }] : []
  return objects.map(object => {
    const rollout = object === first ? rolloutOf(object) : refusedFor(object, first)
    return { object, snapshot: { ...base, rollout, memory: memoryOf(object.status) } }
  })
}

function observeWorkload(watches: Watches, key: string, now: Instant): Workload | undefined {
  const { namespace, name, kind } = refOf(key)
  const seen = kind === 'Deployment' ? watches.deployments.get(namespace, name) : undefined
  if (!seen) return undefined
  const sets = watches.replicaSets.byIndex('owner', seen.metadata.uid)
  const pods = sets.flatMap(set => watches.pods.byIndex('owner', set.metadata.uid))
  return viewDeployment(seen, sets, pods, now)
}

/** The API server knows where to call, and whom to trust there. */
function isRegistered({ configurations }: Watches): boolean {
  const webhooks = configurations.list().flatMap(({ webhooks: each = [] }) => each)
  return webhooks.length > 0 && webhooks.every(({ clientConfig }) => clientConfig.caBundle)
}

function isAlive({ metadata }: RolloutObject): boolean {
  return metadata.deletionTimestamp === undefined
}

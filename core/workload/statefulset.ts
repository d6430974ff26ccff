// `apps/v1` StatefulSet, and all that is like it: held by its partition, an ordinal from which on pods are
// new.

import type { KindRef } from '../ref.ts'
import { replicaCounts } from './partition-kind.ts'
import type { PartitionKind } from './partition-kind.ts'
import { replicasOf } from './partition-object.ts'
import { byCount, byOrdinal } from './partition-orders.ts'
import { inRollingUpdate } from './partition-places.ts'
import { partitioned } from './partitioned.ts'
import type { PartitionAdapter } from './partitioned.ts'
import { pods, promised } from './percent.ts'
import { takenForFinished } from './stock-clients.ts'

/** What kinds of the shape of a StatefulSet have in common. */
export const likeStatefulSet = {
  place: inRollingUpdate,
  restsBy: ['OnDelete'],
  size: replicasOf,
  old: (partition, size) => pods(partition, size, Math.ceil),
  partitionFor: old => old,
  // Its own controller gives a pod up before one is added: nobody is beside the others.
  limits: ({ maxUnavailable = 1 }, size) => promised(maxUnavailable, 0, size),
  counts: replicaCounts,
  order: ({ unordered }) => (unordered ? byCount : byOrdinal),
  rollsBackInSteps: true,
  waits: ({ spec }) => spec.podManagementPolicy !== 'Parallel',
} satisfies Partial<PartitionKind>

export const statefulSet = partitioned({
  ...likeStatefulSet,
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  deceived: 'kubectl rollout status and helm --wait take it for finished while it is held',
})

/** The adapter of a kind that only its shape tells to be like a StatefulSet. */
export function statefulSetLike(ref: KindRef): PartitionAdapter {
  return partitioned({
    ...likeStatefulSet,
    ...ref,
    deceived: takenForFinished,
  })
}

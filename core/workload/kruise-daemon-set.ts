// `apps.kruise.io` DaemonSet: held by its partition, a number or a share of nodes whose pods stay old. A pod
// that is missing always comes new, so nobody can be taken back.

import { newNodesAreNew, nobodyReturns } from './daemon-words.ts'
import type { PartitionStatus } from './partition-object.ts'
import { alwaysNew } from './partition-orders.ts'
import type { Counts } from './partition-kind.ts'
import { inRollingUpdate } from './partition-places.ts'
import { partitioned } from './partitioned.ts'
import { pods } from './percent.ts'
import { takenForFinished } from './stock-clients.ts'

export const kruiseDaemonSet = partitioned({
  apiVersion: 'apps.kruise.io/v1alpha1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  deceived: takenForFinished,
  noAbort: nobodyReturns,
  caveats: [newNodesAreNew],
  place: inRollingUpdate,
  restsBy: ['OnDelete'],
  size: ({ status }) => status?.desiredNumberScheduled ?? 0,
  old: (partition, size) => Math.min(pods(partition, size, Math.floor), size),
  partitionFor: old => old,
  limits({ maxUnavailable = 1, maxSurge = 0 }, size) {
    const surge = pods(maxSurge, size, Math.ceil)
    return { maxUnavailable: pods(maxUnavailable, size, Math.ceil), maxSurge: surge }
  },
  counts,
  order: () => alwaysNew,
  waits: () => false,
})

/** No current revision is told. */
function counts(status: PartitionStatus): Counts {
  const { currentNumberScheduled: replicas = 0, updatedNumberScheduled: updated = 0 } = status
  const { numberReady: ready = 0, numberAvailable: available = 0 } = status
  const { daemonSetHash: updateRevision = '' } = status
  return { replicas, updated, ready, available, currentRevision: '', updateRevision }
}

// What the kinds with a partition differ in, as data and small functions: where the partition stands, how
// it is counted, and what becomes of a pod that is deleted. All else is the same for them.

import type { IntOrPercent } from '#api/kubernetes.ts'
import type { KindRef } from '../ref.ts'
import type { WorkloadAdapter } from './adapter.ts'
import type { Block, Partitioned, PartitionStatus } from './partition-object.ts'
import type { Order } from './partition-orders.ts'
import type { Place } from './partition-places.ts'
import type { Promised } from './percent.ts'

/** What a status says, in the same words for every kind. */
export interface Counts {
  readonly replicas: number
  readonly updated: number
  readonly ready: number
  readonly available: number
  /** What everybody ran; '' where its controller does not tell. */
  readonly currentRevision: string
  readonly updateRevision: string
}

/** One kind with a partition. */
export interface PartitionKind
  extends
    KindRef,
    Required<Pick<WorkloadAdapter, 'deceived'>>,
    Pick<WorkloadAdapter, 'otherVersions' | 'noAbort' | 'rollsBackInSteps' | 'lacks'>,
    Partial<Pick<WorkloadAdapter, 'podVersion'>> {
  /** What a hold of it cannot keep, a line each. */
  readonly caveats?: readonly string[]
  readonly place: Place
  /** Its own controller replaces nobody by this type of update strategy. */
  readonly restsBy: readonly string[]
  /** Why the partition cannot say which of its pods are old; undefined: it can. */
  readonly unholdable?: (spec: Partitioned['spec']) => string | undefined
  /** How many pods there are to be. */
  readonly size: (object: Pick<Partitioned, 'spec' | 'status'>) => number
  /** How many pods of `size` a partition keeps at an older version; maybe more than there are. */
  readonly old: (partition: IntOrPercent, size: number) => number
  /** The partition that keeps exactly so many. */
  readonly partitionFor: (old: number, size: number) => IntOrPercent
  /** How many may be missing, and how many may be beside the others. */
  readonly limits: (block: Pick<Block, 'maxUnavailable' | 'maxSurge'>, size: number) => Promised
  readonly counts: (status: PartitionStatus) => Counts
  readonly order: (seen: { readonly unordered: boolean }) => Order
  /** Its own controller waits for each pod before it goes on to the next. */
  readonly waits: (object: Pick<Partitioned, 'spec'>) => boolean
  /** The name of a revision, of what a pod is labelled with; where the two may differ. */
  readonly revisionOf?: (label: string, workload: string) => string
}

/** The status of kinds with a number of replicas. */
export function replicaCounts(status: PartitionStatus): Counts {
  const { replicas = 0, updatedReplicas: updated = 0, readyReplicas: ready = 0 } = status
  const { availableReplicas: available = ready } = status
  const { currentRevision = '', updateRevision = '' } = status
  return { replicas, updated, ready, available, currentRevision, updateRevision }
}

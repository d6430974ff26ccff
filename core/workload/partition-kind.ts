// What the kinds with a partition differ in, as data and small functions: where the partition stands, how
// it is counted, and what becomes of a pod that is deleted. All else is the same for them.

import type { IntOrPercent, KubeObject, PodTemplate } from '#api/kubernetes.ts'
import type { KindRef, WorkloadAdapter } from './adapter.ts'
import type { Order } from './partition-orders.ts'
import type { Place } from './partition-places.ts'
import type { Promised } from './percent.ts'

/** Where the strategy of a kind has its partition, and what else is there that the core reads. */
export interface Block {
  readonly partition?: IntOrPercent
  readonly maxUnavailable?: IntOrPercent
  readonly maxSurge?: IntOrPercent
  readonly minReadySeconds?: number
  readonly paused?: boolean
  /** The partition is then a number of pods, whichever they are. */
  readonly unorderedUpdate?: object
}

/** A workload with a partition, as far as the core reads it. */
export interface Partitioned extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly template: PodTemplate
    readonly minReadySeconds?: number
    readonly podManagementPolicy?: string
    readonly ordinals?: { readonly start?: number }
    /** Numbers that no pod has in its name. */
    readonly reserveOrdinals?: readonly unknown[] | null
    readonly updateStrategy?: Strategy | null
  }
  readonly status?: PartitionStatus
}

/** The block is in it, or is the strategy itself. */
export type Strategy = Block & {
  readonly type?: string
  readonly rollingUpdate?: Block | null
}

/** What the controllers of these kinds tell, each some of it. */
export interface PartitionStatus {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly currentRevision?: string
  readonly updateRevision?: string
  readonly desiredNumberScheduled?: number
  readonly currentNumberScheduled?: number
  readonly updatedNumberScheduled?: number
  readonly numberReady?: number
  readonly numberAvailable?: number
  readonly daemonSetHash?: string
}

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

/** The size of kinds with a number of replicas. */
export function replicasOf({ spec }: Pick<Partitioned, 'spec'>): number {
  return spec.replicas ?? 1
}

// A workload whose strategy has a partition, as far as the core reads it.

import type { IntOrPercent, KubeObject, PodTemplate } from '#api/kubernetes.ts'

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

/** The size of kinds with a number of replicas. */
export function replicasOf({ spec }: Pick<Partitioned, 'spec'>): number {
  return spec.replicas ?? 1
}

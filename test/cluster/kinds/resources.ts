// The kinds of Kruise, and one of a group that nobody knows, as far as their stand-ins look at them. The
// fields mean what the specification of Kruise Rollouts says in 6.11 and 6.13.

import type { IntOrPercent, KubeObject, Pod, PodTemplate } from '#api/kubernetes.ts'
import { resource } from '#kube/resources.ts'
import type { LabelSelector } from '#kube/resources.ts'

/** What every one of these kinds has. */
export interface Workload extends KubeObject {
  readonly spec: { readonly selector: LabelSelector; readonly template: PodTemplate }
}

/** `apps.kruise.io/v1alpha1` CloneSet. */
export interface CloneSet extends Workload {
  readonly spec: Workload['spec'] & {
    readonly replicas: number
    readonly minReadySeconds?: number
    readonly updateStrategy: {
      /** Pods that stay old. */
      readonly partition: IntOrPercent
      readonly maxUnavailable: IntOrPercent
      readonly maxSurge: IntOrPercent
      readonly paused?: boolean
    }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly updatedReplicas?: number
    readonly updatedReadyReplicas?: number
    readonly expectedUpdatedReplicas?: number
    readonly updateRevision?: string
    readonly currentRevision?: string
    readonly labelSelector?: string
  }
}

/** `apps.kruise.io` StatefulSet of both versions, and any kind of its shape. */
export interface StatefulSetLike extends Workload {
  readonly spec: Workload['spec'] & {
    readonly replicas: number
    readonly podManagementPolicy?: string
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: {
        /** Ordinals below stay old; with `unorderedUpdate`, as many pods. */
        readonly partition?: number
        readonly maxUnavailable?: IntOrPercent
        readonly paused?: boolean
        readonly unorderedUpdate?: object
        readonly minReadySeconds?: number
      }
    }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly currentReplicas?: number
    readonly updatedReplicas?: number
    readonly updatedReadyReplicas?: number
    readonly updateRevision?: string
    readonly currentRevision?: string
    readonly labelSelector?: string
  }
}

/** `apps.kruise.io/v1alpha1` DaemonSet. */
export interface KruiseDaemonSet extends Workload {
  readonly spec: Workload['spec'] & {
    readonly minReadySeconds?: number
    readonly updateStrategy: {
      readonly type?: string
      readonly rollingUpdate?: {
        /** Nodes whose pods stay old. */
        readonly partition?: IntOrPercent
        readonly maxUnavailable?: IntOrPercent
        readonly maxSurge?: IntOrPercent
        readonly paused?: boolean
        /** Only pods on nodes with these labels are updated. */
        readonly selector?: LabelSelector
      }
    }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly desiredNumberScheduled?: number
    readonly currentNumberScheduled?: number
    readonly updatedNumberScheduled?: number
    readonly numberReady?: number
    readonly numberAvailable?: number
    readonly numberUnavailable?: number
    readonly daemonSetHash?: string
  }
}

/** `v1` Pod with the node that it is on. */
export interface PlacedPod extends Pod {
  readonly spec?: {
    readonly nodeName?: string
    readonly containers: readonly { readonly image: string }[]
  }
}

/** `v1` Node. */
export interface Node extends KubeObject {
  readonly spec?: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] }
}

/** `apps/v1` ControllerRevision. */
export interface ControllerRevision extends KubeObject {
  readonly revision: number
  readonly data: { readonly spec: { readonly template: PodTemplate } }
}

const kruise = 'apps.kruise.io'

/** CloneSets. */
export const CLONE_SETS = resource<CloneSet>(`${kruise}/v1alpha1`, 'clonesets', 'CloneSet')
/** Kruise's StatefulSets, in the version in which they are stored. */
export const KRUISE_STATEFUL_SETS = resource<StatefulSetLike>(
  `${kruise}/v1beta1`,
  'statefulsets',
  'StatefulSet',
)
/** The same StatefulSets in the older version. */
export const KRUISE_STATEFUL_SETS_ALPHA = resource<StatefulSetLike>(
  `${kruise}/v1alpha1`,
  'statefulsets',
  'StatefulSet',
)
/** Kruise's DaemonSets. */
export const KRUISE_DAEMON_SETS = resource<KruiseDaemonSet>(
  `${kruise}/v1alpha1`,
  'daemonsets',
  'DaemonSet',
)
/** A kind of somebody's own, which only its shape tells to be like a StatefulSet. */
export const SHARDS = resource<StatefulSetLike>('databases.example.com/v1', 'shards', 'Shard')
/** Pods, with their nodes. */
export const PLACED_PODS = resource<PlacedPod>('v1', 'pods', 'Pod')
/** Nodes. */
export const NODES = resource<Node>('v1', 'nodes', 'Node', false)
/** ControllerRevisions. */
export const REVISIONS = resource<ControllerRevision>(
  'apps/v1',
  'controllerrevisions',
  'ControllerRevision',
)

// The parts of Kubernetes' own objects that the product reads. Hand-written: the client library's
// types would bring the library.

export type IntOrPercent = number | string

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly lastUpdateTime?: string
}

export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: Readonly<Record<string, unknown>>
}

export interface RollingUpdate {
  readonly maxUnavailable?: IntOrPercent
  readonly maxSurge?: IntOrPercent
}

export interface DeploymentStrategy {
  readonly type?: string
  readonly rollingUpdate?: RollingUpdate | null
}

export interface DeploymentSpec {
  readonly replicas?: number
  readonly selector?: unknown
  readonly template: PodTemplate
  readonly strategy?: DeploymentStrategy
  readonly minReadySeconds?: number
  readonly progressDeadlineSeconds?: number
  readonly paused?: boolean
  readonly revisionHistoryLimit?: number
}

export interface DeploymentStatus {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly unavailableReplicas?: number
  readonly terminatingReplicas?: number
  readonly conditions?: readonly Condition[]
}

/** `apps/v1` Deployment. */
export interface Deployment extends KubeObject {
  readonly spec: DeploymentSpec
  readonly status?: DeploymentStatus
}

export interface ReplicaSetSpec {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly template: PodTemplate
}

/** `apps/v1` ReplicaSet. */
export interface ReplicaSet extends KubeObject {
  readonly spec: ReplicaSetSpec
  readonly status?: {
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly terminatingReplicas?: number
    readonly observedGeneration?: number
  }
}

/** `apps/v1` DaemonSet. */
export interface DaemonSet extends KubeObject {
  readonly spec: {
    readonly template: PodTemplate
    readonly minReadySeconds?: number
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: RollingUpdate | null
    } | null
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly desiredNumberScheduled?: number
    readonly currentNumberScheduled?: number
    readonly updatedNumberScheduled?: number
    readonly numberReady?: number
    readonly numberAvailable?: number
  }
}

/** `apps/v1` ControllerRevision: one version of a workload that owns its pods itself. */
export interface ControllerRevision extends KubeObject {
  /** Grows with every edit. */
  readonly revision: number
  /** A patch that makes the version; its shape is the owner's. */
  readonly data?: { readonly spec?: { readonly template?: PodTemplate } }
}

/** `v1` Pod. */
export interface Pod extends KubeObject {
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] }
}

export interface Service extends KubeObject {
  readonly spec?: {
    readonly selector?: Readonly<Record<string, string>>
    readonly [field: string]: unknown
  }
}

/** `networking.k8s.io/v1` Ingress. */
export interface Ingress extends KubeObject {
  readonly spec?: {
    readonly ingressClassName?: string
    readonly tls?: readonly unknown[]
    readonly rules?: readonly IngressRule[]
    readonly [field: string]: unknown
  }
}

export interface IngressRule {
  readonly host?: string
  readonly http?: { readonly paths?: readonly IngressPath[] }
}

export interface IngressPath {
  readonly path?: string
  readonly pathType?: string
  readonly backend?: {
    readonly service?: { readonly name: string; readonly port?: unknown }
    readonly [field: string]: unknown
  }
}

/** `v1` ConfigMap. */
export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

export interface ParentReference {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly sectionName?: string
  readonly port?: number
}

export interface HTTPRoute extends KubeObject {
  readonly spec?: {
    readonly parentRefs?: readonly ParentReference[]
    readonly rules?: readonly unknown[]
    readonly [field: string]: unknown
  }
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef: ParentReference
      readonly controllerName?: string
      readonly conditions?: readonly (Condition & { readonly observedGeneration?: number })[]
    }[]
  }
}

export interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly {
    readonly conditions?: { readonly ready?: boolean | null }
    readonly targetRef?: { readonly kind?: string; readonly uid?: string }
  }[]
}

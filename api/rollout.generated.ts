// DO NOT EDIT: made by api/generate.ts from api/crds/rollouts.kruise.io_rollouts.yaml.

import type { IntOrPercent, KubeObject } from './kubernetes.ts'

/**
 * A Rollout guards one workload. An edit of the workload's pod template is held, and the
 * new pods are let out step by step.
 */
export interface Rollout extends KubeObject {
  readonly apiVersion: 'rollouts.kruise.io/v1beta1'
  readonly kind: 'Rollout'
  /** Which workload is guarded, and how a new version of it is released. */
  readonly spec: RolloutSpec
  /** What the Rollout is doing. Written by the controller. */
  readonly status?: RolloutStatus
}

/**
 * The older version of a Rollout. It is stored as v1beta1. Annotation
 * `rollouts.kruise.io/rolling-style` says how pods are replaced: `partition` within the
 * workload, `canary` (also without it) in a second Deployment.
 */
export interface RolloutV1alpha1 extends KubeObject {
  readonly apiVersion: 'rollouts.kruise.io/v1alpha1'
  readonly kind: 'Rollout'
  /** Which workload is guarded, and how a new version of it is released. */
  readonly spec: RolloutSpecV1alpha1
  /** What the Rollout is doing. Written by the controller. */
  readonly status?: RolloutStatusV1alpha1
}

/** Which workload is guarded, and how a new version of it is released. */
export interface RolloutSpec {
  /**
   * The guarded workload, in the namespace of the Rollout. A workload has at most one
   * Rollout. It cannot be changed during a release.
   */
  readonly workloadRef: WorkloadRef
  /**
   * Stop guarding the workload. A release that is running is given back to the workload's own
   * controller, which completes it.
   */
  readonly disabled?: boolean
  /** How a new version is released. Write exactly one of `canary` and `blueGreen`. */
  readonly strategy: Strategy
}

/**
 * The guarded workload, in the namespace of the Rollout. A workload has at most one
 * Rollout. It cannot be changed during a release.
 */
export interface WorkloadRef {
  /** API group and version of the workload, for example `apps/v1`. */
  readonly apiVersion: string
  /** Kind of the workload, for example `Deployment`. */
  readonly kind: string
  /** Name of the workload. */
  readonly name: string
}

/** How a new version is released. Write exactly one of `canary` and `blueGreen`. */
export interface Strategy {
  /**
   * Freeze the release where it is. No pod is added to the new version until it is false
   * again.
   */
  readonly paused?: boolean
  /** Replace the old pods by new ones, step by step. */
  readonly canary?: CanaryStrategy
  /**
   * Start new pods beside all old ones, move the requests, and remove the old pods at the
   * end.
   */
  readonly blueGreen?: BlueGreenStrategy
}

/** Replace the old pods by new ones, step by step. */
export interface CanaryStrategy {
  /**
   * The stops of the release, in order. How many there are cannot be changed during a
   * release.
   */
  readonly steps?: readonly Step[]
  /**
   * What sends requests to the workload. At most one item. It cannot be changed during a
   * release.
   */
  readonly trafficRoutings?: readonly TrafficRouting[]
  /**
   * How many of the new pods may be unready while a step still counts as done: a number, or a
   * percent of the new pods, rounded up. Without it every new pod must be ready.
   */
  readonly failureThreshold?: IntOrPercent
  /**
   * Labels and annotations for the pods of the extra workload. Used with
   * `enableExtraWorkloadForCanary` only.
   */
  readonly patchPodTemplateMetadata?: PodTemplateMetadata
  /**
   * Run the new pods in a second Deployment beside the guarded one, instead of replacing its
   * pods.
   */
  readonly enableExtraWorkloadForCanary?: boolean
  /** Name of a TrafficRouting object that says how requests are routed. */
  readonly trafficRoutingRef?: string
  /**
   * Do not create a second Service for the new pods, because the router tells old from new
   * pods by itself.
   */
  readonly disableGenerateCanaryService?: boolean
}

/** One stop of the release. */
export interface Step {
  /**
   * How many pods are new when this step is done: a number, or a percent of all pods, rounded
   * up. A percent below 100% leaves at least one old pod when there is more than one.
   */
  readonly replicas?: IntOrPercent
  /**
   * Share of the requests that the new pods receive in this step, as a percent. Without it,
   * and without `matches`, requests go wherever the Service sends them.
   */
  readonly traffic?: string
  /**
   * Requests that go to the new pods in this step. A request must meet all conditions of one
   * item.
   */
  readonly matches?: readonly RouteMatch[]
  /** Changes to the headers of requests that go to the new pods. */
  readonly requestHeaderModifier?: HeaderModifier
  /** How long the release stays here. Without `duration` it waits until somebody approves. */
  readonly pause?: Pause
}

/** Conditions on one request. */
export interface RouteMatch {
  /** Condition on the path of the request. */
  readonly path?: PathMatch
  /** Conditions on headers. All of them must be met. */
  readonly headers?: readonly HeaderMatch[]
  /** Conditions on the query. All of them must be met. */
  readonly queryParams?: readonly QueryParamMatch[]
}

/** Condition on the path of the request. */
export interface PathMatch {
  /** How `value` is compared with the path. */
  readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'
  /** The path, its beginning, or an expression. */
  readonly value?: string
}

/** Condition on one header. */
export interface HeaderMatch {
  /** How `value` is compared. */
  readonly type?: 'Exact' | 'RegularExpression'
  /** Name, compared without regard to case. */
  readonly name: string
  /** The value. */
  readonly value: string
}

/** Condition on one parameter of the query. */
export interface QueryParamMatch {
  /** How `value` is compared. */
  readonly type?: 'Exact' | 'RegularExpression'
  /** Name, compared as it is written. */
  readonly name: string
  /** The value. */
  readonly value: string
}

/** Changes to the headers of requests that go to the new pods. */
export interface HeaderModifier {
  /** Headers that replace those of the same name. */
  readonly set?: readonly Header[]
  /** Headers that are added to those of the same name. */
  readonly add?: readonly Header[]
  /** Names of headers that are taken away. */
  readonly remove?: readonly string[]
}

/** One header. */
export interface Header {
  /** Name, compared without regard to case. */
  readonly name: string
  /** The value. */
  readonly value: string
}

/** How long the release stays here. Without `duration` it waits until somebody approves. */
export interface Pause {
  /** Seconds to wait. 0 or less goes on at once. */
  readonly duration?: number
}

/** One Service, and the routers that send requests to it. */
export interface TrafficRouting {
  /** Name of the Service that selects the workload's pods. */
  readonly service: string
  /** Seconds that a router is given to take over a change before pods behind it change. */
  readonly gracePeriodSeconds?: number
  /** An Ingress that sends requests to the Service. */
  readonly ingress?: IngressRef
  /** A route of the Gateway API that sends requests to the Service. */
  readonly gateway?: GatewayRef
  /** Objects of other routers, for example a VirtualService of Istio, or a GRPCRoute. */
  readonly customNetworkRefs?: readonly NetworkRef[]
}

/** An Ingress that sends requests to the Service. */
export interface IngressRef {
  /**
   * Kind of the Ingress controller, for example `nginx`, which is also meant when it is
   * empty.
   */
  readonly classType?: string
  /** Name of the Ingress. */
  readonly name: string
}

/** A route of the Gateway API that sends requests to the Service. */
export interface GatewayRef {
  /** Name of the HTTPRoute. */
  readonly httpRouteName?: string
}

/** One object of a router. */
export interface NetworkRef {
  /** API group and version of the object. */
  readonly apiVersion: string
  /** Kind of the object. */
  readonly kind: string
  /** Name of the object. */
  readonly name: string
}

/**
 * Labels and annotations for the pods of the extra workload. Used with
 * `enableExtraWorkloadForCanary` only.
 */
export interface PodTemplateMetadata {
  /** Annotations that are added to the new pods. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Labels that are added to the new pods. */
  readonly labels?: Readonly<Record<string, string>>
}

/**
 * Start new pods beside all old ones, move the requests, and remove the old pods at the
 * end.
 */
export interface BlueGreenStrategy {
  /**
   * The stops of the release, in order. How many there are cannot be changed during a
   * release.
   */
  readonly steps?: readonly Step[]
  /**
   * What sends requests to the workload. At most one item. It cannot be changed during a
   * release.
   */
  readonly trafficRoutings?: readonly TrafficRouting[]
  /**
   * How many of the new pods may be unready while a step still counts as done: a number, or a
   * percent of the new pods, rounded up. Without it every new pod must be ready.
   */
  readonly failureThreshold?: IntOrPercent
  /** Name of a TrafficRouting object that says how requests are routed. */
  readonly trafficRoutingRef?: string
  /**
   * Do not create a second Service for the new pods, because the router tells old from new
   * pods by itself.
   */
  readonly disableGenerateCanaryService?: boolean
}

/** What the Rollout is doing. Written by the controller. */
export interface RolloutStatus {
  /** The generation of the spec that this status is about. */
  readonly observedGeneration?: number
  /** What the Rollout is doing, in one word. */
  readonly phase?: RolloutPhase
  /**
   * What the Rollout waits for, shortly. Condition Ready has all of it, with the command that
   * goes on.
   */
  readonly message?: string
  /** Facts about the Rollout, at most one of each type. */
  readonly conditions?: readonly RolloutCondition[]
  /** The step of the release, counted from 1. */
  readonly currentStepIndex: number
  /** How far the step has come. Writing StepReady while it is StepPaused approves the step. */
  readonly currentStepState: StepState
  /** The release, when `canary` says how. */
  readonly canaryStatus?: CanaryStatus
  /** The release, when `blueGreen` says how. */
  readonly blueGreenStatus?: BlueGreenStatus
}

/** What the Rollout is doing, in one word. */
export type RolloutPhase =
  | 'Initial'
  | 'Healthy'
  | 'Progressing'
  | 'Terminating'
  | 'Disabled'
  | 'Disabling'

/** One fact. */
export interface RolloutCondition {
  /** What the fact is about, for example Progressing or Succeeded. */
  readonly type: string
  /** True, False or Unknown. */
  readonly status: string
  /** When the condition was last written. */
  readonly lastUpdateTime?: string
  /** When the status of the condition last changed. */
  readonly lastTransitionTime?: string
  /** Why, in one word for programs. */
  readonly reason: string
  /** Why, in words for people. */
  readonly message: string
}

/** How far the step has come. Writing StepReady while it is StepPaused approves the step. */
export type StepState =
  | ''
  | 'BeforeStepUpgrade'
  | 'StepUpgrade'
  | 'StepTrafficRouting'
  | 'StepMetricsAnalysis'
  | 'StepPaused'
  | 'StepReady'
  | 'Completed'

/** The release, when `canary` says how. */
export interface CanaryStatus {
  /** The generation of the workload that this status is about. */
  readonly observedWorkloadGeneration?: number
  /**
   * The uid of the workload that this status is about: one that was deleted and created again
   * is another.
   */
  readonly observedWorkloadUID?: string
  /**
   * Which release this is: the workload's label `rollouts.kruise.io/rollout-id`, or the new
   * revision where there is no label.
   */
  readonly observedRolloutID?: string
  /**
   * Sluice's own name of the release, unique even where the owner gives two releases the same
   * rollout-id. A hold on the workload belongs to it or not.
   */
  readonly observedRelease?: string
  /** Digest of the plan that the release follows. */
  readonly rolloutHash?: string
  /** The revision that everybody ran before the release. */
  readonly stableRevision?: string
  /** The revision that is being released. */
  readonly canaryRevision: string
  /** Value of the label that tells the new pods from the old ones. */
  readonly podTemplateHash: string
  /** How many pods are new. */
  readonly canaryReplicas: number
  /** How many of the new pods are ready. */
  readonly canaryReadyReplicas: number
  /** The step of the release, counted from 1. */
  readonly currentStepIndex?: number
  /**
   * The step that comes next, counted from 1; -1 after the last one. Writing another step's
   * number jumps to that step.
   */
  readonly nextStepIndex: number
  /** How far the step has come. Writing StepReady while it is StepPaused approves the step. */
  readonly currentStepState: StepState
  /** What is being put back at the end of the release. */
  readonly finalisingStep: FinalisingStep
  /** What the step waits for. */
  readonly message?: string
  /** When the step reached its state. A pause is counted from here. */
  readonly lastUpdateTime?: string
}

/** What is being put back at the end of the release. */
export type FinalisingStep =
  | ''
  | 'FinalisingStepRouteTrafficToNew'
  | 'FinalisingStepRouteTrafficToStable'
  | 'RestoreStableService'
  | 'RemoveCanaryService'
  | 'ResumeWorkload'
  | 'ReleaseWorkloadControl'
  | 'END'
  | 'WaitEndless'

/** The release, when `blueGreen` says how. */
export interface BlueGreenStatus {
  /** The generation of the workload that this status is about. */
  readonly observedWorkloadGeneration?: number
  /**
   * The uid of the workload that this status is about: one that was deleted and created again
   * is another.
   */
  readonly observedWorkloadUID?: string
  /**
   * Which release this is: the workload's label `rollouts.kruise.io/rollout-id`, or the new
   * revision where there is no label.
   */
  readonly observedRolloutID?: string
  /**
   * Sluice's own name of the release, unique even where the owner gives two releases the same
   * rollout-id. A hold on the workload belongs to it or not.
   */
  readonly observedRelease?: string
  /** Digest of the plan that the release follows. */
  readonly rolloutHash?: string
  /** The revision that everybody ran before the release. */
  readonly stableRevision?: string
  /** The revision that is being released. */
  readonly updatedRevision: string
  /** Value of the label that tells the new pods from the old ones. */
  readonly podTemplateHash: string
  /** How many pods are new. */
  readonly updatedReplicas: number
  /** How many of the new pods are ready. */
  readonly updatedReadyReplicas: number
  /** The step of the release, counted from 1. */
  readonly currentStepIndex?: number
  /**
   * The step that comes next, counted from 1; -1 after the last one. Writing another step's
   * number jumps to that step.
   */
  readonly nextStepIndex: number
  /** How far the step has come. Writing StepReady while it is StepPaused approves the step. */
  readonly currentStepState: StepState
  /** What is being put back at the end of the release. */
  readonly finalisingStep: FinalisingStep
  /** What the step waits for. */
  readonly message?: string
  /** When the step reached its state. A pause is counted from here. */
  readonly lastUpdateTime?: string
}

/** Which workload is guarded, and how a new version of it is released. */
export interface RolloutSpecV1alpha1 {
  /** What the Rollout is about. */
  readonly objectRef: ObjectRef
  /** How a new version is released. */
  readonly strategy: StrategyV1alpha1
  /**
   * Not read, and not stored. The release is named by the workload's label
   * `rollouts.kruise.io/rollout-id`.
   */
  readonly rolloutID?: string
  /**
   * Stop guarding the workload. A release that is running is given back to the workload's own
   * controller, which completes it.
   */
  readonly disabled?: boolean
}

/** What the Rollout is about. */
export interface ObjectRef {
  /**
   * The guarded workload, in the namespace of the Rollout. A workload has at most one
   * Rollout. It cannot be changed during a release.
   */
  readonly workloadRef: WorkloadRef
}

/** How a new version is released. */
export interface StrategyV1alpha1 {
  /**
   * Freeze the release where it is. No pod is added to the new version until it is false
   * again.
   */
  readonly paused?: boolean
  /** Bring the new pods step by step. */
  readonly canary?: CanaryStrategyV1alpha1
  /**
   * Start new pods beside all old ones, move the requests, and remove the old pods at the
   * end.
   */
  readonly blueGreen?: BlueGreenStrategy
}

/** Bring the new pods step by step. */
export interface CanaryStrategyV1alpha1 {
  /**
   * The stops of the release, in order. How many there are cannot be changed during a
   * release.
   */
  readonly steps?: readonly StepV1alpha1[]
  /**
   * What sends requests to the workload. At most one item. It cannot be changed during a
   * release.
   */
  readonly trafficRoutings?: readonly TrafficRouting[]
  /**
   * How many of the new pods may be unready while a step still counts as done: a number, or a
   * percent of the new pods, rounded up. Without it every new pod must be ready.
   */
  readonly failureThreshold?: IntOrPercent
  /**
   * Labels and annotations for the pods of the extra workload. Used with
   * `enableExtraWorkloadForCanary` only.
   */
  readonly patchPodTemplateMetadata?: PodTemplateMetadata
  /**
   * Do not create a second Service for the new pods, because the router tells old from new
   * pods by itself.
   */
  readonly disableGenerateCanaryService?: boolean
}

/** One stop of the release. */
export interface StepV1alpha1 {
  /**
   * Share of the requests that the new pods receive in this step, in percent. Without
   * `replicas` it is also the share of the pods that are new.
   */
  readonly weight?: number
  /**
   * How many pods are new when this step is done: a number, or a percent of all pods, rounded
   * up. A percent below 100% leaves at least one old pod when there is more than one.
   */
  readonly replicas?: IntOrPercent
  /**
   * Requests that go to the new pods in this step. A request must meet all conditions of one
   * item.
   */
  readonly matches?: readonly RouteMatch[]
  /** Changes to the headers of requests that go to the new pods. */
  readonly requestHeaderModifier?: HeaderModifier
  /** How long the release stays here. Without `duration` it waits until somebody approves. */
  readonly pause?: Pause
}

/** What the Rollout is doing. Written by the controller. */
export interface RolloutStatusV1alpha1 {
  /** The generation of the spec that this status is about. */
  readonly observedGeneration?: number
  /** What the Rollout is doing, in one word. */
  readonly phase?: RolloutPhase
  /**
   * What the Rollout waits for, shortly. Condition Ready has all of it, with the command that
   * goes on.
   */
  readonly message?: string
  /** Facts about the Rollout, at most one of each type. */
  readonly conditions?: readonly RolloutCondition[]
  /** The release, when `canary` says how. */
  readonly canaryStatus?: CanaryStatus
  /** The release, when `blueGreen` says how. */
  readonly blueGreenStatus?: BlueGreenStatus
}

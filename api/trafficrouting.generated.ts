// DO NOT EDIT: made by api/generate.ts from api/crds/rollouts.kruise.io_trafficroutings.yaml.

import type { KubeObject } from './kubernetes.ts'

/**
 * Routes that are as its strategy says while a Rollout is in a release that names it in
 * annotation `rollouts.kruise.io/trafficrouting`. No Service is made or changed.
 */
export interface TrafficRouting extends KubeObject {
  readonly apiVersion: 'rollouts.kruise.io/v1alpha1'
  readonly kind: 'TrafficRouting'
  /** Which routes, and what becomes of requests. */
  readonly spec: TrafficRoutingSpec
  /** How its routes are. Written by the controller. */
  readonly status?: TrafficRoutingStatus
}

/** Which routes, and what becomes of requests. */
export interface TrafficRoutingSpec {
  /** What sends requests to a Service. One item. */
  readonly objectRef: readonly RoutedService[]
  /** Which requests go to new pods. `matches` win over `weight`. */
  readonly strategy: TrafficRoutingStrategy
}

/** One Service, and the routers that send requests to it. */
export interface RoutedService {
  /** Name of the Service, which stays as it is. */
  readonly service: string
  /** Seconds that a router is given to take over a change. */
  readonly gracePeriodSeconds?: number
  /** An Ingress that sends requests to the Service. */
  readonly ingress?: RoutedIngress
  /** Refused: an HTTPRoute tells Services apart, and here there is one. */
  readonly gateway?: RoutedGateway
  /** Objects of other routers, for example a VirtualService and a DestinationRule of Istio. */
  readonly customNetworkRefs?: readonly RoutedObject[]
}

/** An Ingress that sends requests to the Service. */
export interface RoutedIngress {
  /** Kind of the Ingress controller, for example `mse`; `nginx` is meant when it is empty. */
  readonly classType?: string
  /** Name of the Ingress. */
  readonly name: string
}

/** Refused: an HTTPRoute tells Services apart, and here there is one. */
export interface RoutedGateway {
  /** Name of the HTTPRoute. */
  readonly httpRouteName?: string
}

/** One object of a router. */
export interface RoutedObject {
  /** API group and version of the object. */
  readonly apiVersion: string
  /** Kind of the object. */
  readonly kind: string
  /** Name of the object. */
  readonly name: string
}

/** Which requests go to new pods. `matches` win over `weight`. */
export interface TrafficRoutingStrategy {
  /** Share of the requests that go to new pods, in percent. */
  readonly weight?: number
  /** Requests that go to new pods. A request must meet all conditions of one item. */
  readonly matches?: readonly RequestMatch[]
  /** Changes to the headers of requests that go to new pods. */
  readonly requestHeaderModifier?: HeaderChanges
}

/** Conditions on one request. */
export interface RequestMatch {
  /** Conditions on headers. All of them must be met. */
  readonly headers: readonly RequestHeader[]
}

/** Condition on one header. */
export interface RequestHeader {
  /** How `value` is compared. */
  readonly type?: 'Exact' | 'RegularExpression'
  /** Name, compared without regard to case. */
  readonly name: string
  /** The value. */
  readonly value: string
}

/** Changes to the headers of requests that go to new pods. */
export interface HeaderChanges {
  /** Headers that replace those of the same name. */
  readonly set?: readonly ChangedHeader[]
  /** Headers that are added to those of the same name. */
  readonly add?: readonly ChangedHeader[]
  /** Names of headers that are taken away. */
  readonly remove?: readonly string[]
}

/** One header. */
export interface ChangedHeader {
  /** Name, compared without regard to case. */
  readonly name: string
  /** The value. */
  readonly value: string
}

/** How its routes are. Written by the controller. */
export interface TrafficRoutingStatus {
  /** The generation of the spec that this status is about. */
  readonly observedGeneration?: number
  /**
   * Progressing while a Rollout that names it is in a release; Healthy while none is, and its
   * routes are as their owners wrote them.
   */
  readonly phase?: TrafficRoutingPhase
  /** What it waits for. */
  readonly message?: string
  /** Facts about it, at most one of each type. */
  readonly conditions?: readonly TrafficRoutingCondition[]
}

/**
 * Progressing while a Rollout that names it is in a release; Healthy while none is, and its
 * routes are as their owners wrote them.
 */
export type TrafficRoutingPhase =
  | 'Initial'
  | 'Healthy'
  | 'Progressing'
  | 'Finalizing'
  | 'Terminating'

/** One fact. */
export interface TrafficRoutingCondition {
  /** What the fact is about, always Ready. */
  readonly type: string
  /** True or False. */
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

// The objects that a test begins with.

import type { KubeObject } from '#api/kubernetes.ts'
import { resource } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { SHARDS } from './kinds/resources.ts'

/** Kinds of workloads that a story can be about. */
export const workloadTypes = {
  Deployment: resource('apps/v1', 'deployments', 'Deployment'),
  StatefulSet: resource('apps/v1', 'statefulsets', 'StatefulSet'),
  DaemonSet: resource('apps/v1', 'daemonsets', 'DaemonSet'),
  Shard: SHARDS,
} as const satisfies Readonly<Record<string, ResourceType>>

/** One of them, or another kind that the cluster of the test serves. */
export type StoryKind = keyof typeof workloadTypes | ResourceType

/** Where the API server serves a kind. */
export function typeOf(kind: StoryKind = 'Deployment'): ResourceType {
  return typeof kind === 'string' ? workloadTypes[kind] : kind
}

/** What a test begins with. */
export interface StoryOptions {
  /** Of the workload; Deployment unless given. */
  readonly kind?: StoryKind
  /** What a DaemonSet has by its nodes is only waited for. */
  readonly replicas?: number
  /** Merged into the spec of its pods. */
  readonly pod?: Readonly<Record<string, unknown>>
  /** Merged into the workload's spec: strategy, minReadySeconds, … */
  readonly spec?: Readonly<Record<string, unknown>>
  /** Container image; `broken` in it never gets Ready, `slow` after a second. */
  readonly image?: string
  readonly labels?: Readonly<Record<string, string>>
  /** The steps; `false`: no Rollout yet. */
  readonly steps?: readonly Readonly<Record<string, unknown>>[] | false
  /** Merged into the Rollout's strategy.canary. */
  readonly canary?: Readonly<Record<string, unknown>>
  /** The steps are those of `strategy.blueGreen`. */
  readonly blueGreen?: true
  /** The Rollout is there before its workload. */
  readonly rolloutFirst?: true
  /** Brings the workload instead of the test itself: as many replicas, by the same name. */
  readonly install?: (namespace: string) => Promise<unknown>
}

/** Names in every story. */
export const WORKLOAD = 'web'
export const ROLLOUT = 'web-rollout'

/** The plan of a story that does not say otherwise: 1 pod, half, all. */
export const THREE_STEPS = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }]

/** The workload of a story. */
export function workloadOf(namespace: string, options: StoryOptions): KubeObject {
  const { replicas = 10, spec = {}, pod = {}, labels = {}, image = 'app:1' } = options
  const { apiVersion, kind } = typeOf(options.kind)
  const selected = { app: WORKLOAD }
  const containers = [{ name: 'app', image }]
  return {
    apiVersion,
    kind,
    metadata: { namespace, name: WORKLOAD, labels },
    spec: {
      ...(kind !== 'DaemonSet' && { replicas }),
      selector: { matchLabels: selected },
      template: { metadata: { labels: selected }, spec: { ...pod, containers } },
      ...spec,
    },
  } as KubeObject
}

/** The Rollout of a story. */
export function rolloutOf(namespace: string, options: StoryOptions): KubeObject {
  const { steps = THREE_STEPS, canary = {}, blueGreen = false } = options
  const plan = { steps: steps === false ? [] : steps, ...canary }
  const { apiVersion, kind } = typeOf(options.kind)
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { namespace, name: ROLLOUT },
    spec: {
      workloadRef: { apiVersion, kind, name: WORKLOAD },
      strategy: blueGreen ? { blueGreen: plan } : { canary: plan },
    },
  } as KubeObject
}

// The objects that a test begins with.

import type { KubeObject } from '#api/kubernetes.ts'

/** What a test begins with. */
export interface StoryOptions {
  readonly replicas?: number
  /** Merged into the Deployment's spec: strategy, minReadySeconds, … */
  readonly spec?: Readonly<Record<string, unknown>>
  /** Container image; `broken` in it never gets Ready, `slow` after a second. */
  readonly image?: string
  readonly labels?: Readonly<Record<string, string>>
  /** The steps; `false`: no Rollout yet. */
  readonly steps?: readonly Readonly<Record<string, unknown>>[] | false
  /** Merged into the Rollout's strategy.canary. */
  readonly canary?: Readonly<Record<string, unknown>>
  /** Brings the Deployment instead of the test itself: as many replicas, by the same name. */
  readonly install?: (namespace: string) => Promise<unknown>
}

/** Names in every story. */
export const WORKLOAD = 'web'
export const ROLLOUT = 'web-rollout'

/** The plan of a story that does not say otherwise: 1 pod, half, all. */
export const THREE_STEPS = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }]

/** The Deployment of a story. */
export function deploymentOf(namespace: string, options: StoryOptions): KubeObject {
  const { replicas = 10, spec = {}, labels = {}, image = 'app:1' } = options
  const selected = { app: WORKLOAD }
  const containers = [{ name: 'app', image }]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: WORKLOAD, labels },
    spec: {
      replicas,
      selector: { matchLabels: selected },
      template: { metadata: { labels: selected }, spec: { containers } },
      ...spec,
    },
  } as KubeObject
}

/** The Rollout of a story. */
export function rolloutOf(namespace: string, options: StoryOptions): KubeObject {
  const { steps = THREE_STEPS, canary = {} } = options
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { namespace, name: ROLLOUT },
    spec: {
      workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: WORKLOAD },
      strategy: { canary: { steps: steps === false ? [] : steps, ...canary } },
    },
  } as KubeObject
}

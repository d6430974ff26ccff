// How things stand at the end of a release, so that two ends can be compared: everything that is there,
// without what must differ, which is times, versions and the names that nobody chose.

import type { Deployment, KubeObject, Pod, ReplicaSet } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { equalJson } from '#core/equal.ts'
import type { KubeClient } from '#kube/client.ts'
import { DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'

/** Objects of a namespace in words that are the same in every run. */
export interface End {
  readonly deployments: readonly unknown[]
  readonly replicaSets: readonly unknown[]
  readonly rollouts: readonly unknown[]
  /** Of each pod its labels, which name its revision, its release and its step. */
  readonly pods: readonly string[]
  /** What was told, each once, in no order. */
  readonly events: readonly string[]
}

/** Reads how a namespace stands. */
export async function endOf(client: KubeClient, namespace: string): Promise<End> {
  const list = async <T extends KubeObject>(type: ResourceType<T>) =>
    (await client.listAll(type, { namespace })).items
  const [deployments, replicaSets, rollouts, pods, events] = await Promise.all([
    list<Deployment>(DEPLOYMENTS),
    list<ReplicaSet>(REPLICA_SETS),
    list<Rollout>(ROLLOUTS as ResourceType<Rollout>),
    list<Pod>(PODS),
    list(EVENTS as ResourceType<StoredEvent>),
  ])
  const plain = (object: unknown) => plainOf(object, namespace)
  return {
    deployments: deployments.map(plain),
    replicaSets: replicaSets.map(withoutChance).map(plain),
    rollouts: rollouts.map(plain),
    pods: pods
      .map(({ metadata, status }) => JSON.stringify(plain([metadata.labels, status?.phase])))
      .toSorted(),
    events: events
      .filter(({ source }) => source?.component === 'sluice')
      .map(({ type, reason, message }) => String(plain(`${type} ${reason}: ${message}`)))
      .toSorted(),
  }
}

interface StoredEvent extends KubeObject {
  readonly source?: { readonly component?: string }
  readonly type: string
  readonly reason: string
  readonly message: string
}

/** What depends on when the controller-manager looked, and means nothing any more. */
function withoutChance({ metadata, spec, ...set }: ReplicaSet): unknown {
  // It copies annotations of the Deployment whenever it comes to it.
  const own = Object.entries(metadata.annotations ?? {})
  const annotations = Object.fromEntries(own.filter(([key]) => !key.startsWith('sluice.dev/')))
  const { minReadySeconds, ...rest } = spec
  // Whether a revision was disarmed before its last pod went.
  const armed = spec.replicas === 0 ? {} : { minReadySeconds }
  return { ...set, metadata: { ...metadata, annotations }, spec: { ...rest, ...armed } }
}

/** What no two runs have alike. */
const different = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'observedGeneration',
  'observedWorkloadGeneration',
  'observedWorkloadUID',
  'creationTimestamp',
  'managedFields',
  'time',
  'lastUpdateTime',
  'lastTransitionTime',
  // The label that others write to make our writes conflict.
  'churn',
])

function plainOf(value: unknown, namespace: string): unknown {
  if (typeof value === 'string') return plainText(value).replaceAll(namespace, 'NAMESPACE')
  if (Array.isArray(value)) return value.map(each => plainOf(each, namespace))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value)
    .filter(([key]) => !different.has(key))
    .map(([key, member]) => [key, plainOf(member, namespace)] as const)
    // Where others have written a label there are labels.
    .filter(([key, member]) => key !== 'labels' || !equalJson(member, {}))
  return Object.fromEntries(members)
}

/** Times, and the generation in the name of a release. */
function plainText(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b([0-9a-f]{10})-\d+\b/g, '$1-N')
}

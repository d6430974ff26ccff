// Workloads with a partition of all sorts, as the API server stores them.

import fc from 'fast-check'

import type { KubeObject, PodTemplate } from '#api/kubernetes.ts'
import type { Partitioned } from '#core/workload/partition-object.ts'

type Strategy = NonNullable<Partitioned['spec']['updateStrategy']>

/** As natively stored, as a custom resource may be: with nothing, with little, with other fields. */
const strategies: fc.Arbitrary<Strategy | undefined> = fc.oneof(
  fc.nat(200).map(partition => ({ type: 'RollingUpdate', rollingUpdate: { partition } })),
  fc.constantFrom(
    undefined,
    {},
    { rollingUpdate: {} },
    { type: 'RollingUpdate' },
    { type: 'RollingUpdate', rollingUpdate: {} },
    { rollingUpdate: { maxUnavailable: 2 } },
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '20%', partition: 3 } },
  ),
)

/** A number of pods, or a share of them, as an owner writes it. */
const amounts = fc.oneof(
  fc.nat(200),
  fc.nat(100).map(percent => `${percent}%`),
)

/** What Kruise's own have beside. */
const blocks = fc.record(
  { partition: amounts, maxUnavailable: amounts, paused: fc.boolean() },
  { requiredKeys: [] },
)

const inRollingUpdate: fc.Arbitrary<Strategy | undefined> = fc.oneof(
  strategies,
  blocks.map(rollingUpdate => ({ type: 'RollingUpdate', rollingUpdate })),
)

const inStrategy: fc.Arbitrary<Strategy | undefined> = fc.oneof(
  fc.constant(undefined),
  blocks,
  blocks.map(block => ({ type: 'ReCreate', ...block })),
)

/** StatefulSets of version v1, with all their pods Ready. */
export const statefulSets = objectsOf(ref('apps/v1', 'StatefulSet'), strategies)

/** Those of Kruise. */
export const kruiseStatefulSets = objectsOf(
  ref('apps.kruise.io/v1beta1', 'StatefulSet'),
  inRollingUpdate,
)

/** CloneSets. */
export const cloneSets = objectsOf(ref('apps.kruise.io/v1alpha1', 'CloneSet'), inStrategy)

/** DaemonSets of Kruise, on as many nodes as others have replicas. */
export const kruiseDaemonSets = objectsOf(
  ref('apps.kruise.io/v1alpha1', 'DaemonSet'),
  inRollingUpdate,
).map(object => {
  const { spec, status, ...others } = object as Partitioned
  const { replicas: desiredNumberScheduled = 0, ...rest } = spec
  return { ...others, spec: rest, status: { ...status, desiredNumberScheduled } } as KubeObject
})

function ref(apiVersion: string, kind: string) {
  return { apiVersion, kind }
}

function objectsOf(
  { apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>,
  updateStrategies: fc.Arbitrary<Strategy | undefined>,
): fc.Arbitrary<KubeObject> {
  return fc
    .record({
      replicas: fc.integer({ min: 0, max: 100 }),
      updateStrategy: updateStrategies,
      podManagementPolicy: fc.constantFrom('OrderedReady', 'Parallel'),
      annotations: fc.dictionary(fc.constantFrom('a/b', 'note'), fc.string(), { maxKeys: 2 }),
    })
    .map(({ updateStrategy, annotations, ...spec }) => {
      const labels = { app: 'web', 'rollouts.kruise.io/workload-type': kind.toLowerCase() }
      const named = { namespace: 'shop', name: 'web', uid: 'uid-web', generation: 1, labels }
      return {
        apiVersion,
        kind,
        metadata: Object.keys(annotations).length > 0 ? { ...named, annotations } : named,
        spec: { ...spec, template: templateOf('v1'), ...(updateStrategy && { updateStrategy }) },
        status: { readyReplicas: spec.replicas, observedGeneration: 1 },
      } as KubeObject
    })
}

/** The same workload with another version. */
export function withVersion(object: KubeObject, version: string): KubeObject {
  const { spec, ...others } = object as Partitioned
  return { ...others, spec: { ...spec, template: templateOf(version) } } as KubeObject
}

/** The workload without the field by which it is held. */
export function withoutPartition(object: KubeObject): unknown {
  const { spec, ...others } = object as Partitioned
  const { updateStrategy, ...rest } = spec
  const { rollingUpdate, partition: _, ...strategy } = { ...updateStrategy }
  const { partition: __, ...block } = { ...rollingUpdate }
  return { ...others, spec: { ...rest, strategy, block } }
}

/** The workload as its owner has it who resumes it. */
export function resumed(object: KubeObject): KubeObject {
  const { spec, ...others } = object as Partitioned
  const { updateStrategy: strategy } = spec
  const { rollingUpdate } = { ...strategy }
  const updateStrategy = {
    ...strategy,
    ...(strategy?.paused && { paused: false }),
    ...(rollingUpdate?.paused && { rollingUpdate: { ...rollingUpdate, paused: false } }),
  }
  return { ...others, spec: { ...spec, ...(strategy && { updateStrategy }) } } as KubeObject
}

function templateOf(version: string): PodTemplate {
  const containers = [{ name: 'app', image: `app:${version}` }]
  return { metadata: { labels: { app: 'web' } }, spec: { containers } }
}

// Workloads with a partition of all sorts, as the API server stores them.

import fc from 'fast-check'

import type { KubeObject, PodTemplate } from '#api/kubernetes.ts'
import type { Partitioned } from '#core/workload/partition-fields.ts'

type Strategy = NonNullable<Partitioned['spec']['updateStrategy']>

/** As natively stored, as a custom resource may be: with nothing, with little, with other fields. */
const strategies: fc.Arbitrary<Strategy | undefined> = fc.oneof(
  fc.nat(200).map(partition => ({ type: 'RollingUpdate', rollingUpdate: { partition } })),
  fc.constantFrom(
    undefined,
    { type: 'RollingUpdate' },
    { rollingUpdate: { maxUnavailable: 2 } },
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '20%', partition: 3 } },
  ),
)

/** StatefulSets of version v1, with all their pods Ready. */
export const statefulSets: fc.Arbitrary<KubeObject> = fc
  .record({
    replicas: fc.integer({ min: 0, max: 100 }),
    updateStrategy: strategies,
    podManagementPolicy: fc.constantFrom('OrderedReady', 'Parallel'),
    annotations: fc.dictionary(fc.constantFrom('a/b', 'note'), fc.string(), { maxKeys: 2 }),
  })
  .map(({ updateStrategy, annotations, ...spec }) => {
    const labels = { app: 'web', 'rollouts.kruise.io/workload-type': 'statefulset' }
    const named = { namespace: 'shop', name: 'web', uid: 'uid-web', generation: 1, labels }
    return {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: Object.keys(annotations).length > 0 ? { ...named, annotations } : named,
      spec: { ...spec, template: templateOf('v1'), ...(updateStrategy && { updateStrategy }) },
      status: { readyReplicas: spec.replicas, observedGeneration: 1 },
    } as KubeObject
  })

/** The same workload with another version. */
export function withVersion(object: KubeObject, version: string): KubeObject {
  const { spec, ...others } = object as Partitioned
  return { ...others, spec: { ...spec, template: templateOf(version) } } as KubeObject
}

/** The workload without the field by which it is held. */
export function withoutPartition(object: KubeObject): unknown {
  const { spec, ...others } = object as Partitioned
  const { updateStrategy, ...rest } = spec
  const { rollingUpdate, ...strategy } = { ...updateStrategy }
  const { partition: _, ...block } = { ...rollingUpdate }
  return { ...others, spec: { ...rest, strategy, block } }
}

function templateOf(version: string): PodTemplate {
  const containers = [{ name: 'app', image: `app:${version}` }]
  return { metadata: { labels: { app: 'web' } }, spec: { containers } }
}

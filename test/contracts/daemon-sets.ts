// DaemonSets of all sorts, as the API server stores them.

import fc from 'fast-check'

import type { DaemonSet, KubeObject, PodTemplate } from '#api/kubernetes.ts'

type Strategy = NonNullable<DaemonSet['spec']['updateStrategy']>

/** Of the two amounts the API server wants one to be 0. */
const strategies: fc.Arbitrary<Strategy> = fc.oneof(
  fc
    .oneof(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 100 }).map(n => `${n}%`),
    )
    .map(maxUnavailable => ({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable, maxSurge: 0 },
    })),
  fc.constantFrom(
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '10%' } },
    { type: 'OnDelete' },
    { type: 'OnDelete', rollingUpdate: { maxUnavailable: 2, maxSurge: 0 } },
  ),
)

/** DaemonSets of version v1, with all their pods Ready. */
export const daemonSets: fc.Arbitrary<KubeObject> = fc
  .record({
    nodes: fc.integer({ min: 0, max: 100 }),
    updateStrategy: strategies,
    minReadySeconds: fc.constantFrom(0, 30),
    annotations: fc.dictionary(fc.constantFrom('a/b', 'note'), fc.string(), { maxKeys: 2 }),
  })
  .map(({ nodes, annotations, ...spec }) => {
    const labels = { app: 'web', 'rollouts.kruise.io/workload-type': 'daemonset' }
    const named = { namespace: 'shop', name: 'web', uid: 'uid-web', generation: 1, labels }
    return {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: Object.keys(annotations).length > 0 ? { ...named, annotations } : named,
      spec: { ...spec, template: templateOf('v1') },
      status: {
        observedGeneration: 1,
        desiredNumberScheduled: nodes,
        updatedNumberScheduled: nodes,
        numberReady: nodes,
        numberAvailable: nodes,
      },
    } as KubeObject
  })

/** The same DaemonSet with another version. */
export function withTemplate(object: KubeObject, version: string): KubeObject {
  const { spec, ...others } = object as DaemonSet
  return { ...others, spec: { ...spec, template: templateOf(version) } } as KubeObject
}

/** The DaemonSet without the field by which it is held. */
export function withoutType(object: KubeObject): unknown {
  const { spec, ...others } = object as DaemonSet
  const { updateStrategy, ...rest } = spec
  const { type: _, ...strategy } = { ...updateStrategy }
  return { ...others, spec: { ...rest, strategy } }
}

function templateOf(version: string): PodTemplate {
  const containers = [{ name: 'app', image: `app:${version}` }]
  return { metadata: { labels: { app: 'web' } }, spec: { containers } }
}

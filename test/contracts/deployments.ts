// Deployments of all sorts, as the API server stores them.

import fc from 'fast-check'

import type { Deployment, DeploymentSpec, KubeObject } from '#api/kubernetes.ts'
import { KRUISE_ORIGINAL } from '#api/names.ts'

const amount = (most: number) =>
  fc.oneof(
    fc.integer({ min: 1, max: 100 }).map(percent => `${percent}%`),
    // Numbers that no projection below 100 replicas makes: those cannot be told from ours.
    fc.integer({ min: 501, max: 501 + most }),
  )

const strategies = fc
  .record({ maxUnavailable: amount(5), maxSurge: amount(5) })
  .map(rollingUpdate => ({
    type: 'RollingUpdate',
    rollingUpdate,
  }))

const specs: fc.Arbitrary<DeploymentSpec> = fc
  .record({
    replicas: fc.integer({ min: 0, max: 100 }),
    strategy: strategies,
    minReadySeconds: fc.constantFrom(0, 5, 90),
    progressDeadlineSeconds: fc.constantFrom(100, 600, 2147483647),
    paused: fc.boolean(),
    revisionHistoryLimit: fc.constantFrom(0, 10),
  })
  .map(({ minReadySeconds, paused, ...spec }) => ({
    ...spec,
    // The API server leaves zero values out.
    ...(minReadySeconds > 0 && { minReadySeconds }),
    ...(paused && { paused }),
    selector: { matchLabels: { app: 'web' } },
    template: templateOf('v1'),
  }))

/** Deployments of version v1, with all their pods Ready. */
export const deployments: fc.Arbitrary<KubeObject> = fc
  .record({
    spec: specs,
    annotations: fc.dictionary(fc.constantFrom('a/b', 'c~d', 'note'), fc.string(), { maxKeys: 2 }),
  })
  .map(({ spec, annotations }): Deployment => {
    const labels = { app: 'web', 'rollouts.kruise.io/workload-type': 'deployment' }
    const named = { namespace: 'shop', name: 'web', uid: 'uid-web', generation: 1, labels }
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: Object.keys(annotations).length > 0 ? { ...named, annotations } : named,
      spec,
      status: { readyReplicas: spec.replicas ?? 1, observedGeneration: 1 },
    }
  })

/** The same Deployment with another version. */
export function withImage(object: KubeObject, version: string): KubeObject {
  const deployment = object as Deployment
  return {
    ...deployment,
    spec: { ...deployment.spec, template: templateOf(version) },
  } as KubeObject
}

/** The Deployment without the fields by which it is held, and what is told of them. */
export function withoutHoldFields(object: KubeObject): unknown {
  const { spec, metadata, ...others } = object as Deployment
  const { annotations = {}, ...named } = metadata
  const { [KRUISE_ORIGINAL]: _____, ...notes } = annotations
  const {
    strategy: _,
    minReadySeconds: __,
    progressDeadlineSeconds: ___,
    paused: ____,
    ...rest
  } = spec
  return { ...others, metadata: { ...named, annotations: notes }, spec: rest }
}

function templateOf(version: string): DeploymentSpec['template'] {
  const containers = [{ name: 'app', image: `app:${version}` }]
  return { metadata: { labels: { app: 'web' } }, spec: { containers } }
}

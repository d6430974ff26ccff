// docs/coming-from-kruise-rollouts.md: the cluster as Kruise Rollouts leaves it, and what the page
// promises of each of its blocks.

import { symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { expect } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { CANARY_DEPLOYMENT, KRUISE_CANARY_FINALIZER } from '#api/names.ts'
import { CUSTOM_RESOURCES, DEPLOYMENTS } from '#kube/resources.ts'
import { kubectl } from './commands.ts'
import { DEFAULT_FIELDS, holdFields } from './deployment-facts.ts'
import { pods } from './facts.ts'
import { createKruiseRollout, holdByRecreate, kruiseCrd, register, tellHealthy } from './kruise.ts'
import { workloadOf, rolloutOf } from './manifests.ts'
import type { Story } from './story.ts'
import type { World } from './world.ts'

/** What a page promises after each of its blocks, by the block's name. */
export type Promises = Readonly<Record<string, (story: Story) => Promise<void> | void>>

/** What must be there before the first block of a page. */
export type Preparation = (story: Story, world: World) => Promise<void>

/** Its CRDs, its registration, its manager; one Rollout at rest, and one in the middle of a release. */
export const arrive: Preparation = async (story, { cluster, client }) => {
  const { namespace } = story
  await story.kubectl(['delete', 'rollout', '--all'])
  await story.kubectl(['delete', 'deployment', '--all', '--cascade=foreground'])
  await register(client)
  await kubectl(cluster, ['replace', '-f', '-'], { input: JSON.stringify(kruiseCrd()) })
  // With that in it nobody may put another CRD there.
  await client.mergePatch(
    CUSTOM_RESOURCES,
    { name: 'rollouts.rollouts.kruise.io' },
    { status: { storedVersions: ['v1alpha1', 'v1beta1'] } },
    { subresource: 'status' },
  )
  const manager = 'kruise-rollout-controller-manager'
  await kubectl(cluster, ['create', 'namespace', 'kruise-rollout'])
  const managed = ['create', 'deployment', manager, '--image=manager', '-n', 'kruise-rollout']
  await kubectl(cluster, managed)
  await symlink(join(import.meta.dirname, '..', '..', 'api'), join(cluster.dir, 'api'))
  for (const name of ['web', 'api']) {
    await story.create(named(workloadOf(namespace, { image: `${name}:1` }), name))
    await story.until('10 pods', () => story.now().readyByImage[`${name}:1`] === 10)
    await createKruiseRollout(story, named(rolloutOf(namespace, { steps }), name))
    await tellHealthy(story, name)
  }
  await holdByRecreate(story, 'api', 'api:2')
  await client.create(CUSTOM_RESOURCES, customResource('BatchRelease', 'v1beta1'))
  const batchRelease = {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'BatchRelease',
    metadata: { name: 'api', finalizers: ['rollouts.kruise.io/batch-release-finalizer'] },
  }
  // A kind is served a moment after its definition is accepted.
  const input = JSON.stringify(batchRelease)
  await story.until('a BatchRelease', () =>
    story.kubectl(['apply', '-f', '-'], { input }).then(
      () => true,
      () => false,
    ),
  )
  await story.create(second(namespace))
}

const SECOND = 'shop-x7k2p'

/** The Deployment for the new pods of a canary release; nobody wants pods of it any more. */
function second(namespace: string): KubeObject {
  const made = named(workloadOf(namespace, { replicas: 0, image: 'shop:2' }), SECOND)
  const labels = { [CANARY_DEPLOYMENT]: 'shop' }
  const finalizers = [KRUISE_CANARY_FINALIZER]
  return { ...made, metadata: { ...made.metadata, labels, finalizers } }
}

const steps = [{ replicas: 1 }, { replicas: '30%' }, { replicas: '60%' }, { replicas: '100%' }]

/** The object of a story by another name, its workload and pods as well. */
function named(object: KubeObject, name: string): KubeObject {
  const text = JSON.stringify({ ...object, metadata: { ...object.metadata, name } })
  return JSON.parse(text.replaceAll('"web"', JSON.stringify(name))) as KubeObject
}

function customResource(kind: string, version: string): KubeObject {
  const singular = kind.toLowerCase()
  const names = { kind, singular, plural: `${singular}s` }
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const group = 'rollouts.kruise.io'
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${group}` },
    spec: {
      group,
      names,
      scope: 'Namespaced',
      versions: [
        { name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } },
      ],
    },
  } as KubeObject
}

/** What docs/coming-from-kruise-rollouts.md says. */
export const arriving: Promises = {
  'kruise-look': s => s.forget(),
  'kruise-stored': async s => {
    const name = 'rollouts.rollouts.kruise.io'
    const { status } = await s.client.get(CUSTOM_RESOURCES, { name })
    expect(status!.storedVersions).toEqual(['v1beta1'])
    await pods(s, { 'web:1': 10, 'api:1': 9, 'api:2': 1 })
  },
  'kruise-stop': s => pods(s, { 'web:1': 10, 'api:1': 9, 'api:2': 1 }),
  'kruise-crd': s => pods(s, { 'web:1': 10, 'api:1': 9, 'api:2': 1 }),
  'kruise-taken': async s => {
    await pods(s, { 'web:1': 9, 'web:taken': 1 })
    expect(s.history().every(({ wanted }) => (wanted['web:1'] ?? 0) >= 9)).toBe(true)
  },
  'kruise-adopt': s => pods(s, { 'api:1': 9, 'api:2': 1 }),
  'kruise-mend': async s => {
    await pods(s, { 'api:1': 0, 'api:2': 10 })
    const api = await s.client.get(DEPLOYMENTS, { namespace: s.namespace, name: 'api' })
    expect(holdFields(api)).toEqual(DEFAULT_FIELDS)
    const fewest = Math.min(
      ...s
        .history()
        .map(({ readyByImage: ready }) => (ready['api:1'] ?? 0) + (ready['api:2'] ?? 0)),
    )
    expect(fewest).toBeGreaterThanOrEqual(8)
  },
  'kruise-lingers': async s => {
    await s.until('no CRD of theirs', async () => {
      const { items } = await s.client.listAll(CUSTOM_RESOURCES)
      return items.every(({ metadata }) => metadata.name !== 'batchreleases.rollouts.kruise.io')
    })
    const { metadata } = await s.client.get(DEPLOYMENTS, { namespace: s.namespace, name: SECOND })
    expect(metadata.finalizers).toBeUndefined()
  },
}

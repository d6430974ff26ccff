// What Kruise Rollouts leaves in a cluster, as its specification says: its CRD, its registration, what its
// manager writes on Rollouts and Deployments. The manager itself is played where one is needed.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'yaml'

import type { KubeObject } from '#api/kubernetes.ts'
import { KRUISE_FINALIZER, KRUISE_WEBHOOKS } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Conflict } from '#kube/errors.ts'
import { Reflector } from '#kube/reflector.ts'
import { DEPLOYMENTS, MUTATING_WEBHOOKS, ROLLOUTS, VALIDATING_WEBHOOKS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { removed } from '../../dev/removed.ts'
import type { Story } from './story.ts'

type Json = Record<string, unknown>
const rolloutType = ROLLOUTS as ResourceType<Rollout>
const service = { name: 'kruise-rollout-webhook-service', namespace: 'kruise-rollout' }
const file = join(import.meta.dirname, '..', '..', 'api/crds/rollouts.kruise.io_rollouts.yaml')

/** Its CRD of Rollouts: two versions, a conversion by its manager, and none of our additions. */
export function kruiseCrd(): KubeObject {
  const crd = JSON.parse(JSON.stringify(parse(readFileSync(file, 'utf8')))) as KubeObject & {
    readonly spec: Json & { readonly versions: [Json & { schema: { openAPIV3Schema: object } }] }
  }
  const [beta] = crd.spec.versions
  const { properties } = beta.schema.openAPIV3Schema as Schema
  delete properties['status']!.properties['canaryStatus']!.properties['observedRelease']
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const alpha = {
    name: 'v1alpha1',
    served: true,
    storage: false,
    subresources: { status: {} },
    schema: {
      openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } },
    },
  }
  const webhook = {
    clientConfig: { service: { ...service, path: '/convert' } },
    conversionReviewVersions: ['v1beta1'],
  }
  const conversion = { strategy: 'Webhook', webhook }
  return { ...crd, spec: { ...crd.spec, conversion, versions: [alpha, beta] } } as KubeObject
}

interface Schema {
  readonly properties: Record<string, Schema>
}

/** Registers it. Nobody answers for it here, so its webhooks may not refuse anything. */
export async function register(client: KubeClient): Promise<void> {
  const [mutating, validating] = registrations
  await client.create(validating.type, configuration(validating))
  await client.create(mutating.type, configuration(mutating))
}

/** Takes its registration away. */
export async function unregister(client: KubeClient): Promise<void> {
  for (const { type, name } of registrations) await removed(client, type, { name })
}

const registrations = [
  {
    type: MUTATING_WEBHOOKS,
    name: KRUISE_WEBHOOKS,
    path: '/mutate-apps-v1-deployment',
    rule: { apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] },
  },
  {
    type: VALIDATING_WEBHOOKS,
    name: 'kruise-rollout-validating-webhook-configuration',
    path: '/validate-rollouts-kruise-io-rollout',
    rule: {
      apiGroups: ['rollouts.kruise.io'],
      apiVersions: ['v1alpha1', 'v1beta1'],
      resources: ['rollouts'],
    },
  },
] as const

function configuration({ type, name, path, rule }: (typeof registrations)[number]): KubeObject {
  return {
    apiVersion: type.apiVersion,
    kind: type.kind,
    metadata: { name },
    webhooks: [
      {
        name: 'one.kb.io',
        clientConfig: { service: { ...service, path } },
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        timeoutSeconds: 1,
        admissionReviewVersions: ['v1', 'v1beta1'],
        rules: [{ ...rule, operations: ['UPDATE'] }],
      },
    ],
  } as KubeObject
}

/** A Rollout of its, with its finalizer and its hash. */
export async function createKruiseRollout(
  { client }: Story,
  { metadata, ...rest }: KubeObject,
): Promise<void> {
  const annotations = { 'rollouts.kruise.io/hash': 'b'.repeat(64) }
  const finalizers = [KRUISE_FINALIZER]
  const object = { ...rest, metadata: { ...metadata, annotations, finalizers } }
  await client.create(rolloutType, object, { fieldManager: 'manager' })
}

/** Its status after a release: the stable revision is that of the version before. */
export async function tellHealthy(story: Story, name: string): Promise<void> {
  const time = '2026-01-01T00:00:00Z'
  const told = { lastUpdateTime: time, lastTransitionTime: time }
  const message = 'Rollout progressing has been completed'
  const status = {
    observedGeneration: 1,
    phase: 'Healthy',
    message,
    currentStepIndex: 3,
    currentStepState: 'Completed',
    conditions: [
      { type: 'Progressing', status: 'False', reason: 'Completed', message, ...told },
      { type: 'Succeeded', status: 'True', reason: '', message: '', ...told },
    ],
    canaryStatus: {
      observedWorkloadGeneration: 1,
      observedRolloutID: '5c8d7b9f44',
      rolloutHash: 'b'.repeat(64),
      stableRevision: '7f9c6d5b88',
      canaryRevision: '5c8d7b9f44',
      podTemplateHash: '6b7f9d8c55',
      currentStepIndex: 3,
      nextStepIndex: -1,
      currentStepState: 'Completed',
      finalisingStep: 'END',
      canaryReplicas: 10,
      canaryReadyReplicas: 10,
      lastUpdateTime: time,
      message: 'BatchRelease is at state Ready, rollout-id 5c8d7b9f44, step 3',
    },
  }
  await story.kubectl([
    'patch',
    'rollout',
    name,
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status }),
  ])
}

/**
 * Brings the Deployment to where its release leaves it at step 1: one of 10 is new, the rest is held by a
 * pause and `Recreate`. Its own controller makes the new ReplicaSet; here the native one has to.
 */
export async function holdByRecreate(story: Story, name: string, image: string): Promise<void> {
  const { client, namespace } = story
  const ref = { namespace, name }
  const { spec } = await client.get(DEPLOYMENTS, ref)
  const { rollingUpdate } = spec.strategy!
  const containers = [{ name: 'app', image }]
  await client.mergePatch(DEPLOYMENTS, ref, {
    spec: {
      template: { spec: { containers } },
      strategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      minReadySeconds: 2147483646,
      progressDeadlineSeconds: 2147483647,
    },
  })
  await story.until('one new pod', () => {
    const { wanted, readyByImage } = story.now()
    return wanted[image] === 1 && readyByImage[image] === 1
  })
  const kept = { rollingStyle: 'Partition', rollingUpdate, partition: '10%' }
  const owner = { kind: 'BatchRelease', name, uid: 'gone', controller: true }
  await client.mergePatch(DEPLOYMENTS, ref, {
    metadata: {
      labels: {
        'rollouts.kruise.io/workload-type': 'deployment',
        'rollouts.kruise.io/controlled-by-advanced-deployment-controller': 'true',
      },
      annotations: {
        'rollouts.kruise.io/in-progressing': JSON.stringify({ rolloutName: name }),
        'batchrelease.rollouts.kruise.io/control-info': JSON.stringify(owner),
        'rollouts.kruise.io/deployment-strategy': JSON.stringify(kept),
        'rollouts.kruise.io/deployment-extra-status': '{"updatedReadyReplicas":1}',
      },
    },
    spec: {
      paused: true,
      strategy: { type: 'Recreate', rollingUpdate: null },
      minReadySeconds: null,
      progressDeadlineSeconds: 600,
    },
  })
}

/** A manager that runs without being registered; gives what ends it. */
export function playManager({ client, namespace }: Story): () => Promise<void> {
  const end = new AbortController()
  const cache = new Cache<Rollout>()
  let played = Promise.resolve()
  cache.onChange((_, rollout) => {
    if (rollout) played = played.then(() => putBack(client, rollout))
  })
  const scope = { client, type: rolloutType, cache, namespace }
  const reflector = new Reflector<Rollout, Rollout>({ ...scope, project: rollout => rollout })
  const watched = reflector.run(end.signal)
  return async () => {
    end.abort()
    await watched
    await played
  }
}

/** Puts its finalizer on a Rollout that does not have it. */
async function putBack(client: KubeClient, { metadata }: Rollout): Promise<void> {
  const { namespace = '', name, finalizers = [], resourceVersion } = metadata
  if (finalizers.includes(KRUISE_FINALIZER)) return
  const patch = { metadata: { resourceVersion, finalizers: [...finalizers, KRUISE_FINALIZER] } }
  try {
    await client.mergePatch(rolloutType, { namespace, name }, patch)
  } catch (error) {
    // Somebody has written meanwhile: that is heard of, too.
    if (!(error instanceof Conflict)) throw error
  }
}

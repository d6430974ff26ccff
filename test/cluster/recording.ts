// Sequences of operations told to the real controller-manager. After each one it is let come to rest,
// which is a fact: every ReplicaSet counts the pods that it asks for, and each that can be Ready as
// Ready; and a sync of the Deployment that began with the ReplicaSets as they are has changed none.

import type { Deployment, KubeObject, ReplicaSet } from '#api/kubernetes.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import { DEPLOYMENTS, NAMESPACES, REPLICA_SETS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { NAME, factsOf, sequenceOf, specOf, writeOf } from '../world/operations.ts'
import type { SetFacts, Write } from '../world/operations.ts'
import type { Recording, Turn } from '../world/replay.ts'
import { untilSeen } from './cache-facts.ts'
import { startPulse } from './pulse.ts'
import type { Pulse } from './pulse.ts'

/** Plays sequences against one control plane, as many at once as are asked for. */
export interface Recorder {
  /** The sequence of a seed, in a namespace of its own. */
  readonly record: (seed: number) => Promise<Recording>
  readonly stop: () => Promise<void>
}

interface Watched {
  readonly client: KubeClient
  readonly deployments: Cache<Deployment>
  readonly sets: Cache<ReplicaSet>
  readonly pulse: Pulse
}

/** Begins to watch all namespaces. */
export async function startRecorder(client: KubeClient): Promise<Recorder> {
  const byNamespace = { namespace: ({ metadata }: KubeObject) => [metadata.namespace ?? ''] }
  const deployments = new Cache<Deployment>({ indexes: byNamespace })
  const sets = new Cache<ReplicaSet>({ indexes: byNamespace })
  const whole = <T>(object: T) => object
  const reflectors = [
    new Reflector({ client, type: DEPLOYMENTS, cache: deployments, project: whole }),
    new Reflector({ client, type: REPLICA_SETS, cache: sets, project: whole }),
  ]
  const forever = new AbortController()
  const running = reflectors.map(reflector => reflector.run(forever.signal))
  await Promise.all([deployments.synced, sets.synced])
  const pulse = await startPulse(client, sets)
  const watched = { client, deployments, sets, pulse }
  return {
    record: seed => record(watched, seed),
    async stop() {
      forever.abort()
      await Promise.all(running)
    },
  }
}

async function record(watched: Watched, seed: number): Promise<Recording> {
  const { client } = watched
  const { start, operations } = sequenceOf(seed)
  const namespace = `run-${seed}-${Math.random().toString(36).slice(2, 8)}`
  const place = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  await client.create(NAMESPACES, place)
  const metadata = { namespace, name: NAME, labels: { app: NAME } }
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: specOf(start) }
  await client.create(DEPLOYMENTS, object)
  const begun = await rest(watched, namespace)
  const turns: Turn[] = []
  let sets = begun
  for (const operation of operations) {
    const { spec } = watched.deployments.get(namespace, NAME)!
    const { replicas = 1, strategy } = spec
    const rollingUpdate = strategy?.rollingUpdate ?? {}
    const write = writeOf(operation, { replicas, rollingUpdate }, sets)
    await send(watched, namespace, write)
    sets = await rest(watched, namespace)
    turns.push({ operation, write, sets })
  }
  await client.remove(DEPLOYMENTS, { namespace, name: NAME }, { propagation: 'Background' })
  return { seed, start, begun, turns }
}

/** Writes, and waits until the write is known here. */
async function send(watched: Watched, namespace: string, write: Write): Promise<void> {
  const { kind, name, subresource, patch } = write
  const [type, cache] =
    kind === 'Deployment'
      ? ([DEPLOYMENTS, watched.deployments] as const)
      : ([REPLICA_SETS, watched.sets] as const)
  const options = subresource ? { subresource } : {}
  const { metadata } = await watched.client.mergePatch(
    type as ResourceType,
    { namespace, name },
    patch,
    options,
  )
  const written = BigInt(metadata.resourceVersion!)
  await until(watched, namespace, () => BigInt(cache.resourceVersion) >= written)
}

/** Waits until nothing can change any more, and gives the ReplicaSets, oldest first. */
async function rest(watched: Watched, namespace: string): Promise<readonly SetFacts[]> {
  const { client, deployments, sets, pulse } = watched
  const at = { namespace, name: NAME }
  for (;;) {
    await until(watched, namespace, () => isStill(watched, namespace))
    const before = versions(sets, namespace)
    await pulse.beat()
    // The annotation is one that the controller-manager does not copy to ReplicaSets.
    const annotations = { [TOUCHED]: before }
    const { metadata } = await client.mergePatch(DEPLOYMENTS, at, { metadata: { annotations } })
    const { generation = 0 } = metadata
    const observed = () =>
      (deployments.get(namespace, NAME)?.status?.observedGeneration ?? 0) >= generation
    await until(watched, namespace, observed)
    await pulse.known(deployments.get(namespace, NAME)!.metadata.resourceVersion!)
    if (versions(sets, namespace) === before && isStill(watched, namespace)) {
      return ownSets(sets, namespace).map(factsOf)
    }
  }
}

const TOUCHED = 'kubectl.kubernetes.io/last-applied-configuration'

function versions(sets: Cache<ReplicaSet>, namespace: string): string {
  return ownSets(sets, namespace)
    .map(({ metadata }) => `${metadata.name}:${metadata.resourceVersion}`)
    .join(' ')
}

function ownSets(sets: Cache<ReplicaSet>, namespace: string): readonly ReplicaSet[] {
  const order = ({ metadata }: ReplicaSet) => `${metadata.creationTimestamp} ${metadata.name}`
  return sets.byIndex('namespace', namespace).toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
}

function isStill({ deployments, sets }: Watched, namespace: string): boolean {
  const deployment = deployments.get(namespace, NAME)
  if (!deployment) return false
  const { metadata, status = {} } = deployment
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false
  const own = ownSets(sets, namespace)
  const counted = own.map(set => set.status?.replicas ?? 0).reduce((a, b) => a + b, 0)
  return (status.replicas ?? 0) === counted && own.every(isFull) && isCleanedUp(deployment, own)
}

/** A touched Deployment counts as complete one sync later only: that one takes old ReplicaSets away. */
function isCleanedUp({ spec, status }: Deployment, own: readonly ReplicaSet[]): boolean {
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = { ...status }
  const counts = [updatedReplicas, replicas, availableReplicas]
  const complete = !spec.paused && counts.every(count => count === spec.replicas)
  return !complete || own.length <= 1 + (spec.revisionHistoryLimit ?? 10)
}

/** As many pods as it asks for, all that can be Ready are, and its status says so. */
function isFull(set: ReplicaSet): boolean {
  const { metadata, status = {} } = set
  const { replicas, image, minReadySeconds } = factsOf(set)
  const able = image.includes('broken') ? 0 : replicas
  const counts = [
    [status.replicas, replicas],
    [status.readyReplicas, able],
    [status.availableReplicas, minReadySeconds === 0 ? able : 0],
  ] as const
  return (
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    counts.every(([is = 0, wanted]) => is === wanted)
  )
}

async function until(watched: Watched, namespace: string, fact: () => boolean): Promise<void> {
  const { deployments, sets } = watched
  await untilSeen([deployments, sets], fact, () => notCome(watched, namespace))
}

function notCome({ deployments, sets }: Watched, namespace: string): string {
  const { metadata, spec, status } = { ...deployments.get(namespace, NAME) }
  const own = sets.byIndex('namespace', namespace)
  const facts = {
    deployment: { generation: metadata?.generation, strategy: spec?.strategy, status },
    sets: own.map(set => ({ ...factsOf(set), status: set.status })),
  }
  return `${namespace} did not come to rest: ${JSON.stringify(facts)}`
}

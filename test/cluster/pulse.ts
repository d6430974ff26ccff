// A proof that the controller-manager knows all ReplicaSets as they are. It reads them from one watch,
// in the order in which they were written: so when it has mended a ReplicaSet that was spoiled just
// now, it has seen every write before that.

import type { Deployment, ReplicaSet } from '#api/kubernetes.ts'
import type { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { DEPLOYMENTS, NAMESPACES, REPLICA_SETS } from '#kube/resources.ts'
import { untilSeen } from './cache-facts.ts'

/** Asks the controller-manager, for all who want to know at once. */
export interface Pulse {
  /** Fulfilled when the controller-manager and `sets` know every ReplicaSet as it is now, or later. */
  readonly beat: () => Promise<void>
  /** Fulfilled when `sets` knows every ReplicaSet as it was at that resourceVersion, or later. */
  readonly known: (resourceVersion: string) => Promise<void>
}

const NAME = 'pulse'
const REVISION = 'deployment.kubernetes.io/revision'

/**
 * Makes the ReplicaSet that is spoiled again and again. `sets` watches all namespaces, with the index
 * `namespace`.
 */
export async function startPulse(client: KubeClient, sets: Cache<ReplicaSet>): Promise<Pulse> {
  const namespace = `${NAME}-${Math.random().toString(36).slice(2, 8)}`
  const place = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  await client.create(NAMESPACES, place)
  const metadata = { namespace, name: NAME }
  const labels = { app: NAME }
  const containers = [{ name: 'app', image: 'app:1' }]
  const spec = {
    replicas: 0,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  }
  const object: Deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }
  await client.create(DEPLOYMENTS, object)
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const beat = () => {
    // The one that runs may have begun too early for who asks now.
    next ??= (async () => {
      await running
      running = next
      next = undefined
      await beatOnce(client, sets, namespace)
    })()
    return next
  }
  await mended(sets, namespace, 0n)
  return {
    beat,
    async known(version) {
      while (BigInt(sets.resourceVersion) < BigInt(version)) await beat()
    },
  }
}

async function beatOnce(client: KubeClient, sets: Cache<ReplicaSet>, namespace: string) {
  const [set] = sets.byIndex('namespace', namespace)
  const { name } = set!.metadata
  const spoiled = { metadata: { annotations: { [REVISION]: null } } }
  const { metadata } = await client.mergePatch(REPLICA_SETS, { namespace, name }, spoiled)
  await mended(sets, namespace, BigInt(metadata.resourceVersion!))
}

/** The controller-manager has written the ReplicaSet after that version. */
async function mended(sets: Cache<ReplicaSet>, namespace: string, after: bigint): Promise<void> {
  const isMended = () => {
    const [set] = sets.byIndex('namespace', namespace)
    const { annotations, resourceVersion = '0' } = { ...set?.metadata }
    return annotations?.[REVISION] !== undefined && BigInt(resourceVersion) > after
  }
  await untilSeen([sets], isMended, () => `the controller-manager does not mend ${namespace}`)
}

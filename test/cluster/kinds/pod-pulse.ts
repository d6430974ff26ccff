// A proof that the controller-manager knows all pods as they are. All its controllers look into one store of
// pods, fed by one watch in the order of the writes: so when it has counted a label that was changed just
// now, it knows every write before that.

import type { ReplicaSet } from '#api/kubernetes.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import { NAMESPACES, PODS, REPLICA_SETS } from '#kube/resources.ts'
import { untilSeen } from '../cache-facts.ts'

/** Asks the controller-manager, for all who want to know at once. */
export interface PodPulse {
  /** Fulfilled when the controller-manager knows every pod as it is now, or later. */
  readonly beat: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** As a ReplicaSet counts it: the pods that carry all labels of its template. */
type Counted = ReplicaSet & { readonly status?: { readonly fullyLabeledReplicas?: number } }

const NAME = 'pulse'

/** Makes the pod whose label is changed again and again; nobody runs it. */
export async function startPodPulse(client: KubeClient): Promise<PodPulse> {
  const namespace = `${NAME}-${Math.random().toString(36).slice(2, 8)}`
  const sets = new Cache<Counted>()
  const end = new AbortController()
  const project = (set: Counted) => set
  await client.create(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  })
  await client.create(REPLICA_SETS, replicaSetOf(namespace))
  void new Reflector({ client, namespace, type: REPLICA_SETS, cache: sets, project }).run(
    end.signal,
  )
  const counts = (full: number) =>
    untilSeen(
      [sets],
      () => {
        const { replicas, fullyLabeledReplicas = 0 } = { ...sets.get(namespace, NAME)?.status } as {
          readonly replicas?: number
          readonly fullyLabeledReplicas?: number
        }
        return replicas === 1 && fullyLabeledReplicas === full
      },
      () => `the controller-manager does not count ${full} of ${namespace}`,
    )
  await counts(1)
  const { items } = await client.listAll(PODS, { namespace })
  const ref = { namespace, name: items[0]!.metadata.name }
  let full = 1
  const beatOnce = async () => {
    full = 1 - full
    const labels = { beat: full === 1 ? NAME : 'other' }
    await client.mergePatch(PODS, ref, { metadata: { labels } })
    await counts(full)
  }
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  return {
    beat() {
      // The one that runs may have begun too early for who asks now.
      next ??= (async () => {
        await running
        running = next
        next = undefined
        await beatOnce()
      })()
      return next
    },
    async stop() {
      end.abort()
      await client.remove(NAMESPACES, { name: namespace })
    },
  }
}

function replicaSetOf(namespace: string): ReplicaSet {
  const selected = { app: NAME }
  const containers = [{ name: 'app', image: 'app:1' }]
  const template = {
    metadata: { labels: { ...selected, beat: NAME } },
    spec: { containers, schedulerName: 'nobody' },
  }
  const spec = { replicas: 1, selector: { matchLabels: selected }, template }
  const { apiVersion, kind } = REPLICA_SETS
  return { apiVersion, kind, metadata: { namespace, name: NAME }, spec }
}

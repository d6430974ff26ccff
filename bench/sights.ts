// What the bench sees of the cluster, by watches of its own: a fact has the moment at which its event
// arrived here, as for any client.

import type { Deployment, KubeObject, Pod, ReplicaSet } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { seePod } from '#core/workload/seen.ts'
import type { PodSeen } from '#core/workload/seen.ts'
import { Cache } from '#kube/cache.ts'
import type { Cached } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import { DEPLOYMENTS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'

/** Everything that a release touches, in all namespaces; each cache has the index `namespace`. */
export interface Sights {
  readonly deployments: Cache<Deployment>
  readonly replicaSets: Cache<ReplicaSet>
  readonly pods: Cache<PodSeen>
  readonly rollouts: Cache<Rollout>
  /** Watches one kind more, in one namespace, until it is closed. */
  readonly watch: <T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string,
  ) => Promise<{ readonly cache: Cache<T>; readonly close: () => void }>
  /** The moment (`performance.now`) at which the fact came; at once if it is there. */
  readonly when: (expected: string, fact: () => boolean) => Promise<number>
}

const patienceMs = 300_000

/** Begins to watch. */
export async function watchEverything(
  client: KubeClient,
): Promise<{ readonly sights: Sights; readonly close: () => void }> {
  const end = new AbortController()
  const waiting = new Set<() => void>()
  const look = () => {
    for (const check of waiting) check()
  }
  const cacheOf = <T extends KubeObject, P extends Cached>(
    type: ResourceType<T>,
    project: (object: T) => P,
  ) => {
    const cache = new Cache<P>({
      indexes: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
    })
    cache.onChange(look)
    void new Reflector({ client, type, cache, project }).run(end.signal)
    return cache
  }
  const deployments = cacheOf(DEPLOYMENTS, each => each)
  const replicaSets = cacheOf(REPLICA_SETS, each => each)
  const pods = cacheOf<Pod, PodSeen>(PODS, seePod)
  const rollouts = cacheOf(ROLLOUTS as ResourceType<Rollout>, each => each)
  await Promise.all([deployments, replicaSets, pods, rollouts].map(cache => cache.synced))
  const when: Sights['when'] = (expected, fact) => {
    if (fact()) return Promise.resolve(performance.now())
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const check = () => fact() && resolve(performance.now())
    const late = setTimeout(() => reject(new Error(`did not come: ${expected}`)), patienceMs)
    waiting.add(check)
    return promise.finally(() => {
      clearTimeout(late)
      waiting.delete(check)
    })
  }
  const watch: Sights['watch'] = async <T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string,
  ) => {
    const [cache, closed] = [new Cache<T>(), new AbortController()]
    cache.onChange(look)
    const signal = AbortSignal.any([end.signal, closed.signal])
    void new Reflector<T, T>({ client, type, cache, namespace, project: each => each }).run(signal)
    await cache.synced
    return { cache, close: () => closed.abort() }
  }
  const sights = { deployments, replicaSets, pods, rollouts, watch, when }
  return { sights, close: () => end.abort() }
}

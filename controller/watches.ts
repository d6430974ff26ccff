// What is watched, and what wakes what. Every event leads to the key of one workload: a decision is
// about a workload, whichever of its objects changed.

import type { Deployment, Pod, ReplicaSet } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { keyOf, workloadKey } from '#core/rollout/key.ts'
import { seeDeployment, seePod, seeReplicaSet } from '#core/workload/deployment-seen.ts'
import type { DeploymentSeen, PodSeen, ReplicaSetSeen } from '#core/workload/deployment-seen.ts'
import { Cache } from '#kube/cache.ts'
import type { Cached } from '#kube/cache.ts'
import type { KubeClient, Scope } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import type { ReflectorNews } from '#kube/reflector.ts'
import { DEPLOYMENTS, MUTATING_WEBHOOKS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType, WebhookConfiguration } from '#kube/resources.ts'

/** Everything that the controller knows of the cluster. */
export interface Watches {
  readonly rollouts: Cache<Rollout>
  readonly deployments: Cache<DeploymentSeen>
  readonly replicaSets: Cache<ReplicaSetSeen>
  readonly pods: Cache<PodSeen>
  readonly configurations: Cache<WebhookConfiguration>
  /** Fulfilled when each has its first complete list. */
  readonly synced: Promise<unknown>
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<unknown>
}

/** How the watches are made. */
export interface WatchesOptions {
  readonly client: KubeClient
  /** Name of the mutating webhook configuration. */
  readonly configuration: string
  /** Called with the key of a workload for which something changed. */
  readonly wake: (key: string) => void
  readonly onNews: (resource: string, news: ReflectorNews) => void
  readonly onListenerError: (error: unknown) => void
}

/** Makes the caches and connects them to the queue. */
export function createWatches(options: WatchesOptions): Watches {
  const { onListenerError, configuration } = options
  const rollouts = new Cache<Rollout>({
    indexes: { workload: rollout => [workloadKey(rollout)] },
    onListenerError,
  })
  const deployments = new Cache<DeploymentSeen>({
    indexes: { uid: seen => [seen.metadata.uid] },
    onListenerError,
  })
  const replicaSets = new Cache<ReplicaSetSeen>({
    indexes: { uid: set => [set.metadata.uid], owner: set => [set.ownerUid] },
    onListenerError,
  })
  const pods = new Cache<PodSeen>({ indexes: { owner: pod => [pod.ownerUid] }, onListenerError })
  const configurations = new Cache<WebhookConfiguration>({ onListenerError })
  const caches = { rollouts, deployments, replicaSets, pods, configurations }
  wakeOnChange(caches, options.wake)

  const reflectors = [
    reflect<Rollout, Rollout>(options, ROLLOUTS as ResourceType<Rollout>, rollouts, keep),
    reflect<Deployment, DeploymentSeen>(options, DEPLOYMENTS, deployments, seeDeployment),
    reflect<ReplicaSet, ReplicaSetSeen>(options, REPLICA_SETS, replicaSets, seeReplicaSet),
    reflect<Pod, PodSeen>(options, PODS, pods, seePod),
    reflect(options, MUTATING_WEBHOOKS, configurations, keep, {
      fieldSelector: `metadata.name=${configuration}`,
    }),
  ]
  return {
    ...caches,
    synced: Promise.all(Object.values(caches).map(cache => cache.synced)),
    run: signal => Promise.all(reflectors.map(reflector => reflector.run(signal))),
  }
}

function reflect<T extends Parameters<typeof keep>[0], P extends Cached>(
  { client, onNews }: WatchesOptions,
  type: ResourceType<T>,
  cache: Cache<P>,
  ...[project, scope]: [project: (object: T) => P, scope?: Scope]
): Reflector<T, P> {
  const options = { client, type, cache, project, ...scope }
  return new Reflector({ ...options, onNews: news => onNews(type.plural, news) })
}

type Caches = Omit<Watches, 'synced' | 'run'>

function wakeOnChange(caches: Caches, wake: (key: string) => void): void {
  const { rollouts, deployments, replicaSets, pods, configurations } = caches
  const wakeDeployment = (seen: DeploymentSeen) => {
    const key = deploymentKey(seen)
    const ours = seen.guarded || seen.hold !== undefined
    if (ours || rollouts.byIndex('workload', key).length > 0) wake(key)
  }
  const wakeOwner = (uid: string) => deployments.byIndex('uid', uid).forEach(wakeDeployment)
  const wakeSetOwner = (uid: string) =>
    replicaSets.byIndex('uid', uid).forEach(set => wakeOwner(set.ownerUid))

  // Both, since a Rollout may have named another workload before.
  rollouts.onChange((before, after) => {
    for (const rollout of [before, after]) if (rollout) wake(workloadKey(rollout))
  })
  deployments.onChange((before, after) => wakeDeployment((after ?? before)!))
  replicaSets.onChange((before, after) => wakeOwner((after ?? before)!.ownerUid))
  pods.onChange((before, after) => wakeSetOwner((after ?? before)!.ownerUid))
  configurations.onChange(() => rollouts.list().forEach(rollout => wake(workloadKey(rollout))))
}

/** The key of a Deployment. */
export function deploymentKey({ metadata: { namespace, name } }: DeploymentSeen): string {
  return keyOf({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
}

function keep<T extends WebhookConfiguration | Rollout>(object: T): T {
  return object
}

// What is watched, and what wakes what. Every event leads to the key of one workload: a decision is
// about a workload, whichever of its objects changed.

import { KRUISE_WEBHOOKS } from '#api/names.ts'
import type { ControllerRevision, Pod, ReplicaSet } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { refOf } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { routingOf } from '#core/rollout/parse.ts'
import type { Answers } from '#core/script.ts'
import type { Instant } from '#core/time.ts'
import type { Routing } from '#core/traffic/model.ts'
import type { Traffic } from '#core/traffic/routed.ts'
import { routingsIn } from '#core/traffic-routing/keys.ts'
import type { Snapshot } from '#core/rollout/model.ts'
import { heldBy } from '#core/workload/registry.ts'
import { seePod, seeReplicaSet, seeRevision } from '#core/workload/seen.ts'
import type {
  Owned,
  PodSeen,
  ReplicaSetSeen,
  RevisionSeen,
  WorkloadSeen,
} from '#core/workload/seen.ts'
import { Cache } from '#kube/cache.ts'
import { CONTROLLER_REVISIONS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType, WebhookConfiguration } from '#kube/resources.ts'
import { createKinds, keyOfSeen, kindOf, madeFor, nameIn, workloadOf } from './kinds.ts'
import { createRequests, routedNames } from './requests.ts'
import type { Requests } from './requests.ts'
import { createRoutings } from './routings.ts'
import type { Routings } from './routings.ts'
import type { Kind, KindsOptions, Sight } from './kinds.ts'
import { reflect, reflectConfiguration } from './reflections.ts'
import type { ReflectOptions } from './reflections.ts'
import type { Version } from './own-writes.ts'

/** Everything that the controller knows of the cluster. */
export interface Watches {
  readonly rollouts: Cache<Rollout>
  readonly configurations: Cache<WebhookConfiguration>
  /** The registration of Kruise Rollouts, which is there for as long as it is installed. */
  readonly kruise: Cache<WebhookConfiguration>
  /** What is known of workloads of the kind that a key names. */
  readonly sight: (key: string) => Sight
  /** The workload of a key, and what moves it; undefined where there is none. */
  readonly workload: (key: string, now: Instant) => Observed | undefined
  /** The uids of all pods of the workload of a key. */
  readonly podUids: (key: string) => readonly string[]
  /** By what requests come to the workload of a key; undefined: nobody moves them. `open`: not known yet. */
  readonly traffic: (key: string) => Traffic | 'open' | undefined
  /** TrafficRoutings, and who needs them. */
  readonly routings: Pick<Routings, 'find' | 'of' | 'users'>
  /** The versions of all that a decision about the key looks at. */
  readonly versions: (key: string) => Iterable<Version>
  /** The keys of everything that may need a decision: what Rollouts name, and what is marked. */
  readonly keys: () => ReadonlySet<string>
  /** Fulfilled when each has its first complete list. */
  readonly synced: Promise<unknown>
  /** Looks for what is left on the way of requests to workloads that nobody remembers. */
  readonly search: () => Promise<void>
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<unknown>
}

/** A workload, and what moves it. */
export type Observed = Required<Pick<Snapshot, 'workload' | 'adapter'>>

/** When a decision is due; `soon` waits a moment for what is about to be said. */
export type When = 'now' | 'soon'

/** How the watches are made. */
export interface WatchesOptions
  extends ReflectOptions, Pick<KindsOptions, 'adapters' | 'onSight' | 'onListenerError'> {
  /** Name of the mutating webhook configuration. */
  readonly configuration: string
  readonly now: () => Instant
  /** Whether requests may be moved. */
  readonly routes: boolean
  /** Our own namespace. */
  readonly namespace: string
  /** What traffic scripts have said. */
  readonly answers: Answers
  /** Kinds beside those that we know by which requests are moved. */
  readonly routeKinds: readonly KindRef[]
  /**
   * Called with the key of a workload for which something changed. `soon`: its own controller is about
   * to say more of it, in the workload's status.
   */
  readonly wake: (key: string, when: When) => void
}

/** An object that a workload owns, or one that does. */
type Possession = ReplicaSetSeen | RevisionSeen | PodSeen

interface Caches {
  readonly rollouts: Cache<Rollout>
  readonly configurations: Cache<WebhookConfiguration>
  /** That of Kruise Rollouts. */
  readonly kruise: Cache<WebhookConfiguration>
  readonly replicaSets: Cache<ReplicaSetSeen>
  readonly revisions: Cache<RevisionSeen>
  readonly pods: Cache<PodSeen>
  readonly kinds: readonly Kind[]
}

/** Makes the caches and connects them to the queue. */
export function createWatches(options: WatchesOptions): Watches {
  const one = createCaches(options)
  const { rollouts, configurations, kruise, replicaSets, revisions, pods } = one
  const wakeNow = (key: string) => options.wake(key, 'now')
  const kinds = createKinds({ ...options, rollouts, wake: wakeNow })
  const caches: Caches = { ...one, kinds: kinds.watched }
  wakeOnChange(caches, options)
  const requests = createRequests({
    ...options,
    wake: (changed, keys) =>
      wakeRouted(caches, options, {
        changed,
        keys: [...(keys ?? requests.keys()), ...routings.through(changed)],
      }),
  })
  const routings = createRoutings({
    ...options,
    rollouts,
    kinds: caches.kinds,
    requests,
    wake: key => options.wake(key, 'soon'),
  })
  const reflectors = [
    reflect(options, ROLLOUTS as ResourceType<Rollout>, rollouts, rollout => rollout),
    reflect<ReplicaSet, ReplicaSetSeen>(options, REPLICA_SETS, replicaSets, seeReplicaSet),
    reflect<ControllerRevision, RevisionSeen>(
      options,
      CONTROLLER_REVISIONS,
      revisions,
      seeRevision,
    ),
    reflect<Pod, PodSeen>(options, PODS, pods, seePod),
    reflectConfiguration(options, options.configuration, configurations),
    reflectConfiguration(options, KRUISE_WEBHOOKS, kruise),
    kinds,
    requests,
    routings,
  ]
  return {
    rollouts,
    configurations,
    kruise,
    sight: key => kinds.sight(refOf(key)),
    workload: (key, now) => observeWorkload(caches, key, now),
    podUids: key => podUidsOf(caches, key),
    traffic: key => {
      const routing = routingFor(caches, requests, key, options.routes)
      return routing && requests.observe(refOf(key).namespace, routing)
    },
    routings,
    *versions(key) {
      for (const each of routings.with(key)) yield* versionsOf(caches, requests, each)
      yield* routings.versions(key)
    },
    keys: () => new Set([...keysOf(caches), ...requests.keys(), ...routings.keys()]),
    synced: Promise.all([...Object.values(one).map(({ synced }) => synced), kinds.known]),
    search: requests.search,
    run: signal => Promise.all(reflectors.map(reflector => reflector.run(signal))),
  }
}

function podUidsOf(caches: Caches, key: string): readonly string[] {
  const { seen } = { ...findWorkload(caches, key) }
  return seen ? ownedBy(caches, seen).pods.map(({ metadata }) => metadata.uid) : []
}

function createCaches({ namespaces, onListenerError }: WatchesOptions): Omit<Caches, 'kinds'> {
  const inEach = { namespaces, onListenerError }
  return {
    rollouts: new Cache({
      indexes: {
        workload: each => [workloadKey(each)],
        kind: each => [kindOf(each)],
        requests: each => routedNames(each.metadata.namespace, routingOf(each.spec)),
        routing: routingsIn,
      },
      ...inEach,
    }),
    configurations: new Cache({ onListenerError }),
    kruise: new Cache({ onListenerError }),
    replicaSets: new Cache({
      indexes: { uid: set => [set.metadata.uid], owner: set => [set.ownerUid] },
      ...inEach,
    }),
    revisions: new Cache({ indexes: { owner: each => [each.ownerUid] }, ...inEach }),
    pods: new Cache({ indexes: { owner: pod => [pod.ownerUid] }, ...inEach }),
  }
}

function observeWorkload(caches: Caches, key: string, now: Instant): Observed | undefined {
  const found = findWorkload(caches, key)
  if (!found) return undefined
  const { adapter, seen } = found
  const nameTaken = isNameTaken(found) && ({ nameTaken: true } as const)
  const owned = { ...ownedBy(caches, seen), ...nameTaken }
  return { adapter, workload: adapter.observe(seen, owned, now) }
}

/** That of the release that runs; else what its Rollout asks for, or what is left, where requests are moved at all. */
function routingFor(
  caches: Caches,
  requests: Requests,
  key: string,
  routes: boolean,
): Routing | undefined {
  const { seen } = { ...findWorkload(caches, key) }
  if (seen?.record || !routes) return seen?.record?.traffic
  const asked = caches.rollouts.byIndex('workload', key).map(({ spec }) => routingOf(spec))
  return asked.find(routing => routing !== undefined) ?? requests.left(key)
}

interface Rerouted {
  readonly changed: string | undefined
  readonly keys: readonly string[]
}

function wakeRouted(caches: Caches, { wake }: WatchesOptions, { changed, keys }: Rerouted): void {
  const { rollouts, kinds } = caches
  for (const key of keys) wake(key, 'soon')
  const named = changed === undefined ? rollouts.list() : rollouts.byIndex('requests', changed)
  for (const rollout of named) {
    if (routingOf(rollout.spec)) wake(workloadKey(rollout), 'soon')
  }
  for (const kind of kinds) {
    const { cache } = kind
    const held = changed === undefined ? cache.list() : cache.byIndex('requests', changed)
    for (const seen of held) if (seen.record?.traffic) wake(keyOfSeen(kind, seen), 'soon')
  }
}

function* versionsOf(caches: Caches, requests: Requests, key: string): Iterable<Version> {
  for (const { metadata } of caches.rollouts.byIndex('workload', key)) yield metadata
  yield* versionsOfRequests(caches, requests, key)
  const { seen } = { ...findWorkload(caches, key) }
  if (!seen) return
  const { replicaSets, pods, beside = [] } = ownedBy(caches, seen)
  for (const { metadata } of [seen, ...beside, ...replicaSets]) yield metadata
  for (const { metadata } of pods) yield metadata
}

function* versionsOfRequests(caches: Caches, requests: Requests, key: string): Iterable<Version> {
  const routing = routingFor(caches, requests, key, true)
  if (routing) yield* requests.versions(refOf(key).namespace, routing)
}

function findWorkload(caches: Caches, key: string) {
  const found = workloadOf(caches.kinds, key)
  return found && { ...found, adapter: heldBy(found.adapter, found.seen.hold) }
}

/** Somebody else has made what is to be made for its release. */
function isNameTaken({ adapter, cache, seen }: Kind & { readonly seen: WorkloadSeen }): boolean {
  const { namespace, uid } = seen.metadata
  const name = adapter.besideName?.(seen)
  const named = name === undefined ? undefined : cache.get(namespace, name)
  return named !== undefined && named.madeFor !== uid
}

function ownedBy(caches: Caches, { metadata }: WorkloadSeen): Owned {
  const beside = caches.kinds.flatMap(({ cache }) => cache.byIndex('madeFor', metadata.uid))
  const workloads = [metadata, ...beside.map(each => each.metadata)]
  const replicaSets = workloads.flatMap(({ uid }) => caches.replicaSets.byIndex('owner', uid))
  const owners = [...workloads, ...replicaSets.map(set => set.metadata)]
  return {
    replicaSets,
    revisions: caches.revisions.byIndex('owner', metadata.uid),
    beside,
    pods: owners.flatMap(({ uid }) => caches.pods.byIndex('owner', uid)),
  }
}

function wakeOnChange(caches: Caches, { wake, now }: WatchesOptions): void {
  const { rollouts, replicaSets, revisions, pods, configurations, kruise, kinds } = caches
  // Most workloads of a large cluster are nobody's business: when to wake is asked only for the others.
  const wakeWorkload = (kind: Kind, seen: WorkloadSeen, when: () => When) => {
    const key = keyOfSeen(kind, seen)
    if (isTouched(kind, seen) || rollouts.byIndex('workload', key).length > 0) wake(key, when())
  }
  const soon = () => 'soon' as const
  const wakeOwner = (uid: string) => {
    for (const kind of kinds) {
      for (const seen of kind.cache.byIndex('uid', uid)) {
        wakeWorkload(kind, seen, soon)
        for (const owner of madeFor(seen)) wakeOwner(owner)
      }
    }
    for (const set of replicaSets.byIndex('uid', uid)) wakeOwner(set.ownerUid)
  }
  // Both, since a Rollout may have named another workload before.
  rollouts.onChange((before, after) => {
    for (const rollout of [before, after]) if (rollout) wake(workloadKey(rollout), 'now')
  })
  for (const kind of kinds) {
    const { adapter, cache } = kind
    cache.onChange((before, after) => {
      const settled = () =>
        !after || heldBy(adapter, after.hold).observe(after, ownedBy(caches, after), now()).settled
      wakeWorkload(kind, (after ?? before)!, () => (settled() ? 'now' : 'soon'))
      for (const owner of madeFor((after ?? before)!)) wakeOwner(owner)
      const { namespace, name } = (after ?? before)!.metadata
      // Whoever is to make one of that name waits for it to go.
      for (const held of cache.byIndex('besideName', nameIn(namespace, name)))
        wakeWorkload(kind, held, soon)
    })
  }
  const wakeOwnerOf = (before?: Possession, after?: Possession) =>
    wakeOwner((after ?? before)!.ownerUid)
  replicaSets.onChange(wakeOwnerOf)
  revisions.onChange(wakeOwnerOf)
  pods.onChange(wakeOwnerOf)
  for (const cache of [configurations, kruise]) {
    cache.onChange(() => {
      for (const key of keysOf(caches)) wake(key, 'now')
    })
  }
}

function keysOf({ rollouts, kinds }: Caches): ReadonlySet<string> {
  return new Set([...rollouts.list().map(workloadKey), ...touchedKeys(kinds)])
}

function touchedKeys(kinds: readonly Kind[]): readonly string[] {
  return kinds.flatMap(kind =>
    kind.cache
      .list()
      .filter(seen => isTouched(kind, seen))
      .map(seen => keyOfSeen(kind, seen)),
  )
}

/** Something of ours is on the workload, or was made for it, which is of its kind. */
function isTouched({ cache }: Kind, { marked, hold, metadata }: WorkloadSeen): boolean {
  return marked || hold !== undefined || cache.byIndex('madeFor', metadata.uid).length > 0
}

// Controllers that stand in for those of Kruise, inside the process of a test: they watch the real API
// server, decide by the plans of this folder, and make and remove real pods, which kwok makes Ready.

import type { KubeObject } from '#api/kubernetes.ts'
import { equalJson } from '#core/equal.ts'
import { Cache } from '#kube/cache.ts'
import type { Cached } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { AlreadyExists, Conflict, Forbidden, NotFound } from '#kube/errors.ts'
import { WorkQueue } from '#kube/queue.ts'
import { Reflector } from '#kube/reflector.ts'
import type { Page } from '#kube/requests.ts'
import type { ResourceType } from '#kube/resources.ts'
import { caughtUp, knows, untilSeen } from '../cache-facts.ts'
import { planCloneSet } from './clone-set.ts'
import { serveKinds } from './crds.ts'
import { planDaemonSet } from './daemon-set.ts'
import { availableInMs, isReady, podObject } from './pods.ts'
import type { NewPod, Plan, View } from './pods.ts'
import { CLONE_SETS, KRUISE_DAEMON_SETS, KRUISE_STATEFUL_SETS, NODES } from './resources.ts'
import { PLACED_PODS, REVISIONS, SHARDS } from './resources.ts'
import type { ControllerRevision, Node, PlacedPod, Workload } from './resources.ts'
import { revisionNamed, updateRevision } from './revisions.ts'
import { minReadySecondsOf, planStatefulSet } from './stateful-set.ts'

/** Controllers that run. */
export interface StandIns {
  /** Waits until they know the pods of a namespace as they were listed, or later. */
  readonly know: (namespace: string, listed: Page<KubeObject>) => Promise<void>
  /** Ends them; throws what went wrong in one of them that cannot be the world's trouble. */
  readonly stop: () => Promise<void>
}

/** Serves the kinds and runs a controller for each: once per control plane. */
export async function startStandIns(client: KubeClient): Promise<StandIns> {
  await serveKinds(client)
  const end = new AbortController()
  const watched = watch(client, end.signal)
  const controllers = [
    new StandIn(watched, {
      type: CLONE_SETS,
      plan: planCloneSet,
      minReadySeconds: ({ spec }) => spec.minReadySeconds ?? 0,
      statusOf: ({ status }) => status,
    }),
    new StandIn(watched, {
      type: KRUISE_STATEFUL_SETS,
      plan: planStatefulSet,
      minReadySeconds: minReadySecondsOf,
      statusOf: ({ status }) => status,
    }),
    new StandIn(watched, {
      type: SHARDS,
      plan: planStatefulSet,
      minReadySeconds: minReadySecondsOf,
      statusOf: ({ status }) => status,
    }),
    new StandIn(watched, {
      type: KRUISE_DAEMON_SETS,
      plan: planDaemonSet,
      minReadySeconds: ({ spec }) => spec.minReadySeconds ?? 0,
      statusOf: () => undefined,
    }),
  ]
  const { pods, revisions, nodes } = watched
  await Promise.all([pods.synced, revisions.synced, nodes.synced])
  for (const controller of controllers) controller.start(end.signal)
  return {
    know: (namespace, listed) => knows(pods, namespace, listed),
    async stop() {
      const errors = (await Promise.all(controllers.map(each => each.stop()))).flat()
      end.abort()
      if (errors.length > 0) throw new AggregateError(errors, 'a stand-in failed')
    },
  }
}

interface Watched {
  readonly client: KubeClient
  readonly pods: Cache<PlacedPod>
  readonly revisions: Cache<ControllerRevision>
  readonly nodes: Cache<Node>
}

function watch(client: KubeClient, end: AbortSignal): Watched {
  const byOwner = { owner: (each: KubeObject) => [ownerOf(each)?.uid ?? ''] }
  const pods = new Cache<PlacedPod>({ indexes: byOwner })
  const revisions = new Cache<ControllerRevision>({ indexes: byOwner })
  const nodes = new Cache<Node>()
  const whole = <T>(object: T) => object
  const reflectors = [
    new Reflector({ client, type: PLACED_PODS, cache: pods, project: whole }),
    new Reflector({ client, type: REVISIONS, cache: revisions, project: whole }),
    new Reflector({ client, type: NODES, cache: nodes, project: whole }),
  ]
  for (const reflector of reflectors) void reflector.run(end)
  return { client, pods, revisions, nodes }
}

interface Kind<W extends Workload> {
  readonly type: ResourceType<W>
  readonly plan: (view: View<W>) => Plan
  readonly minReadySeconds: (workload: W) => number
  /** What tells the stable revision of before; undefined for a kind that remembers none. */
  readonly statusOf: (workload: W) => { readonly currentRevision?: string } | undefined
}

/** The controller of one kind. */
class StandIn<W extends Workload> {
  readonly #watched: Watched
  readonly #kind: Kind<W>
  readonly #cache = new Cache<W>()
  readonly #queue: WorkQueue
  readonly #errors: unknown[] = []

  constructor(watched: Watched, kind: Kind<W>) {
    this.#watched = watched
    this.#kind = kind
    this.#queue = new WorkQueue({
      concurrency: 4,
      run: key => this.#reconcile(key),
      onRun: ({ outcome, error }) => {
        // A namespace that is going takes nothing new, nor does one whose quota is used up.
        if (outcome === 'error' && !(error instanceof Forbidden)) this.#errors.push(error)
      },
    })
  }

  start(end: AbortSignal): void {
    const { client, pods, revisions, nodes } = this.#watched
    const { type } = this.#kind
    this.#cache.onChange((_, workload) => workload && this.#wake(workload))
    pods.onChange((before, after) => this.#wakeOwner(after ?? before))
    revisions.onChange((before, after) => this.#wakeOwner(after ?? before))
    nodes.onChange((before, after) => {
      // What nodes say of themselves every few seconds is nothing to anybody here.
      const same = equalJson(before?.metadata.labels, after?.metadata.labels)
      if (before && after && same && equalJson(before.spec, after.spec)) return
      for (const workload of this.#cache.list()) this.#wake(workload)
    })
    const project = (workload: W) => workload
    void new Reflector({ client, type, cache: this.#cache, project }).run(end)
  }

  async stop(): Promise<readonly unknown[]> {
    await this.#queue.stop()
    return this.#errors
  }

  #wake({ metadata }: Cached): void {
    this.#queue.add(`${metadata.namespace}/${metadata.name}`)
  }

  #wakeOwner(object: Cached | undefined): void {
    const owner = object && ownerOf(object)
    const { apiVersion, kind } = this.#kind.type
    if (owner?.kind !== kind || groupOf(owner.apiVersion) !== groupOf(apiVersion)) return
    this.#queue.add(`${object!.metadata.namespace}/${owner.name}`)
  }

  async #reconcile(key: string): Promise<void> {
    const [namespace, name = ''] = key.split('/')
    const workload = this.#cache.get(namespace, name)
    if (!workload || workload.metadata.deletionTimestamp !== undefined) return
    const { type, plan, statusOf } = this.#kind
    const update = await updateRevision(this.#watched, type, workload)
    const remembered = statusOf(workload)?.currentRevision
    const { pods, nodes } = this.#watched
    const view: View<W> = {
      workload,
      pods: pods.byIndex('owner', workload.metadata.uid ?? ''),
      current: revisionNamed(this.#watched, workload, remembered) ?? update,
      update,
      nodes: nodes.list().toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
      now: Date.now(),
    }
    const { create, remove, status } = plan(view)
    await Promise.all(remove.map(pod => this.#remove(pod)))
    await Promise.all(create.map(pod => this.#create(workload, pod)))
    await this.#tell(workload, status)
    this.#lookAgain(key, view)
  }

  async #create(workload: W, pod: NewPod): Promise<void> {
    const { client, pods } = this.#watched
    try {
      const object = podObject(this.#kind.type, workload, pod)
      const { metadata } = await client.create(PLACED_PODS, object)
      await caughtUp(pods, metadata.resourceVersion)
    } catch (error) {
      // The one of before is on its way out; its end wakes the key.
      if (!(error instanceof AlreadyExists)) throw error
    }
  }

  async #remove({ metadata }: PlacedPod): Promise<void> {
    const { client, pods } = this.#watched
    const { namespace = '', name, uid = '' } = metadata
    try {
      await client.remove(PLACED_PODS, { namespace, name }, { uid })
    } catch (error) {
      // It is gone, or another one has its name.
      if (!(error instanceof NotFound) && !(error instanceof Conflict)) throw error
    }
    const isGoing = () => {
      const pod = pods.get(namespace, name)
      return pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined
    }
    await untilSeen([pods], isGoing, () => `pod ${name} is not seen to go`)
  }

  async #tell(workload: W, status: Plan['status']): Promise<void> {
    const { namespace = '', name, resourceVersion } = workload.metadata
    const told = (workload as { readonly status?: object }).status
    if (equalJson({ ...told, ...status }, told)) return
    const patch = { metadata: { resourceVersion }, status }
    const options = { subresource: 'status' }
    const { type } = this.#kind
    const answer = await this.#watched.client.mergePatch(type, { namespace, name }, patch, options)
    await caughtUp(this.#cache, answer.metadata.resourceVersion)
  }

  /** Being available for long enough is nothing that anybody tells. */
  #lookAgain(key: string, { workload, pods, now }: View<W>): void {
    const seconds = this.#kind.minReadySeconds(workload)
    const waits = pods.filter(isReady).map(pod => availableInMs(pod, seconds, now))
    const next = Math.min(...waits.filter(ms => ms > 0))
    if (next < Infinity) this.#queue.addAt(key, now + next)
  }
}

function ownerOf({ metadata }: Cached) {
  return metadata.ownerReferences?.find(({ controller }) => controller)
}

function groupOf(apiVersion: string): string {
  return apiVersion.split('/')[0] ?? ''
}

// Every state that a namespace went through: four watches, and the API server's own order of all
// writes, the resourceVersion. So a law can be checked of each state there was, not of those that a
// test happened to look at.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import { PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { seenPod, seenReplicaSet, seenRollout } from './chronicle-facts.ts'
import type {
  WorkloadFacts,
  Facts,
  PodFacts,
  ReplicaSetFacts,
  RolloutFacts,
  State,
} from './chronicle-facts.ts'
import { deployments } from './history-kinds.ts'
import type { HistoryKind } from './history-kinds.ts'
import { WORKLOAD } from './manifests.ts'
import { ownSets } from './own-sets.ts'

/** Records all namespaces from its start on. */
export interface Chronicle {
  readonly place: (namespace: string) => PlaceChronicle
  readonly stop: () => Promise<void>
}

/** The recording of one namespace. */
export interface PlaceChronicle {
  /** What is there as far as the watches have told. */
  readonly now: () => State
  /** Every state so far, in the order of the writes; each once. Throws where some may be missing. */
  readonly states: () => readonly State[]
  /** How many changes were seen. */
  readonly count: () => number
  /** How many of them were written after that version. */
  readonly countAfter: (version: bigint) => number
  /** Gives whether the fact came true in this time. It is looked at whenever something changes. */
  readonly comes: (fact: (state: State) => boolean, timeoutMs: number) => Promise<boolean>
}

/** Begins to record workloads of these kinds, Deployments unless given. */
export async function startChronicle(
  client: KubeClient,
  kinds: readonly HistoryKind[] = [deployments],
): Promise<Chronicle> {
  const places = new Map<string, Place>()
  const gaps: string[] = []
  const forever = new AbortController()
  const placeOf = (namespace: string) => {
    const place = places.get(namespace) ?? new Place(gaps)
    places.set(namespace, place)
    return place
  }
  const record = <T extends KubeObject, F extends Facts>(
    type: ResourceType<T>,
    project: (object: T) => F,
  ) => {
    const cache = new Cache<F>({ onListenerError: error => gaps.push(String(error)) })
    cache.onChange((before, after) => {
      const { kind, metadata } = (after ?? before)!
      const { namespace = '', name } = metadata
      // What is made for its release is no workload of anybody's.
      if (kind === 'workload' && name !== WORKLOAD) return
      // Of what is gone the last version is older than its end.
      const version = BigInt(after?.metadata.resourceVersion ?? cache.resourceVersion)
      placeOf(namespace).take({ version, at: Date.now(), kind, name, facts: after })
    })
    let lists = 0
    const reflector = new Reflector<T, F>({
      client,
      type,
      cache,
      project,
      onNews(news) {
        if (news.what === 'listed') lists += 1
        if (lists > 1) gaps.push(`${type.plural} were listed again`)
      },
    })
    return { synced: cache.synced, running: reflector.run(forever.signal) }
  }
  const seen = new Map(kinds.map(({ type, see }) => [type, see]))
  const records = [
    ...[...seen].map(([type, see]) => record(type, see)),
    record(ROLLOUTS as ResourceType<Rollout>, seenRollout),
    record(REPLICA_SETS, seenReplicaSet),
    record(PODS, seenPod),
  ]
  await Promise.all(records.map(({ synced }) => synced))
  return {
    place: placeOf,
    async stop() {
      forever.abort()
      await Promise.all(records.map(({ running }) => running))
    },
  }
}

interface Change {
  readonly version: bigint
  readonly at: number
  readonly kind: Facts['kind']
  readonly name: string
  /** Undefined: it is gone. */
  readonly facts: Facts | undefined
}

const nothing: State = {
  version: 0n,
  at: 0,
  changed: undefined,
  workload: undefined,
  rollout: undefined,
  sets: [],
  pods: [],
}

class Place implements PlaceChronicle {
  readonly #gaps: readonly string[]
  readonly #changes: Change[] = []
  readonly #listeners = new Set<() => void>()
  #now = nothing

  constructor(gaps: readonly string[]) {
    this.#gaps = gaps
  }

  take(change: Change): void {
    this.#changes.push(change)
    this.#now = ownSets(after(this.#now, change))
    for (const listener of this.#listeners) listener()
  }

  now(): State {
    return this.#now
  }

  count(): number {
    return this.#changes.length
  }

  countAfter(version: bigint): number {
    return this.#changes.filter(change => change.version > version).length
  }

  states(): readonly State[] {
    if (this.#gaps.length > 0) throw new Error(`the recording is not whole: ${this.#gaps[0]}`)
    const ordered = this.#changes.toSorted((a, b) => Number(a.version - b.version))
    let state = nothing
    return ordered.map(change => (state = ownSets(after(state, change))))
  }

  comes(fact: (state: State) => boolean, timeoutMs: number): Promise<boolean> {
    if (fact(this.#now)) return Promise.resolve(true)
    return new Promise(resolve => {
      const end = (came: boolean) => {
        clearTimeout(late)
        this.#listeners.delete(look)
        resolve(came)
      }
      const look = () => {
        if (fact(this.#now)) end(true)
      }
      const late = setTimeout(() => end(false), timeoutMs)
      this.#listeners.add(look)
    })
  }
}

function after(state: State, { version, at, kind, name, facts }: Change): State {
  const next = { ...state, version, at, changed: { kind, name } }
  switch (kind) {
    case 'workload':
      return { ...next, workload: facts as WorkloadFacts | undefined }
    case 'rollout':
      return { ...next, rollout: facts as RolloutFacts | undefined }
    case 'set':
      return { ...next, sets: replaced(state.sets, name, facts as ReplicaSetFacts | undefined) }
    case 'pod':
      return { ...next, pods: replaced(state.pods, name, facts as PodFacts | undefined) }
  }
}

function replaced<F extends Facts>(all: readonly F[], name: string, now: F | undefined): F[] {
  const others = all.filter(({ metadata }) => metadata.name !== name)
  return now ? [...others, now] : others
}

// The kinds of workloads that are watched: Kubernetes' own in every cluster, others where they are served.
// Of a kind that nobody has registered it is found out only how it could be.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { isNative, isSameVersion, keyOf, refOf } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { notRegistered, notServed, unread } from '#core/rollout/unseen.ts'
import type { NamedKind, Unseen } from '#core/rollout/unseen.ts'
import { routingsOn } from '#core/traffic-routing/keys.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { holdOf } from '#core/workload/hold.ts'
import { adapterFor, adapters, heldBy } from '#core/workload/registry.ts'
import type { WorkloadSeen } from '#core/workload/seen.ts'
import { Cache } from '#kube/cache.ts'
import { resource } from '#kube/resources.ts'
import { rightInWords } from '#process/findings.ts'
import { lookFor } from './looking.ts'
import type { Looking, Presence, Registered } from './looking.ts'
import { reflect, reflectOptional } from './reflections.ts'
import type { ReflectOptions } from './reflections.ts'
import { routedNames } from './requests.ts'
import { rightsTo } from './rights.ts'

/** Workloads of one kind. */
export interface Kind {
  readonly adapter: WorkloadAdapter
  readonly cache: Cache<WorkloadSeen>
}

/** What is known of workloads of a kind: they are watched, or why not; `open`: nothing yet. */
export type Sight = 'watched' | 'open' | Unseen

/** All kinds. */
export interface Kinds {
  readonly watched: readonly Kind[]
  readonly sight: (ref: NamedKind) => Sight
  /** Fulfilled when the first complete list of each is there, or it is known why there is none. */
  readonly known: Promise<unknown>
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<unknown>
}

/** How kinds are watched. */
export interface KindsOptions extends ReflectOptions {
  /** Those that are to be released. */
  readonly adapters: readonly WorkloadAdapter[]
  /** With the index `kind`. */
  readonly rollouts: Cache<Rollout>
  /** Called with the key of each workload of which more is known. */
  readonly wake: (key: string) => void
  /** Told of a kind that is not Kubernetes' own. */
  readonly onSight: (ref: NamedKind, sight: Sight, named: boolean) => void
  readonly onListenerError: (error: unknown) => void
}

/** By what Rollouts of one kind are found. */
export function kindOf(rollout: Rollout): string {
  return nameOf(refOf(workloadKey(rollout)))
}

/** In whichever version a Rollout names it. */
function nameOf(ref: NamedKind): string {
  const { apiVersion, kind } = adapterFor(ref) ?? ref
  return `${apiVersion}/${kind}`
}

/** Nothing is asked before it runs. */
export function createKinds(options: KindsOptions): Kinds {
  const { namespaces, onListenerError } = options
  const watched = options.adapters.map(adapter => ({
    adapter,
    cache: new Cache<WorkloadSeen>({
      indexes: {
        uid: seen => [seen.metadata.uid],
        madeFor: seen => madeFor(seen),
        besideName: seen => besideName(adapter, seen),
        requests: ({ metadata, record }) => routedNames(metadata.namespace, record?.traffic),
        routing: routingsOn,
      },
      namespaces,
      onListenerError,
    }),
  }))
  const native = watched.filter(({ adapter }) => isNative(adapter))
  const optional = new Map<string, Looking>()
  for (const kind of watched) {
    const { adapter } = kind
    if (isNative(adapter)) continue
    optional.set(nameOf(adapter), looking(options, adapter, registered(options, kind)))
  }
  const strangers = createStrangers(options)
  const reflections = native.map(({ adapter, cache }) =>
    reflect(options, typeOf(adapter), cache, seeingBy(adapter)),
  )
  options.rollouts.onChange((before, after) => {
    if (before && after && kindOf(before) === kindOf(after)) return
    if (before) strangers.leave(refOf(workloadKey(before)))
    if (!after) return
    const ref = refOf(workloadKey(after))
    const found = optional.get(nameOf(ref))
    if (found) found.lookAgain()
    else if (!isNative(ref)) strangers.meet(ref)
  })
  return {
    watched,
    sight(ref) {
      const found = optional.get(nameOf(ref)) ?? strangers.find(ref)
      return found ? sightOf(options, ref, found.presence()) : 'watched'
    },
    known: Promise.all([
      ...native.map(({ cache }) => cache.synced),
      ...[...optional.values()].map(({ known }) => known),
    ]),
    async run(signal) {
      strangers.run(signal)
      const all = [...reflections, ...optional.values()]
      await Promise.all(all.map(each => each.run(signal)))
    },
  }
}

/** Kinds that Rollouts name and nobody has registered. */
function createStrangers(options: KindsOptions) {
  const met = new Map<string, { readonly looking: Looking; readonly end: AbortController }>()
  let running: AbortSignal | undefined
  return {
    find: (ref: NamedKind) => met.get(nameOf(ref))?.looking,
    run: (signal: AbortSignal) => void (running = signal),
    meet({ apiVersion, kind }: NamedKind) {
      const name = nameOf({ apiVersion, kind })
      const found = met.get(name)
      if (found) found.looking.lookAgain()
      if (found || !running) return
      const stranger = {
        looking: looking(options, { apiVersion, kind }),
        end: new AbortController(),
      }
      met.set(name, stranger)
      void stranger.looking.run(AbortSignal.any([running, stranger.end.signal]))
    },
    leave(ref: NamedKind) {
      if (isNamed(options, ref)) return
      met.get(nameOf(ref))?.end.abort()
      met.delete(nameOf(ref))
    },
  }
}

function looking(
  options: KindsOptions,
  ref: NamedKind & { readonly plural?: string },
  known?: Registered,
): Looking {
  const { client, wake, onSight } = options
  const named = () => isNamed(options, ref)
  return lookFor({
    client,
    ref,
    ...(known && { registered: known }),
    named,
    onChange(presence) {
      onSight(ref, sightOf(options, ref, presence), named())
      for (const rollout of rolloutsOf(options, ref)) wake(workloadKey(rollout))
    },
  })
}

function registered(options: KindsOptions, { adapter, cache }: Kind): Registered {
  const type = typeOf(adapter)
  const project = seeingBy(adapter)
  return {
    reflect: hooks => reflectOptional(options, { type, cache, project }, hooks),
    forget: () => cache.replace([], ''),
    rights: rightsTo(adapter, options.namespaces),
  }
}

/** The uid of the workload that it was made for, if it was. */
export function madeFor({ madeFor: uid }: WorkloadSeen): readonly string[] {
  return uid === undefined ? [] : [uid]
}

/** By what it is found of whom it may have the name: where one is to be made for a release. */
function besideName(adapter: WorkloadAdapter, seen: WorkloadSeen): readonly string[] {
  const name = heldBy(adapter, seen.hold).besideName?.(seen)
  return name === undefined ? [] : [nameIn(seen.metadata.namespace, name)]
}

/** A name in its namespace. */
export function nameIn(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** What is kept of an object: as it is held. */
function seeingBy(adapter: WorkloadAdapter) {
  return (object: KubeObject, before?: WorkloadSeen) =>
    heldBy(adapter, holdOf(object)).see(object, before)
}

function sightOf({ adapters: all }: KindsOptions, ref: NamedKind, presence: Presence): Sight {
  const added = all.filter(each => !adapters.includes(each))
  switch (presence.is) {
    case 'open':
    case 'watched':
      return presence.is
    case 'unserved':
      return notServed(ref, added)
    case 'unregistered':
      return notRegistered(ref, presence.plural, added)
    case 'unread':
      return unread(ref, { ...presence, missing: presence.missing.map(rightInWords) })
  }
}

/** The workload that a key names, among those of its kind. */
export function workloadOf(
  kinds: readonly Kind[],
  key: string,
): (Kind & { readonly seen: WorkloadSeen }) | undefined {
  const ref = refOf(key)
  const found = kinds.find(({ adapter }) => isSameVersion(adapter, ref))
  const seen = found?.cache.get(ref.namespace, ref.name)
  return found && seen && { ...found, seen }
}

/** The key of a workload. */
export function keyOfSeen({ adapter }: Kind, { metadata }: WorkloadSeen): string {
  const { apiVersion, kind } = adapter
  return keyOf({ apiVersion, kind, namespace: metadata.namespace, name: metadata.name })
}

function rolloutsOf({ rollouts }: KindsOptions, ref: NamedKind): readonly Rollout[] {
  return rollouts.byIndex('kind', nameOf(ref))
}

function isNamed(options: KindsOptions, ref: NamedKind): boolean {
  return rolloutsOf(options, ref).length > 0
}

function typeOf({ apiVersion, plural, kind }: WorkloadAdapter) {
  return resource(apiVersion, plural, kind)
}

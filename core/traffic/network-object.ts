// Objects of routers that we do not know: a script says how one is to look, and what it said is the wish. All of
// the object is computed, its spec, labels and annotations, but for what belongs to neither script nor owner.

import { ORIGINAL } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
import { defined } from '../defined.ts'
import { digest } from '../digest.ts'
import { equalJson } from '../equal.ts'
import { isObject } from '../members.ts'
import type { KindRef } from '../ref.ts'
import { instantOf, momentOf } from '../time.ts'
import type { Instant } from '../time.ts'
import { newServiceOf, untracked } from './canary-service.ts'
import type { Json, Routing, Split, TrafficProvider, Whose } from './model.ts'
import { threeWay } from './three-way.ts'
import { recordIn } from './wish.ts'

type Words = Readonly<Record<string, string>>

/** What a script is given of an object, and gives back: the shape is that of Kruise Rollouts. */
export interface NetworkConfig {
  readonly spec?: Json
  readonly labels: Words
  readonly annotations: Words
}

/** What a script has said. */
export interface NetworkWish {
  readonly workload: Whose
  /** Whose requests it splits. */
  readonly service: string
  /** Of which object, in short. */
  readonly of: string
  readonly to: NetworkConfig
  /** When it was written. */
  readonly since: string
}

interface Spoken extends KubeObject {
  readonly spec?: Json
}

/** The kind. */
export function networkObjects(ref: KindRef): TrafficProvider<Spoken> {
  return {
    ...ref,
    valueIn: configOf,
    withValue: withConfig,
    project: projected,
    ownerOf: (incoming, { owner, wish }) =>
      asConfig(threeWay(incoming, projected(owner, wish), owner)),
    undo: ({ owner, wish }) => undo(asConfig(owner), networkWishIn(wish)?.to),
    remembered: (_, { metadata }) => {
      const original = recordIn(metadata.annotations?.[ORIGINAL] ?? '')
      // Both are always written: what lacks one was written by somebody else, or damaged.
      const whole = isObject(original['labels']) && isObject(original['annotations'])
      return whole ? { owner: asConfig(original) } : undefined
    },
    notes: was => ({ [ORIGINAL]: was && JSON.stringify(was.owner) }),
  }
}

/** Where the owner has written since, what a script makes of that is still to come. */
function projected(owner: Json, text: string): Json {
  const wish = networkWishIn(text)
  return wish?.of === digest(owner) ? wish.to : owner
}

/** A wish that was read; undefined where it is none. */
export function networkWishIn(text: string): Omit<NetworkWish, 'workload'> | undefined {
  const { service, of, to, since } = recordIn(text) as Partial<NetworkWish>
  const complete = [service, of, since].every(word => typeof word === 'string')
  if (!complete || typeof to !== 'object') return undefined
  return { service: service!, of: of!, to: asConfig(to), since: since! }
}

/** The same wish as before keeps its time. */
export function networkWish(
  { owner, ...said }: Omit<NetworkWish, 'of' | 'since'> & { readonly owner: Json },
  { before = '', now }: { readonly before: string | undefined; readonly now: Instant },
): string {
  const wish = { ...said, of: digest(owner), since: momentOf(now) }
  const was = networkWishIn(before)
  const same = was && equalJson({ ...wish, since: was.since }, recordIn(before))
  return same ? before : JSON.stringify(wish)
}

/** When it was written. */
export function wishedSince(wish: string): Instant {
  return instantOf(networkWishIn(wish)?.since)
}

/** What a script is given. */
export function networkInput(owner: Json, routing: Routing, split: Split): unknown {
  const { percent = -1, matches, headers } = split
  return defined({
    data: owner,
    canaryWeight: percent,
    stableWeight: 100 - percent,
    matches,
    canaryService: newServiceOf(routing),
    stableService: routing.service,
    requestHeaderModifier: headers,
  })
}

/** What a script has returned; undefined where it is no such thing. */
export function configIn(returned: Json): NetworkConfig | undefined {
  const { spec, labels, annotations } = { ...(returned as Partial<NetworkConfig> | null) }
  const fit = typeof spec === 'object' && [labels, annotations].every(areWords)
  return fit && !Array.isArray(returned) ? asConfig(returned) : undefined
}

function areWords(value: Json): boolean {
  const all = Object.values({ ...(value as object | null | undefined) })
  return !Array.isArray(value) && all.every(each => typeof each === 'string')
}

/** A list or an object of nothing is the same as none. */
function asConfig(value: Json): NetworkConfig {
  const { spec, labels, annotations } = { ...(value as Partial<NetworkConfig> | null) }
  return defined({ spec, labels: { ...labels }, annotations: { ...annotations } })
}

function configOf({ metadata, spec }: Spoken): NetworkConfig {
  const { labels, annotations } = metadata
  return defined({ spec, labels: untracked(labels), annotations: untracked(annotations) })
}

/** An object without labels stays one. */
function withConfig(object: Spoken, value: Json): Spoken {
  if (equalJson(configOf(object), value)) return object
  const { spec, labels, annotations } = asConfig(value)
  const { metadata } = object
  const words = {
    labels: withWords(metadata.labels, labels),
    annotations: withWords(metadata.annotations, annotations),
  }
  const { labels: _, annotations: __, ...others } = metadata
  return { ...object, metadata: { ...others, ...defined(words) }, ...defined({ spec }) }
}

function withWords(before: Words | undefined, wanted: Words): Words | undefined {
  const ours = untracked(before)
  const kept = Object.entries({ ...before }).filter(([key]) => !(key in ours))
  const all = { ...Object.fromEntries(kept), ...wanted }
  return before === undefined && Object.keys(all).length === 0 ? undefined : all
}

function undo(owner: NetworkConfig, to: NetworkConfig | undefined): MergePatch {
  const { spec, ...words } = difference(to, owner) as { readonly spec?: MergePatch }
  const { labels = {}, annotations = {} } = words as Readonly<Record<string, MergePatch>>
  return {
    metadata: { labels, annotations: { ...annotations, [ORIGINAL]: null } },
    ...defined({ spec }),
  }
}

/** The merge patch that makes one of the other. */
function difference(from: Json, to: Json): Json {
  if (!isObject(from) || !isObject(to)) return to
  const keys = new Set([...Object.keys(from), ...Object.keys(to)])
  const changed = [...keys].filter(key => !equalJson(from[key], to[key]))
  const members = changed.map(key => [key, key in to ? difference(from[key], to[key]) : null])
  return Object.fromEntries(members) as Json
}

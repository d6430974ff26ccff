// A wish and the owner's value, as they stand on an object. The record is the very merge patch that takes
// our part out, as that of a workload is:
//   kubectl patch httproute web --type merge \
//     -p "$(kubectl get httproute web -o jsonpath='{.metadata.annotations.sluice\.dev/record}')"

import { ESCAPE, RECORD, TRAFFIC } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
import { membersOf } from '../members.ts'
import type { Json, RouteRef, TrafficProvider, Whose, Wished } from './model.ts'

/** The end of a wish is said in a word: an absence could be an accident. */
export const OVER = 'over'

/** The wish that an object carries; undefined: none. */
export function wishOn({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[TRAFFIC]
}

/** The record's text. */
export function formatWished(provider: TrafficProvider, was: Wished): string {
  return JSON.stringify(freeing(provider, was))
}

/** The patch that gives the object back, and under which nobody of ours is asked. */
export function freeing(provider: TrafficProvider, was: Wished): MergePatch {
  const { metadata, ...others } = provider.undo(was)
  const { annotations, ...words } = membersOf(metadata)
  const none = { ...membersOf(annotations), [TRAFFIC]: null, [RECORD]: null }
  const escape = { ...words, annotations: { ...none, [ESCAPE]: was.wish } }
  return { metadata: escape, ...others } as MergePatch
}

/** What its owner wants there, whatever of ours stands in it. */
export function freedOwner(
  provider: TrafficProvider,
  object: KubeObject,
  was = wishedOn(provider, object),
): Json {
  const value = provider.valueIn(object)
  return was ? provider.ownerOf(value, was) : value
}

/** By what else requests come, as the wish of a Service says. */
export function routesIn(wish: string): readonly RouteRef[] {
  const { routes } = recordIn(wish)
  return Array.isArray(routes) ? routes.filter(isRouteRef) : []
}

function isRouteRef(ref: unknown): ref is RouteRef {
  const { apiVersion, kind, name } = membersOf(ref)
  return [apiVersion, kind, name].every(word => typeof word === 'string')
}

/** As a wish names a workload. */
export function whoseOf({ apiVersion, kind, name }: Whose): Whose {
  return { apiVersion, kind, name }
}

/** For whose pods a wish is; undefined where it does not say. */
export function whoseIn(wish: string): Whose | undefined {
  const { workload } = recordIn(wish)
  return isRouteRef(workload) ? workload : undefined
}

/** What the record of an object says; undefined where it has none that can be used. */
export function recordedOn(provider: TrafficProvider, object: KubeObject): Wished | undefined {
  const text = object.metadata.annotations?.[RECORD]
  if (text === undefined) return undefined
  const patch = recordIn(text)
  const { annotations } = membersOf(patch['metadata'])
  const wish = membersOf(annotations)[ESCAPE]
  const remembered = provider.remembered(patch as MergePatch, object)
  return typeof wish === 'string' && remembered ? { ...remembered, wish } : undefined
}

/** The same of one as it is stored: where its kind remembers it elsewhere, a damaged record loses nothing. */
export function wishedOn(provider: TrafficProvider, object: KubeObject): Wished | undefined {
  const recorded = recordedOn(provider, object)
  const wish = wishOn(object)
  const damaged = !recorded && object.metadata.annotations?.[RECORD] !== undefined
  if (!damaged || wish === undefined || wish === OVER) return recorded
  const remembered = provider.remembered({}, object)
  return remembered && { ...remembered, wish }
}

/** The JSON object that a text holds; an empty one where it holds none. */
export function recordIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return membersOf(JSON.parse(text))
  } catch {
    return {}
  }
}

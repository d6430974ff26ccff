// A wish and the owner's value, as they stand on an object. The record is the very merge patch that takes
// our part out, as that of a workload is:
//   kubectl patch httproute web --type merge \
//     -p "$(kubectl get httproute web -o jsonpath='{.metadata.annotations.sluice\.dev/record}')"

import { ESCAPE, RECORD, TRAFFIC } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
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

/** The patch that gives the field back, and under which nobody of ours is asked. */
export function freeing(provider: TrafficProvider, was: Wished): MergePatch {
  const annotations = { [TRAFFIC]: null, [RECORD]: null, [ESCAPE]: was.wish }
  const spec = { [provider.field]: provider.undo(was) ?? null }
  return { metadata: { annotations }, spec } as MergePatch
}

/** What its owner wants in the field, whatever of ours stands there. */
export function freedOwner(provider: TrafficProvider, object: KubeObject): Json {
  const was = wishedOn(provider, object)
  const value = provider.valueIn(object)
  return was ? provider.ownerOf(value, was) : value
}

/** By what else requests come, as the wish of a Service says. */
export function routesIn(wish: string): readonly RouteRef[] {
  const { routes } = recordIn(wish)
  return Array.isArray(routes) ? routes.filter(isRouteRef) : []
}

function isRouteRef(ref: unknown): ref is RouteRef {
  const { apiVersion, kind, name } = recordOf(ref)
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
export function wishedOn(provider: TrafficProvider, { metadata }: KubeObject): Wished | undefined {
  const text = metadata.annotations?.[RECORD]
  if (text === undefined) return undefined
  const patch = recordIn(text)
  const { annotations } = recordOf(patch['metadata'])
  const wish = recordOf(annotations)[ESCAPE]
  const spec = recordOf(patch['spec'])
  if (typeof wish !== 'string' || !(provider.field in spec)) return undefined
  return { owner: provider.undone(spec[provider.field]), wish }
}

/** The JSON object that a text holds; an empty one where it holds none. */
export function recordIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(text))
  } catch {
    return {}
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  const is = typeof value === 'object' && value !== null && !Array.isArray(value)
  return is ? (value as Record<string, unknown>) : {}
}

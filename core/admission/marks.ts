// What marks a workload beside its hold: labels and annotations of ours that no manifest names.

import { ESCAPE, STABLE_REVISION, STABLE_TEMPLATE, WORKLOAD_TYPE } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import type { Review } from './review.ts'

/**
 * A manifest does not name what marks a workload: who puts it back whole must not take it away.
 * `stable` is the version that a native rollout goes away from, where one begins.
 */
export function withMarks(review: Review, object: KubeObject, stable?: string): KubeObject {
  const { before, rollout, fromController, version, versionBefore } = review
  if (!before || !rollout || fromController) return object
  const labels = kept(before.metadata.labels, object.metadata.labels, [
    WORKLOAD_TYPE,
    STABLE_REVISION,
  ])
  // An escape that comes or goes with another template is a copy's: the documented one changes none.
  const keys = version === versionBefore ? [STABLE_TEMPLATE] : [ESCAPE, STABLE_TEMPLATE]
  const annotations = kept(before.metadata.annotations, object.metadata.annotations, keys)
  const marked = {
    ...object,
    metadata: { ...object.metadata, ...defined({ labels, annotations }) },
  }
  return stable === undefined ? marked : annotated(marked, { [STABLE_TEMPLATE]: stable })
}

type Words = Readonly<Record<string, string>> | undefined

/** `now` with the values of some keys as they were `before`; undefined where nothing differs. */
function kept(before: Words, now: Words, keys: readonly string[]): Words {
  const was = Object.fromEntries(keys.flatMap(key => (before?.[key] ? [[key, before[key]]] : [])))
  const foreign = Object.entries({ ...now }).filter(([key]) => !keys.includes(key) || key in was)
  const all = { ...Object.fromEntries(foreign), ...was }
  return equalJson(all, now ?? {}) ? now : all
}

/** The object with some annotations set, or taken away where they are undefined. */
export function annotated(
  object: KubeObject,
  values: Readonly<Record<string, string | undefined>>,
): KubeObject {
  const all = { ...object.metadata.annotations, ...values }
  const annotations = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  return { ...object, metadata: { ...object.metadata, annotations } }
}

// What marks a workload: labels and annotations of ours that no manifest names.

import {
  ESCAPE,
  HOLD,
  OWN_ROLLOUT_ID,
  RECORD,
  ROLLOUT_ID,
  STABLE_REVISION,
  STABLE_TEMPLATE,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import { begunOf, formatHold, waveAfter } from '../workload/hold.ts'
import type { Hold } from '../workload/hold.ts'
import { formatRecord } from '../workload/record.ts'
import type { HoldRecord } from '../workload/record.ts'
import type { Review } from './model.ts'

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

type Values = Readonly<Record<string, string | undefined>>

/** A hold, and what is remembered beside it. */
interface Marks {
  readonly hold: Hold
  readonly record: HoldRecord
}

/** The object with a hold on it. The annotation stays as the release began; a label says what came since. */
export function withHoldMarks(
  object: KubeObject,
  { hold, record }: Marks,
  before: KubeObject | undefined,
): KubeObject {
  const begun = before && begunOf(before)
  const wave = begun && waveAfter(begun, hold)
  const named = object.metadata.labels?.[ROLLOUT_ID] !== undefined
  const marked = annotated(object, {
    [HOLD]: formatHold(begun && wave !== undefined ? begun : hold),
    [RECORD]: formatRecord(record),
    [OWN_ROLLOUT_ID]: named ? undefined : hold.rolloutId,
  })
  return labelled(marked, WAVE, wave)
}

/** The object with no trace of a hold but its fields. */
export function withoutHoldMarks(object: KubeObject): KubeObject {
  const none = { [HOLD]: undefined, [RECORD]: undefined, [OWN_ROLLOUT_ID]: undefined }
  return labelled(annotated(object, none), WAVE, undefined)
}

/** The object with some annotations set, or taken away where they are undefined. */
export function annotated(object: KubeObject, values: Values): KubeObject {
  const annotations = withValues(object.metadata.annotations, values)
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** The object with one label set, or taken away where it is undefined. */
export function labelled(object: KubeObject, key: string, value: string | undefined): KubeObject {
  const { metadata } = object
  if (metadata.labels?.[key] === value) return object
  const labels = withValues(metadata.labels, { [key]: value })
  return { ...object, metadata: { ...metadata, labels } }
}

function withValues(words: Words, values: Values): Readonly<Record<string, string>> {
  return defined({ ...words, ...values }) as Readonly<Record<string, string>>
}

// Marks that are nobody's word. The controller-manager copies a Deployment's annotations to its newest
// ReplicaSet, and `rollout undo` puts those of an old one back: on a workload that its owner has taken out
// of our hands nobody of ours is asked. Such a one is not labelled, and its fields hold nothing.

import {
  CAUGHT,
  HOLD,
  OWN_ROLLOUT_ID,
  RECORD,
  STABLE_TEMPLATE,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { WorkloadFields } from './adapter.ts'

/** What says how a workload is held; all that a copy may bring, but for the escape. */
const holdMarks = [HOLD, RECORD, OWN_ROLLOUT_ID, CAUGHT, STABLE_TEMPLATE]

/** Of a merge patch that takes copies away, and the label that only counts beside one of them. */
export const noCopies = {
  labels: { [WAVE]: null },
  annotations: Object.fromEntries(holdMarks.map(key => [key, null])),
} as const

/**
 * The object with the marks that count. Who takes only the label away, under a hold that stands, has not
 * been given his fields back: then the marks are no copies.
 */
export function withoutCopies<O extends KubeObject>(
  { armed }: Pick<WorkloadFields<O>, 'armed'>,
  object: O,
): O {
  const { metadata } = object
  const all = Object.entries({ ...metadata.annotations })
  const own = all.filter(([key]) => !holdMarks.includes(key))
  const counts = own.length === all.length || metadata.labels?.[WORKLOAD_TYPE] !== undefined
  if (counts || armed(object)) return object
  return { ...object, metadata: { ...metadata, annotations: Object.fromEntries(own) } }
}

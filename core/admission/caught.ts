// What the policy in the API server did to a request, undone: it runs before us, holds what it catches,
// and leaves word of what the request carried. A caught workload that nobody has judged stays caught.

import { CAUGHT, HOLD, RECORD, WAVE } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { asCarried, caughtRecord } from '../workload/caught.ts'
import { withoutCopies } from '../workload/copies.ts'
import { recordOf } from '../workload/record.ts'
import { annotated, labelled } from './marks.ts'
import type { WorkloadReview } from './model.ts'

/** The review of what was asked for, without what the policy did, and of what counted before. */
export function asRequested<T extends WorkloadReview>(request: T): T {
  const { adapter, object, before } = request
  const review = before ? { ...request, before: withoutCopies(adapter, before) } : request
  if (object.metadata.annotations?.[CAUGHT] === undefined) return review
  return { ...review, object: withoutCatch(asCarried(adapter, object)) }
}

/** The object without the marks of the policy; the field by which it holds stays. */
export function withoutCatch(object: KubeObject): KubeObject {
  const record = object.metadata.annotations?.[RECORD]
  return annotated(object, { [CAUGHT]: undefined, [RECORD]: recordOf(object) && record })
}

/** The requested object as the policy stores it. */
export function stillCaught(review: WorkloadReview, before: KubeObject): KubeObject {
  const { adapter, object } = review
  const { [HOLD]: hold, [RECORD]: record } = { ...before.metadata.annotations }
  const carried = adapter.carries(object)
  const held = hold !== undefined && recordOf(before) !== undefined
  const marks = held
    ? { [HOLD]: hold, [RECORD]: record }
    : { [RECORD]: caughtRecord(adapter, carried) }
  const caught = annotated(adapter.caught(object), { [CAUGHT]: carried, ...marks })
  return labelled(caught, WAVE, held ? before.metadata.labels?.[WAVE] : undefined)
}

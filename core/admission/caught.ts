// What the policy in the API server did to a request, undone: it runs before us, pauses what it catches,
// and leaves word of what the request carried. A caught workload that nobody has judged stays caught.

import { CAUGHT, HOLD, RECORD } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { caughtRecord } from '../workload/caught.ts'
import { withoutCopies } from '../workload/copies.ts'
import { recordOf } from '../workload/record.ts'
import { annotated } from './marks.ts'
import type { WorkloadReview } from './review.ts'

/** The review of what was asked for, without the policy's pause and marks, and of what counted before. */
export function asRequested<T extends WorkloadReview>(request: T): T {
  const { adapter, object, before } = request
  const review = before ? { ...request, before: withoutCopies(adapter, before) } : request
  const carried = object.metadata.annotations?.[CAUGHT]
  if (carried === undefined) return review
  // Somebody who resumes a caught workload leaves the mark where it is.
  const paused = carried === 'paused' && isPaused(review)
  return { ...review, object: withoutCatch(adapter.withPause(object, paused)) }
}

/** The object without the marks of the policy; its pause stays. */
export function withoutCatch(object: KubeObject): KubeObject {
  const record = object.metadata.annotations?.[RECORD]
  return annotated(object, { [CAUGHT]: undefined, [RECORD]: recordOf(object) && record })
}

/** The requested object as the policy stores it. */
export function stillCaught(review: WorkloadReview, before: KubeObject): KubeObject {
  const { adapter, object } = review
  const { [HOLD]: hold, [RECORD]: record } = { ...before.metadata.annotations }
  const carried = isPaused(review) ? 'paused' : 'running'
  const held = hold !== undefined && recordOf(before) !== undefined
  const marks = held ? { [HOLD]: hold, [RECORD]: record } : { [RECORD]: caughtRecord(carried) }
  return annotated(adapter.withPause(object, true), { [CAUGHT]: carried, ...marks })
}

function isPaused({ adapter, object }: WorkloadReview): boolean {
  return adapter.paused(adapter.ownerOfFree(object))
}

// What the policy in the API server did to a request, undone: it runs before us, pauses what it catches,
// and leaves word of what the request carried. A caught workload that nobody has judged stays caught.

import { CAUGHT, HOLD, RECORD } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { caughtRecord } from '../workload/caught.ts'
import { recordOf } from '../workload/record.ts'
import { annotated } from './marks.ts'
import type { WorkloadReview } from './review.ts'

/** The review of what was asked for, without the policy's pause and marks. */
export function asRequested<T extends WorkloadReview>(review: T): T {
  const { adapter, object } = review
  const { [CAUGHT]: carried, [RECORD]: record } = { ...object.metadata.annotations }
  if (carried === undefined) return review
  // Somebody who resumes a caught workload leaves the mark where it is.
  const paused = carried === 'paused' && isPaused(review)
  const marks = { [CAUGHT]: undefined, [RECORD]: recordOf(object) && record }
  return { ...review, object: annotated(adapter.withPause(object, paused), marks) }
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

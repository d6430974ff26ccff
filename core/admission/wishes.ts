// What the owner of a workload wants by a write: of its fields those that are not ours.

import { equalJson } from '../equal.ts'
import { holdOf } from '../workload/hold.ts'
import type { Hold } from '../workload/hold.ts'
import { recordOf } from '../workload/record.ts'
import { heldBy } from '../workload/registry.ts'
import type { HoldRecord, OwnerValues } from '../workload/record.ts'
import type { Held, WorkloadReview } from './model.ts'
import { isOfThisRequest } from './release-name.ts'

/**
 * What the owner wants. A second pass over the same request (another webhook changed it after us)
 * finds our own fields in it: what the first pass recorded counts then.
 */
export function heldOwner(held: Held): OwnerValues {
  const { object } = held
  const carried = recordOf(object)
  const hold = holdOf(object)
  if (carried && hold) {
    const adapter = heldBy(held.adapter, hold)
    if (isNext(held, hold) || isOfThisRequest(held, hold)) {
      return adapter.ownerOfHeld(object, hold, carried)
    }
    // What he wrote while nobody answered is no field of the hold, and stands beside it.
    if (isSecondLook(held, hold, carried)) {
      return adapter.ownerOfHeld(object, adapter.noted(hold, object, carried.owner), carried)
    }
  }
  return held.adapter.ownerOfHeld(object, held.hold, held.record)
}

/** The first pass raised the number because the owner changed his values; no copy is ahead of us. */
function isNext({ hold, fromController }: Held, carried: Hold): boolean {
  return !fromController && carried.rolloutId === hold.rolloutId && carried.seq === hold.seq + 1
}

/** Our controller writes no hold fields: where they stand as it asks, the first pass has set them. */
function isSecondLook({ adapter, object, fromController }: Held, hold: Hold, record: HoldRecord) {
  if (!fromController) return false
  return equalJson(heldBy(adapter, hold).project(object, hold, record.owner), object)
}

/** What the owner wants by a write to a workload that is not held. */
export function freeOwner(review: WorkloadReview): OwnerValues {
  const { adapter, object, before } = review
  const carried = recordOf(object)
  const hold = holdOf(object)
  const trusted = !before || review.fromController || isOfThisRequest(review, hold)
  const ours = carried && hold && trusted
  return ours
    ? heldBy(adapter, hold).ownerOfHeld(object, hold, carried)
    : adapter.ownerOfFree(object, before)
}

/** Its owner resumes what is paused. */
export function asksToGoOn({ object, before, adapter }: Held): boolean {
  const was = adapter.ownerOfFree(before)
  return adapter.paused(was) && !adapter.paused(adapter.ownerOfFree(object))
}

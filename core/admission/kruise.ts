// Where Kruise Rollouts runs as well, edits are left to it: two that hold one workload, each in its own
// way, would undo each other's work. What we hold already stays held.

import { CAUGHT, KRUISE_PROGRESSING } from '#api/names.ts'
import { isCaught } from '../workload/caught.ts'
import { holdOf } from '../workload/hold.ts'
import { asRequested, withoutCatch } from './caught.ts'
import type { WorkloadReview } from './model.ts'
import type { Answer } from './review.ts'

const warning =
  'Kruise Rollouts runs in this cluster too: Sluice leaves this edit to it, and holds nothing until it is gone'

/** The object as it was requested, for Kruise Rollouts to judge; undefined where it is in our hands. */
export function leftToKruise(request: WorkloadReview): Answer | undefined {
  const { adapter, before, rollout, object } = request
  if (!before || holdOf(before)) return undefined
  const its = object.metadata.annotations?.[KRUISE_PROGRESSING] !== undefined
  // What nobody has looked at stays caught.
  if (isCaught(before) && !its) return undefined
  const left = its ? withItsPause(object) : asRequested(request).object
  const edited = rollout && adapter.fingerprint(object) !== adapter.fingerprint(before)
  return { outcome: 'untouched', object: left, warnings: edited ? [warning] : [] }
}

/** Its webhook may have been asked between the policy and us: then the pause is how it holds. */
function withItsPause(object: WorkloadReview['object']): WorkloadReview['object'] {
  return object.metadata.annotations?.[CAUGHT] === undefined ? object : withoutCatch(object)
}

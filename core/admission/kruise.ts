// Where Kruise Rollouts runs as well, edits are left to it: two that hold one workload, each in its own
// way, would undo each other's work. What we hold already stays held.

import { isCaught } from '../workload/caught.ts'
import { holdOf } from '../workload/hold.ts'
import { asRequested } from './caught.ts'
import type { Answer, WorkloadReview } from './review.ts'

const warning =
  'Kruise Rollouts runs in this cluster too: Sluice leaves this edit to it, and holds nothing until it is gone'

/** The object as it was requested, for Kruise Rollouts to judge; undefined where it is in our hands. */
export function leftToKruise(request: WorkloadReview): Answer | undefined {
  const { adapter, before, rollout } = request
  if (!before || holdOf(before) || isCaught(before)) return undefined
  const { object } = asRequested(request)
  const edited = rollout && adapter.fingerprint(object) !== adapter.fingerprint(before)
  return { outcome: 'untouched', object, warnings: edited ? [warning] : [] }
}

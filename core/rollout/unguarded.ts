// Why a Rollout does not do its work, each in one sentence: condition Ready has it, and so has the answer to a
// write of the Rollout.

import { targetOf } from '../commands.ts'
import type { WorkloadRef } from '../ref.ts'

/** There is no such workload. Whatever the order in which the two come, it is well. */
export function notThere({ kind, name }: Pick<WorkloadRef, 'kind' | 'name'>): string {
  return `waiting for ${kind} ${name} to be created: it may come after its Rollout, and is guarded as soon as it is there`
}

/** The same, of a Rollout that is to do nothing. */
export function disabledAlone({ kind, name }: Pick<WorkloadRef, 'kind' | 'name'>): string {
  return `disabled: there is no ${kind} ${name}`
}

/** Its owner has set it so that no edit can be held. */
export function notHoldable(ref: WorkloadRef, because: string): string {
  return `edits of ${targetOf(ref)} are not held: ${because}; the next one goes by its own strategy alone`
}

/** The Service or a route by which requests come is not there, or not as it has to be; `step`: the first that moves them. */
export function notMovable(step: number, because: string): string {
  return `the next release waits before step ${step}, since requests cannot be moved: ${because}`
}

// The catch: a policy in the API server holds a workload whose edit reaches nobody of ours, and leaves
// word of what the request carried. Whoever comes next tells what the owner wants from that by it.

import { CAUGHT, ESCAPE } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { WorkloadFields } from './adapter.ts'
import { escapePatch } from './record.ts'

/** The policy has caught an edit of the workload, and its owner did not take it out of our hands. */
export function isCaught({ metadata }: KubeObject): boolean {
  const { [CAUGHT]: caught, [ESCAPE]: escape } = { ...metadata.annotations }
  return caught !== undefined && escape === undefined
}

/** A caught object as the request carried it: what the owner wants is in its fields again. */
export function asCarried<O extends KubeObject>(fields: WorkloadFields<O>, object: O): O {
  const carried = object.metadata.annotations?.[CAUGHT]
  return carried === undefined ? object : fields.asCarried(object, carried)
}

/**
 * The record of a catch without a hold: nothing is remembered by it, but it is the patch that gives the
 * workload back, so that one command does, whoever holds.
 */
export function caughtRecord<O extends KubeObject>(
  { carriedSpec }: Pick<WorkloadFields<O>, 'carriedSpec'>,
  carried: string,
): string {
  return escapePatch('caught', carriedSpec(carried))
}

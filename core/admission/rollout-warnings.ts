// What a write to a Rollout means for a release that is running.

import type { Rollout } from '#api/rollout.generated.ts'
import { targetOf, undoneBy } from '../rollout/commands.ts'

/** Deleting or disabling a Rollout lets everybody go: that is said, and the way back from there. */
export function rolloutWarnings(before: Rollout, after?: Rollout): readonly string[] {
  const what = endOf(before, after)
  if (before.status?.phase !== 'Progressing' || what === undefined) return []
  const ref = { ...before.spec.workloadRef, namespace: before.metadata.namespace ?? '' }
  const [when, which] = isAborted(before)
    ? ['after an abort', 'the aborted version']
    : ['during a release', 'the rest']
  // The Rollout is no way back any more once this is read.
  return [
    `${what} ${when}: ${which} of ${targetOf(ref)} is released now, by its own strategy`,
    undoneBy('to go back from there, put the old template back', ref),
  ]
}

function endOf(before: Rollout, after: Rollout | undefined): 'deleted' | 'disabled' | undefined {
  if (after === undefined || after.metadata.deletionTimestamp !== undefined) return 'deleted'
  return after.spec.disabled === true && before.spec.disabled !== true ? 'disabled' : undefined
}

function isAborted({ status }: Rollout): boolean {
  const conditions = status?.conditions ?? []
  return conditions.some(({ type, reason }) => type === 'Stalled' && reason === 'Aborted')
}

// What a write to a Rollout means for a release that is running, and what of it says nothing.

import { ROLLBACK_IN_BATCH } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { targetOf, undoneBy } from '../rollout/commands.ts'
import { hasRoutes } from '../rollout/unsupported.ts'
import { adapterFor } from '../workload/registry.ts'

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

/** What an annotation asks for that its kind of workload does not do; told when it is new. */
export function inBatchWarnings(object: Rollout, before?: Rollout): readonly string[] {
  const said = before ? notInBatch(before) : undefined
  return [notInBatch(object)].filter(line => line !== undefined && line !== said) as string[]
}

function notInBatch(object: Rollout): string | undefined {
  const { metadata, spec } = object
  const value = metadata.annotations?.[ROLLBACK_IN_BATCH] ?? 'false'
  if (value === 'false') return undefined
  if (value !== 'true') {
    return `${ROLLBACK_IN_BATCH} counts only as "true": a rollback goes back at once`
  }
  if (hasRoutes(object)) {
    return `${ROLLBACK_IN_BATCH} says nothing where requests are routed: a rollback goes back at once`
  }
  const adapter = adapterFor(spec.workloadRef)
  if (!adapter || adapter.rollsBackInSteps) return undefined
  return `${ROLLBACK_IN_BATCH} says nothing for a ${adapter.kind}: a rollback goes back at once; only StatefulSets, CloneSets and kinds alike go back in steps`
}

function endOf(before: Rollout, after: Rollout | undefined): 'deleted' | 'disabled' | undefined {
  if (after === undefined || after.metadata.deletionTimestamp !== undefined) return 'deleted'
  return after.spec.disabled === true && before.spec.disabled !== true ? 'disabled' : undefined
}

function isAborted({ status }: Rollout): boolean {
  const conditions = status?.conditions ?? []
  return conditions.some(({ type, reason }) => type === 'Stalled' && reason === 'Aborted')
}

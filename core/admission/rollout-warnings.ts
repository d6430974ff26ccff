// What a write to a Rollout means for a release that is running.

import type { Rollout } from '#api/rollout.generated.ts'

/** Deleting or disabling a Rollout lets everybody go: that is said, and how to go back instead. */
export function rolloutWarnings(before: Rollout, after?: Rollout): readonly string[] {
  if (before.status?.phase !== 'Progressing') return []
  const gone = after === undefined || after.metadata.deletionTimestamp !== undefined
  const disabled = after?.spec.disabled === true && before.spec.disabled !== true
  if (!gone && !disabled) return []
  const { kind, name } = before.spec.workloadRef
  const what = gone ? 'deleted' : 'disabled'
  const target = `${kind.toLowerCase()}/${name}`
  return [
    `${what} during a release: the rest of ${target} is released now, by its own strategy`,
    `to go back instead: kubectl -n ${before.metadata.namespace} rollout undo ${target}`,
  ]
}

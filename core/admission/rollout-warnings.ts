// What a write to a Rollout means for a release that is running.

import type { Rollout } from '#api/rollout.generated.ts'
import { abortCommand } from '../rollout/commands.ts'

/** Deleting or disabling a Rollout lets everybody go: that is said, and how to go back instead. */
export function rolloutWarnings(before: Rollout, after?: Rollout): readonly string[] {
  const gone = after === undefined || after.metadata.deletionTimestamp !== undefined
  const disabled = after?.spec.disabled === true && before.spec.disabled !== true
  if (before.status?.phase !== 'Progressing' || (!gone && !disabled)) return []
  const what = gone ? 'deleted' : 'disabled'
  const { kind, name } = before.spec.workloadRef
  const target = `${kind.toLowerCase()}/${name}`
  return isAborted(before) ? afterAbort(what, target) : midRelease(what, target, before)
}

function afterAbort(what: string, target: string): readonly string[] {
  return [
    `${what} after an abort: ${target} gets the aborted version now, by its own strategy`,
    'to end the release instead, put the old template back first (kubectl apply, helm rollback)',
  ]
}

function midRelease(what: string, target: string, { metadata, status }: Rollout) {
  const named = { namespace: metadata.namespace ?? '', name: metadata.name }
  const release = status?.canaryStatus?.observedRelease ?? 'now'
  return [
    `${what} during a release: the rest of ${target} is released now, by its own strategy`,
    `to go back instead: ${abortCommand(named, release)}`,
  ]
}

function isAborted({ status }: Rollout): boolean {
  const conditions = status?.conditions ?? []
  return conditions.some(({ type, reason }) => type === 'Stalled' && reason === 'Aborted')
}

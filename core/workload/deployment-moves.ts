// The moves of a Deployment that are one write: labels, the end of a hold, a word to waiting clients.

import { ESCAPE, STABLE_REVISION, WORKLOAD_TYPE } from '#api/names.ts'
import type { Change } from '../change.ts'
import type { Instant, Move } from '../rollout/model.ts'
import { timeOf } from '../time.ts'
import { change, holdChange } from './deployment-changes.ts'
import type { DeploymentWorkload } from './deployment-view.ts'

/** Everybody may be new, as fast as the owner's strategy says; the way back stays open. */
export function finish(w: DeploymentWorkload): Move | undefined {
  if (!w.hold || w.hold.mode === 'released') return undefined
  const sent = w.hold.mode === 'finishing'
  if (sent && w.projected) return undefined
  return {
    changes: [holdChange(w, { ...w.hold, mode: 'finishing' })],
    why: 'giving the owner’s values back',
    ...(sent && { again: true }),
  }
}

/** The hold is over: nothing of it is left. */
export function release(w: DeploymentWorkload, promote: boolean): Move | undefined {
  if (!w.hold) return undefined
  const labels = promote && w.updateRevision ? { [STABLE_REVISION]: w.updateRevision } : {}
  return {
    changes: [holdChange(w, { ...w.hold, mode: 'released' }, labels)],
    why: 'giving the owner’s values back',
    ...(w.hold.mode === 'released' && { again: true }),
  }
}

/**
 * Waiting stock clients fail at once. The controller-manager keeps this reason while a Deployment is
 * paused, and no other would do: kubectl, Helm and kstatus all look for it.
 */
export function tellAborted(
  w: DeploymentWorkload,
  message: string,
  now: Instant,
): Move | undefined {
  const { progressing } = w.seen
  const reason = 'ProgressDeadlineExceeded'
  if (progressing?.reason === reason && progressing.message === message) return undefined
  const time = timeOf(now)
  const condition = { type: 'Progressing', status: 'False', reason, message }
  const conditions = [{ ...condition, lastUpdateTime: time, lastTransitionTime: time }]
  const told: Change = {
    ...change(w, { status: { conditions } }),
    subresource: 'status',
    strategic: true,
  }
  return { changes: [told], why: 'telling waiting clients' }
}

/** Admission is called for the Deployment, and its stable revision is named. */
export function guard(w: DeploymentWorkload): Move | undefined {
  const stale = !w.hold && w.rolledOut && w.seen.stableLabel !== w.updateRevision
  if (w.guarded && !stale) return undefined
  const stable = w.stableRevision && { [STABLE_REVISION]: w.stableRevision }
  const labels = { [WORKLOAD_TYPE]: 'deployment', ...stable }
  return { changes: [change(w, { metadata: { labels } })], why: 'labelling the Deployment' }
}

/** No trace of ours is left. */
export function unguard(w: DeploymentWorkload): Move | undefined {
  // A label that somebody else put there comes without the other one.
  if (w.seen.stableLabel === undefined) return undefined
  const labels = { [WORKLOAD_TYPE]: null, [STABLE_REVISION]: null }
  return { changes: [change(w, { metadata: { labels } })], why: 'taking the labels away' }
}

/** An abort annotation counts again. */
export function forgetAbort(w: DeploymentWorkload): Move | undefined {
  if (w.hold?.abortSeen === undefined) return undefined
  const { abortSeen: _, ...hold } = w.hold
  return { changes: [holdChange(w, hold)], why: 'forgetting an older abort' }
}

/** The escape is over. */
export function forgetEscape(w: DeploymentWorkload): Move | undefined {
  if (!w.escaped) return undefined
  const annotations = { [ESCAPE]: null }
  return { changes: [change(w, { metadata: { annotations } })], why: 'ending the escape' }
}

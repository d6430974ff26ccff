// The word to clients that wait for an aborted Deployment.

import type { Patch } from '../change.ts'
import type { Move } from '../move.ts'
import { timeOf } from '../time.ts'
import type { Instant } from '../time.ts'
import { change } from './changes.ts'
import type { DeploymentWorkload } from './deployment-view.ts'

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
  const told: Patch = {
    ...change(w, { status: { conditions } }),
    subresource: 'status',
    strategic: true,
  }
  return { changes: [told], why: 'telling waiting clients' }
}

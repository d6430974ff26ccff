// Deployments that we have made beside another one, for the new pods of its release. They end with it,
// however it ends.

import type { Move } from '../move.ts'
import { deletion } from './changes.ts'
import type { DeploymentWorkload } from './deployment-view.ts'
import { release } from './moves.ts'

/** None of them is left. */
export function noneBeside({ beside }: DeploymentWorkload): Move | undefined {
  return without(beside)
}

/** None of these is left. */
export function without(beside: readonly DeploymentWorkload[]): Move | undefined {
  if (beside.length === 0) return undefined
  const names = beside.map(({ ref }) => ref.name).join(', ')
  return { changes: beside.map(deletion), why: `deleting the canary Deployment ${names}` }
}

/**
 * The hold is over, and what was made for it is gone. After the last step everybody is new and serves, so
 * that goes first; where the release ends in the middle, its pods serve until the owner's values apply.
 */
export function releaseWithout(w: DeploymentWorkload, promote: boolean): Move | undefined {
  if (promote) return noneBeside(w) ?? release(w, promote)
  return release(w, promote) ?? noneBeside(w)
}

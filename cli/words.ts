// What eject says of a Deployment: what it was in, and what happens to its pods now.

import type { Deployment } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { resumeWorkloadCommand } from '#core/rollout/commands.ts'
import { deployment as adapter } from '#core/workload/deployment.ts'
import type { DeploymentOwner } from '#core/workload/deployment-fields.ts'
import { ownAmounts } from '#core/workload/deployment-fields.ts'
import type { DeploymentWorkload } from '#core/workload/deployment-view.ts'
import type { Hold } from '#core/workload/hold.ts'
import { seeReplicaSet } from '#core/workload/seen.ts'
import { givingBack, guessedOwner } from './ejection.ts'
import type { Stand } from './ejection.ts'

/** As a line names a Deployment: `shop/deployment/web`. */
export function nameOf({ metadata }: Deployment): string {
  return `${metadata.namespace}/deployment/${metadata.name}`
}

/** Its release was aborted, or is on its way back: given back, the aborted version would go out. */
export function isAborted(stand: Stand): boolean {
  const mode = viewOf(stand).hold?.mode
  return mode === 'aborted' || mode === 'back'
}

/** One line: what the Deployment was in, and what happens now. */
export function story(stand: Stand, owner: DeploymentOwner, rollout?: Rollout): string {
  return `${before(stand, rollout)}; ${after(stand, owner)}`
}

/** What the Deployment is in. */
function before(stand: Stand, rollout?: Rollout): string {
  const view = viewOf(stand)
  const { hold, escaped, armed, guarded, caught } = view
  if (!hold && caught !== undefined) return 'an edit was caught by the policy'
  if (armed) return 'the fields of a hold were there without the hold'
  if (hold) return `release ${hold.rolloutId}: ${progress(view, hold, rollout)}`
  if (escaped) return 'its owner had taken it back'
  return guarded ? 'no release was running' : 'what an earlier release left was there'
}

function progress(view: DeploymentWorkload, hold: Hold, rollout: Rollout | undefined): string {
  const pods = `${view.updated} of ${view.replicas} pods are new`
  if (hold.mode === 'finishing' || hold.mode === 'released') return `${pods}, and all may be`
  if (hold.mode === 'back') return `aborted, and ${pods} still`
  if (hold.mode === 'aborted') return `aborted, and ${pods}`
  return `${stepOf(hold, rollout)}, ${pods}`
}

/** Only the Rollout knows the number of the step; the hold knows what it lets out. */
function stepOf({ pods, rolloutId }: Hold, rollout: Rollout | undefined): string {
  const { observedRelease, currentStepIndex } = { ...rollout?.status?.canaryStatus }
  const steps = rollout?.spec.strategy.canary?.steps?.length
  const known = steps !== undefined && observedRelease === rolloutId
  return known ? `step ${currentStepIndex} of ${steps}` : `a step of ${pods}`
}

function after(stand: Stand, owner: DeploymentOwner): string {
  const { updated, replicas, total, ref } = viewOf(stand)
  const others = Math.max(total - updated, 0)
  if (others === 0 && updated === replicas) return 'given back, no pod moves'
  if (owner.paused) {
    return `given back, paused as its owner wants it; the rest goes on with: ${resumeWorkloadCommand(ref)}`
  }
  return `given back, the other ${others} become new now by ${strategyInWords(owner)}`
}

function strategyInWords(owner: DeploymentOwner): string {
  if (owner.strategy.type !== 'RollingUpdate') return `its own strategy ${owner.strategy.type}`
  const { maxUnavailable, maxSurge } = ownAmounts(owner)
  return `its own strategy (maxUnavailable ${maxUnavailable}, maxSurge ${maxSurge})`
}

/** Why an aborted one is left alone. */
export function abortedRefusal(stand: Stand): string {
  return `${before(stand)}; given back, the aborted version would go out: put the old template there first, or say --with-aborted`
}

/** Why one that a Rollout names is left alone. */
export function namedRefusal(stand: Stand, { metadata, ...rollout }: Rollout): string {
  const target = `-n ${metadata.namespace} rollout ${metadata.name}`
  const disable = `kubectl patch ${target} --type=merge -p '{"spec":{"disabled":true}}'`
  return `${before(stand, { metadata, ...rollout })}; Rollout ${metadata.name} would guard it again at once: first kubectl delete ${target} (or ${disable}); where no controller runs any more, say --keep-rollouts`
}

/** What to do where nobody remembers the owner's values. */
export function lostRefusal(stand: Stand): string {
  const { deployment } = stand
  const { namespace, name } = deployment.metadata
  const patch = JSON.stringify(givingBack(deployment, guessedOwner(stand)))
  return `what its owner wants is lost: neither it nor a ReplicaSet has a record that can be read; write your manifest's values into this, and eject again: kubectl patch -n ${namespace} deployment ${name} --type=merge -p '${patch}'`
}

function viewOf({ deployment, sets }: Stand): DeploymentWorkload {
  const replicaSets = sets.map(set => seeReplicaSet(set))
  return adapter.observe(adapter.see(deployment), { replicaSets, pods: [] }, 0)
}

// What eject says of a workload: what it was in, and what happens to its pods now.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { patchCommand, resumeWorkloadCommand, targetOf } from '#core/commands.ts'
import { rolloutOf } from '#core/rollout/parse.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import { isInForce } from '#core/workload/hold.ts'
import type { Hold } from '#core/workload/hold.ts'
import type { Workload } from '#core/workload/model.ts'
import type { OwnerValues } from '#core/workload/record.ts'
import { givingBack, guessedOwner, isGoingBack, viewOf } from './ejection.ts'
import type { Stand } from './ejection.ts'
import { refOf } from './stands.ts'

/** As a line names a workload: `shop/deployment/web`. */
export function nameOf(workload: KubeObject): string {
  const ref = refOf(workload)
  return `${ref.namespace}/${targetOf(ref)}`
}

/** Its release was aborted, or is on its way back: given back, the aborted version would go out. */
export function isAborted(stand: Stand): boolean {
  if (isGoingBack(stand)) return false
  const mode = viewOf(stand).hold?.mode
  return mode === 'aborted' || mode === 'back'
}

/** One line: what the workload was in, and what happens now. */
export function story(stand: Stand, owner: OwnerValues, rollout?: Rollout): string {
  const [was, is] = [before(stand, rollout), after(stand, owner)]
  return `${was}; ${stand.requests ? 'requests first, then ' : ''}${is}`
}

/** What the workload is in. */
function before(stand: Stand, rollout?: Rollout): string {
  const view = viewOf(stand)
  const { hold, escaped, armed, guarded, caught } = view
  if (!hold && caught !== undefined) return 'an edit was caught by the policy'
  if (armed) return 'the fields of a hold were there without the hold'
  if (hold && isGoingBack(stand)) return `release ${hold.rolloutId}: ${goingBack(view)}`
  if (hold) return `release ${hold.rolloutId}: ${progress(view, hold, rollout)}`
  if (escaped) return 'its owner had taken it back'
  return guarded ? 'no release was running' : 'what an earlier release left was there'
}

function goingBack({ updated, replicas }: Workload): string {
  return `rolled back, and ${updated} of ${replicas} pods are stable`
}

function progress(view: Workload, hold: Hold, rollout: Rollout | undefined): string {
  const pods = `${view.updated} of ${view.replicas} pods are new`
  if (!isInForce(hold)) return `${pods}, and all may be`
  if (hold.mode === 'back') return `aborted, and ${pods} still`
  if (hold.mode === 'aborted') return `aborted, and ${pods}`
  return `${stepOf(hold, rollout)}, ${pods}`
}

/** Only the Rollout knows the number of the step; the hold knows what it lets out. */
function stepOf({ pods, rolloutId }: Hold, rollout: Rollout | undefined): string {
  const { observedRelease, currentStepIndex } = { ...releaseIn(rollout?.status) }
  const steps = rollout && rolloutOf(rollout).steps.length
  const known = steps !== undefined && observedRelease === rolloutId
  return known ? `step ${currentStepIndex} of ${steps}` : `a step of ${pods}`
}

function after(stand: Stand, owner: OwnerValues): string {
  const { adapter, workload } = stand
  const { updated, replicas, total, ref } = viewOf(stand)
  const others = Math.max(total - updated, 0)
  const kept = Math.min(adapter.kept(workload, owner), others)
  const moving = others - kept
  const become = isGoingBack(stand) ? 'stable' : 'new'
  if (moving === 0 && updated + kept === replicas) return 'given back, no pod moves'
  if (adapter.paused(owner)) {
    return `given back, paused as its owner wants it; the rest goes on with: ${resumeWorkloadCommand(ref, adapter)}`
  }
  const strategy = adapter.strategyInWords(workload, owner)
  return `given back, the other ${moving} become ${become} now by ${strategy}`
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

/** Why routes are left alone that are moved for a TrafficRouting. */
export function movedAgainRefusal({ metadata: { namespace, name } }: Rollout): string {
  return `a controller would move its routes again for Rollout ${name}: first kubectl delete -n ${namespace} rollout ${name}; where no controller runs any more, say --keep-rollouts`
}

/** Why one is left alone whose requests are still moved for the TrafficRouting of its release. */
export function routedRefusal(name: string): string {
  return `requests come first, and the routes of TrafficRouting ${name} are not given back`
}

/** Why one is left alone of which it is not known whether requests are still sent to those who would leave. */
export function unreadRefusal(why: string): string {
  return `requests come first, and by what they come may not be read: ${why}`
}

/** What to do where nobody remembers the owner's values. */
export function lostRefusal(stand: Stand): string {
  const patch = JSON.stringify(givingBack(stand, guessedOwner(stand)))
  return `what its owner wants is lost: no record that can be read is left; write your manifest's values into this, and eject again: ${patchCommand(refOf(stand.workload), patch)}`
}

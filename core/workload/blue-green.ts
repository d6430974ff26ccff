// `apps/v1` Deployment, blue-green: armed, as many new pods as the step wants stand beside all old ones,
// and nobody leaves. It is held in the same fields as by budget; the budget is nothing, the surge all.

import type { Deployment } from '#api/kubernetes.ts'
import { podCount } from '../replicas.ts'
import type { WorkloadAdapter } from './adapter.ts'
import { withOriginal, withoutOriginal } from './blue-green-original.ts'
import { abort, advance, keep, sideHold } from './blue-green-rules.ts'
import type { DeploymentOwner } from './deployment-fields.ts'
import { deployment } from './deployment.ts'
import type { DeploymentSeen } from './deployment-seen.ts'
import { rest } from './deployment-rules.ts'
import { tellAborted } from './deployment-told.ts'
import type { DeploymentWorkload } from './deployment-view.ts'
import { holdOf, isInForce, isOn, still } from './hold.ts'
import { movesWith, restore } from './moves.ts'

export const blueGreen: WorkloadAdapter<Deployment, DeploymentSeen, DeploymentWorkload> = {
  ...deployment,
  style: 'blueGreen',
  caveats: () => [
    'all old pods stay beside the new ones until the last step is over: at 100% twice as many run',
    'an autoscaler counts the pods of both sides: by a metric that does not fall with more pods (memory, the length of a queue) it may scale up again and again, as far as its maxReplicas',
  ],

  firstWave(before, object, owner, { pods, mayRun }) {
    const replicas = blueGreen.replicas(object)
    // Pods of another new version stand beside the old ones: the controller-manager would take those
    // first, and pods of this version that run already would count as available for a moment.
    if (mayRun || isOn(holdOf(before)))
      return blueGreen.keepingAll({ mode: 'stop', ...still }, before, object)
    return sideHold(pods, podCount(pods, replicas), replicas)
  },

  // It keeps the room of all that there are. Those of an edit that was let go are no side any more.
  noSide(before, { mode, surge }, mayRun) {
    const hold = holdOf(before)
    return !mayRun && mode === 'stop' && surge !== still.surge && !!hold && isInForce(hold)
  },

  project(object, hold, owner) {
    const held = deployment.project(object, hold, owner)
    return isInForce(hold) ? withOriginal(held, owner as DeploymentOwner) : withoutOriginal(held)
  },
  restore: (object, owner) => withoutOriginal(deployment.restore(object, owner)),

  peak: (object, _, n) => blueGreen.replicas(object) + n,

  move: movesWith<DeploymentWorkload>({
    advance: (w, { pods }, now) => advance(w, pods, now),
    keep: (w, _, now) => keep(w, now),
    abort,
    tellAborted: (w, { message }, now) => tellAborted(w, message, now),
    rest: (w, _, now) => restore(w) ?? rest(w, now),
    // The native rollback takes armed pods first, Ready or not.
    unblock: () => undefined,
  }),
}

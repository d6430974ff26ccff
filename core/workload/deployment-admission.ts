// How a Deployment is held in its own fields, as admission needs it: by budget. Armed, a new pod is Ready
// but never available, so the native rolling update lets exactly as many pods be new as maxUnavailable
// says, for as long as it takes.

import type { Deployment } from '#api/kubernetes.ts'
import { podCount } from '../replicas.ts'
import type { WorkloadFields } from './adapter.ts'
import { withoutOurs } from './blue-green-original.ts'
import {
  byBudget,
  hasHoldFields,
  invalidOwner,
  isProjected,
  notedIn,
  ownAmounts,
  ownerOfFree,
  ownerOfHeld,
  projectDeployment,
  recordedOwner,
  restoreDeployment,
  unholdable,
} from './deployment-fields.ts'
import type { DeploymentOwner, Projection } from './deployment-fields.ts'
import { holdOf, isInForce, still } from './hold.ts'
import type { Hold } from './hold.ts'
import { budgetFor, budgetPods, promised, surgeFor, surgePods } from './percent.ts'
import { recordOf } from './record.ts'
import type { OwnerValues } from './record.ts'
import { replicatedFields } from './replicated-fields.ts'

/** What admission asks of a Deployment, however it is held. */
export function fieldsHeld(
  by: Projection,
): Omit<WorkloadFields<Deployment>, 'firstWave' | 'most' | 'peak'> {
  return {
    ...replicatedFields,
    caveats: () => [],
    armed: ({ spec }) => hasHoldFields(spec),
    unholdable: owner => unholdable(asDeploymentOwner(owner)),
    invalid: owner => invalidOwner(asDeploymentOwner(owner)),
    ownerOfFree,
    ownerOfHeld: (incoming, hold, record) => ownerOfHeld(incoming, hold, record, by),
    recordedOwner,
    project: (object, hold, owner) => projectDeployment(object, hold, asDeploymentOwner(owner), by),
    restore: (object, owner) => withoutOurs(restoreDeployment(object, asDeploymentOwner(owner))),
    projected: ({ spec }, hold, owner) => isProjected(spec, hold, asDeploymentOwner(owner), by),
    paused: owner => asDeploymentOwner(owner).paused,
    unpaused: owner => ({ ...owner, paused: false }),
    caught: object => ({ ...object, spec: { ...object.spec, paused: true } }),
    carries: ({ spec }) => (spec.paused === true ? 'paused' : 'running'),
    asCarried(object, word) {
      if (word === 'paused') return object
      const { paused: _, ...spec } = object.spec
      return { ...object, spec }
    },
    carriedSpec: word => ({ paused: word === 'paused' }),
    noted: (hold, _, owner) => notedIn(hold, asDeploymentOwner(owner), by),
    keepingAll,
  }
}

/** The admission half of the adapter. */
export const deploymentFields: WorkloadFields<Deployment> = {
  ...fieldsHeld(byBudget),
  caveats: (_, mayRun) => (mayRun ? [ONE_MORE] : []),

  firstWave(before, object, owner, { pods, mayRun }) {
    const { replicas, unavailable, surge, ownSurge } = room(object, owner)
    // Of a version that runs already the controller-manager counts all as available until its ReplicaSet is
    // armed: as many more come as the hold has room for, and none has room for less than one.
    const n = mayRun ? 1 : podCount(pods, replicas)
    // The wave before is still being carried out: who leaves for it makes room for more than `n`.
    if (holdOf(before) && !isObserved(before)) return standing(before, object)
    // A half-broken workload gives nobody else away. The status of the object itself may be missing:
    // a whole object that is put has none.
    const missing = replicas - Math.min(before.status?.readyReplicas ?? 0, replicas)
    const spare = Math.max(0, unavailable - missing)
    // Beside the others first: those pods the controller-manager makes with the very ReplicaSet, and
    // nobody leaves for them. Beside pods that run already one comes in any case; of a budget the
    // controller-manager takes only what those leave, once it counts them.
    const beside = mayRun && spare > 0 ? 0 : Math.min(surge, n)
    const budget = Math.min(n - beside, spare)
    // Nobody may be missing, and none may be added: the controller goes on when there is room.
    if (budget + beside === 0) return standing(before, object)
    return {
      mode: 'wave',
      budget: budgetFor(budget, replicas),
      surge: surgeFor(beside, replicas, ownSurge),
    }
  },

  most(object, hold) {
    const { replicas = 1 } = object.spec
    return budgetPods(hold.budget, replicas) + surgePods(hold.surge, replicas)
  },

  peak(object, owner, n) {
    const { replicas, surge } = room(object, owner)
    return replicas + Math.min(surge, n)
  },
}

/** No hold that is not paused has room for less than one. */
const ONE_MORE =
  'pods of this version may run already: one more may start before they are counted, and those that the step does not want go back'

/** The first wave is left to the controller. */
function standing(before: Deployment, object: Deployment) {
  return keepingAll({ mode: 'stop', ...still } as const, before, object)
}

function isObserved({ metadata, status }: Deployment): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}

/**
 * Paused, the controller-manager takes what is too much from the largest ReplicaSet, Ready or not. A
 * percent, whatever the owner's unit: it can be marked as ours.
 */
function keepingAll<T extends Pick<Hold, 'surge'>>(
  hold: T,
  before: Deployment,
  { spec }: Deployment,
): T {
  const { replicas = 1 } = spec
  if (replicas === 0) return hold
  const standing = Math.min(before.status?.replicas ?? 0, mostIn(before))
  const surplus = Math.max(standing - replicas, 0)
  const rooms = [hold.surge, roomIn(before), surgeFor(surplus, replicas, '100%')]
  const most = Math.max(...rooms.map(surge => surgePods(surge, replicas)))
  return { ...hold, surge: rooms.find(surge => surgePods(surge, replicas) === most)! }
}

/** As many as its ReplicaSets are to have at most: what else is counted is leaving, after a scaling. */
function mostIn(before: Deployment): number {
  const hold = holdOf(before)
  // A hold that is just over may have let twice as many run.
  if (hold && !isInForce(hold)) return Infinity
  const record = recordOf(before)
  const { replicas, surge } = room(before, record ? recordedOwner(record) : ownerOfFree(before))
  return replicas + surge
}

/**
 * What the hold lets run beside the others. The controller-manager counts pods that its ReplicaSets are to
 * have; the status counts those that exist, and a quota or a moment may keep them from being all.
 */
function roomIn(before: Deployment): Hold['surge'] {
  const hold = holdOf(before)
  // Once it is over the owner's own value counts.
  return hold && isInForce(hold) ? hold.surge : still.surge
}

function room(object: Deployment, owner: OwnerValues) {
  const { maxUnavailable, maxSurge } = ownAmounts(asDeploymentOwner(owner))
  const replicas = object.spec.replicas ?? 1
  const own = promised(maxUnavailable, maxSurge, replicas)
  return { replicas, unavailable: own.maxUnavailable, surge: own.maxSurge, ownSurge: maxSurge }
}

/** A record is written by admission alone, so its owner's values have the adapter's own shape. */
function asDeploymentOwner(owner: OwnerValues): DeploymentOwner {
  return owner as DeploymentOwner
}

// The status that the controller-manager writes for a Deployment, with the conditions that stock
// clients wait by.

import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from '#api/kubernetes.ts'
import { NO_PROGRESS_DEADLINE } from '#api/names.ts'
import { instantOf } from '#core/time.ts'
import { store } from './api-server.ts'
import { resolveFenceposts } from './fenceposts.ts'
import { deploymentIn, kubeTime, replicasOf, sum } from './world.ts'
import type { World } from './world.ts'

interface Sets {
  readonly newSet: ReplicaSet | undefined
  readonly all: readonly ReplicaSet[]
}

/** Writes the status. `rollout`: progress is judged as well; `sync`: scaling, or paused. */
export function syncConditions(world: World, sets: Sets, how: 'sync' | 'rollout'): void {
  const deployment = deploymentIn(world)!
  const counted = calculateStatus(deployment, sets)
  const progressing = how === 'sync' ? paused(deployment) : progress(world, deployment, counted)
  const minimum = replicasOf(deployment) - resolveFenceposts(deployment).maxUnavailable
  const enough = (counted.availableReplicas ?? 0) >= minimum
  const reason = enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable'
  const available = { type: 'Available', status: enough ? 'True' : 'False', reason }
  const conditions = [available, ...(progressing ? [progressing] : [])]
  store(world, 'workloads', { ...deployment, status: { ...counted, conditions } }, false)
}

function calculateStatus({ metadata }: Deployment, { newSet, all }: Sets): DeploymentStatus {
  const total = (of: (status: NonNullable<ReplicaSet['status']>) => number | undefined) =>
    sum(all.map(({ status }) => of(status ?? {}) ?? 0))
  const availableReplicas = total(status => status.availableReplicas)
  return {
    observedGeneration: metadata.generation ?? 0,
    replicas: total(status => status.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: total(status => status.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(sum(all.map(replicasOf)) - availableReplicas, 0),
  }
}

function conditionOf({ status }: Deployment): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Progressing')
}

/** A reported lack of progress is not overwritten by a pause. */
function paused(deployment: Deployment): Condition | undefined {
  const condition = conditionOf(deployment)
  const { paused: is, progressDeadlineSeconds } = deployment.spec
  if (!is || progressDeadlineSeconds === NO_PROGRESS_DEADLINE) return condition
  if (condition?.reason === 'ProgressDeadlineExceeded') return condition
  return { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' }
}

function progress(
  world: World,
  deployment: Deployment,
  status: DeploymentStatus,
): Condition | undefined {
  if (deployment.spec.progressDeadlineSeconds === NO_PROGRESS_DEADLINE) return undefined
  const condition = conditionOf(deployment)
  const lastUpdateTime = kubeTime(world.now)
  const known = { type: 'Progressing', lastUpdateTime }
  if (isComplete(deployment, status)) {
    if (condition?.reason === 'NewReplicaSetAvailable') return condition
    return { ...known, status: 'True', reason: 'NewReplicaSetAvailable' }
  }
  if (!condition || progressed(deployment.status ?? {}, status)) {
    return { ...known, status: 'True', reason: 'ReplicaSetUpdated' }
  }
  return isLate(world, deployment, condition)
    ? { ...known, status: 'False', reason: 'ProgressDeadlineExceeded' }
    : condition
}

function isLate(world: World, { spec }: Deployment, condition: Condition): boolean {
  const patienceMs = (spec.progressDeadlineSeconds ?? 600) * 1000
  const late = instantOf(condition.lastUpdateTime) + patienceMs < world.now
  return late && condition.reason === 'ReplicaSetUpdated'
}

function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const { replicas, updatedReplicas, availableReplicas } = status
  const all = [replicas, updatedReplicas, availableReplicas]
  return all.every(count => count === replicasOf(deployment))
}

function progressed(was: DeploymentStatus, is: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) =>
    replicas - updatedReplicas
  const more = (count: (status: DeploymentStatus) => number | undefined) =>
    (count(is) ?? 0) > (count(was) ?? 0)
  return (
    more(status => status.updatedReplicas) ||
    more(status => status.readyReplicas) ||
    more(status => status.availableReplicas) ||
    old(is) < old(was)
  )
}

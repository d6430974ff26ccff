// What is kept of a Deployment while nobody looks, beside what is kept of every workload.

import type { Condition, Deployment, DeploymentStatus } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { withoutCopies } from './copies.ts'
import type { WorkloadFields } from './adapter.ts'
import { deploymentFields } from './deployment-admission.ts'
import type { DeploymentOwner } from './deployment-fields.ts'
import { leftByKruise } from './kruise.ts'
import type { LeftHold } from './model.ts'
import type { WorkloadSeen } from './seen.ts'
import { seeWorkload } from './workload-seen.ts'

/** A Deployment. */
export interface DeploymentSeen extends WorkloadSeen {
  readonly owner: DeploymentOwner
  readonly leftHold?: LeftHold
  readonly status: {
    readonly replicas: number
    readonly updated: number
    readonly ready: number
    readonly available: number
    /** Undefined where the API server is too old to tell. */
    readonly terminating?: number
  }
  /** Condition Progressing, which an aborted release sets to say so. */
  readonly progressing?: Condition
  /** Why pods cannot be created, as the API server said it to the controller-manager. */
  readonly shortage?: string
}

/** What is kept of a Deployment; of the same generation as `before` it has the same template. */
export function seeDeployment(
  object: Deployment,
  before?: DeploymentSeen,
  fields: WorkloadFields<Deployment> = deploymentFields,
): DeploymentSeen {
  const { status } = object
  const seen = seeWorkload(fields, object, before)
  return defined({
    ...seen,
    owner: seen.owner as DeploymentOwner,
    status: counts(status),
    leftHold: leftByKruise(withoutCopies(fields, object)),
    progressing: conditionOf(status, 'Progressing'),
    shortage: conditionOf(status, 'ReplicaFailure')?.message,
  })
}

function conditionOf(status: DeploymentStatus | undefined, wanted: string) {
  return status?.conditions?.find(({ type }) => type === wanted)
}

function counts(status: DeploymentStatus | undefined): DeploymentSeen['status'] {
  const { replicas, updatedReplicas, readyReplicas, availableReplicas } = { ...status }
  return defined({
    replicas: replicas ?? 0,
    updated: updatedReplicas ?? 0,
    ready: readyReplicas ?? 0,
    available: availableReplicas ?? 0,
    terminating: status?.terminatingReplicas,
  })
}

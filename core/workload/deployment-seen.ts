// What is kept of a Deployment while nobody looks: a fingerprint instead of the template.

import { ESCAPE, ROLLOUT_ID, STABLE_REVISION, STABLE_TEMPLATE, WORKLOAD_TYPE } from '#api/names.ts'
import type { Condition, Deployment, DeploymentStatus } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { hasHoldFields, isProjected, ownerOfFree, recordedOwner } from './deployment-fields.ts'
import type { DeploymentOwner } from './deployment-fields.ts'
import { isCaught } from './caught.ts'
import { withoutCopies } from './copies.ts'
import { holdOf } from './hold.ts'
import { leftByKruise } from './kruise.ts'
import type { LeftHold } from '../rollout/model.ts'
import { recordOf } from './record.ts'
import type { HoldRecord } from './record.ts'
import { seen } from './seen.ts'
import type { WorkloadSeen } from './seen.ts'
import { templateFingerprint } from './template.ts'

/** A Deployment. */
export interface DeploymentSeen extends WorkloadSeen {
  readonly escaped: boolean
  readonly caught: boolean
  readonly generation: number
  /** The controller-manager has seen the latest generation. */
  readonly observed: boolean
  readonly replicas: number
  readonly fingerprint: string
  readonly record?: HoldRecord
  readonly projected: boolean
  /** Its fields are those of a hold, and there is none. */
  readonly armed: boolean
  /** The owner's values: recorded while it is held, else its fields. */
  readonly owner: DeploymentOwner
  readonly leftHold?: LeftHold
  readonly stableLabel?: string
  /** Fingerprint of the stable template, while a native rollout to another one runs. */
  readonly stableFingerprint?: string
  readonly ownerRolloutId?: string
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
}

/** What is kept of a Deployment; of the same generation as `before` it has the same template. */
export function seeDeployment(stored: Deployment, before?: DeploymentSeen): DeploymentSeen {
  const object = withoutCopies({ armed: ({ spec }) => hasHoldFields(spec) }, stored)
  const { metadata, spec, status } = object
  const labels = { ...metadata.labels }
  const annotations = { ...metadata.annotations }
  const hold = holdOf(object)
  const record = recordOf(object)
  const owner = record ? recordedOwner(record) : ownerOfFree(object)
  const { generation = 0 } = metadata
  const { observedGeneration = 0 } = { ...status }
  return defined({
    ...seen(object),
    guarded: labels[WORKLOAD_TYPE] !== undefined,
    marked: marks.some(key => labels[key] !== undefined) || annotations[ESCAPE] !== undefined,
    escaped: annotations[ESCAPE] !== undefined,
    caught: isCaught(object),
    generation,
    observed: observedGeneration >= generation,
    replicas: spec.replicas ?? 1,
    fingerprint: fingerprintOf(object, before),
    projected: hold === undefined || isProjected(spec, hold, owner),
    armed: hold === undefined && hasHoldFields(spec),
    owner,
    status: counts(status),
    hold,
    record,
    leftHold: leftByKruise(object),
    stableLabel: labels[STABLE_REVISION],
    stableFingerprint: annotations[STABLE_TEMPLATE],
    ownerRolloutId: labels[ROLLOUT_ID],
    progressing: status?.conditions?.find(({ type }) => type === 'Progressing'),
  })
}

/** The second one stays where an owner's escape takes the first one away. */
const marks = [WORKLOAD_TYPE, STABLE_REVISION]

/** Fingerprints of large templates take long, and most news are of the status. */
function fingerprintOf({ metadata, spec }: Deployment, before?: DeploymentSeen): string {
  const same = before?.metadata.uid === metadata.uid && before?.generation === metadata.generation
  return same ? before!.fingerprint : templateFingerprint(spec.template)
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

// What is kept of Deployments, ReplicaSets and pods while nobody looks: a fingerprint instead of the
// template, numbers instead of lists. A pod takes 0.3 KiB so, not 13.

import {
  DESIRED_REPLICAS,
  ESCAPE,
  POD_TEMPLATE_HASH,
  ROLLOUT_BATCH_ID,
  ROLLOUT_ID,
  STABLE_REVISION,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type {
  Condition,
  Deployment,
  DeploymentStatus,
  KubeObject,
  Pod,
  ReplicaSet,
} from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import type { Instant } from '../rollout/model.ts'
import { instantOf } from '../time.ts'
import { isProjected, ownerOfFree, recordedOwner } from './deployment-fields.ts'
import type { DeploymentOwner } from './deployment-fields.ts'
import { holdOf } from './hold.ts'
import type { Hold } from './hold.ts'
import { recordOf } from './record.ts'
import type { HoldRecord } from './record.ts'
import { templateFingerprint } from './template.ts'

/** Where an object is, and which version of it was seen. */
export interface Seen {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
  }
}

/** A Deployment, for as long as it is guarded; of the others only where they are. */
export interface DeploymentSeen extends Seen {
  readonly guarded: boolean
  readonly escaped: boolean
  readonly generation: number
  readonly observedGeneration: number
  readonly replicas: number
  readonly fingerprint: string
  readonly hold?: Hold
  readonly record?: HoldRecord
  readonly projected: boolean
  /** The owner's values: recorded while it is held, else its fields. */
  readonly owner: DeploymentOwner
  readonly stableLabel?: string
  readonly ownerRolloutId?: string
  readonly status: {
    readonly replicas: number
    readonly updated: number
    readonly available: number
  }
  /** Condition Progressing, which an aborted release sets to say so. */
  readonly progressing?: Condition
}

/** A ReplicaSet. */
export interface ReplicaSetSeen extends Seen {
  readonly ownerUid: string
  readonly created: Instant
  readonly hash: string
  readonly fingerprint: string
  readonly replicas: number
  readonly minReadySeconds: number
  /** What the controller-manager scaled it for; undefined before its first sync. */
  readonly desiredReplicas?: number
}

/** A pod. */
export interface PodSeen extends Seen {
  readonly ownerUid: string
  readonly terminating: boolean
  /** Undefined: not Ready. */
  readonly readySince?: Instant
  readonly rolloutId?: string
  readonly batchId?: string
}

/** What is kept of a Deployment. */
export function seeDeployment(object: Deployment): DeploymentSeen {
  const { metadata, spec, status } = object
  const labels = { ...metadata.labels }
  const hold = holdOf(object)
  const record = recordOf(object)
  const owner = record ? recordedOwner(record) : ownerOfFree(object)
  return defined({
    ...seen(object),
    guarded: labels[WORKLOAD_TYPE] !== undefined,
    escaped: metadata.annotations?.[ESCAPE] !== undefined,
    generation: metadata.generation ?? 0,
    observedGeneration: status?.observedGeneration ?? 0,
    replicas: spec.replicas ?? 1,
    fingerprint: templateFingerprint(spec.template),
    projected: hold === undefined || isProjected(spec, hold, owner),
    owner,
    status: counts(status),
    hold,
    record,
    stableLabel: labels[STABLE_REVISION],
    ownerRolloutId: labels[ROLLOUT_ID],
    progressing: status?.conditions?.find(({ type }) => type === 'Progressing'),
  })
}

/** What is kept of a ReplicaSet. */
export function seeReplicaSet(object: ReplicaSet): ReplicaSetSeen {
  const { metadata, spec } = object
  const desired = Number(metadata.annotations?.[DESIRED_REPLICAS] ?? Number.NaN)
  return {
    ...seen(object),
    ownerUid: controllerUid(object),
    created: instantOf(metadata.creationTimestamp),
    hash: metadata.labels?.[POD_TEMPLATE_HASH] ?? '',
    fingerprint: templateFingerprint(spec.template),
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    ...(!Number.isNaN(desired) && { desiredReplicas: desired }),
  }
}

/** What is kept of a pod. */
export function seePod(object: Pod): PodSeen {
  const { metadata, status } = object
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return defined({
    ...seen(object),
    ownerUid: controllerUid(object),
    terminating: metadata.deletionTimestamp !== undefined,
    readySince: ready?.status === 'True' ? instantOf(ready.lastTransitionTime) : undefined,
    rolloutId: metadata.labels?.[ROLLOUT_ID],
    batchId: metadata.labels?.[ROLLOUT_BATCH_ID],
  })
}

function counts(status: DeploymentStatus | undefined): DeploymentSeen['status'] {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = { ...status }
  return { replicas, updated: updatedReplicas, available: availableReplicas }
}

function seen({ metadata }: KubeObject): Seen {
  const { namespace = '', name, uid = '', resourceVersion = '' } = metadata
  return { metadata: { namespace, name, uid, resourceVersion } }
}

function controllerUid({ metadata }: KubeObject): string {
  return metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? ''
}

// What is kept of ReplicaSets and pods while nobody looks: a fingerprint instead of the template,
// numbers instead of lists. A pod takes 0.3 KiB so, not 13.

import {
  CONTROLLER_REVISION,
  DESIRED_REPLICAS,
  POD_DELETION_COST,
  POD_TEMPLATE_HASH,
  REVISION,
  ROLLOUT_BATCH_ID,
  ROLLOUT_ID,
} from '#api/names.ts'
import type { ControllerRevision, Pod, PodTemplate, ReplicaSet } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { controllerUid, seen } from '../seen.ts'
import type { Seen } from '../seen.ts'
import { instantOf } from '../time.ts'
import type { Instant } from '../time.ts'
import type { Hold } from './hold.ts'
import { recordOf } from './record.ts'
import type { HoldRecord, OwnerValues } from './record.ts'
import { templateFingerprint } from './template.ts'

/** A workload of any kind. */
export interface WorkloadSeen extends Seen {
  /** It carries our label. */
  readonly guarded: boolean
  /** Something of ours is on it, if only what its owner's escape has left. */
  readonly marked: boolean
  readonly escaped: boolean
  readonly caught: boolean
  readonly generation: number
  /** Its own controller has seen the latest generation. */
  readonly observed: boolean
  readonly replicas: number
  readonly fingerprint: string
  readonly hold?: Hold
  readonly record?: HoldRecord
  /** Its fields stand as the hold says. */
  readonly projected: boolean
  /** Its fields are those of a hold, and there is none. */
  readonly armed: boolean
  /** The owner's values: recorded while it is held, else its fields. */
  readonly owner: OwnerValues
  readonly stableLabel?: string
  /**
   * Fingerprint of the stable template: while a native rollout to another one runs, and at rest where
   * no older template is seen.
   */
  readonly stableFingerprint?: string
  readonly ownerRolloutId?: string
  /** The uid of the workload for whose release we have made it. */
  readonly madeFor?: string
}

/** What a workload owns, directly or through another. */
export interface Owned {
  readonly replicaSets: readonly ReplicaSetSeen[]
  readonly pods: readonly PodSeen[]
  /** Its versions, where it owns its pods itself. */
  readonly revisions?: readonly RevisionSeen[]
  /** Workloads of its kind that we have made for its release. */
  readonly beside?: readonly WorkloadSeen[]
  /** Somebody else's workload has the name of the one that is to be made for its release. */
  readonly nameTaken?: true
}

/** A ReplicaSet. */
export interface ReplicaSetSeen extends Seen {
  readonly ownerUid: string
  readonly created: Instant
  readonly generation: number
  /** Grows with every edit; it tells two that were made in the same second apart. */
  readonly revision: number
  readonly hash: string
  readonly fingerprint: string
  readonly replicas: number
  readonly minReadySeconds: number
  /** The controller-manager copies a Deployment's annotations to its newest ReplicaSet. */
  readonly record?: HoldRecord
  /** What the controller-manager scaled it for; undefined before its first sync. */
  readonly desiredReplicas?: number
}

/** One version of a workload that owns its pods itself. */
export interface RevisionSeen extends Seen {
  readonly ownerUid: string
  /** Grows with every edit. */
  readonly revision: number
  readonly hash: string
  readonly fingerprint: string
}

/** A pod. */
export interface PodSeen extends Seen {
  readonly ownerUid: string
  readonly created: Instant
  readonly terminating: boolean
  /** It has not started. */
  readonly pending?: true
  /** What its end costs, by its owner's word; undefined: nothing. */
  readonly deletionCost?: number
  /** Name of its revision, where the workload's own controller labels pods with it. */
  readonly revision?: string
  /** Undefined: not Ready. */
  readonly readySince?: Instant
  readonly rolloutId?: string
  readonly batchId?: string
}

/** What is kept of a ReplicaSet; `before` is what was kept of it so far. */
export function seeReplicaSet(object: ReplicaSet, before?: ReplicaSetSeen): ReplicaSetSeen {
  const { metadata, spec } = object
  const annotations = { ...metadata.annotations }
  const desired = Number(annotations[DESIRED_REPLICAS] ?? Number.NaN)
  const revision = Number(annotations[REVISION] ?? 0)
  const { generation = 0 } = metadata
  const same = isSame({ ...seen(object), generation, revision }, before)
  return defined({
    ...seen(object),
    ownerUid: controllerUid(object),
    created: instantOf(metadata.creationTimestamp),
    generation,
    revision,
    hash: metadata.labels?.[POD_TEMPLATE_HASH] ?? '',
    fingerprint: same ? before!.fingerprint : templateFingerprint(spec.template),
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    record: recordOf(object),
    desiredReplicas: Number.isNaN(desired) ? undefined : desired,
  })
}

/**
 * Fingerprints of large templates take long, and most news are of the status. But by the uid alone one
 * would be stale for ever: an API server that was upgraded reads the same template with another default,
 * in the Deployment as well, and the two would never match again.
 */
function isSame(
  { metadata, generation, revision }: Pick<ReplicaSetSeen, 'metadata' | 'generation' | 'revision'>,
  before: ReplicaSetSeen | undefined,
): boolean {
  const { uid } = { ...before?.metadata }
  return uid === metadata.uid && before?.generation === generation && before.revision === revision
}

/** What is kept of a version; `before` is what was kept of it so far. Its data never changes. */
export function seeRevision(object: ControllerRevision, before?: RevisionSeen): RevisionSeen {
  const { metadata, data, revision } = object
  // It is a patch, which says in the template that it takes the place of the one before.
  const { $patch: _, ...template } = { ...(data?.spec?.template as Patched | undefined) }
  const known = before?.metadata.uid === metadata.uid
  return {
    ...seen(object),
    ownerUid: controllerUid(object),
    revision,
    hash: metadata.labels?.[CONTROLLER_REVISION] ?? '',
    fingerprint: known ? before!.fingerprint : templateFingerprint(template),
  }
}

type Patched = PodTemplate & { readonly $patch?: string }

/** What is kept of a pod. */
export function seePod(object: Pod): PodSeen {
  const { metadata, status } = object
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return defined({
    ...seen(object),
    ownerUid: controllerUid(object),
    created: instantOf(metadata.creationTimestamp),
    ...expendable(object),
    terminating: metadata.deletionTimestamp !== undefined,
    revision: metadata.labels?.[CONTROLLER_REVISION],
    readySince: ready?.status === 'True' ? instantOf(ready.lastTransitionTime) : undefined,
    rolloutId: metadata.labels?.[ROLLOUT_ID],
    batchId: metadata.labels?.[ROLLOUT_BATCH_ID],
  })
}

/** What says that it can go before others: most pods say nothing of it, and then nothing is kept. */
function expendable({ metadata, status }: Pod): Pick<PodSeen, 'pending' | 'deletionCost'> {
  const cost = Number(metadata.annotations?.[POD_DELETION_COST] ?? 0)
  const pending = status?.phase === 'Pending'
  return {
    ...(pending && { pending }),
    ...(Number.isInteger(cost) && cost !== 0 && { deletionCost: cost }),
  }
}

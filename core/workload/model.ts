// One workload of any kind, and what may be wished of it, in words that mean the same for every kind.

import type { IntOrPercent } from '#api/kubernetes.ts'
import type { WorkloadRef } from '../ref.ts'
import type { Hold } from './hold.ts'
import type { HoldRecord } from './record.ts'
import type { PodSeen, WorkloadSeen } from './seen.ts'

/** One version of a workload's template. */
export interface Version {
  /** The name of its revision. */
  readonly hash: string
  /** Undefined: its template was not seen. */
  readonly fingerprint: string | undefined
}

/** One workload of any kind, as its adapter observed it. */
export interface Workload {
  readonly ref: WorkloadRef
  readonly uid: string
  readonly resourceVersion: string
  readonly generation: number
  /** What is kept of the object itself. */
  readonly seen: WorkloadSeen
  /** Its own controller has told of all that can be seen: it will not write in the next moment. */
  readonly settled: boolean
  /** Admission is called for it. */
  readonly guarded: boolean
  /** Its owner took it out of our hands with the escape annotation. */
  readonly escaped: boolean
  /** The version of an edit that reached nobody of ours, and that the policy in the API server holds. */
  readonly caught?: string
  readonly hold?: Hold
  readonly record?: HoldRecord
  /** The fields stand as the hold says. */
  readonly projected: boolean
  /** Its fields are those of a hold, and there is none. */
  readonly armed: boolean
  /** Its owner has paused it. */
  readonly ownerPaused: boolean
  /** The release id that the owner gave, by label. */
  readonly ownerRolloutId?: string
  readonly replicas: number
  readonly stableRevision: string
  /** '' until its controller has made it. */
  readonly updateRevision: string
  /** What the workload asks for; undefined until its controller has made it. */
  readonly update?: Version
  /** What everybody ran when the release began; undefined if it is gone. */
  readonly stable?: Version
  /** Those with pods whose templates are known, the update revision included, oldest first. */
  readonly active: readonly Version[]
  /** Older templates are seen; else that of the stable revision is noted on the workload at rest. */
  readonly templatesSeen: boolean
  /** What the newest revision that remembers a hold says of its owner's values. */
  readonly remembered?: HoldRecord
  /** Undefined: the update revision is not the stable one, or all go back to it at once. */
  readonly goingBack?: GoingBack
  readonly updated: number
  /** Pods of the update revision that are not on their way out. */
  readonly updatePods: readonly PodSeen[]
  /** Pods of all revisions. */
  readonly total: number
  /** Pods of versions that edits have replaced: neither what everybody ran nor what is wanted. */
  readonly abandoned: number
  /** New pods that have been Ready for as long as the owner's minReadySeconds. */
  readonly updatedReady: number
  /** Its own controller has nothing left to do: everybody runs the update revision and is Ready. */
  readonly rolledOut: boolean
  /** A hold of Kruise Rollouts that nobody ends any more. */
  readonly leftHold?: LeftHold
  /** Why edits of it cannot be held; undefined if they can. */
  readonly unheldBecause?: string
  /** Why an abort brings nobody back; undefined if it does. */
  readonly noAbort?: string
  /** The owner's patience with one step; undefined: no deadline. */
  readonly deadlineSeconds?: number
}

/** The stable template has returned, and goes out by the steps. */
export interface GoingBack {
  /** Pods that ran it all along: no step is for them. */
  readonly ran: number
  /** Pods that are to go back, and that the steps share. */
  readonly of: number
  /** Pods among those that ran it which stand before the others' turn: a partition counts them as old. */
  readonly passed: number
  /** As many a partition must let be new for the next one to go back; 0 while one is on its way. */
  readonly next: number
}

/** A workload as Kruise Rollouts has left it, in the middle of a release of its own. */
export interface LeftHold {
  /** The merge patch, as text, that gives it back: the rest goes out by its owner's own strategy. */
  readonly patch: string
  /** With this strategy whoever resumes it replaces all pods at once. */
  readonly recreates: boolean
  /** Name of the object that has driven the release, where it is known. */
  readonly batchRelease?: string
}

/** Labels and annotations for the pods of a second workload, beside those of the template. */
export interface PodMetadata {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** A wish, in the words of the domain. The workload's adapter turns it into changes. */
export type WorkloadAction =
  | { readonly type: 'guard' }
  | { readonly type: 'unguard' }
  /** Exactly `pods` may run the update revision. */
  | {
      readonly type: 'advance'
      readonly pods: IntOrPercent
      readonly podMetadata?: PodMetadata
    }
  /** What was let out stays, and no more. */
  | { readonly type: 'keep' }
  /** Everybody back to the stable revision, the template left as it is. */
  | { readonly type: 'abort' }
  /** Waiting stock clients of an aborted release fail at once. */
  | { readonly type: 'tellAborted'; readonly message: string }
  /** The owner's values apply again, and the stable template still is a rollback. */
  | { readonly type: 'finish' }
  /** Nothing of the hold is left; `promote`: the update revision is the stable one from now on. */
  | { readonly type: 'release'; readonly promote: boolean }
  /** Nothing of ours keeps the workload's own controller from finishing. */
  | { readonly type: 'rest' }
  /** No broken pod of the release keeps the workload's own controller from going back. */
  | { readonly type: 'unblock' }
  /** Pods carry the owner's rollout-id; `batches`: new pods at the end of each step so far. */
  | { readonly type: 'labelPods'; readonly batches: readonly number[] }
  /** A native rollout is over: where it began is no way back any more. */
  | { readonly type: 'forgetNative' }
  /** The escape is over. */
  | { readonly type: 'forgetEscape' }
  /** What the policy caught is an edit like any other, judged from the stable revision. */
  | { readonly type: 'takeOver' }
  /** The abort annotation that was there before the release is gone: from now on one counts. */
  | { readonly type: 'forgetAbort' }

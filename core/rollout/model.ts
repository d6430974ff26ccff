// The vocabulary of the core. Everything here is plain data: it can be logged, compared, and stored
// in a test.

import type { IntOrPercent } from '#api/kubernetes.ts'
import type {
  EventReason,
  ProgressingReason,
  ReadyReason,
  RefusalReason,
  StalledReason,
} from '#api/names.ts'
import type { FinalisingStep } from '#api/rollout.generated.ts'
import type { Change } from '../change.ts'
import type { Routing, Split } from '../traffic/model.ts'
import type { Traffic, TrafficAim } from '../traffic/routed.ts'
import type { NamedRouting } from '../traffic-routing/decide.ts'
import type { ScriptCall } from '../traffic/script.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import type { Hold } from '../workload/hold.ts'
import type { HoldRecord } from '../workload/record.ts'
import type { PodSeen, WorkloadSeen } from '../workload/seen.ts'
import type { Style } from './style.ts'
import type { Unseen } from './unseen.ts'

/** Milliseconds since the epoch. The core has no clock; time is an input. */
export type Instant = number

/** Which workload, in which namespace. */
export interface WorkloadRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** One stop of the plan that the user wrote. */
export interface Step {
  readonly replicas: IntOrPercent
  /** Absent: wait for approval. */
  readonly pauseSeconds?: number
  /** Absent: requests go wherever the Service sends them. */
  readonly split?: Split
}

/** Labels and annotations for the pods of a second workload, beside those of the template. */
export interface PodMetadata {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** What one Rollout asks for. */
export interface Rollout {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly ref: WorkloadRef
  readonly style: Style
  /** Why it is not the style that the Rollout asks for. */
  readonly otherStyleBecause?: string
  readonly steps: readonly Step[]
  readonly podMetadata?: PodMetadata
  /** By what requests come that are moved. */
  readonly traffic?: Routing
  /** Name of the TrafficRouting that says where requests go while a release runs. */
  readonly trafficRouting?: string
  readonly failureThreshold: IntOrPercent
  readonly paused: boolean
  readonly disabled: boolean
  /** Digest of the plan: all of the strategy but pauses and failureThreshold. */
  readonly planHash: string
  /** Digest of the abort annotation; undefined where there is none. */
  readonly abort?: string
  /** The stable template that returns is released by the steps, where the kind can. */
  readonly rollbackInSteps?: true
  /** Why it cannot be followed: what it asks for is not there, or another Rollout was first. */
  readonly refused?: { readonly reason: RefusalReason; readonly message: string }
}

/** The API's one-word summary. */
export type Phase = 'Initial' | 'Healthy' | 'Progressing' | 'Terminating' | 'Disabled' | 'Disabling'

/** The API's names for what a step is doing: the first goal that is not met. */
export type StepState =
  | 'BeforeStepUpgrade'
  | 'StepUpgrade'
  | 'StepTrafficRouting'
  | 'StepMetricsAnalysis'
  | 'StepPaused'
  | 'StepReady'
  | 'Completed'

/**
 * How the last release ended: by its steps, by the stable template, by its owner's escape, or by another
 * version that nobody held.
 */
export type Ending = 'completed' | 'canceled' | 'takenOver' | 'overtaken'

/** What a Rollout's status remembers. Only what cannot be observed is stored. */
export interface Memory {
  /** A release is running. */
  readonly releasing: boolean
  /** Undefined until a release has ended. */
  readonly ending?: Ending
  readonly stableRevision: string
  readonly canaryRevision: string
  /** The owner's name of the release, or ours. */
  readonly rolloutId: string
  /** Our own name of the release, by which a hold is known to belong to it. */
  readonly release: string
  /** Of the workload that was last told of; '' where that is not known. */
  readonly workloadUid: string
  /** Of that workload; seen with a smaller one, it is seen as it was before. */
  readonly generation: number
  /** 1-based. */
  readonly stepIndex: number
  /** Written by people to jump; else the natural next one, -1 on the last. */
  readonly nextStepIndex: number
  /** As it stands in the status: `StepReady` there is somebody's approval. */
  readonly state: StepState | ''
  /** The step's pods were there, and its pause began at `since`. */
  readonly pauseReached: boolean
  /** When the state began. */
  readonly since: Instant
  /** That the step is late has been told. */
  readonly late: boolean
  readonly planHash: string
}

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

/** The next thing to do on the way to a target. */
export interface Move {
  readonly changes: readonly Change[]
  /** Shown to the user while the target is not reached. */
  readonly why: string
  /** Look again then, if no event comes first. */
  readonly requeueAt?: Instant
  /** New pods are waited for to be Ready; whatever is there beyond those that are wanted stays. */
  readonly surplusStays?: true
  /** The same write as before, which did not take: more of them would not help. */
  readonly again?: true
  /** Nothing moves until somebody acts. */
  readonly blocked?: true
  /** The API's name of it, where it brings requests home. */
  readonly task?: FinalisingStep
  /** The next decision needs its answer. */
  readonly run?: ScriptCall
}

/** All that one decision may look at, read once. */
export interface Snapshot {
  readonly now: Instant
  readonly rollout?: Rollout
  readonly memory: Memory
  /** Undefined: there is none. */
  readonly workload?: Workload
  /** Why it is not known whether there is a workload. */
  readonly unseen?: Unseen
  /** What moves the workload, where there is one. */
  readonly adapter?: WorkloadAdapter
  /** By what its requests come; undefined: nobody moves them. */
  readonly traffic?: Traffic
  /** How the TrafficRouting stands that the release, or the Rollout, names. */
  readonly trafficRouting?: NamedRouting
  /** We have no right to delete pods: whoever has it is told which. */
  readonly podsLeft?: true
  /** We have no right to make and delete Deployments: whoever has it is told which. */
  readonly deploymentsLeft?: true
  /** The controller of Kruise Rollouts runs: one Rollout must not have two. */
  readonly kruiseRuns: boolean
  /** Its finalizer is on the Rollout, and we have no right to take it off: it may run. */
  readonly finalizerKept?: true
  /** The webhook is registered with the API server. */
  readonly registered: boolean
  /** Admission did not take the last hold that was sent to it. */
  readonly holdRefused: boolean
  /** The API server does not take what was written to move requests. */
  readonly refusedWrite?: RefusedWrite
}

/** A write that the API server refuses for what it is: a right is missing, or somebody's policy is against it. */
export interface RefusedWrite {
  /** Which one, as `wordsOf` tells. */
  readonly write: string
  /** In the API server's words. */
  readonly why: string
}

/** A wish, in the words of the domain. The workload's adapter turns it into changes. */
export type Action =
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
  /** Requests go where the aim says. */
  | { readonly type: 'route'; readonly aim: TrafficAim }
  | { readonly type: 'event'; readonly event: WorkloadEvent }

/** Something to tell where people look: on the workload. */
export interface WorkloadEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: EventReason
  readonly message: string
  /** The same event of the same release is told once. */
  readonly key: string
}

/** How a Rollout stands, in the words of the API. */
export interface Standing {
  readonly phase: Phase
  /** Reason of condition Progressing; undefined before the first release. */
  readonly progressing?: ProgressingReason
  /** Reason of condition Stalled: nothing moves until somebody acts. */
  readonly stalled?: StalledReason
  /** Reason of condition Ready when it is false: the Rollout does not do its work. */
  readonly notReady?: ReadyReason
  /** What of the end is being done. */
  readonly finalising?: FinalisingStep
  /** Nobody has looked at the workload: what the status says of it stays. */
  readonly unseen?: true
  /** The workload is on its way to where the Rollout wants it. */
  readonly reconciling: boolean
}

/** What to do next: `actions` in order, then `status`, each guarded by what was read. */
export interface Decision {
  readonly actions: readonly Action[]
  readonly memory: Memory
  readonly standing: Standing
  readonly message: string
  /** Only for time. Everything else wakes the rollout as a watch event. */
  readonly requeueAt?: Instant
}

/** A fact about the world that a plan brings about. */
export interface Goal {
  readonly met: (s: Snapshot) => boolean
  /** Asked again on every decision until the goal is met: must be idempotent. */
  readonly act: (s: Snapshot) => Partial<Decision>
  /** Shown to the user while the goal is not met. */
  readonly why: (s: Snapshot) => string
  /** Reason of condition Ready, where the goal cannot be reached before somebody acts. */
  readonly blocked?: (s: Snapshot) => ReadyReason | undefined
  /** The API's name of the step's state while the goal is not met; by default its pods are updated. */
  readonly state?: StepState
  /** The API's name of what is done at the end, while the goal is not met. */
  readonly task?: (s: Snapshot) => FinalisingStep | undefined
}

/** What a plan leads to once all its goals are met. */
export interface Outcome {
  readonly memory: Memory
  readonly message: string
  readonly events?: readonly WorkloadEvent[]
}

/** Goals are reached in order; `done` is the step to take once all are met. */
export interface Plan {
  readonly goals: readonly Goal[]
  readonly done: (s: Snapshot) => Outcome
  readonly standing: (s: Snapshot, met: boolean) => Standing
}

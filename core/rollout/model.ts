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
import type { RefusedWrite } from '../move.ts'
import type { WorkloadRef } from '../ref.ts'
import type { Style } from '../style.ts'
import type { Instant } from '../time.ts'
import type { Routing, Split } from '../traffic/model.ts'
import type { Traffic, TrafficAim } from '../traffic/routed.ts'
import type { NamedRouting } from '../traffic-routing/decide.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import type { PodMetadata, Workload, WorkloadAction } from '../workload/model.ts'
import type { Unseen } from './unseen.ts'

/** One stop of the plan that the user wrote. */
export interface Step {
  readonly replicas: IntOrPercent
  /** Absent: wait for approval. */
  readonly pauseSeconds?: number
  /** Absent: requests go wherever the Service sends them. */
  readonly split?: Split
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

/** A wish, in the words of the domain. */
export type Action =
  | WorkloadAction
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

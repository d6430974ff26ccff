// Every label, annotation, reason and fixed value that a user, a client or another process can see.
// The string in the cluster is the word in the code.

export const GROUP = 'rollouts.kruise.io'
export const API_VERSION = 'rollouts.kruise.io/v1beta1'
/** Served beside it, and converted; never stored. */
export const OLDER_API_VERSION = 'rollouts.kruise.io/v1alpha1'

// Labels

/** Marks a workload that a Rollout guards; admission is called for these alone. Value: the kind, lower-case. */
export const WORKLOAD_TYPE = 'rollouts.kruise.io/workload-type'
/** Name of the revision that everybody ran when the running release began. On the workload. */
export const STABLE_REVISION = 'rollouts.kruise.io/stable-revision'
/** On a workload: the owner's own name of the release. On a pod: the release that made it. */
export const ROLLOUT_ID = 'rollouts.kruise.io/rollout-id'
/** On a pod: the step, counted from 1, that let it out. */
export const ROLLOUT_BATCH_ID = 'rollouts.kruise.io/rollout-batch-id'
/** Kubernetes' name of the revision that a ReplicaSet or a pod belongs to. */
export const POD_TEMPLATE_HASH = 'pod-template-hash'
/** Kubernetes' name of the revision of a pod that its workload owns with no ReplicaSet between. */
export const CONTROLLER_REVISION = 'controller-revision-hash'

/** Kubernetes' own, on an EndpointSlice: the Service whose endpoints it has. */
export const SERVICE_NAME = 'kubernetes.io/service-name'

/** On a Deployment that we have made for the new pods of another one: the name of that one. */
export const CANARY_DEPLOYMENT = 'rollouts.kruise.io/canary-deployment'
/** On the pods of such a Deployment: the release that it was made for. Nobody else's pods carry it. */
export const CANARY_RELEASE = 'sluice.dev/canary'

/** On a held workload: how far the release has come since its hold began. No annotation, which is copied. */
export const WAVE = 'sluice.dev/wave'

// Annotations

/** Kubernetes' own, on a pod: of several the one with the lowest goes first. An integer; 0 unless given. */
export const POD_DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

/** How far a release may go, as `key=value;` pairs. Admission computes the hold fields from it. */
export const HOLD = 'sluice.dev/hold'
/** The merge patch that gives a held workload back to its owner, and what else must be remembered. */
export const RECORD = 'sluice.dev/record'
/** On a Service or a route: which requests go where. Admission computes selector and rules from it. */
export const TRAFFIC = 'sluice.dev/traffic'
/** The ConfigMap in which users keep traffic scripts of their own, with the name that Kruise Rollouts gave it. */
export const OWN_SCRIPTS = 'kruise-rollout-configuration'
/** A key there: this, then `ingress.<class>`, or `<kind>.<group>` of an object of another router. */
export const SCRIPT_KEY = 'lua.traffic.routing.'
/** On an object of another router while it is split: its spec, labels and annotations as its owner wants them. */
export const ORIGINAL = 'rollouts.kruise.io/original-spec-configuration'
/** On our Ingress of new pods: since when it stands as it does, and which annotations are ours. */
export const ROUTED = 'sluice.dev/routed'
/** On our Service and our Ingress of new pods: for which workload, and beside what they were made. */
export const MADE_FOR = 'sluice.dev/made-for'
/** On our Service of new pods: since when no route sends requests there. */
export const UNROUTED = 'sluice.dev/unrouted'
/** The release that a held workload is in, where the owner has not named it. */
export const OWN_ROLLOUT_ID = 'sluice.dev/rollout-id'
/**
 * Fingerprint of the stable template: while a native rollout to another one runs that nobody holds, so
 * that a return to it is a rollback, and at rest on what has no ReplicaSets to tell it.
 */
export const STABLE_TEMPLATE = 'sluice.dev/stable'
/** While it is on a workload, admission leaves every write to that workload alone. */
export const ESCAPE = 'sluice.dev/escape'
/**
 * On a workload whose template changed while nobody of ours answered: the policy in the API server has
 * paused it. Value: what the request carried, `running` or `paused`.
 */
export const CAUGHT = 'sluice.dev/caught'
/**
 * On a Rollout of the older version: `partition` replaces pods within the workload, `canary` runs new
 * ones in a second Deployment, as does a Rollout without it.
 */
export const ROLLING_STYLE = 'rollouts.kruise.io/rolling-style'
/** On a Rollout: the name of the TrafficRouting that says where requests go while a release runs. */
export const TRAFFIC_ROUTING = 'rollouts.kruise.io/trafficrouting'
/** On a Rollout: takes all pods of the running release back to the stable revision. Any value. */
export const ABORT = 'sluice.dev/abort'
/** On a Rollout, `true`: the stable template that returns goes out by the steps, where its kind can. */
export const ROLLBACK_IN_BATCH = 'rollouts.kruise.io/rollback-in-batch'

/**
 * On a Lease that is created as a dry run, and never stored: its label asks the webhook for the annotation, so
 * that the controller learns whether the API server reaches it.
 */
export const PROBE = 'sluice.dev/probe'

/** ReplicaSet annotations by which the controller-manager tells a scaling from a rollout. */
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
/** On a ReplicaSet: the number of the edit that last made it the newest. */
export const REVISION = 'deployment.kubernetes.io/revision'

// Of Kruise Rollouts, which may have been there before us

/** Its finalizer on a Rollout; it puts it back for as long as it runs. */
export const KRUISE_FINALIZER = 'rollouts.kruise.io/rollout'
/** Its finalizer on a second Deployment, which it has made for the new pods. */
export const KRUISE_CANARY_FINALIZER = 'finalizer.rollouts.kruise.io/batch-release'
/** Its two webhook configurations; the first is the sign that it is installed. */
export const KRUISE_WEBHOOKS = 'kruise-rollout-mutating-webhook-configuration'
/** On a workload in its release; presence counts. */
export const KRUISE_PROGRESSING = 'rollouts.kruise.io/in-progressing'
/** On a workload in its release: the BatchRelease, as an owner reference in JSON. */
export const KRUISE_CONTROL = 'batchrelease.rollouts.kruise.io/control-info'
/** On a Deployment that it holds by `Recreate`: the owner's `rollingUpdate`, in JSON. */
export const KRUISE_STRATEGY = 'rollouts.kruise.io/deployment-strategy'
/** On a Deployment that it holds by `Recreate`: how many pods are new. */
export const KRUISE_EXTRA_STATUS = 'rollouts.kruise.io/deployment-extra-status'
/** On a Deployment in a blue-green release, ours included: what the owner wants, in JSON. */
export const KRUISE_ORIGINAL = 'rollouts.kruise.io/original-deployment-strategy'
/** On a DaemonSet in its release: the type of the owner's `updateStrategy`. */
export const KRUISE_DAEMON_STRATEGY = 'rollouts.kruise.io/daemonset-original-update-strategy'
/** On a DaemonSet in its release: which revisions are stable and new, in JSON. */
export const KRUISE_DAEMON_REVISION = 'rollouts.kruise.io/daemonset-revision'
/** On a DaemonSet in its release: how many pods stay old, in JSON. */
export const KRUISE_DAEMON_CONTROL = 'rollouts.kruise.io/daemonset-advanced-control'
/** Label of a Deployment that it holds by `Recreate`. */
export const KRUISE_CONTROLLED = 'rollouts.kruise.io/controlled-by-advanced-deployment-controller'

// Field managers

/** Writes the hold and the labels of workloads, and the status of Rollouts. */
export const CONTROLLER_MANAGER = 'sluice-controller'

// Fixed values

/** Longer than any release: with it a new pod is Ready but never Available. */
export const ARMED_MIN_READY_SECONDS = 2147483646
/** To the controller-manager this value means "no deadline". Must be greater than the above. */
export const NO_PROGRESS_DEADLINE = 2147483647

// Reasons: of conditions of a Rollout, and of events on its workload. Each with what it means.

/** Reasons of condition Ready. */
export const READY_REASONS = {
  Guarding: 'the next edit is held',
  Releasing: 'a release is on its way; the message says what it waits for',
  HoldRefused: "the webhook does not take the controller's holds: see its --controller-user",
  RequestsBlocked:
    'the Service or the route by which requests come is missing, not as it has to be, or may not be written; says what',
  Escaped: 'the escape annotation is on the workload, but the fields of a hold are still there',
  NotGuarding: 'the API server would not call the webhook',
  NotHoldable: 'edits cannot be held as the owner has set the workload; the message says why',
  EditCaught: 'an edit that the webhook did not answer stands still; it is taken over next',
  WorkloadNotFound: 'there is no such workload; it is guarded as soon as it is created',
  KindNotServed: 'the cluster does not serve the kind that the Rollout names; it is looked for',
  KindNotRegistered: 'the kind that the Rollout names is not registered; says the value to add',
  KindUnread: 'workloads of its kind cannot be read; says why, and which rights are missing',
  WorkloadHeld: 'a Rollout that is gone still holds the workload; it is given back first',
  Conflict: 'another Rollout was first for this workload',
  KruiseRunning:
    'Kruise Rollouts runs here too, or its finalizer stays: nothing is done until it is gone',
  LeftByKruise: 'Kruise Rollouts has left the workload held; nothing is done until it is mended',
  FieldsDropped: 'the CRD of Rollouts drops fields that a release needs: put that of Sluice there',
  Unsupported: 'the Rollout asks for what this version does not do',
  ProgressDeadlineExceeded: 'as in condition Stalled',
  Aborted: 'as in condition Stalled',
} as const
/** A reason of condition Ready. */
export type ReadyReason = keyof typeof READY_REASONS

/** Reasons of condition Stalled. */
export const STALLED_REASONS = {
  ProgressDeadlineExceeded:
    "the step's pods were not Ready within the owner's `progressDeadlineSeconds`",
  Aborted: 'all pods are stable; start again, or put another template there',
  Conflict: 'see condition Ready',
  KruiseRunning: 'see condition Ready',
  LeftByKruise: 'see condition Ready',
  NotHoldable: 'see condition Ready',
  FieldsDropped: 'see condition Ready',
  Unsupported: 'see condition Ready',
} as const
/** A reason of condition Stalled. */
export type StalledReason = keyof typeof STALLED_REASONS

/** Reasons for which a Rollout cannot be followed. */
export type RefusalReason = Extract<
  ReadyReason & StalledReason,
  'Conflict' | 'FieldsDropped' | 'Unsupported'
>

/** Reasons of condition Progressing, of the Kruise API. */
export const PROGRESSING_REASONS = {
  Initializing: 'the release has just begun',
  InRolling: 'in its steps',
  Paused: 'frozen by the owner of the Rollout or of the workload',
  Finalising: "after the last step: the owner's values come back",
  Cancelling: 'going back to the stable version: rolled back, or aborted',
  Completed: 'over',
} as const
/** A reason of condition Progressing. */
export type ProgressingReason = keyof typeof PROGRESSING_REASONS

/** Reasons of condition Succeeded, where it was not by its steps that the release ended. */
export const SUCCEEDED_REASONS = {
  TakenOver: 'its owner took the workload over by the escape command',
  Overtaken: 'another version went out in the middle, and nobody held it',
} as const
/** A reason of condition Succeeded. */
export type SucceededReason = keyof typeof SUCCEEDED_REASONS

/** Reasons of condition Ready of a TrafficRouting. */
export const ROUTING_REASONS = {
  Home: 'its routes are as their owners wrote them, and no release needs it',
  Waiting: 'a release needs it, and no new pod is ready: its routes are as their owners wrote them',
  Moving: 'its routes are on their way: to what it says, or home',
  Routed: 'its routes are as it says',
  RequestsBlocked: 'the Service or a route is missing, not as it has to be, or may not be written',
  Unsupported: 'it asks for what cannot be done; says for what',
} as const
/** A reason of condition Ready of a TrafficRouting. */
export type RoutingReason = keyof typeof ROUTING_REASONS

/** Reasons of events on a workload. */
export const EVENT_REASONS = {
  ReleaseStarted: 'an edit was held',
  EditCaught: 'the webhook did not answer an edit; the policy holds it until it is taken over',
  ReleaseRestarted: 'the template changed again in the middle; step 1 begins for the new one',
  StepReached: "the step's pods are Ready; says what it waits for, and the command",
  StepJumped: 'somebody wrote `nextStepIndex`',
  JumpIgnored: 'somebody wrote a `nextStepIndex` that is no step: it is written back',
  PlanChanged: 'the steps changed; says with which one the release goes on',
  ReleaseCompleted: 'everybody is new',
  ReleaseTakenOver:
    'its owner ended it by the escape command, and everybody is where he wants them',
  ReleaseOvertaken: 'another version went out in the middle, and nobody held it; says why',
  ReleaseRolledBack: 'the stable template came back, and everybody is stable',
  Released: 'the Rollout was deleted or disabled during a release',
  Aborting: 'an abort was asked for: all pods go back to the stable revision',
  ReleaseAborted: 'aborted, and everybody is stable',
  ApprovalIgnored: "an approval came before the step's pause: approve again then",
  ProgressDeadlineExceeded: 'as in condition Stalled',
  CameUpNew: 'after a scaling no old pod is left',
  StableRevisionGone: 'the stable version is forgotten, and nobody can go back to it',
  NotHeld: 'a version went out that no step has held; says why',
  NotCreated: 'the API server refuses the second Deployment of a release; says why',
  RequestsRefused:
    'the API server refuses a write to a Service or a route, and the release waits; says why',
  RequestsBlocked:
    'the Rollout is gone, and requests do not leave new pods until somebody acts; says why',
  HoldRefused:
    "the webhook does not take the controller's holds: its `--controller-user` names another",
  ValuesRestored: 'fields of a hold were found without the hold',
  LeftByKruise: 'Kruise Rollouts has left the workload held; has the patch that mends it',
} as const
/** A reason of an event on a workload. */
export type EventReason = keyof typeof EVENT_REASONS

// Every label, annotation, reason and fixed value that a user, a client or another process can see.
// The string in the cluster is the word in the code.

export const GROUP = 'rollouts.kruise.io'
export const API_VERSION = 'rollouts.kruise.io/v1beta1'

// Labels

/** Marks a workload that a Rollout guards; admission is called for these alone. Value: the kind, lower-case. */
export const WORKLOAD_TYPE = 'rollouts.kruise.io/workload-type'
/** The `pod-template-hash` that everybody ran when the running release began. On the workload. */
export const STABLE_REVISION = 'rollouts.kruise.io/stable-revision'
/** On a workload: the owner's own name of the release. On a pod: the release that made it. */
export const ROLLOUT_ID = 'rollouts.kruise.io/rollout-id'
/** On a pod: the step, counted from 1, that let it out. */
export const ROLLOUT_BATCH_ID = 'rollouts.kruise.io/rollout-batch-id'
/** Kubernetes' name of the revision that a ReplicaSet or a pod belongs to. */
export const POD_TEMPLATE_HASH = 'pod-template-hash'

// Annotations

/** How far a release may go, as `key=value;` pairs. Admission computes the hold fields from it. */
export const HOLD = 'sluice.dev/hold'
/** The merge patch that gives a held workload back to its owner, and what else must be remembered. */
export const RECORD = 'sluice.dev/record'
/** The release that a held workload is in, where the owner has not named it. */
export const OWN_ROLLOUT_ID = 'sluice.dev/rollout-id'
/**
 * Fingerprint of the stable template, while a native rollout to another one runs that began before
 * anybody guarded the workload: a return to it is a rollback.
 */
export const STABLE_TEMPLATE = 'sluice.dev/stable'
/** While it is on a workload, admission leaves every write to that workload alone. */
export const ESCAPE = 'sluice.dev/escape'
/** On a Rollout: takes all pods of the running release back to the stable revision. Any value. */
export const ABORT = 'sluice.dev/abort'

/** ReplicaSet annotations by which the controller-manager tells a scaling from a rollout. */
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
/** On a ReplicaSet: the number of the edit that last made it the newest. */
export const REVISION = 'deployment.kubernetes.io/revision'

// Field managers

/** Writes the hold and the labels of workloads, and the status of Rollouts. */
export const CONTROLLER_MANAGER = 'sluice-controller'

// Fixed values

/** Longer than any release: with it a new pod is Ready but never Available. */
export const ARMED_MIN_READY_SECONDS = 2147483646
/** To the controller-manager this value means "no deadline". Must be greater than the above. */
export const NO_PROGRESS_DEADLINE = 2147483647

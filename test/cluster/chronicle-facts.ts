// What a recording keeps of each object: what the laws of a release speak of, and no more.

import type {
  Condition,
  Deployment,
  DeploymentStrategy,
  IntOrPercent,
  ObjectMeta,
  Pod,
  PodTemplate,
  ReplicaSet,
} from '#api/kubernetes.ts'
import { CAUGHT, DESIRED_REPLICAS, RECORD, WORKLOAD_TYPE } from '#api/names.ts'
import type { Rollout, RolloutStatus } from '#api/rollout.generated.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import { formatHold, holdOf } from '#core/workload/hold.ts'
import { recordOf } from '#core/workload/record.ts'

/** A workload of any kind. */
export interface WorkloadFacts {
  readonly kind: 'workload'
  readonly metadata: ObjectMeta
  readonly generation: number
  readonly observedGeneration: number
  readonly replicas: number
  readonly image: string
  /** Whatever the kind calls it. */
  readonly strategy: DeploymentStrategy
  /** How many pods its partition keeps at an older version; absent: its kind has none. */
  readonly keeps?: number
  /** It owns its pods itself; `ordinals`: those beyond its size go. Absent: ReplicaSets do. */
  readonly owns?: 'pods' | 'ordinals'
  readonly minReadySeconds: number
  readonly progressDeadlineSeconds: number
  readonly paused: boolean
  /** As its annotation would have it, with what the label says. */
  readonly hold: string | undefined
  readonly recorded: boolean
  /** As it is recorded. */
  readonly ownerPaused: boolean
  /** The policy in the API server has caught what was written. */
  readonly caught: boolean
  readonly guarded: boolean
  readonly readyReplicas: number
  /** Absent: its kind, or what is kept of it, does not tell. */
  readonly availableReplicas?: number
  readonly terminatingReplicas?: number
}

/** A Rollout. */
export interface RolloutFacts {
  readonly kind: 'rollout'
  readonly metadata: ObjectMeta
  readonly generation: number
  readonly steps: readonly StepFacts[]
  readonly told: Told
}

/** A step of a plan; `timed`: its pause ends by itself. */
export interface StepFacts {
  readonly replicas: IntOrPercent
  readonly timed: boolean
}

/** What the status of a Rollout says. */
export interface Told {
  readonly observedGeneration: number
  readonly phase: string
  readonly release: string
  readonly planHash: string
  readonly step: number
  readonly nextStep: number
  readonly state: string
  /** The step's pods were there: only then an approval counts. */
  readonly reached: boolean
  readonly stalled: boolean
  /** A third version has no side to stand on: it waits for the stable one. */
  readonly waitsForStable: boolean
  /** A condition says since when and why it is not at rest, in a reason and a message. */
  readonly explained: boolean
}

/** A ReplicaSet. */
export interface ReplicaSetFacts {
  readonly kind: 'set'
  readonly metadata: ObjectMeta
  readonly image: string
  readonly replicas: number
  /** For how many pods of the Deployment the controller-manager last sized it. */
  readonly desired: number | undefined
  readonly minReadySeconds: number
  readonly readyReplicas: number
  readonly terminatingReplicas?: number
  readonly observed: boolean
}

/** A pod. */
export interface PodFacts {
  readonly kind: 'pod'
  readonly metadata: ObjectMeta
  readonly image: string
  /** The uid of its ReplicaSet; the image, where it has none: its workload owns it. */
  readonly owner: string
  readonly ready: boolean
  /** It is on its way out. */
  readonly terminating: boolean
}

/** Anything of a recording. */
export type Facts = WorkloadFacts | RolloutFacts | ReplicaSetFacts | PodFacts

/** What is kept of a Deployment. */
export function seenDeployment(object: Deployment): WorkloadFacts {
  const { spec, status } = object
  const { readyReplicas = 0, availableReplicas = 0, terminatingReplicas = 0 } = { ...status }
  const { replicas, minReadySeconds = 0, paused = false } = spec
  return {
    ...seenWorkload(object),
    replicas: replicas!,
    strategy: spec.strategy!,
    minReadySeconds,
    progressDeadlineSeconds: spec.progressDeadlineSeconds!,
    paused,
    readyReplicas,
    availableReplicas,
    terminatingReplicas,
  }
}

/** What kinds differ in. */
export type OwnFacts =
  | 'replicas'
  | 'strategy'
  | 'keeps'
  | 'owns'
  | 'minReadySeconds'
  | 'progressDeadlineSeconds'
  | 'paused'
  | 'readyReplicas'
  | 'availableReplicas'
  | 'terminatingReplicas'

/** What is kept of a workload of any kind. */
export function seenWorkload({ metadata, spec, status }: Stored): Omit<WorkloadFacts, OwnFacts> {
  const { annotations, labels, generation = 0 } = metadata
  const hold = holdOf({ apiVersion: '', kind: '', metadata })
  const { observedGeneration = 0 } = { ...status }
  return {
    kind: 'workload',
    metadata: identity(metadata),
    generation,
    observedGeneration,
    image: imageOf(spec.template.spec),
    hold: hold && formatHold(hold),
    recorded: annotations?.[RECORD] !== undefined,
    ownerPaused: isOwnersPause(metadata),
    caught: annotations?.[CAUGHT] !== undefined,
    guarded: labels?.[WORKLOAD_TYPE] !== undefined,
  }
}

interface Stored {
  readonly metadata: ObjectMeta
  readonly spec: { readonly template: PodTemplate }
  readonly status?: { readonly observedGeneration?: number }
}

function isOwnersPause(metadata: ObjectMeta): boolean {
  return recordOf({ apiVersion: '', kind: '', metadata })?.owner['paused'] === true
}

/** What is kept of a Rollout. */
export function seenRollout({ metadata, spec, status }: Rollout): RolloutFacts {
  const { steps = [] } = { ...(spec.strategy.blueGreen ?? spec.strategy.canary) }
  return {
    kind: 'rollout',
    metadata: identity(metadata),
    generation: metadata.generation ?? 0,
    steps: steps.map(({ replicas = '100%', pause }) => ({
      replicas,
      timed: pause?.duration !== undefined,
    })),
    told: toldBy({ ...status }),
  }
}

function toldBy(status: Status): Told {
  const { phase, observedGeneration = 0, conditions, message } = status
  const {
    observedRelease = '',
    rolloutHash = '',
    ...canary
  } = { ...releaseIn(status as RolloutStatus) }
  const { currentStepIndex = 0, nextStepIndex = 0, currentStepState = '' } = canary
  const reasons = new Map(conditions?.map(({ type, reason }) => [type, reason]))
  return {
    observedGeneration,
    phase: phase ?? '',
    release: observedRelease,
    planHash: rolloutHash,
    step: currentStepIndex,
    nextStep: nextStepIndex,
    state: currentStepState,
    reached: reasons.get('Reconciling') === 'StepPaused',
    stalled: reasons.has('Stalled'),
    waitsForStable: /put the stable template back/.test(String(message)),
    explained: (conditions ?? []).some(isWhy),
  }
}

function isWhy(condition: Condition): boolean {
  const { type, status, reason, message, lastTransitionTime } = condition
  const speaks = type === 'Ready' ? status === 'False' : status === 'True'
  const kinds = ['Ready', 'Reconciling', 'Stalled']
  const said = [reason, message, lastTransitionTime].every(Boolean)
  return kinds.includes(type) && speaks && said
}

type Status = Partial<RolloutStatus>

/** What is kept of a ReplicaSet. */
export function seenReplicaSet({ metadata, spec, status = {} }: ReplicaSet): ReplicaSetFacts {
  const desired = metadata.annotations?.[DESIRED_REPLICAS]
  return {
    kind: 'set',
    metadata: identity(metadata),
    image: imageOf(spec.template.spec),
    replicas: spec.replicas ?? 1,
    desired: desired === undefined ? undefined : Number(desired),
    minReadySeconds: spec.minReadySeconds ?? 0,
    readyReplicas: status.readyReplicas ?? 0,
    terminatingReplicas: status.terminatingReplicas ?? 0,
    observed: (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
  }
}

/** What is kept of a pod. */
export function seenPod({ metadata, spec, status = {} }: Pod & PodTemplate): PodFacts {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  const image = imageOf(spec)
  return {
    kind: 'pod',
    metadata: identity(metadata),
    image,
    owner: owner?.kind === 'ReplicaSet' ? owner.uid : image,
    ready: ready?.status === 'True',
    terminating: metadata.deletionTimestamp !== undefined,
  }
}

function identity({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  }
}

function imageOf(pod: Readonly<Record<string, unknown>> | undefined): string {
  const containers = pod?.['containers'] as readonly { readonly image: string }[] | undefined
  return containers?.[0]?.image ?? ''
}

/** What is there at one moment; one workload and one Rollout to a namespace. */
export interface State {
  readonly version: bigint
  /** When it was seen, in milliseconds since the epoch. */
  readonly at: number
  /** What the last write was about, by name. */
  readonly changed: { readonly kind: Facts['kind']; readonly name: string } | undefined
  readonly workload: WorkloadFacts | undefined
  readonly rollout: RolloutFacts | undefined
  /** Of a workload that owns its pods itself one for each version. */
  readonly sets: readonly ReplicaSetFacts[]
  readonly pods: readonly PodFacts[]
}

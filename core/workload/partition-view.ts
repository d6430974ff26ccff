// One workload with a partition and its pods, in the numbers that the rules of a release speak of.

import type { IntOrPercent } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import type { Instant, Version, Workload } from '../rollout/model.ts'
import { asPartitionOwner, ownPartition, partitionFields, partitionOf } from './partition-fields.ts'
import type { Partitioned } from './partition-fields.ts'
import { promised } from './percent.ts'
import type { Owned, PodSeen, WorkloadSeen } from './seen.ts'
import { seeWorkload } from './workload-seen.ts'

/** What is kept of a workload with a partition. */
export interface PartitionSeen extends WorkloadSeen {
  readonly partition: number
  readonly maxUnavailable: IntOrPercent
  readonly minReadySeconds: number
  /** Why its own controller replaces nobody step by step; undefined: it does. */
  readonly unheldBecause?: string
  /** The number in the name of its first pod. */
  readonly firstOrdinal: number
  /** Its own controller waits for each pod before it goes on to the next. */
  readonly ordered: boolean
  readonly status: {
    readonly replicas: number
    readonly updated: number
    readonly ready: number
    readonly available: number
    readonly currentRevision: string
    readonly updateRevision: string
  }
}

/** A workload with a partition as the rules of a release see it. */
export interface PartitionWorkload extends Workload {
  readonly seen: PartitionSeen
  /** Most pods that may be missing, or not Ready, by what its owner says. */
  readonly maxUnavailable: number
  /** All that are to stay: not on their way out, nor beyond its size. */
  readonly pods: readonly PodSeen[]
  /** New pods that the owner's own partition allows. */
  readonly most: number
}

/** What is kept of a workload with a partition; of the same generation as `before` its template is. */
export function seePartitioned(object: Partitioned, before?: PartitionSeen): PartitionSeen {
  const { minReadySeconds = 0, podManagementPolicy, updateStrategy, ordinals } = object.spec
  const { maxUnavailable = 1 } = { ...updateStrategy?.rollingUpdate }
  return defined({
    ...seeWorkload(partitionFields, object, before),
    unheldBecause: partitionFields.unholdable({ updateStrategy }),
    partition: partitionOf(object) ?? 0,
    maxUnavailable,
    minReadySeconds,
    firstOrdinal: ordinals?.start ?? 0,
    ordered: podManagementPolicy !== 'Parallel',
    status: countsOf({ ...object.status }),
  })
}

function countsOf({
  replicas = 0,
  updatedReplicas: updated = 0,
  readyReplicas: ready = 0,
  availableReplicas: available = 0,
  currentRevision = '',
  updateRevision = '',
}: NonNullable<Partitioned['status']>): PartitionSeen['status'] {
  return { replicas, updated, ready, available, currentRevision, updateRevision }
}

/** Puts together what was seen of a workload with a partition. */
export function viewPartitioned(
  ref: Pick<Workload['ref'], 'apiVersion' | 'kind'>,
  seen: PartitionSeen,
  { pods: owned }: Owned,
  now: Instant,
): PartitionWorkload {
  const { metadata, owner, replicas, minReadySeconds } = seen
  const { namespace, name, uid, resourceVersion } = metadata
  const alive = owned.filter(({ terminating }) => !terminating)
  const pods = alive.filter(pod => indexOf(pod, seen) < replicas)
  const update = updateOf(seen)
  const stable = stableOf(seen, update)
  const updatePods = podsOf(update, pods)
  const most = replicas - Math.min(ownPartition(asPartitionOwner(owner)) ?? 0, replicas)
  return defined({
    ref: { ...ref, namespace, name },
    uid,
    resourceVersion,
    generation: seen.generation,
    seen,
    settled: seen.observed && says(seen, alive, owned.length - alive.length),
    guarded: seen.guarded,
    escaped: seen.escaped,
    caught: seen.caught ? seen.fingerprint : undefined,
    hold: seen.hold,
    record: seen.record,
    projected: seen.projected,
    armed: seen.armed,
    ownerPaused: false,
    ownerRolloutId: seen.ownerRolloutId,
    replicas,
    stableRevision: stable?.hash ?? '',
    updateRevision: update?.hash ?? '',
    update,
    stable,
    active: [stable, update].filter(version => podsOf(version, pods).length > 0) as Version[],
    templatesSeen: false,
    updated: updatePods.length,
    updatePods,
    total: pods.length,
    updatedReady: readyFor(updatePods, minReadySeconds, now),
    rolledOut: isRolledOut(seen, most),
    unheldBecause: seen.unheldBecause,
    // Its own controller gives a pod up before one is added: nobody is beside the others.
    maxUnavailable: promised(seen.maxUnavailable, 0, replicas).maxUnavailable,
    pods,
    most,
  })
}

/** How many have been Ready for `seconds`. */
export function readyFor(pods: readonly PodSeen[], seconds: number, now: Instant): number {
  const latest = seconds === 0 ? Infinity : now - seconds * 1000
  return pods.filter(({ readySince = Infinity }) => readySince < Infinity && readySince <= latest)
    .length
}

/** When one more of them will have been Ready for `seconds`. */
export function nextReady(
  pods: readonly PodSeen[],
  seconds: number,
  now: Instant,
): { readonly requeueAt?: Instant } {
  const due = pods
    .flatMap(({ readySince }) => (readySince === undefined ? [] : [readySince + seconds * 1000]))
    .filter(at => at > now)
  return due.length === 0 ? {} : { requeueAt: Math.min(...due) }
}

/** Which of its pods it is, from 0: the partition counts so, whatever the first one is called. */
export function indexOf(
  { metadata: { name } }: PodSeen,
  { firstOrdinal }: Pick<PartitionSeen, 'firstOrdinal'>,
): number {
  return Number(name.slice(name.lastIndexOf('-') + 1)) - firstOrdinal
}

/** Pods of a version that are not on their way out. */
function podsOf(version: Version | undefined, pods: readonly PodSeen[]): readonly PodSeen[] {
  return pods.filter(({ revision }) => revision !== undefined && revision === version?.hash)
}

/** What it asks for, once its own controller has named it. */
function updateOf({ observed, status, fingerprint }: PartitionSeen): Version | undefined {
  const { updateRevision } = status
  return observed && updateRevision ? { hash: updateRevision, fingerprint } : undefined
}

/**
 * What everybody ran before the edit. Undefined where its own controller has given the old version up:
 * nobody can be brought back to it.
 */
function stableOf(seen: PartitionSeen, update: Version | undefined): Version | undefined {
  const { record, stableFingerprint } = seen
  const { stable = stableFingerprint } = { ...record }
  const hash = stableHash(seen)
  if (stable === seen.fingerprint) return update
  if (hash === '' || isGivenUp(seen, update)) return undefined
  return hash === update?.hash ? update : { hash, fingerprint: stable }
}

/**
 * Its current revision is what everybody ran, unless its owner keeps some pods at an older one: then a
 * rollout never ends, and only the label names what the others ran.
 */
function stableHash({ owner, stableLabel, status }: PartitionSeen): string {
  const own = ownPartition(asPartitionOwner(owner)) ?? 0
  return own > 0 && stableLabel !== undefined ? stableLabel : status.currentRevision
}

function isGivenUp({ record, status }: PartitionSeen, update: Version | undefined): boolean {
  return record !== undefined && status.currentRevision === update?.hash
}

/** Its own controller has written what there is by now. */
function says(
  { status, replicas }: PartitionSeen,
  pods: readonly PodSeen[],
  leaving: number,
): boolean {
  const ready = readyFor(pods, 0, 0)
  return leaving === 0 && status.replicas === replicas && status.ready === ready
}

function isRolledOut({ observed, replicas, status }: PartitionSeen, most: number): boolean {
  const { updated, available } = status
  const all = status.replicas === replicas && available === replicas
  return observed && all && updated >= most
}

// One workload with a partition and its pods, in the numbers that the rules of a release speak of.

import type { IntOrPercent } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import type { Instant } from '../time.ts'
import type { WorkloadFields } from './adapter.ts'
import { leftPartition } from './kruise.ts'
import type { GoingBack, LeftHold, Version, Workload } from './model.ts'
import { keptBy, partitionOf } from './partition-fields.ts'
import type { Counts, PartitionKind } from './partition-kind.ts'
import type { Partitioned } from './partition-object.ts'
import { podsBetween } from './pod-version.ts'
import { readyFor } from './ready.ts'
import type { PodSeen, WorkloadSeen } from './seen.ts'
import { commonOf, seeWorkload } from './workload-seen.ts'

/** What is kept of a workload with a partition. */
export interface PartitionSeen extends WorkloadSeen {
  readonly partition: IntOrPercent
  readonly maxUnavailable?: IntOrPercent
  readonly maxSurge?: IntOrPercent
  readonly minReadySeconds: number
  readonly paused: boolean
  /** The partition is a number of pods, whichever they are. */
  readonly unordered: boolean
  /** Why its own controller replaces nobody step by step; undefined: it does. */
  readonly unheldBecause?: string
  /** The number in the name of its first pod. */
  readonly firstOrdinal: number
  /** Its own controller waits for each pod before it goes on to the next. */
  readonly ordered: boolean
  readonly leftHold?: LeftHold
  readonly status: Counts
}

/** A workload with a partition as the rules of a release see it. */
export interface PartitionWorkload extends Workload {
  readonly seen: PartitionSeen
  /** Most pods that may be missing, or not Ready, by what its owner says. */
  readonly maxUnavailable: number
  /** All that are to stay: not on their way out, nor beyond its size. Who gets new first is the last. */
  readonly pods: readonly PodSeen[]
  /** New pods that would come again as old ones if they were deleted now, the farthest from its turn first. */
  readonly early: readonly PodSeen[]
  /** Broken pods of a version that nobody wants, for which its own controller waits. */
  readonly blocking: readonly PodSeen[]
  /** New pods that the owner's own partition allows. */
  readonly most: number
  /** Who is deleted comes again neither as what everybody ran nor as what is wanted, and none of them serves. */
  readonly adrift: boolean
}

/** What is kept of a workload with a partition; of the same generation as `before` its template is. */
export function seePartitioned(
  { kind, fields }: { readonly kind: PartitionKind; readonly fields: WorkloadFields<Partitioned> },
  object: Partitioned,
  before?: PartitionSeen,
): PartitionSeen {
  const { updateStrategy, ordinals } = object.spec
  const block = { ...kind.place.blockOf(updateStrategy) }
  const { maxUnavailable, maxSurge, unorderedUpdate } = block
  const partition = partitionOf(kind, object) ?? 0
  const seen = seeWorkload(fields, object, before)
  return defined({
    ...seen,
    unheldBecause: fields.unholdable({ updateStrategy }, object),
    leftHold: leftPartition(object, kind.place, kind.old(partition, seen.replicas) > 0),
    partition,
    maxUnavailable,
    maxSurge,
    minReadySeconds: block.minReadySeconds ?? object.spec.minReadySeconds ?? 0,
    paused: block.paused === true,
    unordered: unorderedUpdate !== undefined,
    firstOrdinal: ordinals?.start ?? 0,
    ordered: kind.waits(object),
    status: kind.counts({ ...object.status }),
  })
}

/** Puts together what was seen of a workload with a partition. */
export function viewPartitioned(
  kind: PartitionKind,
  seen: PartitionSeen,
  owned: readonly PodSeen[],
  now: Instant,
): PartitionWorkload {
  const { owner, replicas, minReadySeconds } = seen
  const alive = named(kind, seen, owned).filter(({ terminating }) => !terminating)
  const pods = kind.order(seen).staying(alive, seen)
  const kept = keptBy(kind, owner, replicas)
  const update = updateOf(seen)
  const adrift = kept === 0 && isAdrift(seen, update, pods)
  const stable = stableOf(seen, update, { ownerKeeps: kept > 0, adrift })
  const updatePods = podsOf(update, pods)
  const most = replicas - kept
  return defined({
    ...commonOf(seen, kind),
    seen,
    settled: seen.observed && says(seen, alive, owned.length - alive.length),
    ownerPaused: seen.paused,
    stableRevision: stable?.hash ?? '',
    updateRevision: update?.hash ?? '',
    update,
    stable,
    active: [stable, update].filter(version => podsOf(version, pods).length > 0) as Version[],
    templatesSeen: false,
    goingBack: goingBack(kind, seen, pods, { updated: updatePods.length, most }),
    updated: updatePods.length,
    updatePods,
    total: pods.length,
    // What its owner's own partition keeps is older, and abandoned by nobody.
    abandoned: kept === 0 ? podsBetween([update, stable], pods) : 0,
    updatedReady: readyFor(updatePods, minReadySeconds, now),
    rolledOut: isRolledOut(seen, most),
    unheldBecause: seen.unheldBecause,
    leftHold: seen.leftHold,
    noAbort: kind.noAbort,
    maxUnavailable: kind.limits(seen, replicas).maxUnavailable,
    pods,
    ...outOfTurn(kind, seen, pods, [update, stable]),
    most,
    adrift,
  })
}

/** Until the first step begins, whoever runs the version counts as one that ran it all along. */
function goingBack(
  kind: PartitionKind,
  seen: PartitionSeen,
  pods: readonly PodSeen[],
  { updated, most }: { readonly updated: number; readonly most: number },
): GoingBack | undefined {
  const { hold, replicas } = seen
  if (hold?.ran === undefined) return undefined
  // Fewer than there were, though nobody is missing: a scaling took them.
  const scaled = pods.length >= replicas ? Math.min(hold.ran, updated) : hold.ran
  const ran = hold.mode === 'wave' ? scaled : updated
  const { passed, next } = kind.order(seen)
  const isNew = ({ revision }: PodSeen) => revision === seen.status.updateRevision
  const whole = pods.length >= replicas && updated < most
  return {
    ran,
    of: Math.max(most - ran, 0),
    passed: passed(ran),
    next: whole ? next(pods, isNew) : 0,
  }
}

/** Its pods with the names of their revisions. */
function named(
  { revisionOf }: PartitionKind,
  { metadata }: PartitionSeen,
  pods: readonly PodSeen[],
): readonly PodSeen[] {
  if (!revisionOf) return pods
  return pods.map(pod =>
    defined({ ...pod, revision: pod.revision && revisionOf(pod.revision, metadata.name) }),
  )
}

/** Whom to delete on the way back, and whom to get on at all. */
function outOfTurn(
  kind: PartitionKind,
  seen: PartitionSeen,
  pods: readonly PodSeen[],
  wanted: readonly [update: Version | undefined, stable: Version | undefined],
): Pick<PartitionWorkload, 'early' | 'blocking'> {
  const [update, stable] = wanted
  const isNew = ({ revision }: PodSeen) => revision !== undefined && revision === update?.hash
  const by = {
    kept: Math.min(kind.old(seen.partition, seen.replicas), seen.replicas),
    old: pods.filter(pod => !isNew(pod)).length,
    current: seen.status.currentRevision,
    update: update?.hash ?? '',
  }
  const order = kind.order(seen)
  const returns = (pod: PodSeen) => {
    const next = order.comesAs(pod, seen, by)
    return next !== '' && next !== pod.revision
  }
  // Below its owner's partition an older version runs, and nobody is sent there.
  const isEarly = (pod: PodSeen) =>
    isNew(pod) && returns(pod) && order.comesAs(pod, seen, by) === stable?.hash
  const isWanted = ({ revision }: PodSeen) => wanted.some(version => version?.hash === revision)
  const blocks = seen.ordered && seen.observed && update !== undefined
  return {
    early: brokenFirst(pods.filter(isEarly)).slice(0, order.room(by)),
    blocking: blocks
      ? pods.filter(pod => pod.readySince === undefined && !isWanted(pod) && returns(pod))
      : [],
  }
}

function brokenFirst(pods: readonly PodSeen[]): readonly PodSeen[] {
  const isReady = ({ readySince }: PodSeen) => Number(readySince !== undefined)
  return pods.toSorted((a, b) => isReady(a) - isReady(b))
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
function stableOf(
  seen: PartitionSeen,
  update: Version | undefined,
  { ownerKeeps, adrift }: { readonly ownerKeeps: boolean; readonly adrift: boolean },
): Version | undefined {
  const { record, stableFingerprint } = seen
  const { stable = stableFingerprint } = { ...record }
  const hash = stableHash(seen, ownerKeeps)
  if (stable === seen.fingerprint) return update
  if (hash === '' || adrift || isGivenUp(seen, update)) return undefined
  return hash === update?.hash ? update : { hash, fingerprint: stable }
}

/**
 * Its current revision is what everybody ran, unless its owner keeps some pods at an older one: then a
 * rollout never ends, and only the label names what the others ran. So it is where nobody tells one.
 */
function stableHash({ stableLabel, status }: PartitionSeen, ownerKeeps: boolean): string {
  const { currentRevision } = status
  const told = currentRevision !== '' && !ownerKeeps
  return told ? currentRevision : (stableLabel ?? currentRevision)
}

function isGivenUp({ record, status }: PartitionSeen, update: Version | undefined): boolean {
  return record !== undefined && status.currentRevision === update?.hash
}

/**
 * Scaled to nobody in the middle of a release, its own controller takes the new version for the current one,
 * whether it is of any use or not. One look has to do: no pod tells for long that it has served once. Without
 * the label nobody knows that the current revision is not what everybody ran: then the release waits.
 */
function isAdrift(
  { stableLabel, status }: PartitionSeen,
  update: Version | undefined,
  pods: readonly PodSeen[],
): boolean {
  const { currentRevision } = status
  const known = [stableLabel, update?.hash, currentRevision].every(Boolean)
  if (!known || currentRevision === stableLabel || currentRevision === update!.hash) return false
  return pods.every(pod => pod.revision === update!.hash || pod.readySince === undefined)
}

/** Its own controller has written what there is by now. */
function says(
  { status, replicas }: PartitionSeen,
  pods: readonly PodSeen[],
  leaving: number,
): boolean {
  const ready = readyFor(pods, 0, 0)
  const counted = status.replicas === pods.length && status.ready === ready
  return leaving === 0 && counted && pods.length >= replicas
}

function isRolledOut({ observed, replicas, status }: PartitionSeen, most: number): boolean {
  const { updated, available } = status
  const all = status.replicas === replicas && available === replicas
  return observed && all && updated >= most
}

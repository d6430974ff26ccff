// One Deployment with its ReplicaSets and pods, in the numbers that the rules of a release speak of.

import { NO_PROGRESS_DEADLINE } from '#api/names.ts'
import { defined } from '../defined.ts'
import type { Instant } from '../time.ts'
import type { DeploymentSeen } from './deployment-seen.ts'
import type { Workload } from './model.ts'
import type { Owned, PodSeen, ReplicaSetSeen } from './seen.ts'
import { ownAmounts, unholdable } from './deployment-fields.ts'
import { promised } from './percent.ts'
import type { Promised } from './percent.ts'
import { countFor } from './ready.ts'
import { commonOf } from './workload-seen.ts'

/** A ReplicaSet and what its pods are up to. */
export interface Revision extends ReplicaSetSeen {
  readonly ready: number
  /** Since when each Ready pod has been so, oldest first. */
  readonly readySince: readonly Instant[]
}

/** A Deployment as the rules of a release see it. */
export interface DeploymentWorkload extends Workload {
  readonly seen: DeploymentSeen
  readonly promised: Promised
  /** Runs the template that the Deployment asks for; undefined until it is made. */
  readonly update?: Revision
  /** Runs what everybody ran when the release began; undefined if it is gone. */
  readonly stable?: Revision
  /** All with pods, the update revision included, oldest first. */
  readonly active: readonly Revision[]
  readonly ready: number
  /** Those that we have made for its release. */
  readonly beside: readonly DeploymentWorkload[]
}

/** Puts together what was seen of a Deployment. */
export function viewDeployment(
  seen: DeploymentSeen,
  owned: Owned,
  now: Instant,
): DeploymentWorkload {
  const { replicaSets, pods } = ownOf(owned)
  const revisions = replicaSets.map(set => revisionOf(set, pods)).toSorted(byAge)
  const active = revisions.filter(set => set.replicas > 0)
  const update = revisions.find(set => set.fingerprint === seen.fingerprint)
  const stable = stableOf(seen, revisions, active, update)
  const { minReadySeconds, progressDeadlineSeconds } = seen.owner
  const { maxUnavailable, maxSurge } = ownAmounts(seen.owner)
  const patient = progressDeadlineSeconds === NO_PROGRESS_DEADLINE
  const total = active.reduce((sum, set) => sum + set.replicas, 0)
  const ready = active.reduce((sum, set) => sum + set.ready, 0)
  const leaving = pods.filter(({ terminating }) => terminating).length
  return defined({
    ...commonOf(seen, { apiVersion: 'apps/v1', kind: 'Deployment' }),
    settled: seen.observed && says(seen.status, { total, updated: podsOf(update), ready, leaving }),
    templatesSeen: true,
    ownerPaused: seen.owner.paused,
    stableRevision: hashOf(stable),
    updateRevision: hashOf(update),
    updated: podsOf(update),
    updatedReady: readyFor(update, minReadySeconds, now),
    rolledOut: isRolledOut(seen, update),
    leftHold: seen.leftHold,
    unheldBecause: unholdable(seen.owner),
    deadlineSeconds: patient ? undefined : progressDeadlineSeconds,
    seen,
    promised: promised(maxUnavailable, maxSurge, seen.replicas),
    update,
    stable,
    remembered: revisions.findLast(set => set.record)?.record,
    active,
    updatePods: podsIn(update, pods),
    total,
    abandoned: stable ? total - podsOf(update) - (stable === update ? 0 : stable.replicas) : 0,
    ready,
    beside: besideOf(owned, now),
  })
}

/** What is owned by those that we have made for it is not its own. */
function ownOf({ beside = [], replicaSets, pods }: Owned): Owned {
  const made = new Set(beside.map(({ metadata }) => metadata.uid))
  const foreign = replicaSets.filter(({ ownerUid }) => made.has(ownerUid))
  const sets = new Set(foreign.map(({ metadata }) => metadata.uid))
  return {
    replicaSets: replicaSets.filter(({ ownerUid }) => !made.has(ownerUid)),
    pods: pods.filter(({ ownerUid }) => !sets.has(ownerUid)),
  }
}

function besideOf(
  { beside = [], replicaSets, pods }: Owned,
  now: Instant,
): readonly DeploymentWorkload[] {
  // They are of its own kind.
  return (beside as readonly DeploymentSeen[]).map(each => {
    const own = replicaSets.filter(({ ownerUid }) => ownerUid === each.metadata.uid)
    const sets = new Set(own.map(({ metadata }) => metadata.uid))
    const ownPods = pods.filter(({ ownerUid }) => sets.has(ownerUid))
    return viewDeployment(each, { replicaSets: own, pods: ownPods }, now)
  })
}

/** Pods that have been Ready for `seconds`. */
export function readyFor(revision: Revision | undefined, seconds: number, now: Instant): number {
  return countFor(revision?.readySince ?? [], seconds, now)
}

/** When one more pod will have been Ready for `seconds`; undefined if none is on its way. */
export function nextReadyAt(
  revision: Revision | undefined,
  seconds: number,
  now: Instant,
): Instant | undefined {
  return revision?.readySince.map(since => since + seconds * 1000).find(due => due > now)
}

function hashOf(revision: Revision | undefined): string {
  return revision?.hash ?? ''
}

function podsOf(revision: Revision | undefined): number {
  return revision?.replicas ?? 0
}

function podsIn(set: ReplicaSetSeen | undefined, pods: readonly PodSeen[]): readonly PodSeen[] {
  return pods.filter(pod => pod.ownerUid === set?.metadata.uid && !pod.terminating)
}

function revisionOf(set: ReplicaSetSeen, pods: readonly PodSeen[]): Revision {
  const seen = podsIn(set, pods)
    .flatMap(pod => pod.readySince ?? [])
    .toSorted((a, b) => a - b)
  // Of pods that a scaling has just taken away some may still be seen: no more count than are asked for.
  const readySince = seen.slice(Math.max(seen.length - set.replicas, 0))
  return { ...set, ready: readySince.length, readySince }
}

function byAge(a: ReplicaSetSeen, b: ReplicaSetSeen): number {
  return a.created - b.created || a.revision - b.revision
}

function stableOf(
  seen: DeploymentSeen,
  revisions: readonly Revision[],
  active: readonly Revision[],
  update: Revision | undefined,
): Revision | undefined {
  const named = revisions.find(set => set.hash === seen.stableLabel)
  if (seen.record) {
    const recorded = revisions.find(set => set.fingerprint === seen.record?.stable)
    // An upgraded API server may have added defaults to the template: then the label still knows.
    return recorded ?? named ?? active.find(set => set !== update)
  }
  if (named && named.replicas > 0) return named
  return active[0] ?? update
}

/** The controller-manager has written what there is by now. */
function says(
  status: DeploymentSeen['status'],
  there: Readonly<Record<'total' | 'updated' | 'ready' | 'leaving', number>>,
): boolean {
  const { replicas, updated, ready, terminating = there.leaving } = status
  const pods = replicas === there.total && terminating === there.leaving
  return pods && updated === there.updated && ready === there.ready
}

function isRolledOut(seen: DeploymentSeen, update: Revision | undefined): boolean {
  const { observed, replicas, status } = seen
  const all = [status.replicas, status.updated, status.available].every(n => n === replicas)
  const exists = update !== undefined && update.replicas === replicas
  return observed && all && exists
}

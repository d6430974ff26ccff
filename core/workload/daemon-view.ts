// One DaemonSet with its versions and its pods, in the numbers that the rules of a release speak of.

import type { DaemonSet, IntOrPercent } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import type { Instant } from '../time.ts'
import { asDaemonOwner, daemonFields, unholdable } from './daemon-fields.ts'
import { leftOnDelete } from './kruise.ts'
import type { LeftHold, Workload } from './model.ts'
import { pods as podsOf } from './percent.ts'
import { podsBetween } from './pod-version.ts'
import { readyFor } from './ready.ts'
import type { Owned, PodSeen, RevisionSeen, WorkloadSeen } from './seen.ts'
import { commonOf, seeWorkload } from './workload-seen.ts'

/** What is kept of a DaemonSet. */
export interface DaemonSeen extends WorkloadSeen {
  readonly minReadySeconds: number
  readonly leftHold?: LeftHold
  readonly status: {
    readonly current: number
    readonly updated: number
    readonly ready: number
    readonly available: number
  }
}

/** A DaemonSet as the rules of a release see it. */
export interface DaemonWorkload extends Workload {
  readonly seen: DaemonSeen
  readonly update?: RevisionSeen
  readonly stable?: RevisionSeen
  /** Most pods that may be missing, or not Ready, by what its owner says. */
  readonly maxUnavailable: number
  /** All that are not on their way out. */
  readonly pods: readonly PodSeen[]
  /** Those of them that do not run the update revision. */
  readonly old: readonly PodSeen[]
}

/** What is kept of a DaemonSet; of the same generation as `before` its template is. */
export function seeDaemonSet(object: DaemonSet, before?: DaemonSeen): DaemonSeen {
  const { minReadySeconds = 0 } = object.spec
  const { status } = object
  return defined({
    ...seeWorkload(daemonFields, object, before),
    minReadySeconds,
    leftHold: leftOnDelete(object),
    status: {
      current: status?.currentNumberScheduled ?? 0,
      // It says nothing of none.
      updated: status?.updatedNumberScheduled ?? 0,
      ready: status?.numberReady ?? 0,
      available: status?.numberAvailable ?? 0,
    },
  })
}

/** Puts together what was seen of a DaemonSet. */
export function viewDaemonSet(
  seen: DaemonSeen,
  { pods: owned, revisions = [] }: Owned,
  now: Instant,
): DaemonWorkload {
  const { owner, replicas, minReadySeconds } = seen
  const pods = owned.filter(({ terminating }) => !terminating)
  const known = revisions.toSorted((a, b) => a.revision - b.revision)
  const update = updateOf(seen, known)
  const active = known.filter(({ hash }) => pods.some(({ revision }) => revision === hash))
  const stable = stableOf(seen, known, { active, update })
  const isNew = ({ revision }: PodSeen) => revision !== undefined && revision === update?.hash
  const updatePods = pods.filter(isNew)
  return defined({
    ...commonOf(seen, { apiVersion: 'apps/v1', kind: 'DaemonSet' }),
    seen,
    settled: says(seen, { pods, updated: updatePods.length, leaving: owned.length - pods.length }),
    ownerPaused: false,
    stableRevision: stable?.hash ?? '',
    updateRevision: update?.hash ?? '',
    update,
    stable,
    active,
    templatesSeen: true,
    updated: updatePods.length,
    updatePods,
    total: pods.length,
    abandoned: podsBetween([update, stable], pods),
    updatedReady: readyFor(updatePods, minReadySeconds, now),
    rolledOut: update !== undefined && isRolledOut(seen),
    unheldBecause: unholdable(asDaemonOwner(owner)),
    leftHold: seen.leftHold,
    noAbort: daemonFields.noAbort,
    maxUnavailable: mayBeMissing(asDaemonOwner(owner).updateStrategy.rollingUpdate, replicas),
    pods,
    old: pods.filter(pod => !isNew(pod)),
  })
}

/**
 * What it asks for, once its own controller has made it: before, the newest one that is seen is that of
 * the edit before.
 */
function updateOf(
  { observed, fingerprint }: DaemonSeen,
  known: readonly RevisionSeen[],
): RevisionSeen | undefined {
  return observed ? known.findLast(each => each.fingerprint === fingerprint) : undefined
}

interface Running {
  /** With pods. */
  readonly active: readonly RevisionSeen[]
  readonly update: RevisionSeen | undefined
}

/** What everybody ran before the edit. */
function stableOf(
  { record, stableLabel }: DaemonSeen,
  known: readonly RevisionSeen[],
  { active, update }: Running,
): RevisionSeen | undefined {
  const named = known.find(({ hash }) => hash === stableLabel)
  if (record) {
    const recorded = known.findLast(({ fingerprint }) => fingerprint === record.stable)
    return recorded ?? named ?? active.find(each => each !== update)
  }
  if (named && active.includes(named)) return named
  return active[0] ?? update
}

/** Its own controller rounds a percent up, and replaces one at a time where it may do no more. */
function mayBeMissing(
  rollingUpdate: { readonly maxUnavailable?: IntOrPercent } | null,
  replicas: number,
): number {
  return Math.max(podsOf(rollingUpdate?.maxUnavailable ?? 1, replicas, Math.ceil), 1)
}

/** Its own controller has written what there is by now. */
function says(
  { observed, status }: DaemonSeen,
  {
    pods,
    updated,
    leaving,
  }: {
    readonly pods: readonly PodSeen[]
    readonly updated: number
    readonly leaving: number
  },
): boolean {
  const all = status.current === pods.length && status.ready === readyFor(pods, 0, 0)
  return observed && leaving === 0 && all && status.updated === updated
}

function isRolledOut({ observed, replicas, status }: DaemonSeen): boolean {
  return observed && status.updated >= replicas && status.available >= replicas
}

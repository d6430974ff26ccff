// How a workload of any kind is given back: goals in order, of which the first that is not met acts. So it
// can die at any point and be run again, and what it must not race with comes before it.

import {
  ARMED_MIN_READY_SECONDS,
  ESCAPE,
  HOLD,
  KRUISE_ORIGINAL,
  RECORD,
  STABLE_REVISION,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { KubeObject, ReplicaSet } from '#api/kubernetes.ts'
import type { MergePatch } from '#core/change.ts'
import { versionsOf } from '#core/rollout/moves.ts'
import { defined } from '#core/defined.ts'
import { equalJson } from '#core/equal.ts'
import type { Instant } from '#core/time.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { asCarried, isCaught } from '#core/workload/caught.ts'
import { withoutCopies } from '#core/workload/copies.ts'
import { holdOf } from '#core/workload/hold.ts'
import type { Workload } from '#core/workload/model.ts'
import { recordOf } from '#core/workload/record.ts'
import type { OwnerValues } from '#core/workload/record.ts'
import { seeReplicaSet } from '#core/workload/seen.ts'
import { templateFingerprint } from '#core/workload/template.ts'
import { fieldOwners, withoutUs } from './field-owners.ts'
import type { FieldOwner } from './field-owners.ts'
import type { Step, Observed, PodsAwaited } from './next-step.ts'
import { escapeOff, returning, tracesOf } from './requests.ts'
import type { Requests, Return } from './requests.ts'

/** A workload and the ReplicaSets that it owns, as they were read. */
export interface Stand {
  readonly adapter: WorkloadAdapter
  readonly workload: Observed
  /** None where its kind has its pods directly. */
  readonly sets: readonly ReplicaSet[]
  /** What was made for its release. */
  readonly beside: readonly Observed[]
  /** By what requests come that are moved. */
  readonly requests?: Requests
  /** Why that is not known, although they are: then nobody may leave. */
  readonly unread?: string
}

/** What is to come out. */
export interface Aim {
  readonly owner: OwnerValues
  /** The entries of managedFields before the first write. */
  readonly fieldOwners: readonly FieldOwner[]
  /** It goes back to the stable version: new pods leave, and requests must have left them. */
  readonly goesBack?: boolean
  /** By what requests come, as it was before the first write. */
  readonly requests?: Requests
  readonly now: Instant
}

const labels = [WORKLOAD_TYPE, STABLE_REVISION, WAVE]
/** Every annotation that begins so is ours, also one that another version has brought. */
const OURS = 'sluice.dev/'

/** Everything of ours on the workload and its ReplicaSets, in words. */
export function traces(stand: Stand): readonly string[] {
  const armed = isHeld(stand) ? ['fields of a hold'] : []
  const onSets = stand.sets.flatMap(set =>
    [...copied(set), ...(isArmed(set) ? ['minReadySeconds of a hold'] : [])].map(
      trace => `${trace} on ReplicaSet ${set.metadata.name}`,
    ),
  )
  const beside = stand.beside.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  const { apiVersion, kind, metadata } = stand.workload
  const { namespace = '', name, uid = '' } = metadata
  const owner = { ref: { apiVersion, kind, namespace, name }, uid }
  const requests = stand.requests ? tracesOf(stand.requests, owner) : []
  return [...marks(stand.workload), ...armed, ...onSets, ...beside, ...requests]
}

/** It as its adapter sees it, without pods. */
export function viewOf({ adapter, workload, sets }: Stand): Workload {
  const replicaSets = sets.map(set => seeReplicaSet(set))
  const view = adapter.observe(adapter.see(workload), { replicaSets, pods: [] }, 0)
  return { ...view, ...adapter.counted(workload) }
}

/** The template that everybody ran is back, and its release still holds it. */
export function isGoingBack({ adapter, workload }: Stand): boolean {
  const record = recordOf(workload)
  return record !== undefined && adapter.fingerprint(workload) === record.stable
}

/** Its fields are those of a hold, by whatever stands beside them. */
function isHeld({ adapter, workload }: Stand): boolean {
  return adapter.armed(withoutCopies(adapter, workload))
}

/**
 * What the owner wants: by the record, by the copy of it that the controller-manager has made on a
 * ReplicaSet, or by the fields where nothing holds them. Undefined: it is lost.
 */
export function ownerOf({ adapter, workload: stored, sets }: Stand): OwnerValues | undefined {
  const workload = withoutCopies(adapter, stored)
  const recorded = wholeOwner(adapter, workload)
  if (recorded) return isCaught(workload) ? sinceRecorded(adapter, workload) : recorded
  // What the policy has caught is held by it alone.
  const carried = asCarried(adapter, workload)
  if (!adapter.armed(carried)) return adapter.ownerOfFree(carried)
  const newestFirst = sets.toSorted((a, b) => byAge(b, a))
  return newestFirst.map(set => wholeOwner(adapter, set)).find(owner => owner !== undefined)
}

/** The policy lets an owner's values through that no record has: nobody of ours was there to write them. */
function sinceRecorded(adapter: WorkloadAdapter, caught: KubeObject): OwnerValues {
  const record = recordOf(caught)!
  const hold = holdOf(caught)
  const now = hold && adapter.ownerOfHeld(asCarried(adapter, caught), hold, record)
  return now && adapter.invalid(now) === undefined ? now : adapter.recordedOwner(record)
}

/** A record that somebody has damaged is read with defaults in it: then it does not say what he wants. */
function wholeOwner(adapter: WorkloadAdapter, object: KubeObject): OwnerValues | undefined {
  const record = recordOf(object)
  const owner = record && adapter.recordedOwner(record)
  const whole = owner && equalJson(owner, record.owner) && adapter.invalid(owner) === undefined
  return whole ? owner : undefined
}

/** What can be told where the record is lost: the API's defaults, and what a ReplicaSet still says. */
export function guessedOwner({ adapter, workload, sets }: Stand): OwnerValues {
  const unarmed = sets.toSorted(byAge).findLast(set => !isArmed(set))
  const { minReadySeconds } = { ...unarmed?.spec }
  return { ...adapter.guessedOwner(workload), ...defined({ minReadySeconds }) }
}

/** The patch that gives a workload back, and takes every mark but the escape away. */
export function givingBack(stand: Stand, owner: OwnerValues): MergePatch {
  const { adapter, workload } = stand
  // Under the escape nobody of ours is asked, alive or dead. Labels must go in the same write: to take
  // them away later is a write for which the API server would call the webhook.
  const annotations = { ...gone(keysOn(workload)), [ESCAPE]: 'eject' }
  const counted = withoutCopies(adapter, workload)
  const held = isHeld(stand) || recordOf(counted) !== undefined
  return {
    metadata: { labels: gone(labels), annotations },
    ...((held || isCaught(counted)) && { spec: owner as unknown as MergePatch }),
  }
}

/** The first thing that is still to be done; undefined: nothing of ours is left. */
export function nextStep(stand: Stand, aim: Aim): Step | undefined {
  for (const goal of goals) {
    const step = goal(stand, aim)
    if (step) return step
  }
  return undefined
}

type Goal = (stand: Stand, aim: Aim) => Step | undefined

/** Nobody leaves who is sent requests, or whom a Service selects alone. */
const requestsAway: Goal = (stand, { goesBack = false, now }) => {
  const { requests } = stand
  // Pods are on their way back then.
  if (goesBack && !isGoingBack(stand)) return undefined
  const to = goesBack ? 'stable' : 'all'
  return requests && returning(requests, { pods: podsOf(stand), to, now })
}

/** New pods must be gone before the Service finds them again. */
const requestsFree: Goal = (stand, { goesBack = false, now, requests: before, owner }) => {
  const { requests, workload, adapter } = stand
  if (!requests) return undefined
  if (goesBack && !adapter.settled(workload)) {
    const why = 'pods go back to the stable version'
    return { type: 'await', objects: [workload], why, pods: podsAwaited(stand, owner) }
  }
  const step = returning(requests, { pods: podsOf(stand), to: 'all', now })
  return step ?? escapeOff(requests, before?.touched ?? [])
}

/** As for a Deployment that says nothing; other kinds have no such word. */
const PROGRESS_DEADLINE_SECONDS = 600

function podsAwaited(stand: Stand, owner: OwnerValues): PodsAwaited {
  const { updated, replicas, total } = viewOf(stand)
  const seconds = owner['progressDeadlineSeconds'] ?? PROGRESS_DEADLINE_SECONDS
  const left = Math.max(total - updated, 0) + Math.max(replicas - updated, 0)
  return { left, patienceMs: Number(seconds) * 1000 }
}

function podsOf(stand: Stand): NonNullable<Return['pods']> {
  return { ...versionsOf(stand.adapter, viewOf(stand)), podLabels: {} }
}

/**
 * Pods of an armed ReplicaSet never count as available: once everybody may go, the controller-manager
 * would take those of an older one first, Ready or not.
 */
const olderDisarmed: Goal = (stand, { owner }) => {
  if (!isHeld(stand)) return undefined
  const version = stand.adapter.fingerprint(stand.workload)
  const older = stand.sets.filter(
    ({ spec }) => (spec.replicas ?? 1) > 0 && templateFingerprint(spec.template) !== version,
  )
  const armed = older.find(isArmed)
  if (armed) return { type: 'write', object: armed, patch: disarming(owner) }
  const unseen = older.find(set => !isObserved(set))
  return unseen && { type: 'wait', object: unseen }
}

const givenBack: Goal = (stand, { owner }) => {
  const left = marks(stand.workload).filter(mark => mark !== `annotation ${ESCAPE}`)
  if (left.length === 0 && !isHeld(stand)) return undefined
  return { type: 'write', object: stand.workload, patch: givingBack(stand, owner) }
}

/** Its pods serve until the owner's values apply. */
const noneBeside: Goal = ({ beside: [object] }) => object && { type: 'delete', object }

const escapeEnded: Goal = ({ workload: object }, aim) => {
  if (object.metadata.annotations?.[ESCAPE] === undefined) return undefined
  const managedFields = withoutUs(fieldOwners(object), aim.fieldOwners)
  const patch = { metadata: { annotations: { [ESCAPE]: null }, managedFields } }
  return { type: 'write', object, patch }
}

/** Until then it copies a Deployment's annotations to the newest ReplicaSet, and arms it. */
const observed: Goal = ({ workload: object }) =>
  isObserved(object) ? undefined : { type: 'wait', object }

const setsCleaned: Goal = ({ sets }, { owner }) => {
  const object = sets.find(isTraced)
  if (!object) return undefined
  const patch = {
    metadata: { annotations: gone(keysOn(object)) },
    ...(isArmed(object) && disarming(owner)),
  }
  return { type: 'write', object, patch }
}

const goals: readonly Goal[] = [
  requestsAway,
  olderDisarmed,
  givenBack,
  noneBeside,
  escapeEnded,
  observed,
  requestsFree,
  setsCleaned,
]

/** How the workload differs from what its owner wants; one line, undefined where it does not. */
export function difference({ adapter, workload }: Stand, owner: OwnerValues): string | undefined {
  const is = adapter.ownerOfFree(workload)
  const keys = Object.keys(owner).filter(key => !equalJson(is[key], owner[key]))
  const parts = keys.map(
    key => `spec.${key} is ${JSON.stringify(is[key])}, not ${JSON.stringify(owner[key])}`,
  )
  return parts.length === 0 ? undefined : parts.join('; ')
}

function marks(workload: KubeObject): readonly string[] {
  const found = labels.filter(key => Object.hasOwn({ ...workload.metadata.labels }, key))
  return [...found.map(key => `label ${key}`), ...keysOn(workload).map(key => `annotation ${key}`)]
}

/** What Kruise Rollouts would read of a blue-green release is ours beside a hold or its record. */
function keysOn({ metadata }: KubeObject): readonly string[] {
  const keys = Object.keys({ ...metadata.annotations })
  const held = keys.includes(HOLD) || keys.includes(RECORD)
  return keys.filter(key => key.startsWith(OURS) || (held && key === KRUISE_ORIGINAL))
}

/** Values of a merge patch that takes keys away. */
function gone(keys: readonly string[]): Readonly<Record<string, null>> {
  return Object.fromEntries(keys.map(key => [key, null]))
}

function copied(set: ReplicaSet): readonly string[] {
  return keysOn(set).map(key => `annotation ${key}`)
}

function isTraced(set: ReplicaSet): boolean {
  return isArmed(set) || keysOn(set).length > 0
}

function isArmed({ spec }: ReplicaSet): boolean {
  return spec.minReadySeconds === ARMED_MIN_READY_SECONDS
}

/** Only an owner of ReplicaSets is asked, whose values have that field. */
function disarming({ minReadySeconds }: OwnerValues) {
  return { spec: { minReadySeconds: minReadySeconds as number } }
}

function isObserved({ metadata, status }: Observed): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}

function byAge({ metadata: a }: ReplicaSet, { metadata: b }: ReplicaSet): number {
  const [left = '', right = ''] = [a.creationTimestamp, b.creationTimestamp]
  return left < right ? -1 : Number(left > right)
}

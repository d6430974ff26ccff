// How a Deployment is given back: goals in order, of which the first that is not met acts. So it can
// die at any point and be run again, and what it must not race with comes before it.

import { ARMED_MIN_READY_SECONDS, ESCAPE, STABLE_REVISION, WORKLOAD_TYPE } from '#api/names.ts'
import type { Deployment, KubeObject, ReplicaSet } from '#api/kubernetes.ts'
import type { MergePatch } from '#core/change.ts'
import { equalJson } from '#core/equal.ts'
import {
  hasHoldFields,
  invalidOwner,
  ownerOfFree,
  recordedOwner,
} from '#core/workload/deployment-fields.ts'
import type { DeploymentOwner } from '#core/workload/deployment-fields.ts'
import { asCarried, isCaught } from '#core/workload/caught.ts'
import { withoutCopies } from '#core/workload/copies.ts'
import { deployment as adapter } from '#core/workload/deployment.ts'
import { recordOf } from '#core/workload/record.ts'
import { templateFingerprint } from '#core/workload/template.ts'
import { fieldOwners, withoutUs } from './field-owners.ts'
import type { FieldOwner } from './field-owners.ts'

/** A Deployment and the ReplicaSets that it owns, as they were read. */
export interface Stand {
  readonly deployment: Deployment
  readonly sets: readonly ReplicaSet[]
}

/** What is to come out. */
export interface Aim {
  readonly owner: DeploymentOwner
  /** The entries of managedFields before the first write. */
  readonly fieldOwners: readonly FieldOwner[]
}

/** What is to be done next. */
export type Step =
  | { readonly type: 'write'; readonly object: Deployment | ReplicaSet; readonly patch: MergePatch }
  /** The controller-manager has not seen the object as it is now. */
  | { readonly type: 'wait'; readonly object: Deployment | ReplicaSet }

const labels = [WORKLOAD_TYPE, STABLE_REVISION]
/** Every annotation that begins so is ours, also one that another version has brought. */
const OURS = 'sluice.dev/'

/** Everything of ours on the Deployment and its ReplicaSets, in words. */
export function traces({ deployment, sets }: Stand): readonly string[] {
  const armed = hasHoldFields(deployment.spec) ? ['fields of a hold'] : []
  const onSets = sets.flatMap(set =>
    [...copied(set), ...(isArmed(set) ? ['minReadySeconds of a hold'] : [])].map(
      trace => `${trace} on ReplicaSet ${set.metadata.name}`,
    ),
  )
  return [...marks(deployment), ...armed, ...onSets]
}

/**
 * What the owner wants: by the record, by the copy of it that the controller-manager has made on a
 * ReplicaSet, or by the fields where nothing holds them. Undefined: it is lost.
 */
export function ownerOf({ deployment: stored, sets }: Stand): DeploymentOwner | undefined {
  const deployment = withoutCopies(adapter, stored)
  const recorded = wholeOwner(deployment)
  if (recorded) return recorded
  if (!hasHoldFields(deployment.spec)) return ownerOfFree(asCarried(adapter, deployment))
  const newestFirst = sets.toSorted((a, b) => byAge(b, a))
  return newestFirst.flatMap(set => wholeOwner(set) ?? [])[0]
}

/** A record that somebody has damaged is read with defaults in it: then it does not say what he wants. */
function wholeOwner(object: KubeObject): DeploymentOwner | undefined {
  const record = recordOf(object)
  const owner = record && recordedOwner(record)
  const whole = owner && equalJson(owner, record.owner) && invalidOwner(owner) === undefined
  return whole ? owner : undefined
}

/** What can be told where the record is lost: the API's defaults, and what a ReplicaSet still says. */
export function guessedOwner({ deployment, sets }: Stand): DeploymentOwner {
  const unarmed = sets.toSorted(byAge).findLast(set => !isArmed(set))
  const { minReadySeconds = 0 } = { ...unarmed?.spec }
  return { ...ownerOfFree(deployment), minReadySeconds, paused: false }
}

/** The patch that gives a Deployment back, and takes every mark but the escape away. */
export function givingBack(deployment: Deployment, owner: DeploymentOwner): MergePatch {
  // Under the escape nobody of ours is asked, alive or dead. Labels must go in the same write: to take
  // them away later is a write for which the API server would call the webhook.
  const annotations = { ...gone(keysOn(deployment)), [ESCAPE]: 'eject' }
  const counted = withoutCopies(adapter, deployment)
  const held = hasHoldFields(deployment.spec) || recordOf(counted) !== undefined
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

/**
 * Pods of an armed ReplicaSet never count as available: once everybody may go, the controller-manager
 * would take those of an older one first, Ready or not.
 */
const olderDisarmed: Goal = ({ deployment, sets }, { owner }) => {
  if (!hasHoldFields(deployment.spec)) return undefined
  const version = templateFingerprint(deployment.spec.template)
  const older = sets.filter(
    ({ spec }) => (spec.replicas ?? 1) > 0 && templateFingerprint(spec.template) !== version,
  )
  const armed = older.find(isArmed)
  if (armed) return { type: 'write', object: armed, patch: disarming(owner) }
  const unseen = older.find(set => !isObserved(set))
  return unseen && { type: 'wait', object: unseen }
}

const givenBack: Goal = ({ deployment }, { owner }) => {
  const left = marks(deployment).filter(mark => mark !== `annotation ${ESCAPE}`)
  if (left.length === 0 && !hasHoldFields(deployment.spec)) return undefined
  return { type: 'write', object: deployment, patch: givingBack(deployment, owner) }
}

const escapeEnded: Goal = ({ deployment }, aim) => {
  if (deployment.metadata.annotations?.[ESCAPE] === undefined) return undefined
  const managedFields = withoutUs(fieldOwners(deployment), aim.fieldOwners)
  const patch = { metadata: { annotations: { [ESCAPE]: null }, managedFields } }
  return { type: 'write', object: deployment, patch }
}

/** Until then it copies the Deployment's annotations to the newest ReplicaSet, and arms it. */
const observed: Goal = ({ deployment }) =>
  isObserved(deployment) ? undefined : { type: 'wait', object: deployment }

const setsCleaned: Goal = ({ sets }, { owner }) => {
  const object = sets.find(isTraced)
  if (!object) return undefined
  const patch = {
    metadata: { annotations: gone(keysOn(object)) },
    ...(isArmed(object) && disarming(owner)),
  }
  return { type: 'write', object, patch }
}

const goals: readonly Goal[] = [olderDisarmed, givenBack, escapeEnded, observed, setsCleaned]

/** How the Deployment differs from what its owner wants; one line, undefined where it does not. */
export function difference({ deployment }: Stand, owner: DeploymentOwner): string | undefined {
  const is = ownerOfFree(deployment)
  const keys = Object.keys(owner).filter(key => !equalJson(is[key], owner[key]))
  const parts = keys.map(
    key => `spec.${key} is ${JSON.stringify(is[key])}, not ${JSON.stringify(owner[key])}`,
  )
  return parts.length === 0 ? undefined : parts.join('; ')
}

function marks(deployment: Deployment): readonly string[] {
  const found = labels.filter(key => Object.hasOwn({ ...deployment.metadata.labels }, key))
  return [
    ...found.map(key => `label ${key}`),
    ...keysOn(deployment).map(key => `annotation ${key}`),
  ]
}

function keysOn({ metadata }: KubeObject): readonly string[] {
  return Object.keys({ ...metadata.annotations }).filter(key => key.startsWith(OURS))
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

function disarming({ minReadySeconds }: DeploymentOwner) {
  return { spec: { minReadySeconds } }
}

function isObserved({ metadata, status }: Deployment | ReplicaSet): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}

function byAge({ metadata: a }: ReplicaSet, { metadata: b }: ReplicaSet): number {
  const [left = '', right = ''] = [a.creationTimestamp, b.creationTimestamp]
  return left < right ? -1 : Number(left > right)
}

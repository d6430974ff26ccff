// What Kruise Rollouts leaves on a workload when its manager goes away in the middle of a release: a pause,
// often with strategy `Recreate`, a partition or `OnDelete`, and annotations. Nobody ends that, and the
// wrong command may take every pod away at once; so it is found, with the right one.

import { isObject } from '../members.ts'
import {
  KRUISE_CONTROL,
  KRUISE_CONTROLLED,
  KRUISE_DAEMON_CONTROL,
  KRUISE_DAEMON_REVISION,
  KRUISE_DAEMON_STRATEGY,
  KRUISE_EXTRA_STATUS,
  KRUISE_ORIGINAL,
  KRUISE_PROGRESSING,
  KRUISE_STRATEGY,
} from '#api/names.ts'
import type { DaemonSet, Deployment, IntOrPercent, KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
import { defined } from '../defined.ts'
import { parseIntOrPercent } from '../replicas.ts'
import { isCaught } from './caught.ts'
import { hasHoldFields } from './deployment-fields.ts'
import { holdOf } from './hold.ts'
import type { LeftHold } from './model.ts'
import type { Place } from './partition-places.ts'

const annotationsOfIts = [
  KRUISE_PROGRESSING,
  KRUISE_CONTROL,
  KRUISE_STRATEGY,
  KRUISE_EXTRA_STATUS,
  KRUISE_ORIGINAL,
  KRUISE_DAEMON_STRATEGY,
  KRUISE_DAEMON_REVISION,
  KRUISE_DAEMON_CONTROL,
]

/** The hold of Kruise Rollouts that a Deployment is in; undefined: there is none. */
export function leftByKruise(object: Deployment): LeftHold | undefined {
  // First what costs least: it is asked of every Deployment, and hardly one has its marks.
  const metadata = marksOff(object)
  if (!metadata) return undefined
  const given = givenBy(object, object.metadata.annotations ?? {})
  if (object.spec.paused !== true && Object.keys(given).length === 0) return undefined
  const left = leftWith(object, metadata, { paused: null, ...given })
  return left && { ...left, recreates: object.spec.strategy?.type === 'Recreate' }
}

/**
 * The hold of Kruise Rollouts that a workload with a partition is in; undefined: there is none. What its
 * owner had there it does not remember: its releases end without a partition. `keeps`: that one keeps
 * pods old.
 */
export function leftPartition(
  object: KubeObject,
  place: Pick<Place, 'patch'>,
  keeps: boolean,
): LeftHold | undefined {
  const metadata = marksOff(object)
  if (!metadata) return undefined
  // Blue-green, of a CloneSet.
  const original = readJson(object.metadata.annotations?.[KRUISE_ORIGINAL])
  if (!original) {
    return keeps ? leftWith(object, metadata, place.patch({ partition: null })) : undefined
  }
  const { maxUnavailable, maxSurge, minReadySeconds } = original
  const amounts = {
    maxUnavailable: amount(maxUnavailable, '20%'),
    maxSurge: amount(maxSurge, 0),
  }
  const spec = place.patch({ partition: null, ...amounts })
  return leftWith(object, metadata, { ...spec, minReadySeconds: count(minReadySeconds, 0) })
}

/** The hold of Kruise Rollouts that a DaemonSet is in; undefined: there is none. */
export function leftOnDelete(object: DaemonSet): LeftHold | undefined {
  const metadata = marksOff(object)
  if (!metadata || object.spec.updateStrategy?.type !== 'OnDelete') return undefined
  const its = object.metadata.annotations?.[KRUISE_DAEMON_STRATEGY]
  // It may take its own word for the owner's. By that nobody is replaced, and the next edit says so.
  const type = its === 'OnDelete' ? its : 'RollingUpdate'
  return leftWith(object, metadata, { updateStrategy: { type } })
}

/** What is left, with what gives it back: its marks go, and the spec changes. */
function leftWith(
  object: KubeObject,
  metadata: MergePatch,
  spec: MergePatch,
): LeftHold | undefined {
  // Its annotations may come back with a ReplicaSet's: what we hold is ours all the same.
  if (holdOf(object) || isCaught(object)) return undefined
  const batchRelease = readJson(object.metadata.annotations?.[KRUISE_CONTROL])?.['name']
  return defined({
    patch: JSON.stringify({ metadata, spec }),
    recreates: false,
    batchRelease: typeof batchRelease === 'string' ? batchRelease : undefined,
  })
}

/** Takes its marks away; undefined where there are none. */
function marksOff({ metadata }: KubeObject): MergePatch | undefined {
  const { labels = {}, annotations = {} } = metadata
  const found = annotationsOfIts.filter(key => annotations[key] !== undefined)
  const controlled = labels[KRUISE_CONTROLLED] !== undefined
  // By itself it is of a release of ours: Kruise Rollouts writes and removes it with another one.
  const its = found.some(key => key !== KRUISE_ORIGINAL)
  if (!its && !controlled) return undefined
  return {
    ...(controlled && { labels: { [KRUISE_CONTROLLED]: null } }),
    annotations: Object.fromEntries(found.map(key => [key, null])),
  }
}

/** What its owner wants in the fields that were changed; a `Recreate` alone may be his own. */
function givenBy(
  { metadata, spec }: Deployment,
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const original = readJson(annotations[KRUISE_ORIGINAL])
  if (original && hasHoldFields(spec)) {
    return {
      ...strategyOf(original),
      minReadySeconds: count(original['minReadySeconds'], 0),
      progressDeadlineSeconds: count(original['progressDeadlineSeconds'], 600),
    }
  }
  const remembered = annotations[KRUISE_STRATEGY]
  const its = remembered !== undefined || metadata.labels?.[KRUISE_CONTROLLED] !== undefined
  if (spec.strategy?.type !== 'Recreate' || !its) return {}
  return strategyOf(readJson(remembered)?.['rollingUpdate'])
}

/** The rolling update that its owner wants; the API's default where that is not remembered. */
function strategyOf(remembered: unknown) {
  const { maxUnavailable, maxSurge } = { ...(isObject(remembered) && remembered) }
  const amounts = {
    maxUnavailable: amount(maxUnavailable, '25%'),
    maxSurge: amount(maxSurge, '25%'),
  }
  return { strategy: { type: 'RollingUpdate', rollingUpdate: amounts } }
}

/** Only what is an amount comes into a command that people run. */
function amount(value: unknown, otherwise: IntOrPercent): IntOrPercent {
  return parseIntOrPercent(value) ? (value as IntOrPercent) : otherwise
}

function count(value: unknown, otherwise: number): number {
  return Number.isSafeInteger(value) ? (value as number) : otherwise
}

function readJson(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

// What Kruise Rollouts leaves on a Deployment when its manager goes away in the middle of a release: a
// pause, often with strategy `Recreate`, and annotations that say what the owner wants. Nobody ends
// that, and the wrong command would take every pod away at once; so it is found, with the right one.

import {
  KRUISE_CONTROL,
  KRUISE_CONTROLLED,
  KRUISE_EXTRA_STATUS,
  KRUISE_ORIGINAL,
  KRUISE_PROGRESSING,
  KRUISE_STRATEGY,
} from '#api/names.ts'
import type { Deployment, IntOrPercent } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
import { defined } from '../defined.ts'
import { parseIntOrPercent } from '../replicas.ts'
import type { LeftHold } from '../rollout/model.ts'
import { isCaught } from './caught.ts'
import { hasHoldFields } from './deployment-fields.ts'
import { holdOf } from './hold.ts'

const annotationsOfIts = [
  KRUISE_PROGRESSING,
  KRUISE_CONTROL,
  KRUISE_STRATEGY,
  KRUISE_EXTRA_STATUS,
  KRUISE_ORIGINAL,
]

/** The hold of Kruise Rollouts that a Deployment is in; undefined: there is none. */
export function leftByKruise(object: Deployment): LeftHold | undefined {
  // First what costs least: it is asked of every Deployment, and hardly one has its marks.
  const metadata = marksOff(object)
  if (!metadata) return undefined
  // Its annotations may come back with a ReplicaSet's: what we hold is ours all the same.
  if (holdOf(object) || isCaught(object)) return undefined
  const { annotations = {} } = object.metadata
  const given = givenBy(object, annotations)
  if (object.spec.paused !== true && Object.keys(given).length === 0) return undefined
  const batchRelease = readJson(annotations[KRUISE_CONTROL])?.['name']
  return defined({
    patch: JSON.stringify({ metadata, spec: { paused: null, ...given } }),
    recreates: object.spec.strategy?.type === 'Recreate',
    batchRelease: typeof batchRelease === 'string' ? batchRelease : undefined,
  })
}

/** Takes its marks away; undefined where there are none. */
function marksOff({ metadata }: Deployment): MergePatch | undefined {
  const { labels = {}, annotations = {} } = metadata
  const found = annotationsOfIts.filter(key => annotations[key] !== undefined)
  const controlled = labels[KRUISE_CONTROLLED] !== undefined
  if (found.length === 0 && !controlled) return undefined
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
  const { maxUnavailable, maxSurge } = { ...(isRecord(remembered) && remembered) }
  const amounts = { maxUnavailable: amount(maxUnavailable), maxSurge: amount(maxSurge) }
  return { strategy: { type: 'RollingUpdate', rollingUpdate: amounts } }
}

/** Only what is an amount comes into a command that people run. */
function amount(value: unknown): IntOrPercent {
  return parseIntOrPercent(value) ? (value as IntOrPercent) : '25%'
}

function count(value: unknown, otherwise: number): number {
  return Number.isSafeInteger(value) ? (value as number) : otherwise
}

function readJson(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

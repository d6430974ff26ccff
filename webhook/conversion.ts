// The ConversionReview of the API server: objects in, the same objects in another version out. All of a
// review succeed or none, as the protocol has it; so the answer names each object that cannot be converted.

import { convertRollout } from '#core/conversion/rollout.ts'
import { formatProblems } from '#core/problem.ts'
import { MalformedReview, record, text } from './fields.ts'

/** One request for conversion, checked: objects that have metadata, of any kind. */
export interface ConversionRequest {
  readonly uid: string
  readonly desiredApiVersion: string
  readonly objects: readonly Readonly<Record<string, unknown>>[]
}

/** How a conversion ended: `bug` where ours threw. */
export type ConversionOutcome = 'converted' | 'failed' | 'bug'

/** The body of the answer, and how it ended. */
export interface Converted {
  readonly body: string
  readonly outcome: ConversionOutcome
  /** Why none is converted. */
  readonly message?: string
}

const reviewVersion = 'apiextensions.k8s.io/v1'
/** So many objects are named; a page of a list has hundreds. */
const mostNamed = 5

/** Reads the body of a request. Throws `MalformedReview`, which names the field. */
export function readConversion(body: unknown): ConversionRequest {
  const review = record(body, 'the body')
  if (review['apiVersion'] !== reviewVersion || review['kind'] !== 'ConversionReview') {
    throw new MalformedReview(`apiVersion and kind: expected ${reviewVersion} ConversionReview`)
  }
  const request = record(review['request'], 'request')
  const uid = text(request['uid'], 'request.uid')
  if (uid === '') throw new MalformedReview('request.uid: expected a text that is not empty')
  const { objects } = request
  if (!Array.isArray(objects)) throw new MalformedReview('request.objects: expected a list')
  return {
    uid,
    desiredApiVersion: text(request['desiredAPIVersion'], 'request.desiredAPIVersion'),
    objects: objects.map((object: unknown, index) => record(object, `request.objects[${index}]`)),
  }
}

/** Converts all objects of the request, and writes the answer. `onBug` is told what ours threw. */
export function answerConversion(
  { uid, desiredApiVersion, objects }: ConversionRequest,
  onBug: (error: unknown) => void,
): Converted {
  const convertedObjects: object[] = []
  const failures: string[] = []
  try {
    for (const object of objects) {
      const conversion = convertRollout(object, desiredApiVersion)
      if ('object' in conversion) convertedObjects.push(conversion.object)
      else failures.push(`${nameOf(object)}: ${formatProblems(conversion.problems)}`)
    }
  } catch (error) {
    onBug(error)
    const message = 'sluice failed to convert a Rollout, see the log of its webhook'
    return { body: written(uid, [], message), outcome: 'bug', message }
  }
  if (failures.length === 0) return { body: written(uid, convertedObjects), outcome: 'converted' }
  const named = failures.slice(0, mostNamed).join('; ')
  const rest = failures.length - mostNamed
  const message = rest > 0 ? `${named}; and ${rest} more` : named
  return { body: written(uid, [], message), outcome: 'failed', message }
}

function written(uid: string, convertedObjects: readonly object[], message?: string): string {
  const result = message === undefined ? { status: 'Success' } : { status: 'Failure', message }
  const response = { uid, convertedObjects, result }
  return JSON.stringify({ apiVersion: reviewVersion, kind: 'ConversionReview', response })
}

/** As people name it: a stranger's object may have any name. */
function nameOf({ metadata }: Readonly<Record<string, unknown>>): string {
  const { namespace = '', name = '' } = { ...(metadata as Record<string, unknown>) }
  return `Rollout ${[namespace, name].map(each => String(each).slice(0, 253)).join('/')}`
}

// What admission makes of a write to a Service or a route. The old object's wish is the truth, unless our
// controller brings another one; the field is computed from it again, whoever wrote. What others change
// in the field is theirs from then on, and stays when ours is gone.

import { RECORD, TRAFFIC } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { equalJson } from '../equal.ts'
import type { Json, TrafficProvider, Wished } from '../traffic/model.ts'
import { OVER, formatWished, recordedOn, wishedOn, wishOn } from '../traffic/wish.ts'
import { annotated } from './marks.ts'

/** One write to an object by which requests are moved. */
export interface TrafficReview {
  readonly provider: TrafficProvider
  readonly object: KubeObject
  /** The object so far; undefined when it is being created. */
  readonly before?: KubeObject
  /** The write comes from our controller. */
  readonly fromController: boolean
}

/** The object as it is to be stored. Pure, and idempotent: a second review changes nothing. */
export function reviewTraffic(review: TrafficReview): KubeObject {
  const { provider, object } = review
  const owner = ownerIn(review)
  const wish = wishIn(review)
  if (wish !== undefined) {
    const was = { owner, wish }
    const held = provider.withValue(object, provider.project(owner, wish))
    const notes = provider.notes?.(was)
    return annotated(held, { ...notes, [TRAFFIC]: wish, [RECORD]: formatWished(provider, was) })
  }
  if (!isTouched(review)) return object
  const free = provider.withValue(object, owner)
  const notes = provider.notes?.(undefined)
  return annotated(free, { ...notes, [TRAFFIC]: undefined, [RECORD]: undefined })
}

/** What a copy brings along counts for nothing: it was made elsewhere, or before. */
function wishIn({ object, before, fromController }: TrafficReview): string | undefined {
  // Our controller never takes the annotation away: that is a second look at a wish that is over.
  const asked = before && fromController ? wishOn(object) : before && wishOn(before)
  return asked === OVER ? undefined : asked
}

function isTouched({ object, before }: TrafficReview): boolean {
  const annotations = { ...before?.metadata.annotations, ...object.metadata.annotations }
  return annotations[TRAFFIC] !== undefined || annotations[RECORD] !== undefined
}

/** Whoever brings a record and what was computed by it has changed nothing: a copy, or a second look. */
function ownerIn({ provider, object, before, fromController }: TrafficReview): Json {
  const value = provider.valueIn(object)
  const carried = recordedOn(provider, object)
  if (carried && equalJson(provider.project(carried.owner, carried.wish), value)) {
    return carried.owner
  }
  const was = before && wishedOn(provider, before)
  // Our controller writes no record: the one that comes with its wish is of the first look.
  const known: Wished | undefined = fromController ? (carried ?? was) : (was ?? carried)
  return known ? provider.ownerOf(value, known) : value
}

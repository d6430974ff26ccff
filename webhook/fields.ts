// Fields of what a stranger sent, read with an error that names the field.

import { isObject } from '#core/members.ts'

/** A request that is no review; the message is one line for the sender. */
export class MalformedReview extends Error {}

/** A JSON object; an error names the field. */
export function record(value: unknown, field: string): Record<string, unknown> {
  if (isObject(value)) return value
  throw new MalformedReview(`${field}: expected a JSON object`)
}

/** A JSON object, empty where there is none. */
export function optionalRecord(value: unknown, field: string): Record<string, unknown> {
  return value === undefined || value === null ? {} : record(value, field)
}

/** A text. */
export function text(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  throw new MalformedReview(`${field}: expected a text`)
}

/** A text, empty where there is none. */
export function optionalText(value: unknown, field: string): string {
  return value === undefined || value === null ? '' : text(value, field)
}

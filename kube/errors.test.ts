import { describe, expect, test } from 'vitest'
import {
  AlreadyExists,
  Conflict,
  Forbidden,
  fromStatus,
  fromWatchError,
  Gone,
  Invalid,
  NotFound,
  Retryable,
} from './errors.ts'

const kinds = { AlreadyExists, Conflict, Forbidden, Gone, Invalid, NotFound, Retryable }

const status = (reason: string, details = {}) =>
  JSON.stringify({ kind: 'Status', reason, message: `because ${reason}`, details })

describe('an answer becomes one kind of error', () => {
  const table: readonly (readonly [number, string, keyof typeof kinds])[] = [
    [400, 'BadRequest', 'Invalid'],
    [401, 'Unauthorized', 'Forbidden'],
    [403, 'Forbidden', 'Forbidden'],
    [404, 'NotFound', 'NotFound'],
    [409, 'Conflict', 'Conflict'],
    [409, 'AlreadyExists', 'AlreadyExists'],
    [410, 'Gone', 'Gone'],
    [410, 'Expired', 'Gone'],
    [400, 'Expired', 'Gone'],
    [413, 'RequestEntityTooLarge', 'Invalid'],
    [415, 'UnsupportedMediaType', 'Invalid'],
    [422, 'Invalid', 'Invalid'],
    [429, 'TooManyRequests', 'Retryable'],
    [500, 'InternalError', 'Retryable'],
    [503, 'ServiceUnavailable', 'Retryable'],
    [504, 'Timeout', 'Retryable'],
  ]
  test.each(table)('%i %s is %s', (code, reason, kind) => {
    const error = fromStatus({ code, body: status(reason), request: 'GET /api/v1/pods' })
    expect(error.name).toBe(kind)
    expect(error).toBeInstanceOf(kinds[kind])
    expect(error.code).toBe(code)
    expect(error.message).toBe(`GET /api/v1/pods: ${code} because ${reason}`)
  })
})

test('an invalid object says which fields', () => {
  const causes = [{ reason: 'FieldValueRequired', field: 'spec.selector', message: 'Required' }]
  const error = fromStatus({ code: 422, body: status('Invalid', { causes }), request: 'POST /x' })
  expect(error).toBeInstanceOf(Invalid)
  expect(error.causes).toEqual([{ field: 'spec.selector', message: 'Required' }])
})

describe('how long a server asks to wait', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  const wait = (retryAfter: string | undefined, details = {}) => {
    const body = status('TooManyRequests', details)
    const answer = { code: 429, body, request: 'GET /x', ...(retryAfter && { retryAfter }) }
    const error = fromStatus(answer, now)
    return error instanceof Retryable ? error.retryAfterMs : 'not retryable'
  }

  test('in seconds', () => expect(wait('7')).toBe(7_000))
  test('as a date', () => expect(wait('Thu, 01 Jan 2026 00:00:05 GMT')).toBe(5_000))
  test('as a date gone by', () => expect(wait('Wed, 31 Dec 2025 00:00:00 GMT')).toBe(0))
  test('longer than sense', () => expect(wait('86400')).toBe(60_000))
  test('in the Status', () => expect(wait(undefined, { retryAfterSeconds: 3 })).toBe(3_000))
  test('in words we do not know', () => expect(wait('soon')).toBeUndefined())
  test('not at all', () => expect(wait(undefined)).toBeUndefined())
})

test('a proxy that answers in its own words is quoted', () => {
  const body = '<html>\n  <h1>502 Bad Gateway</h1>'
  const error = fromStatus({ code: 502, body, request: 'GET /x' })
  expect(error).toBeInstanceOf(Retryable)
  expect(error.message).toBe('GET /x: 502 <html> <h1>502 Bad Gateway</h1>')
})

test('an ERROR event in a watch is classified by the code inside', () => {
  const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }
  expect(fromWatchError(gone, 'WATCH /x').name).toBe('Gone')
  expect(fromWatchError(null, 'WATCH /x').name).toBe('Retryable')
})

// Times that are written: what is stored is rounded up, what people read is not yet to come.

import { expect, test } from 'vitest'

import { instantOf, momentOf, sinceOf, timeOf } from './time.ts'

test.each([
  ['2026-01-31T12:00:00.001Z', '2026-01-31T12:00:01Z', '2026-01-31T12:00:00Z'],
  ['2026-01-31T12:00:00.999Z', '2026-01-31T12:00:01Z', '2026-01-31T12:00:00Z'],
  ['2026-01-31T12:00:01.000Z', '2026-01-31T12:00:01Z', '2026-01-31T12:00:00Z'],
])('%s is stored as %s, and people read %s', (exact, stored, read) => {
  const instant = instantOf(exact)
  expect(timeOf(instant)).toBe(stored)
  expect(sinceOf(instant)).toBe(read)
  expect(instantOf(sinceOf(instant))).toBeLessThanOrEqual(instant)
  // Read back, or the message would change with the first look at what is stored.
  expect(sinceOf(instantOf(timeOf(instant)))).toBe(read)
})

test.each([0, 1, 999, 1_000, 1_795_361_214_581])(
  '%d ms are the same as a moment and back',
  instant => {
    expect(instantOf(momentOf(instant))).toBe(instant)
  },
)

test('a moment of whole seconds reads as the API writes it', () => {
  expect(momentOf(61_000)).toBe('1970-01-01T00:01:01Z')
  expect(momentOf(61_001)).toBe('1970-01-01T00:01:01.001Z')
})

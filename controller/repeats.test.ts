import { expect, test } from 'vitest'

import { createRepeats } from './repeats.ts'

test('a write that does not take is tried ever more seldom, each workload by itself', () => {
  const repeats = createRepeats()
  let now = 1_000_000
  const waits: number[] = []
  for (let i = 0; i < 8; i += 1) {
    expect(repeats('a', now)).toBeUndefined()
    const next = repeats('a', now)!
    waits.push((next - now) / 1000)
    expect(repeats('a', next - 1)).toBe(next)
    now = next
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  expect(repeats('b', now)).toBeUndefined()
  expect(repeats('b', now)).toBe(now + 1000)
})

test('a clock that is set back makes no wait longer', () => {
  const repeats = createRepeats()
  const now = 10_000_000
  expect(repeats('a', now)).toBeUndefined()
  expect(repeats('a', now - 3_600_000)).toBeUndefined()
  expect(repeats('a', now - 3_600_000)).toBe(now - 3_600_000 + 2000)
})

test('after a long quiet it begins anew', () => {
  const repeats = createRepeats()
  for (const now of [0, 1000, 3000]) expect(repeats('a', now)).toBeUndefined()
  const later = 7000 + 600_001
  expect(repeats('a', later)).toBeUndefined()
  expect(repeats('a', later)).toBe(later + 1000)
})

import { expect, test } from 'vitest'

import { createRefusedWrites } from './refused-writes.ts'

test('a write that was refused waits, another one does not, and one that is taken ends it', () => {
  const writes = createRefusedWrites()
  writes.note('web', { write: 'split', why: 'no' }, 1000)
  expect(writes.of('web')).toMatchObject({ write: 'split', why: 'no' })
  expect(writes.until('web', 'split', 2000)).toBe(31_000)
  expect(writes.until('web', 'over', 2000)).toBeUndefined()
  expect(writes.until('api', 'split', 2000)).toBeUndefined()
  expect(writes.until('web', 'split', 31_000)).toBeUndefined()
  writes.over('web')
  expect(writes.of('web')).toBeUndefined()
})

test('a clock that was set back makes nobody wait longer', () => {
  const writes = createRefusedWrites()
  writes.note('web', { write: 'split', why: 'no' }, 1_000_000)
  expect(writes.until('web', 'split', 1000)).toBeUndefined()
})

test('of many only the newest are remembered', () => {
  const writes = createRefusedWrites()
  for (let i = 0; i < 2000; i++) writes.note(`${i}`, { write: 'split', why: 'no' }, 0)
  expect(writes.of('0')).toBeUndefined()
  expect(writes.of('1999')).toBeDefined()
})

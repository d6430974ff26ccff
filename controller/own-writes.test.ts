import { expect, test } from 'vitest'

import { createOwnWrites } from './own-writes.ts'

const web = (resourceVersion: string) => ({ uid: 'web', resourceVersion })
const pod = (resourceVersion: string) => ({ uid: 'pod', resourceVersion })

test('what we have replaced is waited for, until the watch tells of it', () => {
  const own = createOwnWrites()
  own.note(web('1'), web('2'), 5000)
  expect(own.awaited([pod('7'), web('1')], 5100)).toBe(6000)
  expect(own.awaited([pod('7'), web('2')], 5100)).toBeUndefined()
})

test('a watch that does not tell is waited for no longer than a second', () => {
  const own = createOwnWrites()
  own.note(web('1'), web('2'), 5000)
  expect(own.awaited([web('1')], 5999)).toBe(6000)
  expect(own.awaited([web('1')], 6000)).toBeUndefined()
  // The clock was set back.
  expect(own.awaited([web('1')], 0)).toBe(1000)
})

test('an object of another type may have the same version', () => {
  const own = createOwnWrites()
  own.note(web('1'), web('2'), 5000)
  expect(own.awaited([pod('1')], 5000)).toBeUndefined()
})

test('a write that changed nothing is not waited for', () => {
  const own = createOwnWrites()
  own.note(web('1'), web('1'), 5000)
  expect(own.awaited([web('1')], 5000)).toBeUndefined()
})

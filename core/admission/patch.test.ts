import fc from 'fast-check'
import jsonpatch from 'jsonpatch'
import { expect, test } from 'vitest'

import { difference } from './patch.ts'

/** The library cannot name `__proto__` in a path, and no API server takes such a key. */
const values = fc
  .jsonValue({ maxDepth: 2 })
  .filter(each => !JSON.stringify(each).includes('__proto__'))
const objects = fc.dictionary(
  fc.constantFrom('a', 'b', 'a/b', 'c~d', '~1', ''),
  fc.oneof(values, fc.dictionary(fc.constantFrom('x', 'y/z'), fc.nat(3))),
)

test('the operations turn one object into the other', () => {
  fc.assert(
    fc.property(objects, objects, (before, after) => {
      const operations = difference(before, after)
      const patched: unknown = jsonpatch.apply_patch(structuredClone(before), [...operations])
      expect(patched).toEqual(after)
    }),
  )
})

test('equal objects need no operation', () => {
  fc.assert(
    fc.property(objects, object => difference(object, structuredClone(object)).length === 0),
  )
})

test('operations are as small as can be, lists are replaced whole, undefined is absent', () => {
  const before = { a: { b: 1, c: [1, 2] }, d: 'x', e: null }
  const after = { a: { b: 1, c: [1, 3] }, d: undefined, e: null, 'f/g': { h: 1 } }
  expect(difference(before, after)).toEqual([
    { op: 'remove', path: '/d' },
    { op: 'replace', path: '/a/c', value: [1, 3] },
    { op: 'add', path: '/f~1g', value: { h: 1 } },
  ])
})

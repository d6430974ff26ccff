import fc from 'fast-check'
import { expect, test } from 'vitest'

import { canonical } from './digest.ts'
import { equalJson } from './equal.ts'

test.each([
  [
    'the order of keys does not matter',
    { a: 1, b: [{ c: 2, d: 3 }] },
    { b: [{ d: 3, c: 2 }], a: 1 },
  ],
  ['an undefined member is an absent one', { a: 1, b: undefined }, { a: 1 }],
  ['two nulls are equal', { a: null }, { a: null }],
])('equal: %s', (_, a, b) => {
  expect(equalJson(a, b)).toBe(true)
  expect(equalJson(b, a)).toBe(true)
})

test.each([
  ['the order of a list matters', [1, 2], [2, 1]],
  ['a longer list is another list', [1], [1, 1]],
  ['a null is not an absent member', { a: null }, {}],
  ['a number is not its text', { a: 1 }, { a: '1' }],
  ['an object is not a list', {}, []],
  ['a list is not an object with the same members', ['x'], { 0: 'x' }],
  ['a member more makes another object', { a: 1 }, { a: 1, b: 2 }],
  ['a deep difference is a difference', { a: [{ b: { c: 1 } }] }, { a: [{ b: { c: 2 } }] }],
  ['a member of the prototype is not a member', { toString: 'x' }, {}],
])('not equal: %s', (_, a, b) => {
  expect(equalJson(a, b)).toBe(false)
  expect(equalJson(b, a)).toBe(false)
})

test('values are equal exactly when their text with sorted keys is', () => {
  const value = fc.letrec(tie => ({
    json: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(null, true, 0, 1, 'a'),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b'), tie('json')),
    ),
  })).json
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(equalJson(a, b)).toBe(canonical(a) === canonical(b))
      expect(equalJson(a, structuredClone(a))).toBe(true)
    }),
  )
})

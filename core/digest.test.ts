import fc from 'fast-check'
import { expect, test } from 'vitest'

import { canonical, digest } from './digest.ts'

test('a digest is 16 hexadecimal digits', () => {
  fc.assert(fc.property(fc.jsonValue(), value => /^[0-9a-f]{16}$/.test(digest(value))))
})

test('the order of keys and undefined members make no difference', () => {
  expect(digest({ a: 1, b: { c: 2, d: 3 } })).toBe(digest({ b: { d: 3, c: 2 }, a: 1 }))
  expect(digest({ a: 1, b: undefined })).toBe(digest({ a: 1 }))
})

test('the order of lists, types and null make a difference', () => {
  const values = [[1, 2], [2, 1], ['1', 2], [12], { a: null }, {}, [], null, '', 0, false, '0']
  expect(new Set(values.map(digest)).size).toBe(values.length)
})

test('equal digests are equal values', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(digest(a) === digest(b)).toBe(canonical(a) === canonical(b))
    }),
  )
})

test('a digest stays what it was, since clusters have stored it', () => {
  expect(digest({ image: 'app:1' })).toMatchInlineSnapshot(`"37b70e1d5d79c487"`)
})

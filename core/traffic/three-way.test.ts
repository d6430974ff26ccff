import fc from 'fast-check'
import { expect, test } from 'vitest'

import { threeWay } from './three-way.ts'

const rule = (name: string, route = 'stable') => ({ name, route })
const [a, b] = [rule('a'), rule('b')]
const [weighed, ours] = [rule('a', 'both'), { match: 'tester' }]
const theirs = rule('theirs')

test.each([
  ['an edit before what was changed', [theirs, weighed], [weighed], [a], [theirs, a]],
  ['an edit behind it', [weighed, theirs], [weighed], [a], [a, theirs]],
  ['what is new in ours alone goes', [ours, theirs, a], [ours, a], [a], [theirs, a]],
  ['both', [ours, weighed, theirs, b], [ours, weighed, b], [a, b], [a, theirs, b]],
  ['who writes his own again', [a, theirs, b], [ours, weighed, b], [a, b], [a, theirs, b]],
  ['what he takes away goes', [weighed], [weighed, b], [a, b], [a]],
  ['his own again, and what ours leaves out', [a, b, theirs], [b], [a, b], [a, b, theirs]],
  ['what ours leaves out comes back', [b, theirs], [b], [a, b], [a, b, theirs]],
  [
    'a field of what was changed',
    [{ ...weighed, timeout: '1s' }],
    [weighed],
    [a],
    [{ ...a, timeout: '1s' }],
  ],
  ['another kind of value', 'text', [weighed], [a], 'text'],
])('%s', (...[, incoming, made, owner, expected]) => {
  expect(threeWay(incoming, made, owner)).toEqual(expected)
})

test('of what nobody touched the owner’s stays; what was not replaced is edited as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      expect(threeWay(one, one, other)).toEqual(other)
      expect(threeWay(one, other, one)).toEqual(one)
    }),
  )
  const edits = fc.array(fc.constantFrom(a, b, theirs, ours), { maxLength: 4 })
  fc.assert(
    fc.property(edits, edits, (incoming, owner) => {
      expect(threeWay(incoming, owner, owner)).toEqual(incoming)
    }),
  )
})

test('long lists take their time, and no more; what cannot be told apart is taken as written', () => {
  const hosts = (count: number, name: string) =>
    Array.from({ length: count }, (_, at) => ({ name: `${name}-${at}`, port: at % 7 }))
  const owner = hosts(600, 'a')
  const made = owner.map(each => ({ ...each, weight: 20 }))
  const incoming = [theirs, ...made]
  expect(threeWay(incoming, made, owner)).toEqual([theirs, ...owner])
  const [many, others] = [hosts(9000, 'b'), hosts(9000, 'c')]
  expect(threeWay(many, others, hosts(9000, 'd'))).toEqual(many)
  // An edit of one among many is one.
  const edited = [...many.slice(0, 4000), theirs, ...many.slice(4000)]
  expect(threeWay(edited, many, [...many, a])).toEqual([...edited, a])
})

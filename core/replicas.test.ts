import fc from 'fast-check'
import { expect, test } from 'vitest'

import { parseIntOrPercent, podCount } from './replicas.ts'

const percent = fc.integer({ min: 0, max: 100 })
const replicas = fc.integer({ min: 0, max: 5000 })

test.each([
  [5, ['20%', '40%', '60%', '80%', '100%'], [1, 2, 3, 4, 5]],
  [3, ['20%', '40%', '60%', '80%', '90%'], [1, 2, 2, 2, 2]],
  [10, ['50%'], [5]],
  [5, ['50%'], [3]],
  [2, ['99%'], [1]],
  [1, ['1%', '50%', '100%'], [1, 1, 1]],
  [10, ['1%', '7%', '99%'], [1, 1, 9]],
  [0, ['1%', '100%', 3], [0, 0, 0]],
  [10, [1, 9, 10, 11, 2147483647], [1, 9, 10, 10, 10]],
  [10, ['0%', 0], [0, 0]],
  [10, ['020%', '0100%', '300%'], [2, 10, 10]],
])('of %i pods, %j are %j new ones', (of, steps, counts) => {
  expect(steps.map(step => podCount(step, of))).toEqual(counts)
})

test.each(['', '%', '5', '-5%', '+5%', '5.5%', ' 5%', '5%%', 'all', 1.5, -1, Number.NaN])(
  '%j is no amount, and asks for no pod',
  field => {
    expect(parseIntOrPercent(field)).toBeUndefined()
    expect(podCount(field, 10)).toBe(0)
  },
)

test.each([undefined, null, true, {}, ['5%']])('%j is no amount', field => {
  expect(parseIntOrPercent(field)).toBeUndefined()
})

test('a number is pods, a text with a percent sign is a share of them', () => {
  expect(parseIntOrPercent(3)).toEqual({ unit: 'pods', value: 3 })
  expect(parseIntOrPercent('030%')).toEqual({ unit: 'percent', value: 30 })
})

test('never more new pods than the percent says, rounded up', () => {
  fc.assert(
    fc.property(percent, replicas, (p, of) => {
      // In whole numbers, so that the oracle has no rounding of its own.
      expect(podCount(`${p}%`, of)).toBeLessThanOrEqual(Math.floor((p * of + 99) / 100))
    }),
  )
})

test('a higher percent never asks for fewer pods, and more pods never for fewer new ones', () => {
  fc.assert(
    fc.property(percent, percent, replicas, replicas, (p, q, of, others) => {
      const [low, high] = p < q ? [p, q] : [q, p]
      expect(podCount(`${low}%`, of)).toBeLessThanOrEqual(podCount(`${high}%`, of))
      const [fewer, more] = of < others ? [of, others] : [others, of]
      expect(podCount(`${p}%`, fewer)).toBeLessThanOrEqual(podCount(`${p}%`, more))
    }),
  )
})

test('a step from 1% on has a new pod; below 100% it leaves an old one when there are two', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 2, max: 5000 }), (p, of) => {
      expect(podCount(`${p}%`, of)).toBeGreaterThanOrEqual(1)
      expect(podCount(`${p}%`, of)).toBeLessThan(of)
    }),
  )
})

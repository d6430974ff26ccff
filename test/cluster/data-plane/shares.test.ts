import { expect, test } from 'vitest'

import { interval } from './shares.ts'

test('the interval of a share is the binomial one', () => {
  expect(interval(10, 50)).toEqual([0, 10])
  expect(interval(200, 10)).toEqual([8, 35])
  expect(interval(200, 50)).toEqual([77, 123])
  expect([interval(200, 0), interval(200, 100)]).toEqual([
    [0, 0],
    [200, 200],
  ])
})

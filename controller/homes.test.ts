import { expect, test } from 'vitest'

import { createHomes } from './homes.ts'

test('it counts from the first look at routes that are home, and anew after each that was moved', () => {
  const homes = createHomes()
  expect(homes('lane', false, 10)).toEqual({ since: 10, seen: false })
  expect(homes('lane', false, 20)).toEqual({ since: 10, seen: false })
  homes('lane', true, 30)
  expect(homes('lane', false, 40)).toEqual({ since: 40, seen: true })
  expect(homes('lane', false, 50)).toEqual({ since: 40, seen: true })
  expect(homes('other', false, 60)).toEqual({ since: 60, seen: false })
})

import { expect, test } from 'vitest'

import { createHomes } from './homes.ts'

test('it counts from the first look at routes that are home, and anew after each that was moved', () => {
  const { look } = createHomes()
  expect(look('lane', false, 10)).toEqual({ since: 10, seen: false })
  expect(look('lane', false, 20)).toEqual({ since: 10, seen: false })
  look('lane', true, 30)
  expect(look('lane', false, 40)).toEqual({ since: 40, seen: true })
  expect(look('lane', false, 50)).toEqual({ since: 40, seen: true })
  expect(look('other', false, 60)).toEqual({ since: 60, seen: false })
})

test('one that is forgotten has never been seen', () => {
  const { look, forget } = createHomes()
  look('lane', true, 10)
  look('other', true, 10)
  forget('lane')
  expect(look('lane', false, 20)).toEqual({ since: 20, seen: false })
  expect(look('other', false, 20)).toEqual({ since: 20, seen: true })
})

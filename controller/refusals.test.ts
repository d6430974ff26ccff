import { expect, test } from 'vitest'

import { HOLD, WAVE } from '#api/names.ts'
import { formatHold, waveAfter } from '#core/workload/hold.ts'
import type { Hold } from '#core/workload/hold.ts'
import { createRefusals, holdTaken } from './refusals.ts'

const begun: Hold = { mode: 'wave', pods: 1, budget: 1, surge: 1, rolloutId: 'r', seq: 2 }
const marks = (hold: Partial<Hold>) => ({
  annotations: { [HOLD]: formatHold({ ...begun, seq: 4, ...hold }) },
})
const wave = (hold: Partial<Hold>) => ({
  labels: { [WAVE]: waveAfter(begun, { ...begun, ...hold })! },
})

test('what was refused is not sent for a while, also by a clock that is set back', () => {
  const refusals = createRefusals()
  const now = 10_000_000
  const until = refusals.note('a', now)
  expect(refusals.until('a', now + 1)).toBe(until)
  expect(refusals.until('a', until)).toBeUndefined()
  expect(refusals.until('a', now - 3_600_000)).toBeUndefined()
})

test('a hold that admission has changed is taken', () => {
  expect(holdTaken(marks({}), marks({ mode: 'stop' }))).toBe(true)
})

test('a hold is refused where the one before is stored; another release is no refusal', () => {
  expect(holdTaken(marks({}), marks({ seq: 3 }))).toBe(false)
  expect(holdTaken(marks({}), marks({ rolloutId: 'other', seq: 5 }))).toBe(true)
})

test('a wave is refused where the one before is stored, or none', () => {
  const stored = marks({ seq: 2 })
  expect(holdTaken(wave({ seq: 4 }), { ...stored, ...wave({ seq: 4 }) })).toBe(true)
  expect(holdTaken(wave({ seq: 4 }), { ...stored, ...wave({ seq: 3 }) })).toBe(false)
  expect(holdTaken(wave({ seq: 4 }), stored)).toBe(false)
  expect(holdTaken(wave({ seq: 4 }), {})).toBe(true)
  expect(holdTaken(wave({ seq: 4 }), marks({ rolloutId: 'other', seq: 5 }))).toBe(true)
})

test('an annotation that takes the label away is refused where both stay', () => {
  const stored = { ...marks({ seq: 2 }), ...wave({ seq: 4 }) }
  const sent = { ...marks({ seq: 5, abortSeen: 'd1' }), labels: { [WAVE]: null } }
  expect(holdTaken(sent, stored)).toBe(false)
  expect(holdTaken(sent, marks({ seq: 5, abortSeen: 'd1' }))).toBe(true)
})

test('a hold that is taken away, or whose place is empty, is not refused', () => {
  expect(holdTaken(undefined, marks({}))).toBe(true)
  expect(holdTaken(marks({}), {})).toBe(true)
})

test('a hold that was refused is sent again after 30 s, and not before', () => {
  const refusals = createRefusals()
  expect(refusals.note('web', 1000)).toBe(31_000)
  expect(refusals.until('web', 30_999)).toBe(31_000)
  expect(refusals.until('other', 1000)).toBeUndefined()
  expect(refusals.until('web', 31_000)).toBeUndefined()
})

test('a refusal stands until a hold is taken', () => {
  const refusals = createRefusals()
  refusals.note('web', 1000)
  expect(refusals.until('web', 31_000)).toBeUndefined()
  expect(refusals.stands('web')).toBe(true)
  refusals.over('web')
  expect(refusals.stands('web')).toBe(false)
})

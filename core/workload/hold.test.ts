import fc from 'fast-check'
import { expect, test } from 'vitest'

import { HOLD } from '#api/names.ts'
import { formatHold, holdOf, parsePairs } from './hold.ts'
import type { Hold } from './hold.ts'

const hold: Hold = {
  mode: 'wave',
  pods: '30%',
  budget: 3,
  surge: '10%',
  rolloutId: 'abc-2',
  seq: 7,
}
const text = 'mode=wave;pods=30%;budget=3;surge=10%;rollout-id=abc-2;seq=7;'

function carrying(value?: string) {
  const annotations = value === undefined ? {} : { [HOLD]: value }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', annotations } }
}

test('a hold is flat pairs, which CEL can read', () => {
  expect(formatHold(hold)).toBe(text)
  expect(formatHold({ ...hold, abortSeen: 'd1' })).toBe(`${text}abort-seen=d1;`)
  expect(formatHold({ ...hold, style: 'canary' })).toBe(`${text}style=canary;`)
  expect(formatHold({ ...hold, between: ['v2', 'v3'] })).toBe(`${text}between=v2,v3;`)
})

test('a style that is not said, or not known, is partition', () => {
  expect(formatHold({ ...hold, style: 'partition' })).toBe(text)
  for (const said of [text, `${text}style=sideways;`]) {
    expect(holdOf(carrying(said))).toEqual(hold)
  }
})

test('every hold is read as it was written', () => {
  const amount = fc.oneof(
    fc.nat(5000),
    fc.nat(100).map(percent => `${percent}%`),
  )
  const holds = fc.record({
    mode: fc.constantFrom('wave', 'stop', 'aborted', 'finishing', 'released'),
    pods: amount,
    budget: amount,
    surge: amount,
    rolloutId: fc.stringMatching(/^[a-f0-9]{10}-\d+$/),
    seq: fc.nat(),
  }) as fc.Arbitrary<Hold>
  fc.assert(
    fc.property(holds, each => {
      expect(holdOf(carrying(formatHold(each)))).toEqual(each)
    }),
  )
})

test.each([
  ['no annotation', undefined],
  ['nothing', ''],
  ['a word', 'released'],
  ['a mode that is none', text.replace('wave', 'faster')],
  ['no seq', text.replace('seq=7;', '')],
  ['a seq that is no number', text.replace('seq=7', 'seq=x')],
  ['a budget below 0', text.replace('budget=3', 'budget=-3')],
  ['a budget that is no amount', text.replace('budget=3', 'budget=all')],
  ['no rollout-id', text.replace('rollout-id=abc-2;', '')],
  ['JSON', JSON.stringify(hold)],
])('%s is no hold', (_, value) => {
  expect(holdOf(carrying(value))).toBeUndefined()
})

test('what is not a pair is passed over', () => {
  expect([...parsePairs('a=1;b;;c=2=3;d=4')]).toEqual([
    ['a', '1'],
    ['d', '4'],
  ])
})

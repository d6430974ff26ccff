import fc from 'fast-check'
import { expect, test } from 'vitest'

import { HOLD, WAVE } from '#api/names.ts'
import { formatHold, holdOf, parsePairs, waveAfter } from './hold.ts'
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
      const begun = { ...hold, rolloutId: each.rolloutId, seq: 0 }
      const wave = waveAfter(begun, each)!
      // As the API server asks of a label.
      expect(wave).toMatch(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,61}[A-Za-z0-9]$/)
      expect(holdOf(labelled(wave, formatHold(begun)))).toEqual(each)
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

/** An object with the hold in its annotation, and the wave in its label. */
function labelled(wave: string, value = text) {
  const { metadata, ...object } = carrying(value)
  return { ...object, metadata: { ...metadata, labels: { [WAVE]: wave } } }
}

const next: Hold = { ...hold, mode: 'stop', pods: 4, budget: '1%', surge: '0%', seq: 8 }

test('how far a release has come is in a label, and the annotation stays as it is', () => {
  const wave = waveAfter(hold, next)!
  expect(wave).toBe('stop.2.8.4.1p.0p')
  expect(holdOf(labelled(wave))).toEqual(next)
  const noted = { ...next, partition: '40%', size: 10, paused: false }
  expect(waveAfter(hold, noted)).toBe('stop.2.8.4.1p.0p.part40p.size10.running')
})

test('what lasts as long as the release comes from the annotation', () => {
  const begun: Hold = { ...hold, style: 'canary', abortSeen: 'd1', between: ['v2'] }
  const far = { ...begun, mode: 'finishing', seq: 9 } as const
  expect(holdOf(labelled(waveAfter(begun, far)!, formatHold(begun)))).toEqual(far)
})

test.each<[string, string]>([
  ['of another release', 'released.3.8.4.1p.0p'],
  ['older than the annotation', 'released.2.6.4.1p.0p'],
  ['with a mode that is none', 'gone.2.8.4.1p.0p'],
  ['with an amount that is none', 'released.2.8.all.1p.0p'],
  ['cut off', 'released.2.8.4'],
  ['of one word', 'released'],
  ['empty', ''],
])('a label %s says nothing: the annotation counts', (_, wave) => {
  expect(holdOf(labelled(wave))).toEqual(hold)
})

test('a label alone is no hold', () => {
  expect(holdOf(labelled(waveAfter(hold, next)!, ''))).toBeUndefined()
})

test.each<[string, Partial<Hold>]>([
  ['is the hold that began', { ...hold }],
  ['is of another release', { rolloutId: 'abc-3' }],
  ['goes another way', { style: 'blueGreen' }],
  ['forgets an abort', { abortSeen: 'd1' }],
  ['is older', { seq: 6 }],
  [
    'has no room in a label',
    { pods: 1e9, budget: 1e9, surge: 1e9, partition: 1e9, size: 1e9, seq: 1e9 },
  ],
  ['belongs to a release that a label cannot name', { rolloutId: 'a-b;c' }],
])('no label makes what %s', (_, change) => {
  expect(waveAfter(hold, { ...next, ...change })).toBeUndefined()
})

test('what is not a pair is passed over', () => {
  expect([...parsePairs('a=1;b;;c=2=3;d=4')]).toEqual([
    ['a', '1'],
    ['d', '4'],
  ])
})

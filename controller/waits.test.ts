// Time that passes is counted once, under the reason that held while it passed.

import { expect, test } from 'vitest'

import type { Decision } from '#core/rollout/model.ts'
import { nothing } from '#core/rollout/outcomes.ts'
import { createWaits, waitOf, waitReasons } from './waits.ts'
import type { WaitReason } from './waits.ts'

function counting() {
  const seconds: Partial<Record<WaitReason, number>> = {}
  const clock = { ms: 0 }
  const waits = createWaits(
    (reason, more) => void (seconds[reason] = (seconds[reason] ?? 0) + more),
    () => clock.ms,
  )
  return { seconds, clock, waits }
}

test('each reason gets the time until the next one', () => {
  const { seconds, clock, waits } = counting()
  waits.see('a', ['InRolling'])
  clock.ms = 2000
  waits.see('a', ['StepPaused'])
  waits.see('b', ['StepPaused', 'Conflict'])
  clock.ms = 5000
  waits.see('a', [])
  clock.ms = 6000
  waits.see('b', [])
  clock.ms = 9000
  waits.settle()
  expect(seconds).toEqual({ InRolling: 2, StepPaused: 7, Conflict: 4 })
})

test('what is not over counts when it is asked for, and not twice', () => {
  const { seconds, clock, waits } = counting()
  waits.see('a', ['Paused'])
  clock.ms = 1000
  waits.settle()
  expect(seconds).toEqual({ Paused: 1 })
  clock.ms = 1500
  waits.settle()
  waits.see('a', ['Paused'])
  clock.ms = 2000
  waits.see('a', [])
  expect(seconds).toEqual({ Paused: 2 })
})

const releasing = { ...nothing, releasing: true }
const paused = { ...releasing, pauseReached: true }
const rolling = { phase: 'Progressing', progressing: 'InRolling', reconciling: true } as const

test.each<[WaitReason | undefined, Pick<Decision, 'memory' | 'standing'>]>([
  ['InRolling', { memory: releasing, standing: rolling }],
  ['StepPaused', { memory: paused, standing: rolling }],
  ['Paused', { memory: paused, standing: { ...rolling, progressing: 'Paused' } }],
  [
    'ProgressDeadlineExceeded',
    { memory: releasing, standing: { ...rolling, stalled: 'ProgressDeadlineExceeded' } },
  ],
  [
    'Aborted',
    {
      memory: releasing,
      standing: { ...rolling, progressing: 'Cancelling', reconciling: false, stalled: 'Aborted' },
    },
  ],
  [
    'NotGuarding',
    {
      memory: nothing,
      standing: { phase: 'Initial', notReady: 'NotGuarding', reconciling: true },
    },
  ],
  ['Disabling', { memory: nothing, standing: { phase: 'Disabling', reconciling: true } }],
  [undefined, { memory: nothing, standing: { phase: 'Disabled', reconciling: false } }],
  [
    undefined,
    {
      memory: { ...nothing, ending: 'completed' },
      standing: { phase: 'Healthy', progressing: 'Completed', reconciling: false },
    },
  ],
])('waits for %s', (reason, decision) => {
  expect(waitOf({ ...decision, actions: [], message: '' })).toBe(reason)
})

test('each reason is there once', () => {
  expect(waitReasons).toHaveLength(new Set(waitReasons).size)
})

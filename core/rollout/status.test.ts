import { expect, test } from 'vitest'

import type { RolloutStatus } from '#api/rollout.generated.ts'
import type { Workload } from '../workload/model.ts'
import type { Decision, Memory, Standing } from './model.ts'
import { nothing } from './outcomes.ts'
import { briefly, isDropped, isPassing, memoryOf, statusDue, statusOf } from './status.ts'

const now = Date.parse('2026-01-01T00:10:00Z')
const memory: Memory = {
  ...nothing,
  releasing: true,
  stableRevision: 'v1',
  canaryRevision: 'v2',
  rolloutId: 'abc-2',
  release: 'abc-2',
  stepIndex: 1,
  nextStepIndex: 2,
  state: 'StepPaused',
  pauseReached: true,
  since: now - 60_000,
  workloadUid: 'uid',
  generation: 7,
  planHash: 'plan',
}
const releasing: Standing = { phase: 'Progressing', progressing: 'InRolling', reconciling: true }
const metadata = { namespace: 'shop', name: 'web', uid: 'uid', resourceVersion: '1' }
const workload: Workload = {
  abandoned: 0,
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  uid: 'uid',
  resourceVersion: '1',
  generation: 7,
  seen: {
    metadata,
    guarded: true,
    marked: true,
    escaped: false,
    caught: false,
    generation: 7,
    observed: true,
    replicas: 10,
    fingerprint: 'f2',
    projected: true,
    armed: false,
    owner: {},
  },
  settled: true,
  guarded: true,
  escaped: false,
  armed: false,
  projected: true,
  ownerPaused: false,
  replicas: 10,
  total: 10,
  stableRevision: 'v1',
  updateRevision: 'v2',
  active: [],
  templatesSeen: true,
  updated: 1,
  updatePods: [],
  updatedReady: 1,
  rolledOut: false,
}

function status(said: Partial<Decision> = {}, before?: RolloutStatus, at = now): RolloutStatus {
  const decision = { actions: [], memory, standing: releasing, message: 'waiting', ...said }
  return statusOf({ generation: 3, before, style: 'partition', decision, workload, now: at })
}

test('each style has its own field, and what it says is remembered alike', () => {
  const decision = { actions: [], memory, standing: releasing, message: 'waiting' }
  const input = {
    generation: 3,
    before: undefined,
    style: 'blueGreen',
    decision,
    workload,
    now,
  } as const
  const told = statusOf(input)
  expect(told).not.toHaveProperty('canaryStatus')
  expect(told.blueGreenStatus).toMatchObject({
    updatedRevision: 'v2',
    updatedReplicas: 1,
    updatedReadyReplicas: 1,
    observedRelease: memory.release,
  })
  expect(told.currentStepIndex).toBe(memory.stepIndex)
  expect(memoryOf(told)).toEqual(memory)
  expect(statusDue(told, told, now)).toBeUndefined()
})

function conditions({ conditions = [] }: RolloutStatus): Readonly<Record<string, string>> {
  return Object.fromEntries(
    conditions.map(({ type, status: is, reason }) => [type, `${is} ${reason}`]),
  )
}

test('a status remembers what was written into it', () => {
  expect(memoryOf(status())).toEqual(memory)
  expect(memoryOf(undefined)).toEqual(nothing)
  expect(memoryOf({ currentStepIndex: 0, currentStepState: '' })).toEqual(nothing)
})

test.each(['completed', 'canceled', 'takenOver', 'overtaken'] as const)(
  'an end is remembered: %s',
  ending => {
    const ended: Memory = {
      ...memory,
      releasing: false,
      ending,
      state: 'Completed',
      pauseReached: false,
    }
    const standing = { phase: 'Healthy', progressing: 'Completed', reconciling: false } as const
    expect(memoryOf(status({ memory: ended, standing }))).toEqual(ended)
  },
)

test('an approval is the state alone: that the pause was reached stays known', () => {
  const approved = status()
  if (!approved.canaryStatus) throw new Error('no canaryStatus')
  const written = { currentStepState: 'StepReady' } as const
  const canaryStatus = Object.assign(structuredClone(approved.canaryStatus), written)
  expect(memoryOf({ ...approved, canaryStatus })).toEqual({ ...memory, state: 'StepReady' })
})

test('a release is Reconciling, an end Ready, trouble Stalled, as kstatus reads it', () => {
  expect(conditions(status())).toEqual({
    Progressing: 'True InRolling',
    Ready: 'False Releasing',
    Reconciling: 'True StepPaused',
  })
  const late = { ...releasing, stalled: 'ProgressDeadlineExceeded' } as const
  expect(conditions(status({ standing: late }))).toMatchObject({
    Ready: 'False ProgressDeadlineExceeded',
    Stalled: 'True ProgressDeadlineExceeded',
  })
  const healthy = { phase: 'Healthy', reconciling: false } as const
  const rest = status({ standing: healthy, memory: { ...memory, releasing: false } })
  expect(conditions(rest)).toEqual({ Ready: 'True Guarding' })
})

test('a condition keeps its times while it stands', () => {
  const before = status()
  const later = status({}, before, now + 5000)
  expect(later).toEqual(before)
  const changed = status({ message: 'going on' }, before, now + 5000)
  const ready = changed.conditions?.find(({ type }) => type === 'Ready')
  expect(ready?.lastUpdateTime).toBe('2026-01-01T00:10:05Z')
  expect(ready?.lastTransitionTime).toBe('2026-01-01T00:10:00Z')
})

test('an equal status is never written, a new step at once, counts and words later', () => {
  const before = status()
  expect(statusDue(before, status({}, before), now)).toBeUndefined()
  expect(statusDue(undefined, before, now)).toBe(now)
  const step = status({ memory: { ...memory, stepIndex: 2 } }, before)
  expect(statusDue(before, step, now)).toBe(now)
  const words = status({ message: '3 of 5' }, before, now + 500)
  expect(statusDue(before, words, now + 500)).toBe(now + 10_000)
  expect(statusDue(before, words, now + 19_000)).toBe(now + 19_000)
  // The clock was set back.
  expect(statusDue(before, words, now - 3_600_000)).toBe(now - 3_600_000)
  // Less than a second after it was written its time is yet to come.
  expect(statusDue(before, words, now - 999)).toBe(now + 10_000)
  const young = status({ memory: { ...memory, since: now - 1000 } })
  const more = status({ memory: { ...memory, since: now - 1000 }, message: '3 of 5' }, young)
  expect(statusDue(young, more, now)).toBe(now + 5000)
})

test('the begin of a release or of a step may pass unwritten, a pause not', () => {
  const approved = status({ memory: { ...memory, state: 'StepReady' } })
  const stepping: Memory = { ...memory, stepIndex: 2, state: 'StepUpgrade', pauseReached: false }
  const passing = (to: Memory, from: RolloutStatus | undefined = approved) =>
    isPassing(from, status({ memory: to }))
  expect(passing(stepping)).toBe(true)
  expect(passing(stepping, status({ memory: stepping }))).toBe(false)
  expect(passing({ ...stepping, state: 'StepTrafficRouting' })).toBe(true)
  expect(passing(memory)).toBe(false)
  expect(passing({ ...stepping, release: 'b-3' })).toBe(true)
  expect(passing(stepping, { currentStepIndex: 0, currentStepState: '' })).toBe(false)
})

test('without a workload there is nothing to count', () => {
  const decision = { actions: [], memory: nothing, standing: releasing, message: 'waiting' }
  const alone = statusOf({
    generation: 1,
    before: undefined,
    style: 'partition',
    decision,
    workload: undefined,
    now,
  })
  expect(alone).not.toHaveProperty('canaryStatus')
  expect(alone).toMatchObject({ currentStepIndex: 0, currentStepState: '', message: 'waiting' })
})

test('a status of Kruise Rollouts is remembered as nothing, also in the middle of a release', () => {
  const { observedRelease: _, ...canaryStatus } = status().canaryStatus!
  expect(memoryOf({ ...status(), canaryStatus })).toEqual(nothing)
})

test('a status of ours without the name of the release: the CRD has dropped it', () => {
  const { observedRelease: _, ...canaryStatus } = status().canaryStatus!
  expect(isDropped({ ...status(), canaryStatus })).toBe(true)
  expect(isDropped({ ...status(), canaryStatus, conditions: [] })).toBe(false)
  expect(isDropped(status())).toBe(false)
  expect(isDropped(undefined)).toBe(false)
})

test('while Kruise Rollouts runs condition Ready alone is written, and says nothing of the CRD', () => {
  const { observedRelease: _, ...canaryStatus } = status().canaryStatus!
  const theirs = { ...status(), canaryStatus, conditions: [] }
  const standing: Standing = { phase: 'Initial', notReady: 'KruiseRunning', reconciling: false }
  const told = status({ standing, memory: nothing }, theirs)
  const { conditions: ready, ...rest } = told
  const { conditions: none, ...before } = theirs
  expect(none).toEqual([])
  expect(rest).toEqual(before)
  expect(conditions({ ...told, conditions: ready! })).toEqual({ Ready: 'False KruiseRunning' })
  expect(isDropped(told)).toBe(false)
})

test.each([
  [
    'step 1 of 3 reached: 1 of 10 pods are new, waiting for approval since T: kubectl -n shop patch rollout web',
    'step 1 of 3 reached: 1 of 10 pods are new, waiting for approval since T (command: -o wide)',
  ],
  [
    'step 1 of 3 is paused by its owner; go on with: kubectl -n shop rollout resume deployment/web',
    'step 1 of 3 is paused by its owner (command: -o wide)',
  ],
  [
    '2 pods are of a version between; step 1 of 3 reached: waiting for approval since T: kubectl -n shop',
    '2 pods are of a version between; step 1 of 3 reached: waiting for approval since T (command: -o wide)',
  ],
  [`${'word '.repeat(40)}end`, `${'word '.repeat(23)}...`],
  [
    `${'word '.repeat(40)}end; go on with: kubectl -n shop`,
    `${'word '.repeat(19)}... (command: -o wide)`,
  ],
  ['ready for the next edit', 'ready for the next edit'],
])('in a table it is told briefly: %s', (message, brief) => {
  expect(briefly(message)).toBe(brief)
  const decision = { actions: [], memory, standing: releasing, message }
  const told = statusOf({
    generation: 2,
    before: undefined,
    style: 'partition',
    decision,
    workload,
    now,
  })
  expect(told.message).toBe(brief)
  expect(told.conditions?.find(({ type }) => type === 'Ready')?.message).toBe(message)
})

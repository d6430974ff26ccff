// How long a step of a return may take before there is no hope.

import { expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import type { Step } from './next-step.ts'
import { Progress } from './steps.ts'

const object: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', uid: 's' },
}
const waiting = {
  type: 'await',
  objects: [object],
  why: 'the gateway has not taken it over',
} as const
const writing: Step = { type: 'write', object, patch: {} }

function at(ms: number, pods?: number): Step & { readonly ms: number } {
  return { ...waiting, ms, ...(pods !== undefined && { pods: { left: pods, patienceMs: 60_000 } }) }
}

/** Looks at the steps at their times. */
function look(steps: readonly (Step & { readonly ms: number })[]): void {
  let now = 0
  const progress = new Progress(() => now)
  for (const step of steps) {
    now = step.ms
    progress.check(step, () => [])
  }
}

test('what comes to no end by itself is waited for half a minute', () => {
  expect(() => look([at(0), at(30_000)])).not.toThrow()
  expect(() => look([at(0), at(30_001)])).toThrow('for 30 s: the gateway has not taken it over')
})

test('a time that passes is waited for, however long it is, and what follows has its own patience', () => {
  const grace = { ...waiting, until: 120_000 }
  const first = [0, 40_000, 80_000, 119_999].map(ms => ({ ...grace, ms }))
  expect(() => look([...first, { ...writing, ms: 120_001 }])).not.toThrow()
  expect(() => look([...first, at(150_000)])).toThrow('for 30 s')
})

test('pods that come and go are progress; without any their owner’s patience counts', () => {
  expect(() => look([at(0, 4), at(59_000, 4), at(118_000, 3), at(178_000, 3)])).not.toThrow()
  expect(() => look([at(0, 4), at(60_001, 4)])).toThrow('for 60 s')
  expect(() => look([at(0, 4), at(1000, 5), at(60_001, 5)])).toThrow('for 60 s')
})

test('when the last pod is there, patience begins again', () => {
  expect(() => look([at(0, 1), at(59_000, 1), { ...writing, ms: 59_500 }])).not.toThrow()
})

import { expect, test } from 'vitest'

import { ABORT, ROLLBACK_IN_BATCH, TRAFFIC_ROUTING } from '#api/names.ts'
import type { Rollout as RolloutObject, RolloutSpec } from '#api/rollout.generated.ts'
import { firstOf, refusedFor, rolloutOf } from './parse.ts'
import { withoutSecond } from './release-style.ts'

type Canary = NonNullable<RolloutSpec['strategy']['canary']>

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

function object(
  canary: Canary,
  rest: Partial<RolloutSpec> = {},
  name = 'web-rollout',
): RolloutObject {
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { namespace: 'shop', name, uid: 'uid-1' },
    spec: { workloadRef: ref, strategy: { canary }, ...rest },
  }
}

const canary: Canary = {
  steps: [
    { replicas: 1, pause: {} },
    { replicas: '50%', pause: { duration: 60 } },
    { replicas: '100%' },
  ],
}

test('a Rollout in the words of the core', () => {
  expect(rolloutOf(object(canary))).toEqual({
    name: 'web-rollout',
    namespace: 'shop',
    uid: 'uid-1',
    ref: { ...ref, namespace: 'shop' },
    style: 'partition',
    steps: [{ replicas: 1 }, { replicas: '50%', pauseSeconds: 60 }, { replicas: '100%' }],
    failureThreshold: 0,
    paused: false,
    disabled: false,
    planHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
  })
})

test('pauses and failureThreshold change without changing the plan, replicas do not', () => {
  const { planHash } = rolloutOf(object(canary))
  const steps = canary.steps!.map(step => ({ ...step, pause: { duration: 5 } }))
  expect(rolloutOf(object({ steps, failureThreshold: '20%' })).planHash).toBe(planHash)
  expect(rolloutOf(object({ steps: [{ replicas: 2 }, ...steps.slice(1)] })).planHash).not.toBe(
    planHash,
  )
})

test('a field that says nothing is no change of the plan', () => {
  const { planHash } = rolloutOf(object(canary))
  const nothing = { enableExtraWorkloadForCanary: false, trafficRoutingRef: '' }
  expect(rolloutOf(object({ ...canary, ...nothing })).planHash).toBe(planHash)
  const extra = object({ ...canary, enableExtraWorkloadForCanary: true })
  expect(rolloutOf(extra).planHash).not.toBe(planHash)
})

test('a TrafficRouting is named by field or annotation, where requests are moved, and is none of the plan', () => {
  const { metadata, ...rest } = object(canary)
  const annotations = { [TRAFFIC_ROUTING]: 'lane' }
  const named = { ...rest, metadata: { ...metadata, annotations } }
  expect(rolloutOf(named, undefined, true).trafficRouting).toBe('lane')
  expect(rolloutOf(named).trafficRouting).toBeUndefined()
  const field = rolloutOf(object({ ...canary, trafficRoutingRef: 'lane' }), undefined, true)
  expect(field.trafficRouting).toBe('lane')
  expect(field.planHash).toBe(rolloutOf(object(canary)).planHash)
})

test('an abort counts by what is written, whatever it is', () => {
  const abortOf = (value: string) => {
    const { metadata, ...rest } = object(canary)
    return rolloutOf({ ...rest, metadata: { ...metadata, annotations: { [ABORT]: value } } }).abort
  }
  expect(abortOf('')).toBeDefined()
  expect(abortOf('true')).not.toBe(abortOf('again'))
  expect(rolloutOf(object(canary)).abort).toBeUndefined()
})

test('what slipped past admission and cannot be followed names its field', () => {
  const routed = object({ ...canary, trafficRoutings: [{ service: 'web' }] })
  expect(rolloutOf(routed).refused).toMatchObject({ reason: 'Unsupported' })
  expect(rolloutOf(routed).refused?.message).toContain('spec.strategy.canary.trafficRoutings')
})

test('the style is what the strategy asks for', () => {
  const extra = { ...canary, enableExtraWorkloadForCanary: true }
  const blueGreen = object({}, { strategy: { blueGreen: { steps: canary.steps! } } })
  expect(rolloutOf(object(canary)).style).toBe('partition')
  expect(rolloutOf(object(extra)).style).toBe('canary')
  expect(rolloutOf(blueGreen).style).toBe('blueGreen')
})

test('while a release runs the style is that with which it began', () => {
  const hold = { pods: 1, budget: '0%', surge: '10%', rolloutId: 'r', seq: 1 } as const
  const blueGreen = { ...hold, mode: 'finishing', style: 'blueGreen' } as const
  expect(rolloutOf(object(canary), blueGreen).style).toBe('blueGreen')
  expect(rolloutOf(object(canary), { ...blueGreen, mode: 'released' }).style).toBe('partition')
  const extra = object({ ...canary, enableExtraWorkloadForCanary: true })
  expect(rolloutOf(extra, { ...hold, mode: 'wave' }).style).toBe('partition')
})

test('where no second Deployment may be made, its new pods run within the workload', () => {
  const extra = rolloutOf(object({ ...canary, enableExtraWorkloadForCanary: true }))
  expect(withoutSecond(extra)).toMatchObject({
    style: 'partition',
    otherStyleBecause:
      'new pods run within the workload: the controller has no right to make Deployments (roles.makeDeployments of the chart)',
  })
  expect(withoutSecond(rolloutOf(object(canary)))).not.toHaveProperty('otherStyleBecause')
})

test('a second workload for another kind than a Deployment says nothing', () => {
  const extra = { ...canary, enableExtraWorkloadForCanary: true }
  const workloadRef = { ...ref, kind: 'StatefulSet' }
  const { refused, style } = rolloutOf(object(extra, { workloadRef }))
  expect([refused, style]).toEqual([undefined, 'partition'])
})

test('of two Rollouts of one workload the older is followed, of one age the first by name', () => {
  const at = (name: string, creationTimestamp: string) => {
    const { metadata, ...rest } = object(canary, {}, name)
    return { ...rest, metadata: { ...metadata, creationTimestamp } }
  }
  const [b, a, later] = [
    at('b', '2026-01-01T00:00:00Z'),
    at('a', '2026-01-01T00:00:00Z'),
    at('0', '2026-01-01T00:00:01Z'),
  ]
  expect(firstOf([b, later, a])).toBe(a)
  expect(firstOf([])).toBeUndefined()
  expect(refusedFor(b, a).refused).toMatchObject({ reason: 'Conflict' })
  expect(refusedFor(b, a).refused?.message).toContain('Rollout a was first')
})

test.each<[string, Canary, true | undefined]>([
  ['true', canary, true],
  ['True', canary, undefined],
  ['true', { ...canary, trafficRoutings: [{ service: 'web' }] }, undefined],
  ['true', { ...canary, trafficRoutingRef: 'web' }, undefined],
])('a rollback by steps is asked for by %s alone, and not where requests are routed', (...row) => {
  const [value, strategy, asked] = row
  const { metadata, ...rest } = object(strategy)
  const annotations = { [ROLLBACK_IN_BATCH]: value }
  expect(rolloutOf({ ...rest, metadata: { ...metadata, annotations } }).rollbackInSteps).toBe(asked)
})

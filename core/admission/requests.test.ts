// What admission makes of edits of a Deployment whose requests are moved: no pod starts or leaves before they do.

import { expect, test } from 'vitest'

import type { Deployment, KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '../rollout/model.ts'
import { deployment as adapter } from '../workload/deployment.ts'
import { holdOf } from '../workload/hold.ts'
import { recordOf } from '../workload/record.ts'
import { reviewWorkload } from './review.ts'
import { threeSteps } from '../../test/world/three-steps.ts'

const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', name: 'shop' }
const traffic = { service: 'web', routes: [route], graceSeconds: 5 }
const [first, ...others] = threeSteps.steps
const routed: Rollout = {
  ...threeSteps,
  traffic,
  steps: [{ ...first!, split: { percent: 20 } }, ...others],
}
const unroutedFirst: Rollout = { ...threeSteps, traffic }

function web(version: string): Deployment {
  const containers = [{ name: 'app', image: `app:${version}` }]
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', generation: 4 },
    spec: {
      replicas: 10,
      template: { spec: { containers } },
      strategy: { type: 'RollingUpdate', rollingUpdate },
      minReadySeconds: 7,
      progressDeadlineSeconds: 600,
    },
    status: { replicas: 10, updatedReplicas: 10, readyReplicas: 10, observedGeneration: 9 },
  }
}

function write(object: KubeObject, before: KubeObject, rollout: Rollout = routed) {
  return reviewWorkload({ adapter, object, before, rollout, fromController: false })
}

function edited(before: KubeObject, version: string): Deployment {
  const { template } = web(version).spec
  return { ...before, spec: { ...(before as Deployment).spec, template } } as Deployment
}

test('no pod starts with the edit whose first step moves requests, and what to undo is on record', () => {
  const { object, warnings } = write(web('2'), web('1'))
  expect(holdOf(object)).toMatchObject({ mode: 'stop', pods: first!.replicas })
  expect((object as Deployment).spec.paused).toBe(true)
  expect(recordOf(object)?.traffic).toEqual(traffic)
  expect(warnings[0]).toContain('1 of 10 pods with 20% of the requests, then waits for approval')
  const again = write(object, web('1'))
  expect(again.object).toEqual(object)
})

test('a step that moves none waits for nobody', () => {
  const { object } = write(web('2'), web('1'), unroutedFirst)
  expect(holdOf(object)).toMatchObject({ mode: 'wave' })
  expect(recordOf(object)?.traffic).toEqual(traffic)
})

test('a third version lets nobody leave to whom requests may be sent', () => {
  const second = write(web('2'), web('1'), unroutedFirst).object
  const { object } = write(edited(second, '3'), second, unroutedFirst)
  expect(holdOf(object)).toMatchObject({ mode: 'stop' })
  expect(recordOf(object)).toMatchObject({ traffic, stable: adapter.fingerprint(web('1')) })
})

test('nor does a rollback, which stands still with what the owner wants of Ready pods', () => {
  const second = write(web('2'), web('1')).object
  const { object, outcome, warnings } = write(edited(second, '1'), second)
  expect(outcome).toBe('projected')
  expect(holdOf(object)).toMatchObject({ mode: 'aborted', rolloutId: holdOf(second)!.rolloutId })
  const { paused, minReadySeconds } = (object as Deployment).spec
  expect([paused, minReadySeconds]).toEqual([true, 7])
  expect(warnings.join()).toContain('requests leave the new pods first')
  expect(write(object, second).object).toEqual(object)
})

test('the routing of a release is the one that it has begun with', () => {
  const second = write(web('2'), web('1')).object
  const { traffic: _, ...native } = routed
  const { object } = write(edited(second, '3'), second, native)
  expect(recordOf(object)?.traffic).toEqual(traffic)
})

test('a TrafficRouting is on record, and no pod starts or leaves before its routes are moved', () => {
  const named: Rollout = { ...threeSteps, trafficRouting: 'lane' }
  const second = write(web('2'), web('1'), named).object
  expect(holdOf(second)).toMatchObject({ mode: 'stop' })
  expect(recordOf(second)).toMatchObject({ trafficRouting: 'lane' })
  // A release keeps the one that it has begun with.
  const other = { ...named, trafficRouting: 'other' }
  const third = write(edited(second, '3'), second, other).object
  expect(holdOf(third)).toMatchObject({ mode: 'stop' })
  expect(recordOf(third)).toMatchObject({ trafficRouting: 'lane' })
  const back = write(edited(second, '1'), second, { ...threeSteps, rollbackInSteps: true })
  expect(back.outcome).toBe('projected')
  expect(holdOf(back.object)).toMatchObject({ mode: 'aborted' })
})

// Edits where Kruise Rollouts runs as well: whatever the policy in the API server has made of them before,
// what arrives at the store is what Kruise Rollouts has made of them.

import { expect, test } from 'vitest'

import { CAUGHT, HOLD, KRUISE_PROGRESSING, RECORD, WORKLOAD_TYPE } from '#api/names.ts'
import type { Deployment } from '#api/kubernetes.ts'
import { deployment as adapter } from '../workload/deployment.ts'
import { leftToKruise } from './kruise.ts'
import { deploymentKind } from '../../test/world/deployment-kind.ts'
import { caughtByPolicy } from '../../test/world/policy.ts'
import { threeSteps as rollout } from '../../test/world/three-steps.ts'

function web(image: string, annotations: Record<string, string> = {}, paused = false): Deployment {
  const containers = [{ name: 'app', image }]
  const labels = { [WORKLOAD_TYPE]: 'deployment' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels, annotations },
    spec: {
      replicas: 10,
      template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
      ...(paused && { paused }),
    },
  }
}

const its = { [KRUISE_PROGRESSING]: '{"rolloutName":"web"}' }

/** What its webhook does to an edit, after the policy and before us. */
function heldByKruise(object: Deployment): Deployment {
  const annotations = { ...object.metadata.annotations, ...its }
  const spec = { ...object.spec, paused: true }
  return { ...object, metadata: { ...object.metadata, annotations }, spec }
}

function answer(object: Deployment, before: Deployment) {
  return leftToKruise({ adapter, object, before, rollout, fromController: false })
}

test('an edit that it holds stays held, without our marks', () => {
  const before = web('app:1')
  const asked = heldByKruise(caughtByPolicy(deploymentKind, web('app:2'), before))
  expect(asked.metadata.annotations).toHaveProperty([CAUGHT])
  const left = answer(asked, before)!
  expect(left.object).toEqual(heldByKruise(web('app:2')))
  expect(left.warnings).toEqual([expect.stringContaining('Kruise Rollouts runs in this cluster')])
})

test('an edit that it leaves alone is as it was asked for', () => {
  const before = web('app:1')
  const left = answer(caughtByPolicy(deploymentKind, web('app:2'), before), before)!
  expect(left.object.metadata.annotations).toEqual({})
  expect((left.object as Deployment).spec.paused).not.toBe(true)
})

test('an edit that was caught while nobody of ours answered is its own from its next write on', () => {
  const caught = caughtByPolicy(deploymentKind, web('app:2'), web('app:1'))
  const stored = heldByKruise(caught)
  const left = answer(caughtByPolicy(deploymentKind, stored, stored), stored)!
  expect(left.object).toEqual(heldByKruise(web('app:2')))
  expect(left.warnings).toEqual([])
})

test('one that neither holds stays caught, and what we hold is ours', () => {
  const caught = caughtByPolicy(deploymentKind, web('app:2'), web('app:1'))
  expect(answer(caught, caught)).toBeUndefined()
  const held = web('app:2', { [HOLD]: 'mode=wave;', [RECORD]: '{}' })
  const hold = 'mode=wave;pods=1;budget=1;surge=0;rollout-id=a-1;seq=1;'
  const ours = web('app:2', { ...held.metadata.annotations, [HOLD]: hold })
  expect(answer(ours, ours)).toBeUndefined()
})

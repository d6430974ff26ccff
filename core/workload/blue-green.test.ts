// What admission makes of an edit that a blue-green Rollout releases, and which step is its end.

import { expect, test } from 'vitest'

import type { Deployment, KubeObject } from '#api/kubernetes.ts'
import { HOLD, KRUISE_ORIGINAL } from '#api/names.ts'
import { threeSteps } from '../../test/world/three-steps.ts'
import { plainestHold, reviewWorkload } from '../admission/review.ts'
import { isTheEnd } from '../rollout/plan-steps.ts'
import { blueGreen } from './blue-green.ts'
import { canaryDeployment } from './canary-deployment.ts'
import { deployment } from './deployment.ts'
import { formatHold, holdOf } from './hold.ts'
import type { Hold } from './hold.ts'

const rollout = { ...threeSteps, style: 'blueGreen' } as const

function web(version: string, replicas = 10): Deployment {
  const containers = [{ name: 'app', image: `app:${version}` }]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      namespace: 'shop',
      name: 'web',
      uid: 'uid-web',
      generation: 4,
      labels: { 'rollouts.kruise.io/workload-type': 'deployment' },
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: '10%' } },
      progressDeadlineSeconds: 600,
      minReadySeconds: 5,
      template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
    },
    status: { observedGeneration: 4, replicas, updatedReplicas: replicas, readyReplicas: replicas },
  }
}

function asked(object: KubeObject, before: KubeObject) {
  return { adapter: blueGreen, object, before, rollout, fromController: false }
}

function edit(object: KubeObject, before: KubeObject) {
  return reviewWorkload(asked(object, before))
}

/** A Deployment in the middle of its release, with the pods that exist. */
function heldBy(hold: Partial<Hold>, pods: number): Deployment {
  const { metadata, ...held } = edit(web('2'), web('1')).object as Deployment
  const said = formatHold({ ...holdOf({ metadata, ...held })!, ...hold })
  const annotations = { ...metadata.annotations, [HOLD]: said }
  const status = { observedGeneration: 4, replicas: pods, readyReplicas: pods }
  return { ...held, metadata: { ...metadata, annotations }, status }
}

/** With the template of another version. */
function of(version: string, { metadata, spec }: Deployment): Deployment {
  const { template } = web(version).spec
  return { ...web(version), metadata, spec: { ...spec, template } }
}

test('an edit starts its first new pods beside all old ones, and not one is left to go', () => {
  const { object, warnings } = edit(web('2'), web('1'))
  const { metadata, spec } = object as Deployment
  expect(holdOf(object)).toMatchObject({
    mode: 'wave',
    style: 'blueGreen',
    budget: '0%',
    surge: '1%',
  })
  expect(spec).toMatchObject({
    strategy: { rollingUpdate: { maxUnavailable: '00%', maxSurge: '01%' } },
    minReadySeconds: 2147483646,
    progressDeadlineSeconds: 2147483647,
  })
  expect(spec.paused ?? false).toBe(false)
  expect(warnings[0]).toContain('1 of 10 pods, then waits for approval; peak 11 pods')
  const original = { maxUnavailable: 1, maxSurge: '10%', minReadySeconds: 5 }
  expect(JSON.parse(metadata.annotations![KRUISE_ORIGINAL]!)).toEqual({
    ...original,
    progressDeadlineSeconds: 600,
  })
})

test('what is told of the owner’s values goes with the hold', () => {
  const held = edit(web('2'), web('1')).object as Deployment
  const back = edit(of('1', held), held).object
  expect(back.metadata.annotations).not.toHaveProperty([KRUISE_ORIGINAL])
  const finishing: Hold = { ...holdOf(held)!, mode: 'finishing', seq: 2 }
  const annotations = { ...held.metadata.annotations, [HOLD]: formatHold(finishing) }
  const asked = { ...held, metadata: { ...held.metadata, annotations } }
  const write = { adapter: blueGreen, object: asked, before: held, rollout, fromController: true }
  const last = reviewWorkload(write).object
  expect(holdOf(last)?.mode).toBe('finishing')
  expect(last.metadata.annotations).not.toHaveProperty([KRUISE_ORIGINAL])
})

test('a copy of what was told goes with that of the hold, in every style', () => {
  const held = edit(web('2'), web('1')).object as Deployment
  const owner = deployment.ownerOfFree(web('1'))
  const adapters = [deployment, canaryDeployment, blueGreen]
  for (const adapter of adapters) {
    const { metadata } = adapter.restore(held, owner)
    expect(metadata.annotations).not.toHaveProperty([KRUISE_ORIGINAL])
  }
  const annotations = { [KRUISE_ORIGINAL]: '{}' }
  const left = { ...held, metadata: { ...held.metadata, annotations } }
  expect(deployment.restore(left, owner).metadata.annotations).toEqual(annotations)
})

test('a third version, and the second one again, begin with all pods where they are', () => {
  const held = heldBy({ surge: '50%' }, 15)
  const third = edit(of('3', held), held)
  expect(holdOf(third.object)).toMatchObject({ mode: 'stop', surge: '50%' })
  expect((third.object as Deployment).spec.paused).toBe(true)
  expect(third.warnings[0]).toMatch(/^held at 0 new pods while /)
  const stood = { ...(third.object as Deployment), status: held.status! }
  const again = edit(of('2', stood), stood)
  expect(holdOf(again.object)).toMatchObject({ mode: 'stop', surge: '50%' })
  expect(again.warnings[0]).toMatch(/^release starts again with step 1/)
})

test('a third version keeps the room of pods that cannot be created, or are just being', () => {
  for (const pods of [10, 13]) {
    const before = heldBy({ surge: '50%' }, pods)
    const third = of('3', before)
    for (const { object } of [edit(third, before), plainestHold(asked(third, before))]) {
      expect(holdOf(object)).toMatchObject({ mode: 'stop', surge: '50%' })
    }
  }
})

test('once the old side leaves there is the owner’s room, and that of the pods that are left', () => {
  const before = heldBy({ mode: 'finishing', surge: '100%' }, 12)
  const { object } = edit(of('3', before), before)
  expect(holdOf(object)).toMatchObject({ mode: 'stop', surge: '11%' })
  expect(edit(of('3', before), before).warnings[0]).toMatch(/^release starts again with step 1/)
})

test('a version of which pods may run already begins with all pods where they are', () => {
  const aim = { pods: '50%', mayRun: true }
  const owner = blueGreen.ownerOfFree(web('1'))
  expect(blueGreen.firstWave(web('1'), web('2'), owner, aim).mode).toBe('stop')
  expect(blueGreen.firstWave(web('1'), web('2'), owner, { ...aim, mayRun: false }).mode).toBe(
    'wave',
  )
})

test('a last step of 100% is not the end: the old pods wait for the word', () => {
  const last = rollout.steps.at(-1)!
  expect(last.replicas).toBe('100%')
  expect(isTheEnd(rollout, last)).toBe(false)
  expect(isTheEnd({ ...rollout, style: 'partition' }, last)).toBe(true)
})

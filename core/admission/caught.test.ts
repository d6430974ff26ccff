// Requests that the policy in the API server has caught before they reach admission, and workloads that
// it caught while nobody answered.

import { describe, expect, test } from 'vitest'

import type { Deployment, DeploymentSpec, KubeObject } from '#api/kubernetes.ts'
import { CAUGHT, ESCAPE, HOLD, RECORD, STABLE_TEMPLATE, WAVE, WORKLOAD_TYPE } from '#api/names.ts'
import { deployment as adapter } from '../workload/deployment.ts'
import { holdOf, waveAfter } from '../workload/hold.ts'
import { recordOf } from '../workload/record.ts'
import { plainestHold, reviewWorkload } from './review.ts'
import type { Answer } from './review.ts'
import { deploymentKind } from '../../test/world/deployment-kind.ts'
import { caughtByPolicy } from '../../test/world/policy.ts'
import { threeSteps as rollout } from '../../test/world/three-steps.ts'

function web(version: string, spec: Partial<DeploymentSpec> = {}): Deployment {
  const containers = [{ name: 'app', image: `app:${version}` }]
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
  const strategy = {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
  }
  const labels = { [WORKLOAD_TYPE]: 'deployment' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', generation: 4, labels },
    spec: { replicas: 10, template, strategy, progressDeadlineSeconds: 600, ...spec },
    status: { replicas: 10, updatedReplicas: 10, readyReplicas: 10, observedGeneration: 9 },
  }
}

const stable = adapter.fingerprint(web('1'))

/** The answer to a request, which the policy has seen first. */
function answer(requested: Deployment, before: Deployment): Answer {
  const object = caughtByPolicy(deploymentKind, requested, before)
  return reviewWorkload({ adapter, object, before, rollout, fromController: false })
}

/** The answer to the word of our controller. */
function answerTo(before: Deployment, word = stable): Answer {
  const requested = marked(before, { [STABLE_TEMPLATE]: word })
  const object = caughtByPolicy(deploymentKind, requested, before)
  const asked = { adapter, before, rollout, fromController: true }
  const first = reviewWorkload({ ...asked, object })
  expect(reviewWorkload({ ...asked, object: first.object }).object).toEqual(first.object)
  return first
}

function marked(object: Deployment, annotations: Record<string, string>): Deployment {
  const all = { ...object.metadata.annotations, ...annotations }
  return { ...object, metadata: { ...object.metadata, annotations: all } }
}

function stored(object: KubeObject, generation: number): Deployment {
  return { ...object, metadata: { ...object.metadata, generation } } as Deployment
}

function withTemplate(object: Deployment, version: string): Deployment {
  return { ...object, spec: { ...object.spec, template: web(version).spec.template } }
}

const held = stored(answer(web('2'), web('1')).object, 5)

describe('a request that the policy has caught', () => {
  test.each<readonly [string, Deployment, Deployment]>([
    ['an edit', web('2'), web('1')],
    ['an edit of a paused workload', web('2', { paused: true }), web('1', { paused: true })],
    ['an edit that resumes', web('2'), web('1', { paused: true })],
    ['a third version', withTemplate(held, '3'), held],
    ['the stable version', withTemplate(held, '1'), held],
    ['a manifest without our annotations', web('2'), held],
    ['an owner’s own values', { ...held, spec: { ...held.spec, minReadySeconds: 7 } }, held],
    ['a pause', { ...held, spec: { ...held.spec, paused: true } }, held],
    ['an edit that is not held', web('2', { replicas: 0 }), web('1', { replicas: 0 })],
  ])('is answered as if there were no policy: %s', (_, requested, before) => {
    const object = caughtByPolicy(deploymentKind, requested, before)
    expect(object.metadata.annotations).toHaveProperty([CAUGHT])
    const plain = { adapter, object: requested, before, rollout, fromController: false }
    expect(answer(requested, before)).toEqual(reviewWorkload(plain))
  })

  test('is never stored so where the review fails', () => {
    const object = caughtByPolicy(deploymentKind, web('2'), web('1'))
    const asked = { adapter, object, before: web('1'), rollout, fromController: false }
    const { object: after } = plainestHold(asked)
    expect(after.metadata.annotations).not.toHaveProperty([CAUGHT])
    expect(recordOf(after)?.owner).toMatchObject({ paused: false })
  })

  test('and is created elsewhere is free', () => {
    const object = caughtByPolicy(deploymentKind, web('2'), web('1'))
    const after = reviewWorkload({ adapter, object, fromController: false })
    expect(after.object).toEqual(marked(web('2'), {}))
  })
})

describe('a caught workload', () => {
  const caught = stored(caughtByPolicy(deploymentKind, web('2'), web('1')), 5)

  test('stays so whoever writes, until our controller says what was stable', () => {
    for (const requested of [caught, withTemplate(caught, '3'), web('1'), web('2')]) {
      const { object, warnings } = answer(requested, caught)
      expect(object.metadata.annotations).toMatchObject({ [CAUGHT]: 'running' })
      expect((object as Deployment).spec.paused).toBe(true)
      expect(warnings).toEqual([expect.stringMatching(/^held at 0 new pods: /)])
      // Without the policy the same.
      const bare = { adapter, object: requested, before: caught, rollout, fromController: false }
      expect(reviewWorkload(bare).object.metadata.annotations).toHaveProperty([CAUGHT])
    }
    const bug = { adapter, object: web('2'), before: caught, rollout, fromController: false }
    expect(plainestHold(bug).object.metadata.annotations).toHaveProperty([CAUGHT])
    const foreign = marked(caught, { [STABLE_TEMPLATE]: stable })
    expect(answer(foreign, caught).object.metadata.annotations).toHaveProperty([CAUGHT])
    const silent = { adapter, object: caught, before: caught, rollout, fromController: true }
    expect(reviewWorkload(silent).object).toEqual(caught)
  })

  test('that its owner had paused runs again where he resumes it, policy or not', () => {
    const paused = web('2', { paused: true })
    const before = stored(caughtByPolicy(deploymentKind, paused, web('1', { paused: true })), 5)
    expect(before.metadata.annotations).toMatchObject({ [CAUGHT]: 'paused' })
    const { paused: _, ...spec } = before.spec
    const resumed = { ...before, spec }
    for (const object of [resumed, caughtByPolicy(deploymentKind, resumed, before)]) {
      const asked = { adapter, object, before, rollout, fromController: false }
      const { annotations } = reviewWorkload(asked).object.metadata
      expect(annotations).toMatchObject({ [CAUGHT]: 'running' })
    }
  })

  test('is held then, with no pod, and with the values of its owner', () => {
    const { outcome, object } = answerTo(caught)
    expect(outcome).toBe('held')
    expect(holdOf(object)).toMatchObject({ mode: 'stop', rolloutId: expect.stringMatching(/-6$/) })
    expect(recordOf(object)).toMatchObject({ stable, owner: { paused: false } })
    expect(object.metadata.annotations).not.toHaveProperty([CAUGHT])
  })

  test('is given back where the stable version is there again', () => {
    const back = stored(caughtByPolicy(deploymentKind, withTemplate(caught, '1'), caught), 6)
    const { outcome, object } = answerTo(back)
    expect(outcome).toBe('restored')
    expect((object as Deployment).spec).toEqual(web('1').spec)
    expect(Object.keys(object.metadata.annotations!)).toEqual([STABLE_TEMPLATE])
  })

  test('is given back where no Rollout holds it', () => {
    const object = marked(caught, { [STABLE_TEMPLATE]: stable })
    const after = reviewWorkload({ adapter, object, before: caught, fromController: true })
    expect(after.outcome).toBe('notHeld')
    expect((after.object as Deployment).spec).toEqual(web('2').spec)
  })

  test('is nobody’s once its owner has taken it out of our hands', () => {
    const escaped = marked(caught, { [ESCAPE]: '' })
    const object = web('2')
    const { outcome } = reviewWorkload({
      adapter,
      object,
      before: escaped,
      rollout,
      fromController: false,
    })
    expect(outcome).toBe('untouched')
  })
})

describe('a held workload that was caught', () => {
  const catching = (requested: Deployment) =>
    stored(caughtByPolicy(deploymentKind, requested, held), 6)

  test('keeps hold and record, also where a whole object was put without them', () => {
    const { annotations } = catching(web('3')).metadata
    expect(annotations).toMatchObject({
      [HOLD]: held.metadata.annotations![HOLD],
      [RECORD]: held.metadata.annotations![RECORD],
    })
  })

  test('keeps how far it has come, and is caught where somebody takes that away', () => {
    const begun = holdOf(held)!
    const far = waveAfter(begun, { ...begun, mode: 'stop', seq: begun.seq + 1 })!
    const labels = { ...held.metadata.labels, [WAVE]: far }
    const before = { ...held, metadata: { ...held.metadata, labels } }
    const over = waveAfter(begun, { ...begun, mode: 'released', seq: begun.seq + 2 })!
    const said = {
      ...before,
      metadata: { ...before.metadata, labels: { ...labels, [WAVE]: over } },
    }
    for (const object of [held, said, web('3')]) {
      const caught = caughtByPolicy(deploymentKind, object, before)
      expect(caught.metadata.annotations).toHaveProperty([CAUGHT])
      expect(caught.metadata.labels).toMatchObject({ [WAVE]: far })
      // Nor does a webhook that comes next let it go.
      expect(answer(object, stored(caught, 7)).object.metadata.labels).toMatchObject({
        [WAVE]: far,
      })
    }
    expect(caughtByPolicy(deploymentKind, said, before, true)).toBe(said)
  })

  test('with a third version begins again, and remembers the one between', () => {
    const { outcome, object } = answerTo(catching(withTemplate(held, '3')))
    expect(outcome).toBe('held')
    expect(recordOf(object)).toEqual(recordOf(held))
    const between = ['2', '3'].map(version => adapter.fingerprint(web(version)).slice(0, 10))
    expect(holdOf(object)).toMatchObject({ mode: 'stop', between })
  })

  test('with the stable version goes back', () => {
    const { outcome, object } = answerTo(catching(withTemplate(held, '1')))
    expect(outcome).toBe('restored')
    expect((object as Deployment).spec).toEqual(web('1').spec)
  })

  test('with the version that is released goes on as it was', () => {
    const { outcome, object } = answerTo(catching(web('2')))
    expect(outcome).toBe('projected')
    expect((object as Deployment).spec).toEqual(held.spec)
    expect(holdOf(object)).toEqual(holdOf(held))
  })

  test('carries the patch that gives it back, mark and all', () => {
    const { metadata } = JSON.parse(held.metadata.annotations![RECORD]!) as Deployment
    expect(metadata.annotations).toMatchObject({ [CAUGHT]: null })
  })
})

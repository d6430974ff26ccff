// The owner's maxUnavailable, maxSurge and minReadySeconds are promises: they hold at every moment of
// a release, whoever lets the pods out. A new pod that does not get Ready stops the wave.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { HOLD, WAVE } from '#api/names.ts'
import { seePod } from '#core/workload/seen.ts'
import { PODS, REPLICA_SETS } from '#kube/resources.ts'
import { hasCondition, most, says, stand, told, worst } from './facts.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const full = { replicas: '100%' }

function strategy(maxUnavailable: number | string, maxSurge: number | string) {
  return { strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } } }
}

describe.concurrent('10 pods that take a second to get Ready', () => {
  const rows = [
    { maxUnavailable: '25%', maxSurge: '25%', ready: 8, total: 13 },
    { maxUnavailable: 0, maxSurge: 1, ready: 10, total: 11 },
    { maxUnavailable: 1, maxSurge: 0, ready: 9, total: 10 },
    { maxUnavailable: '100%', maxSurge: 0, ready: 0, total: 10 },
    { maxUnavailable: 0, maxSurge: '100%', ready: 10, total: 20 },
  ]
  test.each(rows)(
    'maxUnavailable $maxUnavailable, maxSurge $maxSurge: never fewer than $ready Ready, nor more than $total in all',
    async ({ maxUnavailable, maxSurge, ready, total }) => {
      const spec = strategy(maxUnavailable, maxSurge)
      const steps = [{ replicas: '30%' }, { replicas: '70%' }, full]
      const story = await world.story({ spec, steps })
      await story.edit('app:slow')
      for (const [index, pods] of [3, 7].entries()) {
        await story.reached(index + 1)
        await stand(story, { 'app:1': 10 - pods, 'app:slow': pods })
        expect(most(story, 'app:slow')).toBe(pods)
        await story.approve()
      }
      await story.phase('Healthy')
      await stand(story, { 'app:1': 0, 'app:slow': 10 })
      expect(worst(story).ready).toBeGreaterThanOrEqual(ready)
      expect(worst(story).total).toBeLessThanOrEqual(total)
      expect((await story.deployment()).spec.strategy).toEqual(spec.strategy)
    },
  )
})

test.concurrent('a wave changes no annotation, which the controller-manager would copy first', async () => {
  const story = await world.story()
  await story.edit('app:2')
  const begun = (await story.deployment()).metadata.annotations?.[HOLD]
  await story.reached(1)
  await story.approve()
  await story.reached(2)
  const { metadata } = await story.deployment()
  expect(metadata.annotations?.[HOLD]).toBe(begun)
  expect(metadata.labels).toHaveProperty([WAVE])
  const { items } = await world.client.listAll(REPLICA_SETS, { namespace: story.namespace })
  const newest = items.find(({ metadata: { annotations } }) => annotations?.[HOLD] !== undefined)
  expect(newest?.metadata.annotations?.[HOLD]).toBe(begun)
  for (const { metadata: set } of items) expect(set.labels).not.toHaveProperty([WAVE])
})

test.concurrent('with room for it a whole step starts at once, without a wave between', async () => {
  const story = await world.story({ spec: strategy(0, '100%'), steps: [{ replicas: 6 }, full] })
  await story.edit('app:slow')
  await story.reached(1)
  await stand(story, { 'app:1': 4, 'app:slow': 6 })
  // 6 new pods beside 10 old ones.
  const together = story.history().map(({ wanted }) => [wanted['app:1'], wanted['app:slow']])
  expect(together).toContainEqual([10, 6])
})

test.concurrent('a new pod counts only after the owner’s minReadySeconds', async () => {
  const seconds = 4
  const spec = { ...strategy(0, 1), minReadySeconds: seconds }
  const story = await world.story({ replicas: 3, spec, steps: [{ replicas: 2 }, full] })
  await story.edit('app:2')
  await story.until('an old one leaving', () => (story.now().wanted['app:1'] ?? 0) < 3)
  const firstLeaves = Date.now()
  const { items } = await story.client.listAll(PODS, { namespace: story.namespace })
  const since = items.flatMap(pod => {
    const ready = JSON.stringify(pod).includes('"app:2"') ? seePod(pod).readySince : undefined
    return ready ?? []
  })
  // By the time that Kubernetes writes, in whole seconds: the second pod comes after it.
  expect(firstLeaves - Math.min(...since)).toBeGreaterThanOrEqual(seconds * 1000)
  await story.reached(1)
  await stand(story, { 'app:1': 1, 'app:2': 2 })
  expect(worst(story)).toEqual({ ready: 3, total: 4 })
  await story.approve()
  await story.phase('Healthy')
  expect(worst(story)).toEqual({ ready: 3, total: 4 })
})

test.concurrent('new pods that do not get Ready stop the wave, and nobody else leaves', async () => {
  const spec = { ...strategy('25%', '25%'), progressDeadlineSeconds: 3 }
  const story = await world.story({ spec })
  await story.edit('app:broken')
  await stand(story, { 'app:1': 10, 'app:broken': 1 }, 10)
  await says(story, /step 1 of 3 since \S+Z: 0 of 1 new pods are ready/)
  await hasCondition(story, 'Stalled', 'ProgressDeadlineExceeded')
  const [event] = await told(story, 'ProgressDeadlineExceeded')
  expect(event).toMatchObject({ type: 'Warning' })
  expect(event?.message).toContain('step 1 of 3 has not been reached within 3 s')
  expect(event?.message).toContain('sluice.dev/abort')
  await stand(story, { 'app:1': 10, 'app:broken': 1 }, 10)

  await story.kubectl(['rollout', 'undo', 'deployment/web'])
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10, 'app:broken': 0 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  expect(most(story, 'app:broken')).toBe(1)
  const conditions = (await story.rollout()).status?.conditions ?? []
  expect(conditions.map(({ type }) => type)).not.toContain('Stalled')
})

test.concurrent('the deadline counts per step, and not while a step is in its pause', async () => {
  // Long enough for a pod on a busy machine; all of it takes longer, and so does the pause alone.
  const spec = { progressDeadlineSeconds: 15 }
  const pauses = [16, 1].map(duration => ({ pause: { duration } }))
  const steps = [{ replicas: 1, ...pauses[0] }, { replicas: 2, ...pauses[1] }, full]
  const story = await world.story({ replicas: 4, spec, steps })
  await story.edit('app:2')
  await told(story, 'ReleaseCompleted')
  expect((await story.events()).map(({ reason }) => reason)).not.toContain(
    'ProgressDeadlineExceeded',
  )
})

test.concurrent('with a bigger first step no more pods leave than the owner allows', async () => {
  const story = await world.story({ steps: [{ replicas: '80%' }, full] })
  await story.edit('app:broken')
  await stand(story, { 'app:1': 8, 'app:broken': 5 }, 8)
  await says(story, '0 of 8 new pods are ready')
  await story.edit('app:2')
  await story.reached(1)
  await stand(story, { 'app:1': 2, 'app:2': 8, 'app:broken': 0 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  expect(worst(story).total).toBeLessThanOrEqual(13)
})

test.concurrent('failureThreshold completes a step, and does not let anybody else leave', async () => {
  const steps = [{ replicas: 2 }, { replicas: '80%' }, full]
  const story = await world.story({ steps, canary: { failureThreshold: 2 } })
  await story.edit('app:broken')
  await story.reached(1)
  await stand(story, { 'app:1': 10, 'app:broken': 2 }, 10)
  await story.approve()
  await says(story, /step 2 of 3 since \S+Z: 0 of 8 new pods are ready/)
  await story.until('all that may start have started, and all that may leave have left', () => {
    const { total, ready } = story.now()
    return total === 13 && ready === 8
  })
  expect((await story.rollout()).status?.canaryStatus?.currentStepState).toBe('StepUpgrade')
  expect(worst(story)).toEqual({ ready: 8, total: 13 })
})

test.concurrent('an edit of a half-broken workload takes nobody else away', async () => {
  const story = await world.story({ replicas: 4, image: 'app:1', spec: strategy(1, 0) })
  // One of four is being replaced by a pod that never gets Ready: nothing more may be unavailable.
  await story.edit('app:broken')
  await stand(story, { 'app:1': 3, 'app:broken': 1 }, 3)
  await story.edit('app:3')
  await story.reached(1)
  expect(worst(story).ready).toBe(3)
  await story.approve()
  await story.reached(2)
  await stand(story, { 'app:1': 2, 'app:3': 2, 'app:broken': 0 })
  expect(worst(story)).toEqual({ ready: 3, total: 4 })
})

// More than two versions at a time: a third template in the middle of a release, broken ones before
// it, and ReplicaSets that the controller-manager alone would leave in a bad state.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { ARMED_MIN_READY_SECONDS, DESIRED_REPLICAS } from '#api/names.ts'
import { walkTo } from './approvals.ts'
import { condition, most, says, setOf, stand, told, worst } from './facts.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

test.concurrent('a third version starts at step 1, and the one in the middle leaves first', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await walkTo(story, 2)
  story.forget()

  const { stderr } = await story.edit('app:3')
  expect(stderr).toContain('starts again with step 1 of 3: 1 of 10 pods')
  await told(story, 'ReleaseRestarted')
  await story.reached(1)
  expect(most(story, 'app:3')).toBe(1)
  expect(Math.min(...story.history().map(({ wanted }) => wanted['app:1'] ?? 0))).toBe(5)
  await story.approve()
  await story.reached(2)
  await stand(story, { 'app:1': 5, 'app:2': 0, 'app:3': 5 })
  expect(most(story, 'app:3')).toBe(5)
  expect(Math.min(...story.history().map(({ wanted }) => wanted['app:1'] ?? 0))).toBe(5)
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 0, 'app:3': 10 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  expect(worst(story).total).toBeLessThanOrEqual(13)
})

test.concurrent('the one in the middle leaves first also where the third takes a while to be Ready', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await walkTo(story, 2)
  story.forget()
  await story.edit('app:slow')
  await story.reached(1)
  await stand(story, { 'app:1': 5, 'app:2': 4, 'app:slow': 1 })
  expect(Math.min(...story.history().map(({ wanted }) => wanted['app:1'] ?? 0))).toBe(5)
})

test.concurrent('broken versions leave before healthy ones, and no Ready pod is lost', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  await story.edit('app:broken')
  await says(story, 'step 1 of 3 since')
  await story.edit('app:broken-again')
  await story.until('the newest version has its pod', () => {
    return story.now().wanted['app:broken-again'] === 1
  })
  await story.edit('app:5')
  await walkTo(story, 2)
  await stand(story, { 'app:1': 5, 'app:5': 5 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  expect(most(story, 'app:broken')).toBeLessThanOrEqual(1)
  expect(most(story, 'app:5')).toBe(5)
  expect((await story.rollout()).status?.canaryStatus?.stableRevision).toBe(
    (await setOf(story, 'app:1')).metadata.labels?.['pod-template-hash'],
  )
})

test.concurrent('the stable template ends a release also after a third version', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  await story.edit('app:3')
  await story.reached(1)
  story.forget()
  const { stderr } = await story.edit('app:1')
  expect(stderr).toContain('rolling back to the stable template')
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10 })
  await told(story, 'ReleaseRolledBack')
  expect((await condition(story, 'Succeeded'))?.status).toBe('False')
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
})

test.concurrent('the version in the middle counts as a new one, not as a rollback', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await walkTo(story, 2)
  await story.edit('app:3')
  await story.reached(1)
  const { stderr } = await story.edit('app:2')
  expect(stderr).toContain('starts again with step 1 of 3')
  await story.reached(1)
  await story.until('no more of version 2 than step 1 wants', () => {
    return story.now().wanted['app:2'] === 1
  })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
})

test.concurrent('a ReplicaSet that is no longer the newest gets the owner’s minReadySeconds back', async () => {
  const story = await world.story({ spec: { minReadySeconds: 1 } })
  const seconds = async (image: string) => (await setOf(story, image)).spec.minReadySeconds
  await story.edit('app:2')
  await story.reached(1)
  expect(await seconds('app:2')).toBe(ARMED_MIN_READY_SECONDS)
  await story.approve()
  await story.reached(2)
  await story.edit('app:3')
  await story.until('version 2 disarmed', async () => (await seconds('app:2')) === 1)
  await story.reached(1)
  expect(await seconds('app:1')).toBe(1)
  expect(await seconds('app:3')).toBe(ARMED_MIN_READY_SECONDS)
  await story.edit('app:1')
  await story.phase('Healthy')
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
})

test.concurrent('a ReplicaSet that was scaled for another size is mended, and edits roll again', async () => {
  const story = await world.story({ replicas: 2, steps: [{ replicas: 1 }, { replicas: '100%' }] })
  const { name } = (await setOf(story, 'app:1')).metadata
  await story.kubectl(['annotate', 'replicaset', name, '--overwrite', `${DESIRED_REPLICAS}=1`])
  await story.until('the annotation says 2', async () => {
    return (await setOf(story, 'app:1')).metadata.annotations?.[DESIRED_REPLICAS] === '2'
  })
  await story.edit('app:2')
  await story.reached(1)
  await stand(story, { 'app:1': 1, 'app:2': 1 })
})

test.concurrent('edits faster than the controller-manager leave nothing stuck', async () => {
  const story = await world.story({ replicas: 2, steps: [{ replicas: 1 }, { replicas: '100%' }] })
  await Promise.all([story.edit('app:2'), story.scale(1)])
  await Promise.all([story.scale(2), story.edit('app:1')])
  await story.phase('Healthy')
  await stand(story, { 'app:1': 2 })
  await story.edit('app:3')
  await story.reached(1)
  await stand(story, { 'app:1': 1, 'app:3': 1 })
})

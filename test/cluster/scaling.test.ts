// Somebody scales a workload in the middle of a release, by hand or by an autoscaler. The share of new
// pods stays what the step says; what the controller-manager's rounding adds is taken back at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { podCount } from '#core/replicas.ts'
import { walkTo } from './approvals.ts'
import { autoscaled } from './autoscaler.ts'
import { most, says, stand, told, totalOf, worst } from './facts.ts'
import { scrape } from './scrape.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

/** The step's share, and nobody too many. */
async function shared(story: Story, step: number | string, replicas: number): Promise<void> {
  const pods = podCount(step, replicas)
  await stand(story, { 'app:1': replicas - pods, 'app:2': pods })
}

/** A scaling takes six, and more waves where pods get Ready one by one; what undoes its own work takes ever more. */
const writesMost = 20

/** Writes of ours to workloads and their ReplicaSets. */
async function workloadWrites(): Promise<number> {
  const numbers = await scrape(world.sluice.controller)
  const { workload = 0, replicaSet = 0 } = numbers.by('sluice_controller_writes_total', 'kind')
  return workload + replicaSet
}

async function scaled(story: Story, step: number | string, sizes: readonly number[]) {
  let before = totalOf(story.now())
  for (const replicas of sizes) {
    story.forget()
    const written = await workloadWrites()
    await story.scale(replicas)
    await shared(story, step, replicas)
    const writes = (await workloadWrites()) - written
    expect(writes, `writes, ${before} to ${replicas}`).toBeLessThanOrEqual(writesMost)
    const fewest = Math.min(before, replicas)
    const { ready } = worst(story)
    expect(ready, `Ready, ${before} to ${replicas}`).toBeGreaterThanOrEqual(
      Math.ceil(fewest * 0.75),
    )
    before = replicas
  }
}

describe('kubectl scale keeps the share of every step', () => {
  const steps = [{ replicas: '30%' }, { replicas: '60%' }, { replicas: '90%' }]

  test('percents', async () => {
    const story = await world.story({ steps })
    await story.edit('app:2')
    for (const [index, { replicas }] of steps.entries()) {
      await story.reached(index + 1)
      await scaled(story, replicas, [5, 20, 3, 13, 10])
      const loud = (await story.events()).filter(({ reason }) => reason === 'CameUpNew')
      // At 90% the rounding of a small size leaves no old pod for a moment: that is told.
      if (replicas !== '90%') expect(loud).toEqual([])
      else for (const { message } of loud) expect(message).toMatch(/after a scaling to [35] /)
      await says(story, 'waiting for approval')
      await story.approve()
    }
    await story.phase('Healthy')
    await stand(story, { 'app:1': 0, 'app:2': 10 })
  })

  test('numbers', async () => {
    const story = await world.story({ steps: [{ replicas: 3 }, { replicas: 8 }] })
    await story.edit('app:2')
    await story.reached(1)
    await scaled(story, 3, [20, 6, 10])
    await story.approve()
    await story.reached(2)
    await scaled(story, 8, [20, 9, 12])
  })

  test('many scalings one after the other, without waiting', async () => {
    const story = await world.story({ steps: [{ replicas: '30%' }, { replicas: '60%' }] })
    await story.edit('app:2')
    await story.reached(1)
    for (const replicas of [13, 4, 19, 7, 12]) await story.scale(replicas)
    await shared(story, '30%', 12)
    await story.approve()
    await story.reached(2)
    await stand(story, { 'app:1': 4, 'app:2': 8 })
  })
})

test('scaled to 0 a release waits, says so, and tells that everything came up new', async () => {
  const story = await world.story({ steps: [{ replicas: '30%' }, { replicas: '60%' }] })
  await story.edit('app:2')
  await story.reached(1)
  await story.scale(0)
  await stand(story, { 'app:1': 0, 'app:2': 0 })
  await says(story, 'no pod is wanted: it goes on with the first one')
  await story.scale(10)
  await shared(story, '30%', 10)
  const [event] = await told(story, 'CameUpNew')
  expect(event).toMatchObject({ type: 'Warning' })
  expect(event?.message).toContain('all pods are new')
  await walkTo(story, 2)
  await stand(story, { 'app:1': 4, 'app:2': 6 })
})

test('scaled to 1 and up again everything comes up new, is told, and goes back', async () => {
  const story = await world.story({ steps: [{ replicas: '30%' }, { replicas: '60%' }] })
  await story.edit('app:2')
  await story.reached(1)
  await story.scale(1)
  await stand(story, { 'app:1': 0, 'app:2': 1 })
  await story.scale(10)
  await shared(story, '30%', 10)
  await told(story, 'CameUpNew')
  expect(most(story, 'app:1'), 'all were old once').toBe(10)
})

test('a workload that is at 0 when its template changes comes up new, and is told so', async () => {
  const story = await world.story({ replicas: 4 })
  await story.scale(0)
  await stand(story, { 'app:1': 0 })
  const { stderr } = await story.edit('app:2')
  expect(stderr).toContain('no pod runs: scaling up starts the new version')
  await story.scale(4)
  await stand(story, { 'app:1': 0, 'app:2': 4 })
  await told(story, 'NotHeld')
  await story.phase('Healthy')
})

test('where no stable ReplicaSet is left to go back to, all stay new, and it is told', async () => {
  const steps = [{ replicas: '30%' }, { replicas: '60%' }]
  const story = await world.story({ steps, spec: { revisionHistoryLimit: 0 } })
  await story.edit('app:2')
  await story.reached(1)
  await story.scale(0)
  await story.until('the stable ReplicaSet cleaned up', async () => {
    return !('app:1' in story.now().wanted)
  })
  await story.scale(4)
  await stand(story, { 'app:2': 4 })
  await told(story, 'StableRevisionGone')
  await walkTo(story, 2)
  await story.approve()
  await story.phase('Healthy')
})

test('an autoscaler works at every step, up and down', async () => {
  const steps = [{ replicas: '30%' }, { replicas: '60%' }]
  const story = await world.story({ steps })
  await autoscaled(story, 10, 10)
  await story.edit('app:2')
  for (const [index, { replicas }] of steps.entries()) {
    await story.reached(index + 1)
    for (const size of [20, 6, 10]) {
      await autoscaled(story, size, size)
      await shared(story, replicas, size)
    }
    await story.approve()
  }
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await autoscaled(story, 12, 12)
  await stand(story, { 'app:1': 0, 'app:2': 12 })
})

test('scaling while new pods are broken keeps the promise for the new size', async () => {
  const story = await world.story({ steps: [{ replicas: '50%' }, { replicas: '100%' }] })
  await story.edit('app:broken')
  await says(story, '0 of 5 new pods are ready')
  await stand(story, { 'app:1': 8, 'app:broken': 5 }, 8)
  await story.scale(20)
  await story.until('as many Ready as the owner wants', () => story.now().ready >= 15)
  await stand(story, { 'app:1': 15, 'app:broken': 10 }, 15)
  expect(most(story, 'app:broken')).toBeLessThanOrEqual(10)
  await story.scale(8)
  await story.until('settled', () => totalOf(story.now()) <= 10)
  await says(story, '0 of 4 new pods are ready')
  expect(worst(story).ready).toBeGreaterThanOrEqual(6)
})

test('scaling in the middle of a wave ends with the share of the new size', async () => {
  const story = await world.story({
    image: 'app:1',
    steps: [{ replicas: '50%' }, { replicas: '80%' }],
  })
  await story.edit('app:slow')
  await story.until('the wave runs', () => (story.now().wanted['app:slow'] ?? 0) > 0)
  await story.scale(16)
  await story.reached(1)
  await stand(story, { 'app:1': 8, 'app:slow': 8 })
  await story.approve()
  await story.scale(5)
  await story.reached(2)
  await stand(story, { 'app:1': 1, 'app:slow': 4 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(3)
})

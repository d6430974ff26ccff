// A release from the edit to its end, as its owner sees it.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

test('an edit stops at each step, and everybody has the new version at the end', async () => {
  const story = await world.story()
  const { stderr } = await story.edit('app:2')
  expect(stderr).toContain('step 1 of 3: 1 of 10 pods')

  await story.reached(1)
  expect(story.now().wanted).toMatchObject({ 'app:1': 9, 'app:2': 1 })
  await story.approve()
  await story.reached(2)
  expect(story.now().wanted).toMatchObject({ 'app:1': 5, 'app:2': 5 })
  await story.approve()
  await story.phase('Healthy')

  expect(story.now().wanted).toMatchObject({ 'app:1': 0, 'app:2': 10 })
  expect(await story.free()).toBe(true)
  expect(Math.min(...story.history().map(moment => moment.ready))).toBeGreaterThanOrEqual(8)
})

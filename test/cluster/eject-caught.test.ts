// Leaving while nothing of ours is alive and the policy has caught an edit: the pause was not the owner's.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { CAUGHT } from '#api/names.ts'
import { presenceIn } from './absence.ts'
import { sluice } from './commands.ts'
import { ownKeys } from './deployment-facts.ts'
import { stand, worst } from './facts.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
})
afterAll(() => world?.stop())

test('a caught edit goes out once it is given back, and is not paused', async () => {
  const story = await world.story()
  await presenceIn(world).kill()
  await story.edit('app:2')
  const { metadata, spec } = await story.deployment()
  expect(metadata.annotations).toHaveProperty([CAUGHT])
  expect(spec.paused).toBe(true)
  story.forget()
  const args = ['eject', 'deployment/web', '-n', story.namespace, '--keep-rollouts']
  const { stdout } = await sluice(world.cluster, args)
  expect(stdout).toMatch(/: an edit was caught by the policy; given back, the other 10 become new/)
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  const free = await story.deployment()
  expect(ownKeys(free)).toEqual([])
  expect(free.spec.paused).toBeUndefined()
})

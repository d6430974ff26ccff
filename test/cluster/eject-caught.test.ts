// Leaving while nothing of ours is alive and the policy has caught an edit: the pause was not the owner's.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { CAUGHT } from '#api/names.ts'
import { presenceIn } from './absence.ts'
import { sluice } from './commands.ts'
import { ownKeys } from './deployment-facts.ts'
import type { Specified } from './deployment-facts.ts'
import { stand, worst } from './facts.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
})
afterAll(() => world?.stop())

test('a caught edit goes out once it is given back, and is not held', async () => {
  const partition = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }
  const own = { podManagementPolicy: 'Parallel', updateStrategy: partition }
  const [story, kept] = await Promise.all([
    world.story(),
    world.story({ kind: 'StatefulSet', replicas: 4, spec: own }),
  ])
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

  await kept.edit('app:2')
  expect((await kept.workload()).metadata.annotations).toHaveProperty([CAUGHT])
  const others = ['eject', 'sts/web', '-n', kept.namespace, '--keep-rollouts']
  expect((await sluice(world.cluster, others)).stdout).toMatch(
    /: an edit was caught by the policy; given back, the other 2 become new now by its own strategy \(partition 2, /,
  )
  await stand(kept, { 'app:1': 2, 'app:2': 2 })
  const given = await kept.workload<Specified>()
  expect(given.spec).toMatchObject({ updateStrategy: partition })
  expect(ownKeys(given)).toEqual([])
})

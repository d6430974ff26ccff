// Random histories against the real controller-manager, watched through every state. HISTORIES says
// how many, SEED where they begin: history n of a run is that of the seed SEED + n.

import { afterAll, beforeAll, test } from 'vitest'

import { startChronicledWorld } from './chronicled-world.ts'
import type { ChronicledWorld } from './chronicled-world.ts'
import { reportOn } from './history.ts'
import { failWith, isQuiet, patienceFor, seedsOf, tellAll } from './history-runs.ts'

const seeds = seedsOf(60)

let world: ChronicledWorld
beforeAll(async () => {
  world = await startChronicledWorld()
})
afterAll(() => world?.stop())

test(
  'whatever happens, everybody is safe at every moment, and all is right and quiet in the end',
  async () => {
    const { all, endless } = await tellAll(world, seeds)
    const unlawful = all.filter(({ found }) => found.length > 0)
    const wrong = unlawful.map(told => reportOn(told, told.found))
    failWith([...endless, ...wrong], seeds.count)
    await isQuiet(world, all)
  },
  patienceFor(seeds),
)

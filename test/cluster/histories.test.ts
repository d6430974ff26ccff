// Random histories against the real controller-manager, watched through every state. HISTORIES says
// how many, SEED where they begin: history n of a run is that of the seed SEED + n.

import { afterAll, beforeAll, test } from 'vitest'

import { startChronicle } from './chronicle.ts'
import type { Chronicle } from './chronicle.ts'
import { reportOn } from './history.ts'
import { failWith, isQuiet, patienceFor, seedsOf, tellAll } from './history-runs.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const seeds = seedsOf(60)

let world: World
let chronicle: Chronicle
beforeAll(async () => {
  world = await startWorld()
  chronicle = await startChronicle(world.client)
})
afterAll(async () => {
  await chronicle?.stop()
  await world?.stop()
})

test(
  'whatever happens, everybody is safe at every moment, and all is right and quiet in the end',
  async () => {
    const stage = { ...world, chronicle }
    const { all, endless } = await tellAll(stage, seeds)
    const unlawful = all.filter(({ found }) => found.length > 0)
    const wrong = unlawful.map(told => reportOn(told, told.found))
    failWith([...endless, ...wrong], seeds.count)
    await isQuiet(world, stage, all)
  },
  patienceFor(seeds),
)

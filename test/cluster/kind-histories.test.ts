// The random histories of every other kind, and of Deployments in the other styles. The kinds of Kruise have
// controllers that stand in for theirs. HISTORIES and SEED are as in histories.test.ts, and each kind has its
// share; KIND names one.

import { afterAll, beforeAll, test } from 'vitest'

import { startChronicledWorld } from './chronicled-world.ts'
import type { ChronicledWorld } from './chronicled-world.ts'
import { reportOn } from './history.ts'
import { otherKinds } from './history-kinds.ts'
import { failWith, isQuiet, patienceFor, seedsOf, tellAll } from './history-runs.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { World } from './world.ts'

const { KIND } = process.env
const kinds = otherKinds.filter(({ name }) => KIND === undefined || name === KIND)
const all = seedsOf(14)
const seeds = { first: all.first, count: Math.ceil(all.count / kinds.length) }

let world: ChronicledWorld
beforeAll(async () => {
  const serve = ({ client }: World) => startStandIns(client)
  world = await startChronicledWorld({}, { kinds, serve })
})
afterAll(() => world?.stop())

test(
  'whatever happens, everybody is safe at every moment, and all is right and quiet in the end',
  async () => {
    const { all: told, endless } = await tellAll(world, seeds, kinds)
    const unlawful = told.filter(({ found }) => found.length > 0)
    const wrong = unlawful.map(each => reportOn(each, each.found))
    failWith([...endless, ...wrong], all.count)
    await isQuiet(world, told)
  },
  patienceFor(all),
)

// Random histories against the real controller-manager, watched through every state. HISTORIES says
// how many, SEED where they begin: history n of a run is that of the seed SEED + n.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { DEPLOYMENTS } from '#kube/resources.ts'
import { startChronicle } from './chronicle.ts'
import type { Chronicle } from './chronicle.ts'
import { historyOf, tell } from './history.ts'
import { WORKLOAD } from './manifests.ts'
import { writesWhenWoken } from './quiet.ts'
import { eventually } from './reflections.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const runs = Number(process.env['HISTORIES'] ?? 60)
const seed = Number(process.env['SEED'] ?? 1)
const atOnce = 12
/** What hangs is told while there is somebody to tell. */
const patienceMs = Math.max(600_000, runs * 12_000)

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
    const { cluster, client, sluice } = world
    const seeds = Array.from({ length: runs }, (_, index) => seed + index)
    const namespaces: string[] = []
    const wrong: string[] = []
    const lane = async () => {
      for (let next = seeds.shift(); next !== undefined; next = seeds.shift()) {
        try {
          const { namespace } = await tell({ cluster, client, chronicle }, historyOf(next))
          namespaces.push(namespace)
        } catch (error) {
          wrong.push((error as Error).message)
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
    // Texts of this length are read, not compared.
    if (wrong.length > 0) throw new Error(`${wrong.length} of ${runs}\n\n${wrong.join('\n\n')}`)

    const states = () => namespaces.map(each => chronicle.place(each).count())
    let before: readonly number[] = []
    const writes = await writesWhenWoken(sluice.controller, runs, () => {
      before = states()
      // A label is no new generation: the controller-manager has nothing to do.
      const patch = { metadata: { labels: { woken: 'yes' } } }
      const woken = namespaces.map(namespace =>
        client.mergePatch(DEPLOYMENTS, { namespace, name: WORKLOAD }, patch),
      )
      return Promise.all(woken)
    })
    expect(writes).toBe(0)
    await eventually(() => expect(states()).toEqual(before.map(count => count + 1)))
  },
  patienceMs,
)

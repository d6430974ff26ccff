// The controller is killed at each write of a release of three steps, with a rollback and a scaling on
// the way, and started again: the end is the same, nothing more is written, and no state on the way
// breaks a law. CRASHES=all plays all three faults at each write; else a choice of them.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { equalJson } from '#core/equal.ts'
import { startChronicle } from './chronicle.ts'
import type { Chronicle } from './chronicle.ts'
import type { End } from './crash-end.ts'
import { play } from './crash-run.ts'
import type { Outcome, PlannedFault } from './crash-run.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const all = process.env['CRASHES'] === 'all'
const atOnce = 4
/** What hangs is told while there is somebody to tell. */
const patienceMs = all ? 1_800_000 : 600_000
/** News that only count pods are put together by time, so that no two runs have as many writes. */
const writesMost = (reference: number) => reference * 1.5 + 3

let world: World
let chronicle: Chronicle
beforeAll(async () => {
  world = await startWorld()
  // Each run has a controller of its own.
  await world.sluice.controller.stop()
  chronicle = await startChronicle(world.client)
})
afterAll(async () => {
  await chronicle?.stop()
  await world?.stop()
})

/** Every write fails; by turns in one way or another unless all ways are asked for. */
function faultsOf(writes: number): readonly PlannedFault[] {
  return Array.from({ length: writes }, (_, index) => index + 1).flatMap(write => {
    const killed = [
      { kind: 'killed before', write } as const,
      { kind: 'killed after', write } as const,
    ]
    const lost = { kind: 'answer lost', write } as const
    if (all) return [...killed, lost]
    return write % 3 === 0 ? [killed[write % 2]!, lost] : [killed[write % 2]!]
  })
}

test(
  'killed at each write and started again, a release comes to the same end, and nothing more',
  async () => {
    const { cluster, client } = world
    const stage = { cluster, client, chronicle }
    const reference = await play(stage, 'crash-none')
    expect(reference.breaches).toEqual([])

    const faults = [...faultsOf(reference.writes.length)]
    const planned = faults.length
    const wrong: string[] = []
    let happened = 0
    const lane = async () => {
      for (let fault = faults.shift(); fault; fault = faults.shift()) {
        const name = `crash-${fault.kind.replace(' ', '-')}-${fault.write}`
        try {
          const outcome = await play(stage, name, fault)
          if (outcome.happened) happened += 1
          wrong.push(...differences(outcome, reference).map(each => `${name}: ${each}`))
        } catch (error) {
          wrong.push(`${name}: ${(error as Error).message}`)
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
    expect(wrong.join('\n\n')).toBe('')
    expect(happened, 'faults that happened').toBeGreaterThan(planned / 2)
  },
  patienceMs,
)

/** What is not as without a fault, in words. */
function differences(outcome: Outcome, reference: Outcome): readonly string[] {
  const { end, breaches, restless, writes } = outcome
  const kinds = Object.keys(reference.end) as (keyof End)[]
  const other = kinds.filter(kind => !equalJson(end[kind], reference.end[kind]))
  const many = writes.length > writesMost(reference.writes.length)
  return [
    ...other.map(kind => `${kind} ${JSON.stringify([end[kind], reference.end[kind]])}`),
    ...breaches,
    ...(restless > 0 ? [`${restless} writes after the end`] : []),
    ...(many ? [`${writes.length} writes:\n${writes.join('\n')}`] : []),
  ]
}

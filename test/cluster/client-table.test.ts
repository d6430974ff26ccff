// The table of clients and states, cell by cell, against a real API server, controller-manager, kubectl
// and Helm. Cells that move nothing are played one after the other on one workload: each of them
// proves that the state still stands for the next. The last cell of a workload may move it.

import { afterAll, beforeAll, test, vi } from 'vitest'

import { playCells } from './client-cells.ts'
import { movesNothing } from './client-checks.ts'
import { commands } from './client-commands.ts'
import type { Command } from './client-commands.ts'
import { stageOf } from './client-stage.ts'
import type { StageOptions } from './client-stage.ts'
import { effectOf, impossible, states } from './client-table.ts'
import type { Manifest, StateName } from './client-table.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

// Cells wait for pods more than they work.
vi.setConfig({ maxConcurrency: 10, testTimeout: 600_000 })

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

/** One workload, and who writes to it in turn. */
interface Workload extends StageOptions {
  readonly cells: readonly Command[]
}

const stateNames = Object.keys(states) as readonly StateName[]

function workloadsIn(state: StateName): readonly Workload[] {
  const round = stateNames.indexOf(state)
  const cells = commands.filter(it => !impossible(it, states[state]) && hasItsTurn(it, round))
  // Two managers of one manifest get to own its fields together: each has a workload of its own.
  const groups = Map.groupBy(cells, ({ brings, manager }) => {
    return `${brings} ${brings === 'nobody' ? '' : manager}`
  })
  return [...groups.values()].flatMap(group => {
    const { brings } = group[0]!
    const moves = (command: Command) => !movesNothing(effectOf(command, states[state], 'named'))
    const [first = [], ...rest] = group.filter(moves).map(command => [command])
    const still = group.filter(command => !moves(command))
    return [[...still, ...first], ...rest].map((cells, index) => {
      return { state, manifest: manifestIn(round + index), brings, cells }
    })
  })
}

/** From state to state the manifests alternate: every cell of a client is played with both kinds. */
function manifestIn(round: number): Manifest {
  return round % 2 === 0 ? 'named' : 'silent'
}

/** Whoever sends the same request as another one moves pods in every second pair of states. */
function hasItsTurn({ turn, writes }: Command, round: number): boolean {
  return turn === undefined || writes.template === 'same' || Math.floor(round / 2) % 2 === turn
}

for (const workload of stateNames.flatMap(workloadsIn)) {
  test.concurrent(titleOf(workload), async () => {
    const stage = await stageOf(world, workload)
    await playCells(stage, workload.cells)
    stage.end()
  })
}

function titleOf({ state, manifest, cells }: Workload): string {
  return `${states[state].name} (${manifest}): ${cells.map(({ name }) => name).join('; ')}`
}

// The table of clients and states, cell by cell, against a real API server, controller-manager, kubectl
// and Helm. Cells that move nothing are played one after the other on one workload: each of them
// proves that the state still stands for the next. The last cell of a workload may move it.

import { afterAll, beforeAll, test, vi } from 'vitest'

import { playCells } from './client-cells.ts'
import { commands } from './client-commands.ts'
import type { Command } from './client-commands.ts'
import { stageOf } from './client-stage.ts'
import type { StageOptions } from './client-stage.ts'
import { effectOf, impossible, states } from './client-table.ts'
import type { Manifest, StateName } from './client-table.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

// Cells wait for pods more than they work.
vi.setConfig({ maxConcurrency: 10 })

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

/** One workload, and who writes to it in turn. */
interface Workload extends StageOptions {
  readonly cells: readonly Command[]
}

/** What a manifest names matters to whoever brings it on; the others write to one that names all. */
function manifestsOf({ brings, waits, writes: { template } }: Command): readonly Manifest[] {
  const bringsOn = brings !== 'nobody' && !waits && (template === 'same' || template === 'new')
  return bringsOn && brings !== 'history' ? ['named', 'silent'] : ['named']
}

function workloadsIn(state: StateName): readonly Workload[] {
  const possible = commands.filter(command => !impossible(command, states[state]))
  const cells = possible.flatMap(command =>
    manifestsOf(command).map(manifest => ({ command, manifest, brings: command.brings })),
  )
  // Two managers of one manifest get to own its fields together: each has a workload of its own.
  const groups = Map.groupBy(cells, ({ brings, manifest, command }) => {
    return `${brings} ${manifest} ${brings === 'nobody' ? '' : command.manager}`
  })
  return [...groups.values()].flatMap(group => {
    const { brings, manifest } = group[0]!
    const moves = ({ command }: (typeof group)[number]) => {
      const { is } = effectOf(command, states[state], manifest)
      return is !== 'nothing' && is !== 'refused'
    }
    const still = group.filter(cell => !moves(cell)).map(({ command }) => command)
    const moving = group.filter(moves).map(({ command }) => [command])
    const [first = [], ...rest] = moving
    return [[...still, ...first], ...rest].map(commands => ({
      state,
      manifest,
      brings,
      cells: commands,
    }))
  })
}

for (const workload of (Object.keys(states) as StateName[]).flatMap(workloadsIn)) {
  test.concurrent(titleOf(workload), async () => {
    const stage = await stageOf(world, workload)
    await playCells(stage, workload.cells)
    stage.end()
  })
}

function titleOf({ state, manifest, cells }: Workload): string {
  return `${states[state].name} (${manifest}): ${cells.map(({ name }) => name).join('; ')}`
}

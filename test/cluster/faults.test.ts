// One release, ten pods and three steps, a rollback and a scaling, with one fault at a time: watches that
// are late, lose frames or break, foreign writes before each of ours, an API server without time, one
// that is behind. The end is that of a run without a fault. FAULTS=all plays all; else some of each class.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { startChronicle } from './chronicle.ts'
import type { Chronicle } from './chronicle.ts'
import { counted, reportFaults } from './fault-report.ts'
import { play } from './release-run.ts'
import type { Disturbance, Run } from './release-run.ts'
import { inOne, playAll } from './release-table.ts'
import { travels } from './time-travel.ts'
import { brokenWatches, lateFrames, lostFrames, refusedAfter } from './watch-faults.ts'
import { watchedKinds, watchesFail } from './watch-faults.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'
import { conflicts, refusals, refusedWrites } from './write-faults.ts'

const all = process.env['FAULTS'] === 'all'
const seed = Number(process.env['SEED'] ?? 1)
const size = { replicas: 10, scaled: 14 }
const patienceMs = all ? 1_800_000 : 600_000

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

/** A fault of a class; the classes are those of docs/reliability.md. */
interface Planned {
  readonly fault: string
  readonly how: string
  readonly disturb: (run: Run) => Disturbance
}

const brokenNames = Object.keys(brokenWatches)
const codes = Object.keys(refusals)

/** Every fault there is, by class. */
function allFaults(writes: number): readonly (readonly Planned[])[] {
  const third = Math.floor(writes / 3)
  const journeys = [
    { at: third, back: 1 },
    { at: 2 * third, back: third },
    { at: 2 * third, back: 1 },
    { at: writes - 1, back: 2 * third },
  ]
  return [
    watchedKinds.map(kind => ({
      fault: 'frames come late',
      how: kind,
      disturb: watchesFail(kind, lateFrames),
    })),
    journeys.map(journey => ({
      fault: 'restarted at an API server that is behind',
      how: `write ${journey.at} to ${journey.back}`,
      disturb: travels(journey),
    })),
    watchedKinds.map(kind => ({
      fault: 'frames are lost until the next list',
      how: kind,
      disturb: watchesFail(kind, lostFrames),
    })),
    [1, 5, 50].map(attempts => ({
      fault: 'somebody else writes before each of our writes',
      how: `${attempts} times`,
      disturb: conflicts(attempts),
    })),
    codes.flatMap(code =>
      ['deployments', 'replicasets', 'rollouts', 'events'].map(kind => ({
        fault: 'a write is refused for now',
        how: `${code} ${kind}`,
        disturb: refusedWrites(kind, refusals[code]!),
      })),
    ),
    codes.flatMap(code =>
      watchedKinds.flatMap(kind =>
        (['list', 'watch'] as const).map(verb => ({
          fault: `a ${verb} is refused for now`,
          how: `${code} ${kind}`,
          disturb: watchesFail(kind, refusedAfter(verb, refusals[code]!)),
        })),
      ),
    ),
    brokenNames.flatMap(name =>
      watchedKinds.map(kind => ({
        fault: `a watch ${name}`,
        how: kind,
        disturb: watchesFail(kind, brokenWatches[name]!),
      })),
    ),
  ]
}

/** All, or of each class every sixth: which ones the seed says. */
function chosen(classes: readonly (readonly Planned[])[]): readonly Planned[] {
  if (all) return classes.flat()
  return classes.flatMap(each =>
    each.filter((_, index) => index % 6 === seed % Math.min(6, each.length)),
  )
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
}

test(
  'with any of the faults a release comes to the same end, lawfully, and is quiet then',
  async () => {
    const stage = { ...world, chronicle }
    const reference = await play(stage, { namespace: 'fault-none', size })
    expect(reference.breaches).toEqual([])
    const rows = chosen(allFaults(reference.writes.length)).map(planned => ({
      ...planned,
      namespace: slug(`${planned.how} ${planned.fault}`),
      size,
      writesMost: (writes: number, refused: number) => 2 * writes + refused + 3,
    }))
    const results = await playAll(stage, rows, reference)
    const faults = [...new Set(rows.map(({ fault }) => fault))]
    reportFaults(
      'faults',
      faults.map(fault => {
        const own = results.filter(({ row }) => row.fault === fault)
        const times = own.reduce((sum, result) => sum + result.times, 0)
        return { fault, times, lost: counted(own.flatMap(({ wrong }) => wrong)) }
      }),
    )
    expect(inOne(results)).toBe('')
    const never = results.filter(({ times }) => times === 0)
    expect(never.map(({ row: { fault, how } }) => `${fault}: ${how}`)).toEqual([])
  },
  patienceMs,
)

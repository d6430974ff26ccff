// One release, ten pods and three steps, a rollback and a scaling, with one fault at a time: watches that
// are late, lose frames or break, foreign writes before each of ours, an API server without time, one
// that is behind. The end is that of a run without a fault. FAULTS=all plays all; else some ways of each.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { ChronicledWorld } from './chronicled-world.ts'
import { allFaults, someOf } from './fault-plan.ts'
import { counted, reportFaults } from './fault-report.ts'
import { play } from './release-run.ts'
import { inOne, patienceFor, playAll, startStage } from './release-table.ts'

const all = process.env['FAULTS'] === 'all'
const seed = Number(process.env['SEED'] ?? 1)
const size = { replicas: 10, scaled: 14 }

let stage: ChronicledWorld
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())

function firstLine(text: string): string {
  return text.split('\n')[0]!
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
    const reference = await play(stage, { namespace: 'fault-none', size })
    expect(reference.breaches).toEqual([])
    const planned = allFaults(reference.writes.length)
    const rows = (all ? planned : someOf(planned, seed)).map(each => ({
      ...each,
      namespace: slug(`${each.how} ${each.fault}`),
      size,
      ends: reference.end,
      looseEvents: true as const,
      writesMost: (writes: number) => 2 * writes + 3,
    }))
    const results = await playAll(stage, rows, reference)
    const faults = [...new Set(rows.map(({ fault }) => fault))]
    const tried = faults.map(fault => {
      const own = results.filter(({ row }) => row.fault === fault)
      const times = own.reduce((sum, result) => sum + result.times, 0)
      return { fault, times, lost: counted(own.flatMap(({ wrong }) => wrong.map(firstLine))) }
    })
    reportFaults('faults', tried)
    expect(inOne(results)).toBe('')
    // Of one way there may be nothing to disturb: whether a ReplicaSet needs a write, the clock says.
    expect(tried.filter(({ times }) => times === 0)).toEqual([])
  },
  patienceFor(all),
)

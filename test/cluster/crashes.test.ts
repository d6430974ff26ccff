// The controller is killed at each write of a release of three steps, with a rollback and a scaling on
// the way, and started again: the end is the same, nothing more is written, and no state on the way
// breaks a law. CRASHES=all plays all three faults at each write; else a choice of them, of fewer pods.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { ChronicledWorld } from './chronicled-world.ts'
import { counted, reportFaults } from './fault-report.ts'
import { play } from './release-run.ts'
import type { Disturbance, Run } from './release-run.ts'
import { inOne, patienceFor, playAll, startStage } from './release-table.ts'
import type { Row } from './release-table.ts'

const all = process.env['CRASHES'] === 'all'
const size = all ? { replicas: 10, scaled: 14 } : { replicas: 4, scaled: 6 }
/** News that only count pods are put together by time: on a busy machine there are more of them. */
const writesMost = (reference: number) => reference * 2 + 3

let stage: ChronicledWorld
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())

/** How a write fails: its process is killed before or after it takes effect, or lives unanswered. */
type FaultKind = 'killed before' | 'killed after' | 'answer lost'

/** The write of that number fails. */
function failing(kind: FaultKind, write: number): (run: Run) => Disturbance {
  return ({ controller, writeOf }) => {
    let times = 0
    return {
      times: () => times,
      fault(request) {
        if (writeOf(request) !== write) return undefined
        times += 1
        if (kind === 'answer lost') return { type: 'lose' }
        // Begun now: who sees the end of the release must see that there is one to wait for.
        const { kill } = controller.dying()
        return { type: kind === 'killed before' ? 'cut' : 'lose', meanwhile: kill }
      },
    }
  }
}

/** Every write fails; by turns in one way or another unless all ways are asked for. */
function rowsOf(writes: number): readonly (Row & { readonly kind: FaultKind })[] {
  return Array.from({ length: writes }, (_, index) => index + 1).flatMap(write => {
    const killed = (['killed before', 'killed after'] as const)[write % 2]!
    const some: readonly FaultKind[] = write % 3 === 0 ? [killed, 'answer lost'] : [killed]
    const kinds = all ? (['killed before', 'killed after', 'answer lost'] as const) : some
    return kinds.map(kind => ({
      kind,
      namespace: `crash-${kind.replace(' ', '-')}-${write}`,
      size,
      writesMost,
      disturb: failing(kind, write),
    }))
  })
}

test(
  'killed at each write and started again, a release comes to the same end, and nothing more',
  async () => {
    const reference = await play(stage, { namespace: 'crash-none', size })
    expect(reference.breaches).toEqual([])

    const rows = rowsOf(reference.writes.length)
    const results = await playAll(stage, rows, reference)
    const kinds = [...new Set(rows.map(({ kind }) => kind))]
    reportFaults(
      'crashes',
      kinds.map(kind => {
        const own = results.filter(({ row, times }) => row.kind === kind && times > 0)
        return { fault: kind, times: own.length, lost: counted(own.flatMap(({ wrong }) => wrong)) }
      }),
    )
    expect(inOne(results)).toBe('')
    const happened = results.filter(({ times }) => times > 0)
    expect(happened.length, 'faults that happened').toBeGreaterThan(rows.length / 2)
  },
  patienceFor(all),
)

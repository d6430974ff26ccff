// Many runs of the same release, each with a fault of its own, and what of them is not as in the run
// without one: how it ends, how much is written, the laws on the way, and the quiet afterwards.

import { equalJson } from '#core/equal.ts'
import { startChronicledWorld } from './chronicled-world.ts'
import type { ChronicledWorld } from './chronicled-world.ts'
import { inLanes } from './lanes.ts'
import type { End } from './release-end.ts'
import { play } from './release-run.ts'
import type { Outcome, Play } from './release-run.ts'
import type { Stage } from './history-scene.ts'

/** A run, and how many writes it may take. */
export interface Row extends Play {
  /** Refused ones apart, given how many the run without a fault took. */
  readonly writesMost: (reference: number) => number
  /** By an old view an event may be told in other words, or once more with other numbers. */
  readonly looseEvents?: true
}

/** What became of a row. */
export interface Result<R extends Row> {
  readonly row: R
  /** How often the fault was made. */
  readonly times: number
  /** What is not as it should be, in words. */
  readonly wrong: readonly string[]
}

const atOnce = 4

/** How long the rows may take, in milliseconds: what hangs is told while there is somebody to tell. */
export function patienceFor(all: boolean): number {
  return all ? 1_800_000 : 600_000
}

/** Where they are played: each run has a controller of its own. */
export async function startStage(): Promise<ChronicledWorld> {
  const world = await startChronicledWorld()
  await world.sluice.controller.stop()
  return world
}

/** Plays all rows. */
export function playAll<R extends Row>(
  stage: Stage,
  rows: readonly R[],
  reference: Outcome,
): Promise<readonly Result<R>[]> {
  return inLanes(atOnce, rows, async row => {
    try {
      const outcome = await play(stage, row)
      const most = row.writesMost(reference.accepted)
      const wrong = differences(outcome, reference, { most, ...row })
      return { row, times: outcome.times, wrong }
    } catch (error) {
      return { row, times: 1, wrong: [(error as Error).message] }
    }
  })
}

/** All that is wrong, as one text; empty where nothing is. */
export function inOne(results: readonly Result<Row>[]): string {
  const lines = results.flatMap(({ row, wrong }) => wrong.map(each => `${row.namespace}: ${each}`))
  return lines.join('\n\n')
}

interface Limits extends Pick<Row, 'looseEvents'> {
  readonly most: number
}

/** What is not as without a fault, in words. */
function differences(
  { end, breaches, restless, accepted, writes }: Outcome,
  reference: Outcome,
  { most, looseEvents }: Limits,
): readonly string[] {
  const [is, wanted] = [end, reference.end].map(each => (looseEvents ? loosely(each) : each))
  const kinds = Object.keys(reference.end) as (keyof End)[]
  const other = kinds.filter(kind => !equalJson(is![kind], wanted![kind]))
  const many = accepted > most
  return [
    ...other.map(kind => `${kind} ${JSON.stringify([is![kind], wanted![kind]])}`),
    ...breaches,
    ...(restless > 0 ? [`${restless} writes after the end`] : []),
    ...(many ? [`${accepted} writes of these:\n${writes.join('\n')}`] : []),
  ]
}

/** Events by what they tell: which release begins, which step is reached, what ends. */
function loosely(end: End): End {
  const gists = end.events.map(event =>
    event
      .replace(/ReleaseRestarted: .*: release (\S+) .*/, 'ReleaseStarted: $1')
      .replace(/ReleaseStarted: .*: release (\S+) .*/, 'ReleaseStarted: $1')
      .replaceAll(/\d+ of \d+ pods/g, 'N of N pods'),
  )
  // They stood in order by what they told before.
  return { ...end, events: [...new Set(gists)].toSorted() }
}

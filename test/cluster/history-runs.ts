// Many histories beside each other in one cluster, each in a namespace of its own, and afterwards the
// proof that the controller has nothing more to do for any of them.

import { expect } from 'vitest'

import { ROLLOUTS } from '#kube/resources.ts'
import type { ChronicledWorld } from './chronicled-world.ts'
import { historyOf, tell } from './history.ts'
import type { Told } from './history.ts'
import { deployments } from './history-kinds.ts'
import type { HistoryKind } from './history-kinds.ts'
import type { Stage } from './history-scene.ts'
import { inLanes } from './lanes.ts'
import { WORKLOAD } from './manifests.ts'
import { writesWhenWoken } from './quiet.ts'
import { eventually } from './eventually.ts'

/** How many histories, from which seed on. */
export interface Seeds {
  readonly first: number
  readonly count: number
}

/** Reads SEED, and HISTORIES or else the number given. */
export function seedsOf(count: number): Seeds {
  const { SEED = 1, HISTORIES = count } = process.env
  return { first: Number(SEED), count: Number(HISTORIES) }
}

/** How long they may take, in milliseconds: what hangs is told while there is somebody to tell. */
export function patienceFor({ count }: Seeds): number {
  return Math.max(600_000, count * 12_000)
}

const atOnce = 12

/** What became of them. */
export interface ToldAll {
  readonly all: readonly Told[]
  /** All that is known of each that did not come to its end. */
  readonly endless: readonly string[]
}

/** Tells all of them, of each kind. */
export async function tellAll(
  stage: Stage,
  { first, count }: Seeds,
  kinds: readonly HistoryKind[] = [deployments],
): Promise<ToldAll> {
  const seeds = Array.from({ length: count }, (_, index) => first + index)
  const histories = seeds.flatMap(seed => kinds.map(kind => historyOf(seed, kind)))
  const endless: string[] = []
  const all = await inLanes(atOnce, histories, async history => {
    try {
      return [await tell(stage, history)]
    } catch (error) {
      endless.push((error as Error).message)
      return []
    }
  })
  return { all: all.flat(), endless }
}

/** Texts of this length are read, not compared. */
export function failWith(wrong: readonly string[], count: number): void {
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${count}\n\n${wrong.join('\n\n')}`)
}

/** Wakes the controller for each workload: it decides again, and writes nothing. */
export async function isQuiet(
  { client, sluice, chronicle }: ChronicledWorld,
  all: readonly Told[],
): Promise<void> {
  const scenes = all.map(({ scene }) => scene)
  let before = 0n
  const writes = await writesWhenWoken(sluice.controller, scenes.length, async () => {
    // Not what is recorded by now: what came last may be on its way.
    before = BigInt((await client.list(ROLLOUTS, { limit: 1 })).resourceVersion)
    // A label is no new generation: its own controller has nothing to do.
    const patch = { metadata: { labels: { woken: 'yes' } } }
    const woken = scenes.map(({ kind, namespace }) =>
      client.mergePatch(kind.type, { namespace, name: WORKLOAD }, patch),
    )
    return Promise.all(woken)
  })
  expect(writes).toBe(0)
  const since = () => scenes.map(({ namespace }) => chronicle.place(namespace).countAfter(before))
  await eventually(() => expect(since()).toEqual(scenes.map(() => 1)))
}

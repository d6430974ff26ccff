// A world in which every state of every workload is written down, for tests that look at all of them.

import { startChronicle } from './chronicle.ts'
import type { Chronicle } from './chronicle.ts'
import type { HistoryKind } from './history-kinds.ts'
import { startWorld } from './world.ts'
import type { World, WorldOptions } from './world.ts'

/** A world, and all that has happened in it. */
export interface ChronicledWorld extends World {
  readonly chronicle: Chronicle
}

/** What is written down, beside Deployments released in place. */
interface Recorded {
  readonly kinds: readonly HistoryKind[]
  /** Has the kinds served, and their controllers run. */
  readonly serve: (world: World) => Promise<{ readonly stop: () => Promise<void> }>
}

/** Starts a world, and begins to write. */
export async function startChronicledWorld(
  options?: WorldOptions,
  recorded?: Recorded,
): Promise<ChronicledWorld> {
  // A webhook that comes back would change the CRD, and so end the watch that writes all down.
  const world = await startWorld({ ...options, conversion: false })
  try {
    const served = await recorded?.serve(world)
    const chronicle = await startChronicle(world.client, recorded?.kinds)
    const stop = async () => {
      await chronicle.stop()
      await served?.stop()
      await world.stop()
    }
    return { ...world, chronicle, stop }
  } catch (error) {
    await world.stop()
    throw error
  }
}

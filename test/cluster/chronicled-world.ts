// A world in which every state of every workload is written down, for tests that look at all of them.

import { startChronicle } from './chronicle.ts'
import type { Chronicle } from './chronicle.ts'
import { startWorld } from './world.ts'
import type { World, WorldOptions } from './world.ts'

/** A world, and all that has happened in it. */
export interface ChronicledWorld extends World {
  readonly chronicle: Chronicle
}

/** Starts a world, and begins to write. */
export async function startChronicledWorld(options?: WorldOptions): Promise<ChronicledWorld> {
  // A webhook that comes back would change the CRD, and so end the watch that writes all down.
  const world = await startWorld({ ...options, conversion: false })
  try {
    const chronicle = await startChronicle(world.client)
    const stop = async () => {
      await chronicle.stop()
      await world.stop()
    }
    return { ...world, chronicle, stop }
  } catch (error) {
    await world.stop()
    throw error
  }
}

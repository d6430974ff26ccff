// What the simulated world has stored, in the words of a recording of a real cluster: laws that speak
// of nothing else hold in both worlds.

import { seenRollout } from '../cluster/chronicle-facts.ts'
import type { RolloutFacts } from '../cluster/chronicle-facts.ts'
import { stepped } from '../cluster/history-steps.ts'
import { rolloutIn } from '../world/world.ts'
import type { World } from '../world/world.ts'

/** Follows the Rollout as it is stored, from the first moment on. */
export class Followed {
  private readonly world: World
  private before: RolloutFacts | undefined

  constructor(world: World) {
    this.world = world
    this.before = stored(world)
  }

  /** Every law of steps that the latest write broke, by whomever. */
  *judge(): Generator<string> {
    const { before } = this
    const after = stored(this.world)
    this.before = after
    yield* stepped({ rollout: before }, { rollout: after })
  }
}

function stored(world: World): RolloutFacts | undefined {
  const rollout = rolloutIn(world)
  return rollout && seenRollout(rollout)
}

// What the simulated world has stored, in the words of a recording of a real cluster: laws that speak
// of nothing else hold in both worlds.

import { seenDeployment, seenReplicaSet, seenRollout } from '../cluster/chronicle-facts.ts'
import type { ReplicaSetFacts } from '../cluster/chronicle-facts.ts'
import { Releases, mostNew } from '../cluster/history-releases.ts'
import type { Stored } from '../cluster/history-releases.ts'
import { stepped } from '../cluster/history-steps.ts'
import { deploymentIn, rolloutIn, setsIn } from '../world/world.ts'
import type { World } from '../world/world.ts'

/** Follows all that is stored from the first moment on. */
export class Followed {
  private readonly world: World
  private readonly releases = new Releases()
  private before: Stored

  constructor(world: World) {
    this.world = world
    this.before = stored(world)
    this.releases.follow(this.before)
  }

  /** Every law that the latest write broke. `told`: admission was asked, and knew all pods. */
  *judge(told: boolean): Generator<string> {
    const { before, world } = this
    if (before.version === BigInt(world.version)) return
    const after = stored(world)
    this.before = after
    yield* stepped(before, after)
    if (told && !isScaled(before)) yield* this.tooManyNew(before, after)
    this.releases.follow(after)
  }

  /** By whomever they were let out: admission, the controller, or the controller-manager alone. */
  private *tooManyNew(before: Stored, after: Stored): Generator<string> {
    const image = this.releases.latest?.deployment.image
    if (image === undefined) return
    const [was, is] = [sizeOf(before.sets, image), sizeOf(after.sets, image)]
    const most = mostNew(this.releases.possible(before), image, after)!
    if (is > was && is > most) yield `from ${was} to ${is} new pods: ${most} are allowed`
  }
}

/** The controller-manager shares a scaling out in proportion, and brings all up new from nobody. */
function isScaled({ deployment, sets }: Stored): boolean {
  const active = sets.filter(({ replicas }) => replicas > 0)
  return active.length === 0 || active.some(({ desired }) => desired !== deployment?.replicas)
}

function sizeOf(sets: readonly ReplicaSetFacts[], image: string): number {
  return Math.max(0, ...sets.filter(set => set.image === image).map(set => set.replicas))
}

function stored(world: World): Stored {
  const [deployment, rollout] = [deploymentIn(world), rolloutIn(world)]
  return {
    version: BigInt(world.version),
    deployment: deployment && seenDeployment(deployment),
    rollout: rollout && seenRollout(rollout),
    sets: setsIn(world).map(seenReplicaSet),
  }
}

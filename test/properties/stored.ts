// What the simulated world has stored, in the words of a recording of a real cluster: laws that speak
// of nothing else hold in both worlds.

import { seenRollout } from '../cluster/chronicle-facts.ts'
import { Releases, mostNew } from '../cluster/history-releases.ts'
import type { Stored } from '../cluster/history-releases.ts'
import { stepped } from '../cluster/history-steps.ts'
import { rolloutIn, workloadIn } from '../world/world.ts'
import type { World } from '../world/world.ts'
import { versions } from './happenings.ts'
import type { Subject } from './subject.ts'

/** Follows all that is stored from the first moment on. */
export class Followed {
  private readonly world: World
  private readonly subject: Subject
  private readonly releases = new Releases()
  private before: Moment

  constructor(world: World, subject: Subject) {
    this.world = world
    this.subject = subject
    this.before = this.moment()
    this.releases.follow(this.before.stored)
  }

  /** Every law that the latest write broke. `told`: admission was asked, and knew all pods. */
  *judge(told: boolean): Generator<string> {
    const { before, world } = this
    if (before.stored.version === BigInt(world.version)) return
    const after = this.moment()
    this.before = after
    yield* stepped(before.stored, after.stored)
    if (told && !before.shared) yield* this.tooManyNew(before, after)
    this.releases.follow(after.stored)
  }

  /** By whomever they were let out: admission, the controller, or the workload's own controller. */
  private *tooManyNew(before: Moment, after: Moment): Generator<string> {
    const image = this.releases.latest?.workload.image
    if (image === undefined) return
    const most = mostNew(this.releases.possible(before.stored), image, after.stored)!
    const { replicas } = after.stored.workload!
    const version = image.split(':')[1] ?? ''
    const [was, is] = [before.spread.get(version)!, after.spread.get(version)!]
    const far = this.subject.spreadMost(most, replicas)
    if (is > was && is > far) yield `${version} from ${was} to ${is}: ${most} new pods are allowed`
  }

  private moment(): Moment {
    const { subject, world } = this
    const rollout = rolloutIn(world)
    const stored = {
      version: BigInt(world.version),
      workload: workloadIn(world) && subject.facts(world),
      rollout: rollout && seenRollout(rollout),
      sets: subject.sets(world),
    }
    const spread = new Map(
      [...versions, 'v4'].map(each => [each, subject.spread(world, each)] as const),
    )
    return { stored, spread, shared: subject.isShared(world) }
  }
}

interface Moment {
  readonly stored: Stored
  /** How far the pods of each version have spread. */
  readonly spread: ReadonlyMap<string, number>
  /** Nobody's write makes pods come new that nobody asked for. */
  readonly shared: boolean
}

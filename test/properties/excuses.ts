// What nobody can help: for how long a law is suspended, and why.

import { sendsHold } from '../../controller/refusals.ts'
import type { Turn } from '../world/controller.ts'
import type { World } from '../world/world.ts'
import type { ActName } from './history.ts'
import type { Subject } from './subject.ts'

/** What has happened in one history that a law must know of. */
export class Excuses {
  /** A scaling has come since the budget was computed: a percent grows with it. */
  proportional = false
  /** A person wrote before the workload's status counted all pods: admission knows no other count. */
  untold = false
  /** Nobody kept what holds: nothing is promised any more but the end. */
  away = false
  /** An undo brought an old record back while nobody answered. */
  private undone = false
  private readonly world: World
  private readonly subject: Subject

  constructor(world: World, subject: Subject) {
    this.world = world
    this.subject = subject
  }

  /** Something is about to happen. */
  happens(name: ActName): void {
    const { world } = this
    if (name === 'scale') this.proportional = true
    if (isReviewed.has(name) && !this.subject.isTold(world)) this.untold = true
    // Caught with an owner's own amounts, the manager fills the room that his surge leaves.
    if (!world.webhook && (!world.policy || name === 'strategy')) this.away = true
    if (name === 'undo' && !world.webhook) this.undone = true
  }

  /** The controller has looked: a hold that it writes counts all pods. */
  looked({ written }: Turn): void {
    if (!written.some(sendsHold)) return
    this.proportional = false
    this.untold = false
  }

  /** The record was lost or became an older one while nobody answered; the first is told. */
  forgotten(): boolean {
    const { events, warnings } = this.world
    const restored = [...events.values()].some(({ reason }) => reason === 'ValuesRestored')
    return this.undone || restored || warnings.some(line => line.includes('were lost'))
  }
}

/** What admission answers with a hold. */
const isReviewed: ReadonlySet<ActName> = new Set(['edit', 'undo', 'strategy', 'pauseWorkload'])

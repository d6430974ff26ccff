// A history is told in the simulated world: at every moment the laws are asked, and then everybody does
// what is needed to end the release.

import fc from 'fast-check'
import { expect } from 'vitest'

import { WORKLOAD_TYPE } from '#api/names.ts'
import type { Change } from '#core/change.ts'
import { defined } from '#core/defined.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import type { Turn } from '../world/controller.ts'
import * as people from '../world/people.ts'
import { newWorld, pods, settle, sight } from '../world/play.ts'
import type { Happening } from '../world/people.ts'
import {
  Refused,
  WORKLOAD,
  besideIn,
  rolloutIn,
  versionOf,
  wanted,
  workloadIn,
} from '../world/world.ts'
import type { World } from '../world/world.ts'
import { deployments } from './deployments.ts'
import { Excuses } from './excuses.ts'
import { versions } from './happenings.ts'
import { historiesWith, plans, run, starts } from './history.ts'
import type { ActName, Happened, Start } from './history.ts'
import { checkTurn } from './laws.ts'
import { Followed } from './stored.ts'
import type { Subject } from './subject.ts'

const runs = Number(process.env['HISTORIES'] ?? 1000)

/** In which world histories are told. */
interface Setting {
  /** They begin with one of the first so many strategies; any of them unless given. */
  readonly strategiesMost?: number
  /** The API server has the policy that catches what the webhook does not answer; it has unless given. */
  readonly policy?: boolean
  /** What they are about; Deployments released in place unless given. */
  readonly subject?: Subject
  /** How many are told, of as many as of others; all unless given. */
  readonly share?: number
}

/**
 * Tells random histories in which `seldom` happens, too, beside what always does; HISTORIES says how
 * many, SEED which.
 */
export function tellHistories(seldom: readonly ActName[], setting: Setting = {}): void {
  const { subject = deployments, share = 1 } = setting
  const { strategiesMost = subject.strategies.length } = setting
  const numRuns = Math.ceil(runs * share)
  let asked = 0
  fc.assert(
    fc.property(starts(strategiesMost), historiesWith(seldom), (start, history) => {
      const told = new Telling(start, setting)
      tell(told, history)
      asked += told.asked
    }),
    { numRuns, ...seed() },
  )
  // An excuse must not eat the law: each history asks it some four times.
  expect(asked / numRuns, 'checks of Ready pods in each history').toBeGreaterThan(2)
}

/** What people do now and then, and what befalls the machinery. */
export const intents: readonly ActName[] = [
  'jump',
  'plan',
  'freeze',
  'abort',
  'pauseWorkload',
  'undo',
  'strategy',
  'disable',
  'deleteRollout',
  'kill',
  'restart',
  'crash',
  'lost',
]

/** Tells a history to its end. What breaks a law is thrown with all that was told before it. */
function tell(told: Telling, history: readonly Happened[]): void {
  try {
    for (const happened of history) told.happen(happened)
    told.end()
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${told.log.join('\n')}`, { cause: error })
  }
}

/** The same histories in every run, unless told otherwise: what failed once fails again. */
function seed() {
  const given = process.env['SEED'] ?? '20'
  return given === 'random' ? {} : { seed: Number(given) }
}

/** One history, and what the owner wants at each moment of it. */
class Telling {
  readonly world: World
  readonly log: string[] = []
  private strategy: object
  /** Those by which pods may have been let out that are on their way. */
  private governed: readonly object[]
  private readonly minReadySeconds: number
  private readonly subject: Subject
  private readonly excuses: Excuses
  private readonly followed: Followed
  /** How often the law of Ready pods was asked. */
  asked = 0

  constructor(start: Start, { policy = true, subject = deployments }: Setting) {
    const { replicas, strategy, minReadySeconds, plan } = start
    const { kind, strategies, style, canary } = subject
    this.subject = subject
    this.strategy = strategies[strategy]!
    this.governed = [this.strategy]
    this.minReadySeconds = minReadySeconds
    const spec = { ...this.strategy, ...(minReadySeconds > 0 && { minReadySeconds }) }
    const released = defined({ style, canary })
    this.world = newWorld({ kind, replicas, spec, steps: plans[plan]!, ...released })
    this.world.policy = policy
    this.excuses = new Excuses(this.world, subject)
    this.followed = new Followed(this.world, subject)
  }

  happen(happened: Happened): void {
    const { subject, world } = this
    const before = subject.keptAvailable(world, this.minReadySeconds)
    const counted = subject.isCounted(world) && (!isTurn(happened[0]) || subject.isSeen(world))
    try {
      this.excuses.happens(happened[0])
      run(world, happened, { subject, onTurn: this.onTurn })
      if (happened[0] === 'strategy') this.govern(subject.strategies[happened[1] % 3]!)
    } catch (error) {
      if (!(error instanceof Refused) || isTurn(happened[0])) throw error
      this.log.push(`${happened.join(' ')}: refused: ${error.message}`)
      return
    }
    const did = world.did.splice(0).join(', ')
    this.log.push(`${happened.join(' ')}: ${did ? `${did}: ` : ''}${this.seen()}`)
    this.checkStored(happened[0] !== 'kill')
    if (counted) this.checkReady(before, happened[0])
  }

  private readonly onTurn = (turn: Turn): void => {
    checkTurn(this.subject, turn)
    this.checkStored()
    this.excuses.looked(turn)
    if (turn.written.some(isOnWorkload)) this.governed = [this.strategy]
  }

  private govern(strategy: object): void {
    this.strategy = strategy
    this.governed = [...this.governed, strategy]
  }

  private seen(): string {
    const { subject, world } = this
    const { kind, fields } = subject
    return `${sight(world)} ${kind.size(world)}: ${fields(world)} ${pods(world)}`
  }

  private checkStored(byAnybody = true): void {
    const { away, untold } = this.excuses
    const told = byAnybody && !away && !untold
    for (const breach of this.followed.judge(told)) expect.fail(breach)
  }

  /** Nothing that we or the controller-manager ask for takes a Ready pod too many. */
  private checkReady(before: number, what: ActName): void {
    const { world } = this
    if (this.excuses.away || this.excuses.untold) return
    if (what !== 'manager' && !isTurn(what)) return
    // A wave that is out goes on as it began: a new strategy governs the next one.
    const promised = this.governed.map(strategy =>
      this.subject.promisedReady(world, strategy, this.excuses.proportional),
    )
    this.asked += 1
    expect(this.subject.keptReady(world), 'Ready pods').toBeGreaterThanOrEqual(
      Math.min(before, ...promised),
    )
  }

  /** Everybody does what is needed to end the release; then all must be as the owner wants it. */
  end(): void {
    const { subject, world } = this
    if (world.webhook) this.quietly(() => {})
    for (const happening of mending(world, subject)) this.quietly(happening)
    for (let i = 0; i < 12 && !isOver(world); i++) {
      this.approveOnce()
      this.quietly(people.pass(60))
    }
    expect(sight(world)).toBe(`Healthy: ${world.kind.size(world)} ${versionNow(world)}`)
    expect(people.isFree(world)).toBe(true)
    const wish = subject.wish(this.strategy, this.minReadySeconds)
    if (!this.excuses.forgotten()) expect(subject.values(world)).toEqual(wish)
    const { kind } = subject.kind.adapter
    expect(workloadIn(world)!.metadata.labels?.[WORKLOAD_TYPE]).toBe(kind.toLowerCase())
    expect(Object.keys(wanted(world))).toEqual([versionNow(world)])
    expect(besideIn(world), 'what was made for a release').toEqual([])
  }

  /** An approval in the pause of a step ends that pause: none is lost, none counts twice. */
  private approveOnce(): void {
    const { world } = this
    const before = releaseIn(rolloutIn(world)?.status)
    if (!before || before.currentStepState !== 'StepPaused') return
    this.quietly(people.approve)
    const status = rolloutIn(world)?.status
    // The last roll may take longer than anybody waits here.
    const { currentStepState, currentStepIndex } = { ...releaseIn(status) }
    const steps = status?.phase === 'Progressing' && currentStepState !== 'Completed'
    const step = steps ? currentStepIndex : undefined
    expect(
      [(before.currentStepIndex ?? 0) + 1, undefined],
      'the step after one approval',
    ).toContain(step)
  }

  private quietly(happening: Happening): void {
    const { world } = this
    happening(world)
    this.checkStored()
    settle(world, this.onTurn)
    this.log.push(`in the end: ${this.seen()}`)
    if (world.webhook && !this.excuses.away) this.subject.checkTruth?.(world)
  }
}

/** What ends every wait but those for approval and for time. */
function* mending(world: World, { style, canary, kind }: Subject): Generator<Happening> {
  yield people.webhook(true)
  if (!rolloutIn(world)) yield people.plan(plans[0]!, canary, style)
  yield* [people.freeze(false), people.disable(false), people.unabort]
  if (kind.paused) yield people.resumeWorkload
  if (kind.size(world) === 0) yield people.scale(3)
  if (versionNow(world) === 'broken') yield people.edit('v4')
  // A third version has no side to stand on, and any of them may be the stable one.
  for (const version of versions) if (isThird(world)) yield people.edit(version)
}

function isThird(world: World): boolean {
  const { conditions = [] } = { ...rolloutIn(world)?.status }
  return conditions.some(({ message }) => message.includes('put the stable template back'))
}

function isTurn(name: ActName): boolean {
  return name === 'look' || name === 'crash' || name === 'lost'
}

/** Healthy is said before the last old pod of a native rollout is gone. */
function isOver(world: World): boolean {
  const { length } = Object.keys(wanted(world))
  return rolloutIn(world)?.status?.phase === 'Healthy' && length === 1
}

/** It is about the workload itself. */
function isOnWorkload(change: Change): boolean {
  return change.type === 'patch' && change.target.name === WORKLOAD
}

function versionNow(world: World): string {
  return versionOf(workloadIn(world)!)
}

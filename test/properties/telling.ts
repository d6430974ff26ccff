// A history is told in the simulated world: at every moment the laws are asked, and then everybody does
// what is needed to end the release.

import fc from 'fast-check'
import { expect } from 'vitest'

import { WORKLOAD_TYPE } from '#api/names.ts'
import type { DeploymentStrategy } from '#api/kubernetes.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import type { Turn } from '../world/controller.ts'
import * as people from '../world/people.ts'
import { newWorld, pods, settle, sight } from '../world/play.ts'
import type { Beginning } from '../world/play.ts'
import type { Happening } from '../world/people.ts'
import {
  Refused,
  WORKLOAD,
  besideIn,
  deploymentIn,
  replicasOf,
  rolloutIn,
  versionOf,
  wanted,
} from '../world/world.ts'
import type { World } from '../world/world.ts'
import { Excuses } from './excuses.ts'
import { versions } from './happenings.ts'
import { historiesWith, plans, run, starts, strategies } from './history.ts'
import type { ActName, Happened, Start } from './history.ts'
import { Followed } from './stored.ts'
import {
  checkTruth,
  checkTurn,
  isCounted,
  isCrowded,
  isScaled,
  keptAvailable,
  keptReady,
  promisedReady,
} from './laws.ts'

const runs = Number(process.env['HISTORIES'] ?? 2500)

/** In which world histories are told. */
interface Setting {
  /** They begin with one of the first so many strategies; any of them unless given. */
  readonly strategiesMost?: number
  /** The API server has the policy that catches what the webhook does not answer; it has unless given. */
  readonly policy?: boolean
  /** How releases go; in place unless given. */
  readonly style?: Style
  /** What the Rollout asks for beside its steps. */
  readonly canary?: Canary
  /** How many are told, of as many as of others; all unless given. */
  readonly share?: number
}

type Style = NonNullable<Beginning['style']>
type Canary = NonNullable<Beginning['canary']>

/**
 * Tells random histories in which `seldom` happens, too, beside what always does; HISTORIES says how
 * many, SEED which.
 */
export function tellHistories(seldom: readonly ActName[], setting: Setting = {}): void {
  const { strategiesMost = strategies.length, share = 1 } = setting
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
  private strategy: DeploymentStrategy
  /** Those by which pods may have been let out that are on their way. */
  private governed: readonly DeploymentStrategy[]
  private readonly minReadySeconds: number
  private readonly plan: Happening
  private readonly excuses: Excuses
  private readonly followed: Followed
  /** How often the law of Ready pods was asked. */
  asked = 0

  constructor(start: Start, { policy = true, style = 'canary', canary = {} }: Setting) {
    const { replicas, strategy, minReadySeconds, plan } = start
    this.plan = people.plan(plans[0]!, canary, style)
    this.strategy = strategies[strategy]!
    this.governed = [this.strategy]
    this.minReadySeconds = minReadySeconds
    const spec = { strategy: this.strategy, ...(minReadySeconds > 0 && { minReadySeconds }) }
    this.world = newWorld({ replicas, spec, steps: plans[plan]!, style, canary })
    this.world.policy = policy
    this.excuses = new Excuses(this.world)
    this.followed = new Followed(this.world)
  }

  happen(happened: Happened): void {
    const { world } = this
    const before = keptAvailable(world, this.minReadySeconds)
    const counted = isCounted(world) && !isScaled(world) && !isCrowded(world)
    try {
      this.excuses.happens(happened[0])
      run(world, happened, this.onTurn)
      if (happened[0] === 'strategy') this.govern(strategies[happened[1] % 3]!)
    } catch (error) {
      if (!(error instanceof Refused) || isTurn(happened[0])) throw error
      this.log.push(`${happened.join(' ')}: refused: ${error.message}`)
      return
    }
    const did = world.did.splice(0).join(', ')
    this.log.push(`${happened.join(' ')}: ${did ? `${did}: ` : ''}${sight(world)} ${fields(world)}`)
    this.checkStored()
    if (counted) this.checkReady(before, happened[0])
  }

  private readonly onTurn = (turn: Turn): void => {
    checkTurn(turn)
    this.checkStored()
    this.excuses.looked(turn)
    if (turn.written.some(change => change.type === 'patch' && change.target.name === WORKLOAD))
      this.governed = [this.strategy]
  }

  private govern(strategy: DeploymentStrategy): void {
    this.strategy = strategy
    this.governed = [...this.governed, strategy]
  }

  private checkStored(): void {
    const { away, untold } = this.excuses
    const told = !away && !untold
    for (const breach of this.followed.judge(told)) expect.fail(breach)
  }

  /** Nothing that we or the controller-manager ask for takes a Ready pod too many. */
  private checkReady(before: number, what: ActName): void {
    const { world } = this
    if (this.excuses.away || this.excuses.untold) return
    if (what !== 'manager' && !isTurn(what)) return
    // A wave that is out goes on as it began: a new strategy governs the next one.
    const promised = this.governed.map(strategy =>
      promisedReady(world, strategy, this.excuses.proportional),
    )
    this.asked += 1
    expect(keptReady(world), 'Ready pods').toBeGreaterThanOrEqual(Math.min(before, ...promised))
  }

  /** Everybody does what is needed to end the release; then all must be as the owner wants it. */
  end(): void {
    const { world } = this
    if (world.webhook) this.quietly(() => {})
    for (const happening of mending(world, this.plan)) this.quietly(happening)
    for (let i = 0; i < 12 && !isOver(world); i++) {
      this.approveOnce()
      this.quietly(people.pass(60))
    }
    expect(sight(world)).toBe(`Healthy: ${replicasOf(deploymentIn(world)!)} ${versionNow(world)}`)
    expect(people.isFree(world)).toBe(true)
    if (!this.excuses.forgotten()) expect(ownersValues(world)).toEqual(this.wish())
    expect(deploymentIn(world)!.metadata.labels?.[WORKLOAD_TYPE]).toBe('deployment')
    expect(Object.keys(wanted(world))).toEqual([versionNow(world)])
    expect(besideIn(world), 'what was made for a release').toEqual([])
  }

  private wish(): object {
    const { strategy, minReadySeconds } = this
    return { strategy, minReadySeconds, progressDeadlineSeconds: 600, paused: false }
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
    this.log.push(`in the end: ${sight(world)} ${fields(world)}`)
    if (world.webhook && !this.excuses.away) checkTruth(world)
  }
}

/** What ends every wait but those for approval and for time. */
function* mending(world: World, plan: Happening): Generator<Happening> {
  yield people.webhook(true)
  if (!rolloutIn(world)) yield plan
  yield* [people.freeze(false), people.disable(false), people.resumeWorkload, people.unabort]
  if (replicasOf(deploymentIn(world)!) === 0) yield people.scale(3)
  if (versionNow(world) === 'broken') yield people.edit('v4')
  // A third version has no side to stand on, and any of them may be the stable one.
  for (const version of versions) if (isThird(world)) yield people.edit(version)
}

function isThird(world: World): boolean {
  return rolloutIn(world)?.status?.message?.includes('put the stable template back') === true
}

function isTurn(name: ActName): boolean {
  return name === 'look' || name === 'crash' || name === 'lost'
}

/** Healthy is said before the last old pod of a native rollout is gone. */
function isOver(world: World): boolean {
  const { length } = Object.keys(wanted(world))
  return rolloutIn(world)?.status?.phase === 'Healthy' && length === 1
}

function ownersValues(world: World): object {
  const { spec } = deploymentIn(world)!
  const { strategy, minReadySeconds = 0, progressDeadlineSeconds, paused = false } = spec
  return { strategy, minReadySeconds, progressDeadlineSeconds, paused }
}

function versionNow(world: World): string {
  return versionOf(deploymentIn(world)!)
}

function fields(world: World): string {
  const { strategy, minReadySeconds = 0, paused } = deploymentIn(world)!.spec
  const { maxUnavailable, maxSurge } = { ...strategy?.rollingUpdate }
  const armed = minReadySeconds > 1000 ? ' armed' : ''
  return `${replicasOf(deploymentIn(world)!)}: ${maxUnavailable}+${maxSurge}${armed}${paused ? ' paused' : ''} ${pods(world) && ''}`
}

// Everybody takes turns until nothing changes any more; and how things stand then, in one line.

import type { RolloutStatus } from '#api/rollout.generated.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import { catchUp, reconcile } from './controller.ts'
import type { Turn } from './controller.ts'
import { deploymentKind } from './deployment-kind.ts'
import { plan, replace, manifest } from './people.ts'
import type { Canary, Happening, Steps, Strategy } from './people.ts'
import { makeReady, readySince } from './replica-set-controller.ts'
import { emptyWorld, isReady, readyPods, rolloutIn, wanted, workloadIn } from './world.ts'
import type { World, WorldKind } from './world.ts'

/** A world that has settled with version v1, and with a Rollout unless `steps` is false. */
export interface Beginning {
  /** A Deployment unless given. */
  readonly kind?: WorldKind
  readonly replicas?: number
  readonly spec?: object
  readonly steps?: Steps | false
  readonly canary?: Canary
  /** `canary` unless given. */
  readonly style?: Strategy
}

/** 1 pod, half, all. */
const threeSteps: Steps = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }]

/** Makes a world. */
export function newWorld(beginning: Beginning = {}): World {
  const { kind = deploymentKind, replicas = 10, spec = {} } = beginning
  const { steps = threeSteps, canary, style } = beginning
  const world = emptyWorld(kind)
  replace(manifest('v1', spec, kind))(world)
  kind.resize(world, replicas)
  if (steps !== false) plan(steps, canary, style)(world)
  settle(world)
  return world
}

/** How long `settle` lets the clock run, if somebody waits for it, in seconds. */
const patience = 10
const turnsMost = 3000

/** Runs everybody until nothing changes and nobody waits for a moment that is near. */
export function settle(world: World, onTurn?: (turn: Turn) => void): void {
  const end = world.now + patience * 1000
  for (let turn = 0; turn < turnsMost; turn++) {
    const { version } = world
    oneRound(world, onTurn)
    if (world.version !== version) continue
    const due = Math.min(world.dueAt ?? Infinity, nextAvailable(world) ?? Infinity)
    if (due > end) return
    // A due time that has passed and changed nothing would be a controller that spins.
    if (due <= world.now) throw new Error(`looks again at once: ${describe(world)}`)
    world.now = due
  }
  throw new Error(`still busy after ${turnsMost} turns: ${describe(world)}`)
}

/** Nobody of ours is alive while it happens; the others run until nothing changes after each. */
export const withoutUs =
  (...happenings: readonly Happening[]): Happening =>
  world => {
    world.webhook = false
    for (const happening of happenings) {
      happening(world)
      settleAlone(world)
    }
    world.webhook = true
  }

function settleAlone(world: World): void {
  for (let turn = 0; turn < turnsMost; turn++) {
    const { version } = world
    othersAct(world)
    if (world.version === version) return
  }
  throw new Error(`still busy after ${turnsMost} turns: ${describe(world)}`)
}

/** When the next Ready pod will have been so for long enough; undefined: nobody waits. */
function nextAvailable(world: World): number | undefined {
  const { kind, pods } = world
  const due = [...pods.values()]
    .filter(isReady)
    .map(pod => readySince(pod) + kind.waitMs(world, pod))
  const next = Math.min(...due.filter(instant => instant > world.now))
  return Number.isFinite(next) ? next : undefined
}

/** Everybody acts once. */
function oneRound(world: World, onTurn?: (turn: Turn) => void): void {
  catchUp(world)
  const turn = reconcile(world)
  onTurn?.(turn)
  othersAct(world)
}

function othersAct(world: World): void {
  world.kind.sync(world)
  world.kind.carryOut(world)
  makeReady(world)
}

/** One line: what the controller did after the event, then what an operator sees. */
export function play(world: World, happening: Happening): string {
  world.did = []
  world.warnings = []
  happening(world)
  settle(world)
  return `${world.did.join(', ') || 'nothing'} -> ${sight(world)}`
}

/** What kubectl shows: phase, step, pods. */
export function sight(world: World): string {
  const { status } = { ...rolloutIn(world) }
  return status ? `${standing(status)}: ${pods(world)}` : `no Rollout: ${pods(world)}`
}

function standing(status: RolloutStatus): string {
  const { phase, conditions = [] } = status
  const why = conditions.find(({ type }) => type === 'Stalled')?.reason
  const { currentStepIndex, currentStepState } = { ...releaseIn(status) }
  const where = phase === 'Progressing' ? [currentStepIndex, currentStepState] : []
  return [phase, ...where, why].filter(word => word !== undefined).join(' ')
}

/** Pods by version, and how many of them are Ready if not all are. */
export function pods(world: World): string {
  if (!workloadIn(world)) return 'no workload'
  const counts = Object.entries(wanted(world)).map(([version, count]) => `${count} ${version}`)
  const total = Object.values(wanted(world)).reduce((a, b) => a + b, 0)
  const ready = readyPods(world)
  return `${counts.join(' ') || 'no pod'}${ready === total ? '' : `, ${ready} ready`}`
}

function describe(world: World): string {
  const { metadata, spec } = { ...workloadIn(world) }
  const { template: _, ...rest } = { ...spec }
  return JSON.stringify({ sight: sight(world), did: world.did.slice(-8), metadata, rest })
}

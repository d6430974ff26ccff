// How far a release might go at each moment of a recording, by the plan and by what people did: read
// off the Rollout, never off the hold, which is what is judged.

import type { IntOrPercent } from '#api/kubernetes.ts'
import { podCount } from '#core/replicas.ts'
import { parsePairs } from '#core/workload/hold.ts'
import { budgetPods, surgePods } from '#core/workload/percent.ts'
import type { WorkloadFacts, RolloutFacts, Told, State } from './chronicle-facts.ts'
import { sum } from './history-facts.ts'

/** A workload as it was asked for, until it was asked for something else. */
export interface Demand {
  readonly workload: WorkloadFacts
  /** What everybody ran before this release, or runs where there is none. */
  readonly stable: string
  readonly release: Release | undefined
  /** When the release began; when it was asked for, where there is none. */
  readonly begun: bigint
  /** How many pods were wanted when its hold was written: the percents are of so many. */
  readonly heldFor: number
  /** How many pods of its version were asked for when it was. */
  readonly ranBefore: number
  /** How many of those were left at the least since the edit that brought it. */
  readonly stood: number
  /** How many pods were missing then. */
  readonly missing: number
}

/** One release: what its steps have allowed so far, in their own words. What is out stays out. */
interface Release {
  readonly id: string
  readonly words: Set<IntOrPercent>
}

/** What it is read off. */
export type Stored = Pick<State, 'version' | 'workload' | 'rollout' | 'sets'>

/** Follows a recording, one state after the other. */
export class Releases {
  /** By generation, the latest last. */
  readonly #demands: Demand[] = []
  #planBefore: RolloutFacts | undefined
  #rollout: RolloutFacts | undefined

  /** Takes the next state. */
  follow(state: Stored): void {
    const { workload, rollout } = state
    if (rollout && rollout.generation !== this.#rollout?.generation) {
      this.#planBefore = this.#rollout
    }
    this.#rollout = rollout
    if (!workload) return
    this.#follow(workload, state)
    const { release } = this.latest!
    if (!release || !rollout) return
    for (const word of this.#wordsOf(rollout, release, workload)) release.words.add(word)
  }

  #follow(workload: WorkloadFacts, state: Stored): void {
    const before = this.latest
    if (before && !isAskedAnew(before.workload, workload)) return
    // Of kinds to whose controllers an annotation is nothing new, the one before is over at once.
    if (before?.workload.generation === workload.generation) this.#demands.pop()
    this.#ask(workload, state, before)
  }

  /** The workload as it is asked for now. */
  get latest(): Demand | undefined {
    return this.#demands.at(-1)
  }

  /**
   * Every one that somebody may act on now. The workload's own controller has seen one at least as new
   * as it says, and its cache may be that old.
   */
  possible(state: Stored): readonly Demand[] {
    const seen = state.workload?.observedGeneration ?? 0
    return this.#demands.filter(({ workload }) => workload.generation >= seen)
  }

  #ask(workload: WorkloadFacts, { version, sets }: Stored, before: Demand | undefined): void {
    const own = sets.filter(({ image }) => image === workload.image)
    const ranBefore = sum(own.map(({ replicas }) => replicas))
    const missing = Math.max(workload.replicas - sum(sets.map(set => set.replicas)), 0)
    const stable = workload.recorded && before ? before.stable : workload.image
    const id = workload.hold && parsePairs(workload.hold).get('rollout-id')
    const heldFor =
      before && before.workload.hold === workload.hold ? before.heldFor : workload.replicas
    if (before?.release && before.release.id === id) {
      const stood = Math.min(before.stood, ranBefore)
      this.#demands.push({ ...before, workload, stable, heldFor, ranBefore, stood, missing })
      return
    }
    const release = id === undefined ? undefined : { id, words: new Set<IntOrPercent>() }
    const ran = { ranBefore, stood: ranBefore, missing }
    this.#demands.push({ workload, stable, release, begun: version, heldFor, ...ran })
  }

  /** The words of every step that may be in force now. */
  #wordsOf(
    rollout: RolloutFacts,
    { id }: Release,
    { hold = '' }: WorkloadFacts,
  ): readonly IntOrPercent[] {
    const { told, steps, generation } = rollout
    // Until the controller has seen a change of the plan, the one before may be what it acts by.
    const changing = told.observedGeneration !== generation
    const plans = [steps, ...(changing && this.#planBefore ? [this.#planBefore.steps] : [])]
    const running = told.phase === 'Progressing' && told.release === id
    if (!running) return plans.map(each => each[0]!.replicas)
    const out = parsePairs(hold).get('pods')!
    return plans.flatMap(each => [
      ...wordsAfter(each, told),
      ...(changing ? covering(each, out) : []),
    ])
  }
}

/** Nodes that come and go make no generation, nor do annotations of most kinds. */
function isAskedAnew(before: WorkloadFacts, { generation, replicas, hold, caught }: WorkloadFacts) {
  const same = before.replicas === replicas && before.hold === hold && before.caught === caught
  return before.generation !== generation || !same
}

type Steps = RolloutFacts['steps']

/** The current step, and those that an approval, a pause that ends or a jump leads to. */
function wordsAfter(steps: Steps, told: Told): readonly IntOrPercent[] {
  const { step, nextStep } = told
  const natural = naturalAfter(step, steps)
  const wordOf = (index: number) => steps[index - 1]?.replicas ?? '100%'
  const words = [wordOf(step)]
  if (isOver(told, steps)) words.push(wordOf(natural))
  if (nextStep !== natural) words.push(wordOf(nextStep))
  return words
}

/** What comes after a step when nobody jumps; -1 after the last. */
export function naturalAfter(step: number, steps: Steps): number {
  return step < steps.length ? step + 1 : -1
}

/** The pause of the step is over: somebody approved it, or its time has come or may have. */
export function isOver({ state, step, reached }: Told, steps: Steps): boolean {
  if (state === 'Completed') return true
  return reached && (state === 'StepReady' || steps[step - 1]?.timed === true)
}

/** A changed plan goes on with the first step that covers what was let out, else with the last. */
function covering(steps: Steps, out: string): readonly IntOrPercent[] {
  const word = out.endsWith('%') ? out : Number(out)
  const many = 1000
  const found = steps.find(step => podCount(step.replicas, many) >= podCount(word, many))
  const first = steps.filter(step => typeof step.replicas !== typeof word)
  return [found ?? steps.at(-1)!, ...first].map(step => step.replicas)
}

/** The workload is not held: its owner's values apply. */
export function isFree({ recorded, hold }: WorkloadFacts): boolean {
  const mode = modeOf(hold)
  return !recorded || mode === 'finishing' || mode === 'released'
}

/** The hold's word for what it is for. */
export function modeOf(hold: string | undefined): string | undefined {
  return hold === undefined ? undefined : parsePairs(hold).get('mode')
}

/** How many pods the steps of a release have allowed so far. */
export function allowedBySteps({ words }: Release, replicas: number): number {
  return Math.max(0, ...[...words].map(word => podCount(word, replicas)))
}

/** How many pods may be new by one demand. */
function allowedNew(demand: Demand, state: Stored): number {
  const { workload, release, stable, heldFor } = demand
  const { replicas } = workload
  // The stable version is new to nobody: by it missing pods come again.
  if (workload.caught && workload.image === stable) return replicas
  if (workload.caught) return demand.ranBefore === 0 ? 0 : mostCaught(demand)
  if (!release || isFree(workload)) return replicas + ownSurge(workload)
  // With nobody left to go back to, all of them are new: holding.md, Backward 4.
  const alone = !state.sets.some(set => set.image === stable && set.image !== workload.image)
  if (alone) return replicas
  const steps = Math.max(allowedBySteps(release, replicas), besideStanding(demand))
  // Until the controller sees a scaling, its percents are of more pods: docs/releasing.md.
  return heldFor === replicas ? steps : Math.max(steps, allowedByFields(workload))
}

/** No hold that is not paused has room for less than one pod beside those that stand: docs/concepts.md. */
function besideStanding({ stood }: Demand): number {
  return stood > 0 ? stood + 1 : 0
}

/** Paused by its owner, who gives it more room, it is scaled by the controller-manager into that room. */
function ownSurge({ paused, strategy, replicas }: WorkloadFacts): number {
  return paused ? surgePods(strategy.rollingUpdate?.maxSurge ?? '25%', replicas) : 0
}

/** Of a version that runs already what is missing may come, and the live surge: docs/adr/0008. */
function mostCaught({ workload, ranBefore, missing }: Demand): number {
  const { maxSurge = 0 } = { ...workload.strategy.rollingUpdate }
  return ranBefore + missing + surgePods(maxSurge, workload.replicas)
}

function allowedByFields({ strategy, replicas, keeps }: WorkloadFacts): number {
  if (keeps !== undefined) return replicas - keeps
  const { maxUnavailable = 0, maxSurge = 0 } = { ...strategy.rollingUpdate }
  return budgetPods(maxUnavailable, replicas) + surgePods(maxSurge, replicas)
}

/** How many pods of the image may be new by the demands of it; undefined where there are none. */
export function mostNew(
  demands: readonly Demand[],
  image: string,
  state: Stored,
): number | undefined {
  const newest = demands.filter(({ workload }) => workload.image === image)
  if (newest.length === 0) return undefined
  return Math.max(...newest.map(demand => allowedNew(demand, state)))
}

// The laws of a release, checked of every state that a namespace went through.

import { parsePairs } from '#core/workload/hold.ts'
import { budgetPods, surgePods } from '#core/workload/percent.ts'
import { spreadMost, spreadOf } from '../properties/owner-rows.ts'
import type { ReplicaSetFacts, State } from './chronicle-facts.ts'
import type { Scene } from './history-acts.ts'
import { active, isArmed, isSeen, keptReady, readyOf, sum, total } from './history-facts.ts'
import type { HistoryKind } from './history-kinds.ts'
import { modeOf, mostNew, Releases } from './history-releases.ts'
import type { Demand } from './history-releases.ts'
import { explained, freed, stepped, unheld } from './history-steps.ts'

/** A law that a state breaks. */
export interface Breach {
  readonly law: string
  /** Which state. */
  readonly index: number
}

/** What the laws must know beside the states. */
export interface Told {
  readonly kind: HistoryKind
  readonly wishes: Scene['wishes']
  readonly killed: ReadonlySet<string>
  /** The owner's. */
  readonly minReadySeconds: number
}

/** Every breach of a recording. */
export function breaches(states: readonly State[], told: Told): readonly Breach[] {
  const trial = new Trial(told)
  const found: Breach[] = []
  for (const [index, state] of states.entries()) {
    for (const law of trial.judge(state)) found.push({ law, index })
  }
  return found
}

/** One change of the number of pods of a version. */
interface Resized {
  readonly set: ReplicaSetFacts
  readonly from: number
  readonly to: number
  readonly before: State
  readonly after: State
  readonly demands: readonly Demand[]
}

class Trial {
  readonly #told: Told
  readonly #releases = new Releases()
  /** When each Ready pod was first seen so. */
  readonly #readySince = new Map<string, number>()
  #before: State | undefined
  /** Pods that have gone, and that the controller-manager may still count as Ready. */
  #missing = 0
  #countedAt = 0

  constructor(told: Told) {
    this.#told = told
  }

  *judge(state: State): Generator<string> {
    const before = this.#before
    this.#before = state
    this.#countPods(before, state)
    if (before) {
      yield* freed(before, state, this.#releases.latest)
      yield* unheld(before, state, this.#releases.latest)
    }
    this.#releases.follow(state)
    if (!before) return
    yield* stepped(before, state)
    yield* explained(state)
    const demands = this.#releases.possible(before)
    for (const set of resizedSets(before, state)) {
      const resized = { ...set, before, after: state, demands }
      yield* set.to > set.from ? this.#grown(resized) : this.#shrunk(resized)
    }
    yield* armedStable(before, state, demands)
  }

  #countPods(before: State | undefined, state: State): void {
    for (const { ready, metadata } of state.pods) {
      const { name } = metadata
      if (ready && !this.#readySince.has(name)) this.#readySince.set(name, state.at)
    }
    if (this.#isKill(before, state)) this.#miss(1)
    // Who leaves just before an edit counts for what that asks for: docs/concepts.md.
    else if (before && isEdit(before, state)) this.#miss(overcounted(state))
    else if (isSeen(state)) this.#countedAt = Math.min(this.#countedAt, state.at)
    // The controller-manager's own view of what it has counted may be that old.
    if (state.at > this.#countedAt + 1000) this.#missing = 0
  }

  #miss(pods: number): void {
    this.#missing += pods
    this.#countedAt = Infinity
  }

  #isKill(before: State | undefined, state: State): boolean {
    const { name = '' } = { ...state.changed }
    return this.#told.killed.has(name) && isReady(before, name) && !isReady(state, name)
  }

  *#grown(resized: Resized): Generator<string> {
    const { set, before, demands } = resized
    // The controller-manager shares a scaling out in proportion, which is nobody's write.
    if (!isScaling(set, before, demands)) yield* tooManyNew(this.#told.kind, resized)
    yield* this.#tooMany(resized)
  }

  *#shrunk(resized: Resized): Generator<string> {
    const { set, from, to, before, demands } = resized
    const scaled = isScaling(set, before, demands)
    if (!scaled) yield* this.#tooFewReady(resized)
    if (scaled || imagesOf(demands).size > 1) this.#miss(from - to)
  }

  *#tooFewReady({ from, to, set, before, after, demands }: Resized): Generator<string> {
    const ready = keptReady(after)
    const was = this.#available(before)
    if (ready >= was) return
    const strategies = this.#governing(demands, after.version)
    const { kind } = this.#told
    const owed = Math.min(...demands.map(demand => owedReady(kind, demand, strategies)))
    // A rollback and another edit within a moment may cost one Ready pod: holding.md.
    const between = imagesOf(demands).size > 2 ? 1 : 0
    const excused = surplusCaught(before, after) + idle(kind, before)
    const helpless = this.#missing + between + excused
    if (ready >= Math.min(was, owed - helpless)) return
    yield `${set.image} from ${from} to ${to} pods: ${ready} Ready, ${was} before, ${owed} owed`
  }

  *#tooMany({ set, from, to, before, after, demands }: Resized): Generator<string> {
    // Nodes that come are told late.
    if (this.#told.kind.onNodes) return
    const all = total(after)
    const strategies = this.#governing(demands, after.version)
    const { kind } = this.#told
    const most = Math.max(...demands.map(demand => mostPods(kind, demand, set.image, strategies)))
    if (all <= Math.max(most, total(before))) return
    yield `${set.image} from ${from} to ${to} pods: ${all} in all, ${most} allowed`
  }

  /** Ready for as long as their owner wants: others do not count for the controller-manager. */
  #available(state: State): number {
    const { minReadySeconds } = this.#told
    const since = state.at - minReadySeconds * 1000
    const old = (name: string) => (this.#readySince.get(name) ?? Infinity) <= since
    const pods = state.pods.filter(({ metadata }) => minReadySeconds === 0 || old(metadata.name))
    return sum(active(state).map(set => readyOf({ ...state, pods }, set)))
  }

  /** A wave that is out goes on as it began: a new strategy governs the next one. */
  #governing(demands: readonly Demand[], version: bigint): readonly object[] {
    const wishes = this.#told.wishes.filter(({ since }) => since <= version)
    const begun = demands.reduce(
      (first, each) => (each.begun < first ? each.begun : first),
      version,
    )
    const before = wishes.findLastIndex(({ since }) => since <= begun)
    return wishes.slice(Math.max(before, 0)).map(({ strategy }) => strategy)
  }
}

function imagesOf(demands: readonly Demand[]): ReadonlySet<string> {
  return new Set(demands.map(({ workload }) => workload.image))
}

function isEdit({ workload: was }: State, { workload: is }: State): boolean {
  return was !== undefined && is !== undefined && was.image !== is.image
}

/** Ready pods of which the ReplicaSets tell, and which have gone. */
function overcounted(state: State): number {
  const { sets } = state
  return sum(sets.map(set => Math.max(set.readyReplicas - readyOf(state, set), 0)))
}

/** Paused by a catch, the controller-manager takes what is too many from all versions: docs/adr/0008. */
function surplusCaught(before: State, { workload }: State): number {
  return workload?.caught ? Math.max(total(before) - workload.replicas, 0) : 0
}

/** Beside who may be missing, the controllers of some kinds replace who is not Ready. */
function idle({ owns }: HistoryKind, { pods }: State): number {
  return owns?.replacesIdle ? pods.filter(pod => !pod.ready && !pod.terminating).length : 0
}

function* tooManyNew({ owns }: HistoryKind, resized: Resized): Generator<string> {
  const { set, from, to, before, after, demands } = resized
  const most = mostNew(demands, set.image, after)
  if (most === undefined) return
  const [was, is] = owns
    ? [before, after].map(state => spreadOf(owns, runningIn(state), set.image))
    : [from, to]
  const farthest = owns ? spreadMost(owns, most, after.workload!.replicas) : most
  if (is! > was! && is! > farthest)
    yield `${set.image} from ${from} to ${to} pods: ${most} new ones allowed`
}

function runningIn({ pods }: State) {
  const alive = pods.filter(({ terminating }) => !terminating)
  return alive.map(({ metadata, image }) => ({ name: metadata.name, image }))
}

/** The controller-manager makes the sizes fit a number of replicas that somebody has changed. */
function isScaling(set: ReplicaSetFacts, before: State, demands: readonly Demand[]): boolean {
  // From nobody everything comes up new: there is nothing to share.
  if (total(before) === 0) return true
  if (before.workload?.owns) return isScaledOut(before)
  const sizes = new Set(demands.map(({ workload }) => workload.replicas))
  const other = ({ desired }: ReplicaSetFacts) =>
    desired !== undefined && (sizes.size > 1 || !sizes.has(desired))
  const was = before.sets.find(({ metadata }) => metadata.name === set.metadata.name)
  return active(before).some(other) || (was !== undefined && was.desired !== set.desired)
}

/** A larger size makes more pods than the partition that stands keeps old: that is nobody's write. */
function isScaledOut({ workload }: State): boolean {
  const size = parsePairs(workload!.hold ?? '').get('size')
  return size !== undefined && Number(size) !== workload!.replicas
}

function* armedStable(
  before: State,
  { workload, sets }: State,
  demands: readonly Demand[],
): Generator<string> {
  // A caught rollback keeps the live fields: its pods serve, and count as not available meanwhile.
  if (workload?.caught) return
  for (const set of sets.filter(isArmed)) {
    const was = before.sets.find(({ metadata }) => metadata.name === set.metadata.name)
    if (was && isArmed(was)) continue
    if (demands.every(({ stable }) => stable === set.image)) {
      yield `the stable ReplicaSet of ${set.image} is armed`
    }
  }
}

/** Ready pods that must be there by one demand. */
function owedReady(
  { promised }: HistoryKind,
  { workload }: Demand,
  strategies: readonly object[],
): number {
  const { replicas, strategy, hold, owns } = workload
  const owed = strategies.map(each => replicas - promised(each, replicas).maxUnavailable)
  const least = Math.max(Math.min(...owed), 0)
  if (hold === undefined || owns) return least
  // Where a scaling leaves nothing of a budget, the controller-manager takes one: holding.md.
  const { maxUnavailable = 0, maxSurge = 0 } = { ...strategy.rollingUpdate }
  const budget = budgetPods(maxUnavailable, replicas)
  if (budget + surgePods(maxSurge, replicas) === 0) return Math.min(least, replicas - 1)
  // The budget of one pod is all of it, of however many it becomes.
  return budget === replicas ? 0 : least
}

function mostPods(
  { promised, released }: HistoryKind,
  { workload, release }: Demand,
  image: string,
  strategies: readonly object[],
): number {
  const { replicas, hold } = workload
  const surges = strategies.map(each => promised(each, replicas).maxSurge)
  // All new ones may stand beside all old ones.
  const beside = released ? replicas : 0
  // On the way back there is always room for one, else nobody could move: holding.md, Backward.
  const back = release && (modeOf(hold) !== 'wave' || image !== workload.image) ? 1 : 0
  return replicas + beside + Math.max(...surges, back)
}

function isReady(state: State | undefined, name: string): boolean {
  const pod = state?.pods.find(({ metadata }) => metadata.name === name)
  return pod !== undefined && pod.ready && !pod.terminating
}

function resizedSets(before: State, after: State): readonly Pick<Resized, 'set' | 'from' | 'to'>[] {
  const byName = ({ sets }: State) => new Map(sets.map(set => [set.metadata.name, set]))
  const [was, is] = [byName(before), byName(after)]
  return [...new Map([...was, ...is])].flatMap(([name, set]) => {
    const [from, to] = [was, is].map(each => each.get(name)?.replicas ?? 0) as [number, number]
    return from === to ? [] : [{ set, from, to }]
  })
}

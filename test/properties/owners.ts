// Kinds that own their pods themselves in histories: a pod is new or old by the revision that it runs.

import { expect } from 'vitest'

import type { DeploymentStrategy, IntOrPercent, Pod } from '#api/kubernetes.ts'
import type { Change, Deletion } from '#core/change.ts'
import { podCount } from '#core/replicas.ts'
import type { Workload as Observed } from '#core/rollout/model.ts'
import { holdOf } from '#core/workload/hold.ts'
import type { Block, Partitioned } from '#core/workload/partition-kind.ts'
import { pods as amountOf } from '#core/workload/percent.ts'
import { seenWorkload } from '../cluster/chronicle-facts.ts'
import type { ReplicaSetFacts } from '../cluster/chronicle-facts.ts'
import type { PlacedPod } from '../cluster/kinds/resources.ts'
import { remove } from '../world/api-server.ts'
import * as kinds from '../world/kinds.ts'
import type { WorldKind } from '../world/kind.ts'
import { sentHold } from '../world/sent-hold.ts'
import { readySince } from '../world/replica-set-controller.ts'
import { isReady, podsOf, rolloutIn, sidesIn, sum, wanted, workloadIn } from '../world/world.ts'
import type { Workload, World } from '../world/world.ts'
import type { Looked, Subject } from './subject.ts'

/** In what these kinds differ. */
interface Row {
  readonly kind: WorldKind
  readonly strategies: readonly object[]
  /** Where its partition stands, and how many may be missing. */
  readonly blockOf: (strategy: Strategy) => Block
  /** How many pods a partition keeps old. */
  readonly keeps: (partition: IntOrPercent, size: number) => number
  readonly maxUnavailable: (block: Block, size: number) => number
  /** A pod that is missing comes new, whatever it was. */
  readonly alwaysNew?: true
  /** Pods have their numbers in their names, and those beyond the size go. */
  readonly ordinals?: true
  /** Its own controller replaces who is not Ready beside as many as may be missing. */
  readonly replacesIdle?: true
}

type Strategy = NonNullable<Partitioned['spec']['updateStrategy']>

const rolling = (rollingUpdate: object) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
})
const inRollingUpdate = ({ rollingUpdate }: Strategy) => ({ ...rollingUpdate })
const atLeastOne =
  (round: (x: number) => number) =>
  ({ maxUnavailable = 1 }: Block, size: number) =>
    Math.max(1, Math.min(amountOf(maxUnavailable, size, round), size))

const inOrder: Omit<Row, 'kind' | 'strategies'> = {
  blockOf: inRollingUpdate,
  keeps: partition => Number(partition),
  maxUnavailable: atLeastOne(Math.floor),
  ordinals: true,
}

/** StatefulSets. */
export const statefulSets = subjectOf({
  ...inOrder,
  kind: kinds.statefulSetKind,
  strategies: [
    rolling({ partition: 0 }),
    rolling({ partition: 0, maxUnavailable: 2 }),
    rolling({ partition: 0, maxUnavailable: '40%' }),
  ],
})

/** Those of Kruise. */
export const kruiseStatefulSets = subjectOf({
  ...inOrder,
  kind: kinds.kruiseStatefulSetKind,
  strategies: [
    rolling({ partition: 0, maxUnavailable: 1 }),
    rolling({ partition: 0, maxUnavailable: 3 }),
    rolling({ partition: 0, maxUnavailable: '40%' }),
  ],
})

/** CloneSets. */
export const cloneSets = subjectOf({
  kind: kinds.cloneSetKind,
  strategies: [
    { partition: 0, maxUnavailable: 1, maxSurge: 0 },
    { partition: 0, maxUnavailable: '25%', maxSurge: 0 },
    { partition: 0, maxUnavailable: 0, maxSurge: 2 },
  ].map(updateStrategy => ({ updateStrategy })),
  blockOf: strategy => strategy,
  keeps: (partition, size) => amountOf(partition, size, Math.ceil),
  maxUnavailable({ maxUnavailable = '20%', maxSurge = 0 }, size) {
    const surge = amountOf(maxSurge, size, Math.ceil)
    return amountOf(maxUnavailable, size, surge === 0 ? Math.ceil : Math.floor)
  },
})

/** DaemonSets. */
export const daemonSets = subjectOf({
  kind: kinds.daemonSetKind,
  strategies: [
    rolling({ maxUnavailable: 1, maxSurge: 0 }),
    rolling({ maxUnavailable: 2, maxSurge: 0 }),
    rolling({ maxUnavailable: '30%', maxSurge: 0 }),
  ],
  blockOf: inRollingUpdate,
  keeps: (_, size) => size,
  maxUnavailable: atLeastOne(Math.ceil),
  alwaysNew: true,
  replacesIdle: true,
})

/** Those of Kruise. */
export const kruiseDaemonSets = subjectOf({
  kind: kinds.kruiseDaemonSetKind,
  strategies: [
    rolling({ partition: 0, maxUnavailable: 1, maxSurge: 0 }),
    rolling({ partition: 0, maxUnavailable: 2, maxSurge: 0 }),
    rolling({ partition: 0, maxUnavailable: '30%', maxSurge: 0 }),
  ],
  blockOf: inRollingUpdate,
  keeps: (partition, size) => amountOf(partition, size, Math.floor),
  maxUnavailable: atLeastOne(Math.ceil),
  alwaysNew: true,
  replacesIdle: true,
})

function subjectOf(row: Row): Subject {
  const { kind, strategies } = row
  const { adapter } = kind
  const sizeIn = (world: World) => adapter.replicas(workloadIn(world)!)
  return {
    kind,
    strategies,
    values: world => saidBy(strategyOf(workloadIn(world)!)),
    wish: strategy => saidBy((strategy as { readonly updateStrategy: Strategy }).updateStrategy),
    isTold: world => sizeIn(world) === kind.size(world),
    facts(world) {
      const object = workloadIn(world)!
      const block = row.blockOf(strategyOf(object))
      const replicas = sizeIn(world)
      const { partition = 0, maxUnavailable = 1, maxSurge = 0, paused = false } = block
      const strategy: DeploymentStrategy = {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable, maxSurge },
      }
      return {
        ...seenWorkload(object),
        replicas,
        strategy,
        keeps: Math.min(row.keeps(partition, replicas), replicas),
        minReadySeconds: 0,
        progressDeadlineSeconds: 0,
        paused,
        readyReplicas: sum(sidesIn(world).map(({ ready }) => ready.length)),
      }
    },
    sets: world => sidesIn(world).map(side => setOf(side.version, side.replicas)),
    ...spreadOf(row),
    isShared: world => isScaledOut(row, world),
    isCounted: world =>
      sizeIn(world) === kind.size(world) && (!row.replacesIdle || isWhole(row, world)),
    // A deletion is guarded by the pod alone: what becomes of others meanwhile stops nobody.
    isSeen: ({ cache, pods, workloads }) => cache.pods === pods && cache.workloads === workloads,
    keptReady: world => kept(row, world).length,
    keptAvailable(world, minReadySeconds) {
      const latest = world.now - minReadySeconds * 1000
      return kept(row, world).filter(pod => readySince(pod) <= latest).length
    },
    promisedReady(world, strategy) {
      const { updateStrategy } = strategy as { readonly updateStrategy: Strategy }
      const size = kind.size(world)
      return size - row.maxUnavailable(row.blockOf(updateStrategy), size)
    },
    checkWrites: (looked, written) => checkWrites(row, looked, written),
    ...(row.ordinals && { mended: breakLoose }),
    fields(world) {
      const object = workloadIn(world)!
      const { type } = strategyOf(object)
      const { partition, maxUnavailable, paused } = row.blockOf(strategyOf(object))
      const { observedGeneration = 0 } = { ...object.status }
      const unseen = observedGeneration < (object.metadata.generation ?? 0) ? ' unseen' : ''
      const { mode = 'free', pods: wave } = { ...holdOf(object) }
      return `${type} ${partition} ${maxUnavailable}${paused ? ' paused' : ''}${unseen} ${mode} ${wave}`
    },
  }
}

/** Pods that a scaling has brought up new too early are nobody's doing: the next ones count from the end. */
function spreadOf({ alwaysNew, ordinals }: Row): Pick<Subject, 'spread' | 'spreadMost'> {
  const count = (world: World, version: string) => wanted(world)[version] ?? 0
  if (!alwaysNew && !ordinals) return { spread: count, spreadMost: most => most }
  const left = (world: World, version: string) =>
    sum(Object.values(wanted(world))) - count(world, version)
  const lowest = (world: World, version: string) =>
    Math.min(
      ...podsIn(world)
        .filter(pod => runs(pod, version))
        .map(ordinalOf),
    )
  return {
    spread: (world, version) => -(ordinals ? lowest : left)(world, version),
    spreadMost: (most, replicas) => most - replicas,
  }
}

/** To be not paused, and to say nothing of it, is the same. */
function saidBy(strategy: Strategy): object {
  const { rollingUpdate, paused, ...others } = strategy
  const { paused: within, ...block } = { ...rollingUpdate }
  const pauses = paused === true || within === true
  return { ...others, ...(rollingUpdate && { rollingUpdate: block }), ...(pauses && { pauses }) }
}

function strategyOf({ spec }: Workload): Strategy {
  return { ...(spec as Partitioned['spec']).updateStrategy }
}

function setOf(version: string, replicas: number): ReplicaSetFacts {
  return {
    kind: 'set',
    metadata: { name: version, uid: version },
    image: `app:${version}`,
    replicas,
    desired: undefined,
    minReadySeconds: 0,
    readyReplicas: 0,
    observed: true,
  }
}

/** A larger size makes more pods than the partition that stands keeps old: that is nobody's write. */
function isScaledOut({ kind }: Row, world: World): boolean {
  const object = workloadIn(world)!
  if (kind.adapter.replicas(object) !== kind.size(world)) return true
  const hold = holdOf(object)
  return hold?.size !== undefined && hold.size !== kind.adapter.replicas(object)
}

/** Ready pods that are to stay. */
function kept({ ordinals, kind }: Row, world: World): readonly Pod[] {
  const stays = (pod: Pod) => !ordinals || ordinalOf(pod) < kind.size(world)
  return podsIn(world).filter(pod => isReady(pod) && stays(pod))
}

function isWhole(row: Row, world: World): boolean {
  return kept(row, world).length === row.kind.size(world)
}

/** Nobody looks at what a rollback leaves behind that no release had begun before: its owner deletes it. */
function breakLoose(world: World): void {
  if (rolloutIn(world)?.status?.phase === 'Progressing') return
  const broken = podsIn(world).filter(pod => runs(pod, 'broken'))
  for (const { metadata } of broken) remove(world, 'pods', metadata.name)
}

/** Its pods that are not on their way out. */
function podsIn(world: World): readonly PlacedPod[] {
  const pods = podsOf(world, workloadIn(world)!)
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

function ordinalOf({ metadata }: Pod): number {
  return Number(metadata.name.split('-').at(-1))
}

function runs({ spec }: PlacedPod, version: string): boolean {
  return spec?.containers[0]?.image === `app:${version}`
}

function checkWrites(row: Row, looked: Looked, written: readonly Change[]): void {
  const { snapshot, decision } = looked
  const { workload, rollout } = snapshot
  if (!workload || !rollout) return
  const { replicas, hold } = workload
  const step = rollout.steps[decision.memory.stepIndex - 1]
  const before = hold?.mode === 'wave' ? podCount(hold.pods, replicas) : 0
  const most = Math.max(before, step ? podCount(step.replicas, replicas) : 0)
  for (const budget of written.flatMap(budgetsIn)) {
    expect(podCount(budget, replicas), 'new pods by a wave').toBeLessThanOrEqual(most)
  }
  const deletions = written.filter(change => change.type === 'delete')
  if (row.alwaysNew && deletions.length > 0) checkDeletions(workload, deletions, most)
}

/** How many a write of a hold lets be new. */
function budgetsIn(change: Change): readonly IntOrPercent[] {
  if (change.type !== 'patch') return []
  const pairs = sentHold({ ...(change.patch['metadata'] as object | undefined) })
  const budget = pairs?.get('mode') === 'wave' ? pairs.get('budget') : undefined
  if (budget === undefined) return []
  return [budget.endsWith('%') ? budget : Number(budget)]
}

/** Those that leave come new, and so do those that are missing. */
function checkDeletions(w: Observed, deletions: readonly Deletion[], most: number): void {
  const updated = new Set(w.updatePods.map(({ metadata }) => metadata.uid))
  const leaving = deletions.filter(({ uid }) => !updated.has(uid))
  const missing = Math.max(w.replicas - w.total, 0)
  const coming = w.updated + missing + leaving.length
  expect(coming, 'new pods by deletions').toBeLessThanOrEqual(most)
}

// Kinds that own their pods themselves in histories: a pod is new or old by the revision that it runs.

import { expect } from 'vitest'

import type { IntOrPercent, Pod } from '#api/kubernetes.ts'
import type { Change, Deletion } from '#core/change.ts'
import { newPods, podCount } from '#core/replicas.ts'
import { holdOf } from '#core/workload/hold.ts'
import type { Workload as Observed } from '#core/workload/model.ts'
import type { Partitioned } from '#core/workload/partition-object.ts'
import type { ReplicaSetFacts } from '../cluster/chronicle-facts.ts'
import type { PlacedPod } from '../cluster/kinds/resources.ts'
import * as kinds from '../world/kinds.ts'
import { sentHold } from '../world/sent-hold.ts'
import { readySince } from '../world/replica-set-controller.ts'
import { isReady, podsOf, sidesIn, sum, workloadIn } from '../world/world.ts'
import type { World, WorldKind } from '../world/world.ts'
import * as rows from './owner-rows.ts'
import { amountsIn, factsOf, ordinalOf, saidBy } from './owner-rows.ts'
import { spreadMost, spreadOf, strategyOf } from './owner-rows.ts'
import type { OwnerRow } from './owner-rows.ts'
import type { Looked, Subject } from './subject.ts'

/** One of these kinds in the simulated world. */
interface Row extends OwnerRow {
  readonly kind: WorldKind
}

/** StatefulSets. */
export const statefulSets = subjectOf({ ...rows.statefulSetRow, kind: kinds.statefulSetKind })

/** Those of Kruise. */
export const kruiseStatefulSets = subjectOf({
  ...rows.kruiseStatefulSetRow,
  kind: kinds.kruiseStatefulSetKind,
})

/** CloneSets. */
export const cloneSets = subjectOf({ ...rows.cloneSetRow, kind: kinds.cloneSetKind })

/** DaemonSets. */
export const daemonSets = subjectOf({ ...rows.daemonSetRow, kind: kinds.daemonSetKind })

/** Those of Kruise. */
export const kruiseDaemonSets = subjectOf({
  ...rows.kruiseDaemonSetRow,
  kind: kinds.kruiseDaemonSetKind,
})

function subjectOf(row: Row): Subject {
  const { kind, strategies } = row
  const { adapter } = kind
  const sizeIn = (world: World) => adapter.replicas(workloadIn(world)!)
  return {
    kind,
    strategies,
    values: world => saidBy(strategyIn(workloadIn(world)!)),
    wish: strategy => saidBy(strategyIn({ spec: strategy })),
    isTold: world => sizeIn(world) === kind.size(world),
    facts(world) {
      const ready = sum(sidesIn(world).map(side => side.ready.length))
      return factsOf(row, workloadIn(world)!, ready)
    },
    sets: world => sidesIn(world).map(side => setOf(side.version, side.replicas)),
    spread: (world, version) => spreadOf(row, runningIn(world), `app:${version}`),
    spreadMost: (most, replicas) => spreadMost(row, most, replicas),
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
      const size = kind.size(world)
      return size - amountsIn(row, strategy, size).maxUnavailable
    },
    checkWrites: (looked, written) => checkWrites(row, looked, written),
    fields(world) {
      const object = workloadIn(world)!
      const strategy = strategyIn(object)
      const { partition, maxUnavailable, paused } = row.blockOf(strategy)
      const { observedGeneration = 0 } = { ...object.status }
      const unseen = observedGeneration < (object.metadata.generation ?? 0) ? ' unseen' : ''
      const { mode = 'free', pods: wave } = { ...holdOf(object) }
      return `${strategy.type} ${partition} ${maxUnavailable}${paused ? ' paused' : ''}${unseen} ${mode} ${wave}`
    },
  }
}

function runningIn(world: World) {
  return podsIn(world).map(({ metadata, spec }) => ({
    name: metadata.name,
    image: spec?.containers[0]?.image ?? '',
  }))
}

function strategyIn(object: object) {
  return strategyOf(object as Partitioned)
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
  const stays = ({ metadata }: Pod) => !ordinals || ordinalOf(metadata.name) < kind.size(world)
  return podsIn(world).filter(pod => isReady(pod) && stays(pod))
}

function isWhole(row: Row, world: World): boolean {
  return kept(row, world).length === row.kind.size(world)
}

/** Its pods that are not on their way out. */
function podsIn(world: World): readonly PlacedPod[] {
  const pods = podsOf(world, workloadIn(world)!)
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

function checkWrites(row: Row, looked: Looked, written: readonly Change[]): void {
  const { snapshot, decision } = looked
  const { workload, rollout } = snapshot
  if (!workload || !rollout) return
  const { replicas, hold } = workload
  const step = rollout.steps[decision.memory.stepIndex - 1]
  // Of a way back the words count those that have left.
  const before = hold?.mode === 'wave' ? newPods(hold.pods, workload) : 0
  const most = Math.max(before, step ? newPods(step.replicas, workload) : 0)
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

// The kinds that own their pods themselves, in the simulated world.

import { cloneSet } from '#core/workload/clone-set.ts'
import { daemonSet } from '#core/workload/daemonset.ts'
import { typeOf } from '#core/workload/daemon-fields.ts'
import { kruiseDaemonSet } from '#core/workload/kruise-daemon-set.ts'
import { kruiseStatefulSet } from '#core/workload/kruise-stateful-set.ts'
import type { Block, Partitioned } from '#core/workload/partition-object.ts'
import { statefulSet } from '#core/workload/statefulset.ts'
import { planCloneSet } from '../cluster/kinds/clone-set.ts'
import { planDaemonSet } from '../cluster/kinds/daemon-set.ts'
import { planStatefulSet } from '../cluster/kinds/stateful-set.ts'
import { scaleWorkload } from './api-server.ts'
import { endPods, syncBy } from './owner-controller.ts'
import { isReady, podsOf, replicasOf, workloadIn } from './world.ts'
import type { Side, Workload, World, WorldKind } from './world.ts'

const owning = {
  // What a manifest leaves out is no matter of these histories: all of it is there.
  withDefaults: object => object,
  problem: () => undefined,
  countsAnnotations: false,
  sides,
  carryOut: endPods,
} satisfies Partial<WorldKind>

const replicated = {
  ...owning,
  loosens: (object, before) =>
    partitionIn(object) !== partitionIn(before) || replicasOf(object) > replicasOf(before),
  size: world => replicasOf(workloadIn(world)!),
  resize(world, size) {
    scaleWorkload(world, workloadIn(world)!, size)
  },
} satisfies Partial<WorldKind>

const onNodes = {
  ...owning,
  size: world => world.nodes,
  resize(world, size) {
    world.nodes = size
    world.version += 1
  },
} satisfies Partial<WorldKind>

/** `apps/v1` StatefulSets. */
export const statefulSetKind: WorldKind = {
  ...replicated,
  adapter: statefulSet,
  sync: syncBy(planStatefulSet, true),
  waitMs: world => 1000 * minReadySeconds(world),
}

/** `apps/v1` DaemonSets. */
export const daemonSetKind: WorldKind = {
  ...onNodes,
  adapter: daemonSet,
  loosens: (object, before) => typeOf(object) !== typeOf(before),
  sync: syncBy(planDaemonSet, false),
  waitMs: world => 1000 * minReadySeconds(world),
}

/** StatefulSets of Kruise. */
export const kruiseStatefulSetKind: WorldKind = {
  ...replicated,
  adapter: kruiseStatefulSet,
  paused: pausedInBlock,
  sync: syncBy(planStatefulSet, true),
  waitMs: world => 1000 * minReadySeconds(world),
}

/** CloneSets. */
export const cloneSetKind: WorldKind = {
  ...replicated,
  adapter: cloneSet,
  paused: ({ spec }, paused) => ({ updateStrategy: { ...strategyOf(spec), paused } }),
  sync: syncBy(planCloneSet, false),
  waitMs: world => 1000 * minReadySeconds(world),
}

/** DaemonSets of Kruise. */
export const kruiseDaemonSetKind: WorldKind = {
  ...onNodes,
  adapter: kruiseDaemonSet,
  paused: pausedInBlock,
  loosens: (object, before) => partitionIn(object) !== partitionIn(before),
  sync: syncBy(planDaemonSet, false),
  waitMs: world => 1000 * minReadySeconds(world),
}

/** All of a workload's pods that are not on their way out, by version, in the order of their names. */
function sides(world: World): readonly Side[] {
  const workload = workloadIn(world)
  const pods = workload ? podsOf(world, workload) : []
  const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const versionOf = ({ spec }: (typeof alive)[number]) =>
    spec?.containers[0]?.image.split(':')[1] ?? ''
  return [...Map.groupBy(alive, versionOf)].map(([version, own]) => ({
    version,
    replicas: own.length,
    ready: own.filter(isReady),
  }))
}

function strategyOf(spec: Workload['spec']) {
  return { ...(spec as Partitioned['spec']).updateStrategy }
}

function blockOf(spec: Workload['spec']): Block {
  const strategy = strategyOf(spec)
  return { ...(strategy.rollingUpdate ?? strategy) }
}

function partitionIn({ spec }: Workload): unknown {
  return blockOf(spec).partition
}

function pausedInBlock({ spec }: Workload, paused: boolean): object {
  const strategy = strategyOf(spec)
  return {
    updateStrategy: { ...strategy, rollingUpdate: { ...strategy.rollingUpdate, paused } },
  }
}

function minReadySeconds(world: World): number {
  const { spec } = workloadIn(world)!
  const { minReadySeconds: own = 0 } = spec as { readonly minReadySeconds?: number }
  return blockOf(spec).minReadySeconds ?? own
}

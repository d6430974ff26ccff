// What histories must know of the kinds that own their pods themselves, in the simulated world and in a real
// cluster alike: a pod is new or old by the version that it runs.

import type { IntOrPercent, KubeObject } from '#api/kubernetes.ts'
import { cloneSet } from '#core/workload/clone-set.ts'
import { daemonSet } from '#core/workload/daemonset.ts'
import { kruiseDaemonSet } from '#core/workload/kruise-daemon-set.ts'
import { kruiseStatefulSet } from '#core/workload/kruise-stateful-set.ts'
import type { Block, Partitioned } from '#core/workload/partition-object.ts'
import { pods as amountOf } from '#core/workload/percent.ts'
import { statefulSet } from '#core/workload/statefulset.ts'
import { seenWorkload } from '../cluster/chronicle-facts.ts'
import type { WorkloadFacts } from '../cluster/chronicle-facts.ts'

/** In what these kinds differ. */
export interface OwnerRow {
  readonly adapter: { readonly replicas: (object: Partitioned) => number }
  /** The strategies that its owners have, as parts of `spec`. */
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

const inOrder = {
  blockOf: inRollingUpdate,
  keeps: partition => Number(partition),
  maxUnavailable: atLeastOne(Math.floor),
  ordinals: true,
} satisfies Partial<OwnerRow>

const onNodes = {
  blockOf: inRollingUpdate,
  maxUnavailable: atLeastOne(Math.ceil),
  alwaysNew: true,
  replacesIdle: true,
} satisfies Partial<OwnerRow>

/** StatefulSets. */
export const statefulSetRow: OwnerRow = {
  ...inOrder,
  adapter: statefulSet,
  strategies: [
    rolling({ partition: 0 }),
    rolling({ partition: 0, maxUnavailable: 2 }),
    rolling({ partition: 0, maxUnavailable: '40%' }),
  ],
}

/** Those of Kruise. */
export const kruiseStatefulSetRow: OwnerRow = {
  ...inOrder,
  adapter: kruiseStatefulSet,
  strategies: [
    rolling({ partition: 0, maxUnavailable: 1 }),
    rolling({ partition: 0, maxUnavailable: 3 }),
    rolling({ partition: 0, maxUnavailable: '40%' }),
  ],
}

/** CloneSets. */
export const cloneSetRow: OwnerRow = {
  adapter: cloneSet,
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
}

/** DaemonSets. */
export const daemonSetRow: OwnerRow = {
  ...onNodes,
  adapter: daemonSet as OwnerRow['adapter'],
  strategies: [
    rolling({ maxUnavailable: 1, maxSurge: 0 }),
    rolling({ maxUnavailable: 2, maxSurge: 0 }),
    rolling({ maxUnavailable: '30%', maxSurge: 0 }),
  ],
  keeps: (_, size) => size,
}

/** Those of Kruise. */
export const kruiseDaemonSetRow: OwnerRow = {
  ...onNodes,
  adapter: kruiseDaemonSet,
  strategies: [
    rolling({ partition: 0, maxUnavailable: 1, maxSurge: 0 }),
    rolling({ partition: 0, maxUnavailable: 2, maxSurge: 0 }),
    rolling({ partition: 0, maxUnavailable: '30%', maxSurge: 0 }),
  ],
  keeps: (partition, size) => amountOf(partition, size, Math.floor),
}

/** What is kept of such a workload; `ready`: how many of its pods are said to be. */
export function factsOf(row: OwnerRow, stored: KubeObject, ready: number): WorkloadFacts {
  const object = stored as Partitioned
  const replicas = row.adapter.replicas(object)
  const block = row.blockOf(strategyOf(object))
  const { partition = 0, maxUnavailable = 1, maxSurge = 0, paused = false } = block
  return {
    ...seenWorkload(object),
    replicas,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
    keeps: Math.min(row.keeps(partition, replicas), replicas),
    owns: row.ordinals ? 'ordinals' : 'pods',
    minReadySeconds: 0,
    progressDeadlineSeconds: 0,
    paused,
    // A hold of these kinds never pauses.
    ownerPaused: paused,
    readyReplicas: ready,
  }
}

/** What may be missing, and what may be beside the others, by a strategy. */
export function amountsIn(
  row: OwnerRow,
  strategy: object,
  size: number,
): { readonly maxUnavailable: number; readonly maxSurge: number } {
  const block = row.blockOf(strategyOf({ spec: strategy } as Partitioned))
  const maxSurge = amountOf(block.maxSurge ?? 0, size, Math.ceil)
  return { maxUnavailable: row.maxUnavailable(block, size), maxSurge }
}

/** The strategy of a workload, as it is stored. */
export function strategyOf({ spec }: Pick<Partitioned, 'spec'>): Strategy {
  return { ...spec.updateStrategy }
}

/** What an owner has said. To be not paused, and to say nothing of it, is the same. */
export function saidBy(strategy: Strategy): object {
  const { rollingUpdate, paused, ...others } = strategy
  const { paused: within, ...block } = { ...rollingUpdate }
  const pauses = paused === true || within === true
  return { ...others, ...(rollingUpdate && { rollingUpdate: block }), ...(pauses && { pauses }) }
}

/** A pod that is not on its way out. */
export interface Running {
  readonly name: string
  readonly image: string
}

/**
 * How far the pods of a version have spread, in a number that grows with each that comes. Pods that a
 * scaling has brought up new too early are nobody's doing: the next ones count from the end.
 */
export function spreadOf(
  { alwaysNew, ordinals }: OwnerRow,
  pods: readonly Running[],
  image: string,
): number {
  const own = pods.filter(pod => pod.image === image)
  if (ordinals) return -Math.min(...own.map(({ name }) => ordinalOf(name)))
  return alwaysNew ? own.length - pods.length : own.length
}

/** That number where as many of `replicas` are new as may be. */
export function spreadMost(
  { alwaysNew, ordinals }: OwnerRow,
  most: number,
  replicas: number,
): number {
  return alwaysNew || ordinals ? most - replicas : most
}

/** The number at the end of a pod's name. */
export function ordinalOf(name: string): number {
  return Number(name.split('-').at(-1))
}

// The kinds of workloads that histories on a real cluster are about, each in a style: what its owner writes,
// what is promised by that, and how its pods are counted. The laws are the same for all.

import type { Deployment, DeploymentStrategy, KubeObject } from '#api/kubernetes.ts'
import type { Partitioned } from '#core/workload/partition-object.ts'
import { promised } from '#core/workload/percent.ts'
import type { Promised } from '#core/workload/percent.ts'
import type { ResourceType } from '#kube/resources.ts'
import { rolling } from '../properties/happenings.ts'
import * as rows from '../properties/owner-rows.ts'
import { amountsIn, factsOf, saidBy, strategyOf } from '../properties/owner-rows.ts'
import type { OwnerRow } from '../properties/owner-rows.ts'
import { seenDeployment } from './chronicle-facts.ts'
import type { WorkloadFacts } from './chronicle-facts.ts'
import { CLONE_SETS, KRUISE_DAEMON_SETS, KRUISE_STATEFUL_SETS } from './kinds/resources.ts'
import { workloadTypes } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'

/** A workload, as far as its owner writes it. */
export interface Specified {
  readonly spec: object
}

/** One kind of workload, released in one style. */
export interface HistoryKind {
  /** In the names of namespaces. */
  readonly name: string
  readonly type: ResourceType
  /** How its Rollout releases it; in place unless given. */
  readonly released?: Pick<StoryOptions, 'canary' | 'blueGreen'>
  /** The strategies that its owners have, as parts of `spec`. */
  readonly strategies: readonly object[]
  /** The most pods that anybody asks for. */
  readonly most: number
  /** What its owners give for minReadySeconds. */
  readonly minReadySeconds: readonly number[]
  readonly see: (object: KubeObject) => WorkloadFacts
  /** What its owner has of all that a hold touches. */
  readonly values: (object: Specified) => object
  /** What a strategy promises of so many pods. */
  readonly promised: (strategy: object, replicas: number) => Promised
  /** What its owner writes who pauses or resumes it, below `spec`; absent: it knows no pause. */
  readonly paused?: (paused: boolean) => object
  /** It owns its pods itself. */
  readonly owns?: OwnerRow
  /** Its pods are as many as its nodes. */
  readonly onNodes?: true
}

/** Deployments, released in place. */
export const deployments: HistoryKind = {
  name: 'deployment',
  type: workloadTypes.Deployment,
  strategies: [
    rolling(0, 1),
    rolling(1, 0),
    rolling('25%', '25%'),
    rolling('100%', 0),
    rolling(0, '100%'),
  ].map(strategy => ({ strategy })),
  most: 13,
  minReadySeconds: [0, 0, 2],
  see: object => seenDeployment(object as Deployment),
  values(object) {
    const { spec } = object as Pick<Deployment, 'spec'>
    const { strategy, minReadySeconds = 0, progressDeadlineSeconds, paused = false } = spec
    return { strategy, minReadySeconds, progressDeadlineSeconds, paused }
  },
  promised(spec, replicas) {
    const { rollingUpdate } = (spec as { readonly strategy: DeploymentStrategy }).strategy
    const { maxUnavailable = '25%', maxSurge = '25%' } = { ...rollingUpdate }
    return promised(maxUnavailable, maxSurge, replicas)
  },
  paused: paused => ({ paused }),
}

const inBlock = (paused: boolean) => ({ updateStrategy: { rollingUpdate: { paused } } })

/** All others; of Deployments their styles. */
export const otherKinds: readonly HistoryKind[] = [
  {
    ...deployments,
    name: 'canary',
    released: { canary: { enableExtraWorkloadForCanary: true } },
    most: 8,
  },
  { ...deployments, name: 'blue-green', released: { blueGreen: true }, most: 8 },
  // Without its gate the API server drops what it says of maxUnavailable.
  owning('statefulset', workloadTypes.StatefulSet, {
    ...rows.statefulSetRow,
    strategies: rows.statefulSetRow.strategies.slice(0, 1),
  }),
  { ...owning('daemonset', workloadTypes.DaemonSet, rows.daemonSetRow), onNodes: true },
  {
    ...owning('cloneset', CLONE_SETS, rows.cloneSetRow),
    paused: paused => ({ updateStrategy: { paused } }),
  },
  {
    ...owning('kruise-statefulset', KRUISE_STATEFUL_SETS, rows.kruiseStatefulSetRow),
    paused: inBlock,
  },
  {
    ...owning('kruise-daemonset', KRUISE_DAEMON_SETS, rows.kruiseDaemonSetRow),
    onNodes: true,
    paused: inBlock,
  },
]

function owning(name: string, type: ResourceType, row: OwnerRow): HistoryKind {
  return {
    name,
    type,
    strategies: row.strategies,
    most: 6,
    minReadySeconds: [0],
    see: object => factsOf(row, object, readyIn(object)),
    values: object => saidBy(strategyOf(object as Pick<Partitioned, 'spec'>)),
    promised: (strategy, replicas) => amountsIn(row, strategy, replicas),
    owns: row,
  }
}

function readyIn(object: KubeObject): number {
  const { status } = object as { readonly status?: Readonly<Record<string, number>> }
  return status?.['readyReplicas'] ?? status?.['numberReady'] ?? 0
}

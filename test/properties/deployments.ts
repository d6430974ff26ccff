// Deployments in histories: their pods are counted by their ReplicaSets.

import { expect } from 'vitest'

import type { Deployment, DeploymentStrategy, IntOrPercent, ReplicaSet } from '#api/kubernetes.ts'
import { DESIRED_REPLICAS } from '#api/names.ts'
import type { Patch } from '#core/change.ts'
import { podCount } from '#core/replicas.ts'
import type { DeploymentWorkload } from '#core/workload/deployment-view.ts'
import { budgetPods, surgePods } from '#core/workload/percent.ts'
import { holdOf, isInForce } from '#core/workload/hold.ts'
import { recordOf } from '#core/workload/record.ts'
import { templateFingerprint } from '#core/workload/template.ts'
import { seenDeployment, seenReplicaSet } from '../cluster/chronicle-facts.ts'
import { deploymentKind } from '../world/deployment-kind.ts'
import { sentHold } from '../world/sent-hold.ts'
import { readySince } from '../world/replica-set-controller.ts'
import { resolveFenceposts } from '../world/fenceposts.ts'
import {
  besideIn,
  deploymentIn,
  isReady,
  podsOf,
  readyByVersion,
  replicasOf,
  rolloutIn,
  setsIn,
  sum,
  versionOf,
  wanted,
} from '../world/world.ts'
import type { World } from '../world/world.ts'
import { rolling } from './happenings.ts'
import type { Looked, Subject } from './subject.ts'

const standing = {
  progressDeadlineSeconds: 600,
  paused: false,
}

/** The first three strategies can be told from a hold's, numbers cannot. */
export const deployments: Subject = {
  kind: deploymentKind,
  strategies: [
    rolling('25%', '25%'),
    rolling('50%', '0%'),
    rolling('0%', '40%'),
    rolling(0, 1),
    rolling(1, 0),
    rolling(2, 3),
  ].map(strategy => ({ strategy })),
  values(world) {
    const { spec } = deploymentIn(world)!
    const { strategy, minReadySeconds = 0, progressDeadlineSeconds, paused = false } = spec
    return { strategy, minReadySeconds, progressDeadlineSeconds, paused }
  },
  wish: (strategy, minReadySeconds) => ({ ...strategy, minReadySeconds, ...standing }),
  isTold: world => deploymentIn(world)?.status?.replicas === sum(setsIn(world).map(replicasOf)),
  facts: world => seenDeployment(deploymentIn(world)!),
  sets: world => setsIn(world).map(seenReplicaSet),
  spread: (world, version) => wanted(world)[version] ?? 0,
  spreadMost: most => most,
  isShared: isScaledOut,
  isCounted: world => isCounted(world) && !isScaled(world) && !isCrowded(world),
  // A write of a size is refused where anybody has changed it: the older view does no harm.
  isSeen: () => true,
  keptReady,
  keptAvailable,
  promisedReady: (world, owned, proportional) =>
    promisedReady(world, (owned as Owned).strategy, proportional),
  checkWrites(looked, written) {
    for (const change of written) if (change.type === 'patch') checkChange(looked, change)
  },
  checkTruth,
  fields(world) {
    const { strategy, minReadySeconds = 0, paused } = deploymentIn(world)!.spec
    const { maxUnavailable, maxSurge } = { ...strategy?.rollingUpdate }
    const armed = minReadySeconds > 1000 ? ' armed' : ''
    return `${maxUnavailable}+${maxSurge}${armed}${paused ? ' paused' : ''}`
  },
}

/** All old pods stay beside the new ones until the end. */
export const blueGreens: Subject = { ...deployments, style: 'blueGreen' }

/** The new pods run in a second Deployment. */
export const canaries: Subject = {
  ...deployments,
  canary: { enableExtraWorkloadForCanary: true },
}

interface Owned {
  readonly strategy: DeploymentStrategy
}

/** The controller-manager shares a scaling out in proportion, and brings all up new from nobody. */
function isScaledOut(world: World): boolean {
  return isScaled(world) || setsIn(world).every(set => replicasOf(set) === 0)
}

function checkChange(looked: Looked, { target, patch }: Patch): void {
  if (target.kind === 'ReplicaSet') checkSize(looked, target.name, patch['spec'])
  const pairs = sentHold({ ...(patch['metadata'] as object | undefined) })
  if (pairs?.get('mode') !== 'wave') return

  const { snapshot, decision } = looked
  const { replicas, hold, stable, projected } = snapshot.workload as DeploymentWorkload
  const out = allowed(amount(pairs.get('budget')!), amount(pairs.get('surge')!), replicas)
  const step = snapshot.rollout!.steps[decision.memory.stepIndex - 1]!
  // Pods that were let out by a larger step stay; with nothing to go back to, all of them.
  const before = hold!.mode === 'wave' ? podCount(hold!.pods, replicas) : 0
  const most = stable ? Math.max(before, podCount(step.replicas, replicas)) : replicas
  const standing = projected ? allowed(hold!.budget, hold!.surge, replicas) : 0
  expect(out, 'new pods by a wave').toBeLessThanOrEqual(Math.max(most, standing))
}

function checkSize({ snapshot }: Looked, name: string, spec: unknown): void {
  const { replicas: size = 0 } = spec as { readonly replicas?: number }
  const { update, updated } = snapshot.workload as DeploymentWorkload
  if (update?.metadata.name === name)
    expect(size, 'new pods by a write of ours').toBeLessThanOrEqual(updated)
}

function allowed(budget: IntOrPercent, surge: IntOrPercent, replicas: number): number {
  return budgetPods(budget, replicas) + surgePods(surge, replicas)
}

function amount(text: string): number | string {
  return text.endsWith('%') ? text : Number(text)
}

/** All have come to rest: what is said to be aborted is so, and what a pause holds is the stable version. */
function checkTruth(world: World): void {
  const deployment = deploymentIn(world)
  if (!deployment) return
  const aborted = saysAborted(world)
  if (aborted) expect(besideIn(world), 'beside an aborted release').toEqual([])
  if (aborted || isBySecond(deployment)) checkStable(world, deployment)
}

function saysAborted(world: World): boolean {
  const { conditions = [] } = { ...rolloutIn(world)?.status }
  return conditions.some(
    ({ type, status, reason }) => type === 'Stalled' && status === 'True' && reason === 'Aborted',
  )
}

function isBySecond(deployment: Deployment): boolean {
  const hold = holdOf(deployment)
  return hold?.style === 'canary' && isInForce(hold)
}

function checkStable(world: World, deployment: Deployment): void {
  const stable = recordOf(deployment)?.stable
  const isStable = (set: ReplicaSet) => templateFingerprint(set.spec.template) === stable
  const sets = setsIn(world)
  const others = sets.filter(set => replicasOf(set) > 0 && !isStable(set))
  if (sets.some(isStable)) expect(others.map(versionOf), 'not stable').toEqual([])
}

/**
 * The Ready pods that the owner's strategy promises; `proportional`: a scaling has come since the
 * budget was computed, which is a percent and grows with it beyond an owner's number.
 */
function promisedReady(world: World, strategy: DeploymentStrategy, proportional: boolean): number {
  const deployment = deploymentIn(world)
  if (!deployment) return 0
  const owned = { ...deployment, spec: { ...deployment.spec, strategy } }
  const promised = replicasOf(deployment) - resolveFenceposts(owned).maxUnavailable
  // What cannot be helped: where a scaling leaves nothing of a budget, the manager takes one.
  const { maxUnavailable, maxSurge } = { ...deployment.spec.strategy?.rollingUpdate }
  const budget = budgetPods(maxUnavailable ?? 0, replicasOf(deployment))
  const nothing = allowed(budget, maxSurge ?? 0, replicasOf(deployment)) === 0
  if (nothing) return Math.min(promised, replicasOf(deployment) - 1)
  // The budget of one pod is all of it, of however many it becomes.
  return proportional ? Math.min(promised, replicasOf(deployment) - budget) : promised
}

/** Ready pods that stay Ready when every ReplicaSet has the size that it is asked for. */
export function keptReady(world: World): number {
  const ready = readyByVersion(world)
  return sum(setsIn(world).map(set => Math.min(ready[versionOf(set)] ?? 0, replicasOf(set))))
}

/** Those of them that have been Ready for so long that the controller-manager counts them. */
function keptAvailable(world: World, minReadySeconds: number): number {
  const latest = world.now - minReadySeconds * 1000
  const available = (set: ReplicaSet) =>
    podsOf(world, set).filter(pod => isReady(pod) && readySince(pod) <= latest).length
  return sum(setsIn(world).map(set => Math.min(available(set), replicasOf(set))))
}

/** The manager is about to scale in proportion, which is nobody's write. */
function isScaled(world: World): boolean {
  const replicas = String(replicasOf(deploymentIn(world)!))
  const active = setsIn(world).filter(set => replicasOf(set) > 0)
  return active.some(({ metadata }) => metadata.annotations?.[DESIRED_REPLICAS] !== replicas)
}

/**
 * Paused by its owner, and nobody holds it any more, but pods of both sides are there: the manager makes
 * them as many as his own surge has room for, whoever is Ready.
 */
function isCrowded(world: World): boolean {
  const deployment = deploymentIn(world)!
  if (holdOf(deployment) || deployment.spec.paused !== true) return false
  const total = sum(setsIn(world).map(replicasOf))
  return total > replicasOf(deployment) + resolveFenceposts(deployment).maxSurge
}

/** Every ReplicaSet counts the pods that it will keep: by other numbers the manager acts amiss. */
function isCounted(world: World): boolean {
  const ready = readyByVersion(world)
  return setsIn(world).every(set => {
    const kept = Math.min(ready[versionOf(set)] ?? 0, replicasOf(set))
    return (set.status?.readyReplicas ?? 0) === kept
  })
}

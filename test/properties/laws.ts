// What must be true whatever happens: of every turn of the controller, of every moment, and of the
// end.

import { isDeepStrictEqual } from 'node:util'

import { expect } from 'vitest'

import type { Deployment, DeploymentStrategy, IntOrPercent, ReplicaSet } from '#api/kubernetes.ts'
import { DESIRED_REPLICAS } from '#api/names.ts'
import type { Change } from '#core/change.ts'
import { podCount } from '#core/replicas.ts'
import { decide } from '#core/rollout/decide.ts'
import { wantsJump } from '#core/rollout/plan-steps.ts'
import type { Decision, Memory, Snapshot, Step } from '#core/rollout/model.ts'
import type { DeploymentWorkload } from '#core/workload/deployment-view.ts'
import { budgetPods, surgePods } from '#core/workload/percent.ts'
import { holdOf, isInForce } from '#core/workload/hold.ts'
import { recordOf } from '#core/workload/record.ts'
import { templateFingerprint } from '#core/workload/template.ts'
import type { Turn } from '../world/controller.ts'
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
} from '../world/world.ts'
import type { World } from '../world/world.ts'

/** Nothing but the snapshot decides, and no write lets out more pods than the step wants. */
export function checkTurn({ snapshot, decision, written }: Turn): void {
  if (!snapshot || !decision) return
  const again = decide(snapshot)
  if (!isDeepStrictEqual(again, decision)) expect(again).toEqual(decision)
  expect(decision.message, 'a wait without a word').not.toBe('')
  if (decision.memory.releasing)
    expect(decision.message, 'a wait without an age').toMatch(/ since |^since /)
  checkApproval({ snapshot, decision })
  for (const change of written) checkChange({ snapshot, decision }, change)
}

/** An approval in the pause of a step ends that pause, and no other: none is lost or used twice. */
function checkApproval(looked: Looked): void {
  if (!isStepping(looked)) return
  const { memory, rollout } = looked.snapshot
  const after = looked.decision.memory
  const wentOn = after.state === 'Completed' || after.stepIndex > memory.stepIndex
  if (!wentOn && isApproved(memory)) expect(after.state, 'an approval').toBe('StepReady')
  if (wentOn && memory.state !== 'Completed') checkStep(looked, rollout!.steps)
}

/** The same release of the same plan, and nobody jumps or aborts. */
function isStepping({ snapshot, decision }: Looked): boolean {
  const { memory, rollout } = snapshot
  const after = decision.memory
  if (!rollout || !memory.releasing || wantsJump(snapshot)) return false
  const isSame = after.release === memory.release && after.planHash === memory.planHash
  return after.releasing && isSame && after.state !== 'BeforeStepUpgrade'
}

function checkStep({ snapshot, decision }: Looked, steps: readonly Step[]): void {
  const { memory, now } = snapshot
  const after = decision.memory
  const { pauseSeconds = Infinity } = steps[memory.stepIndex - 1]!
  const isOver = memory.pauseReached && now >= memory.since + pauseSeconds * 1000
  expect(isApproved(memory) || isOver, 'a step that nobody approved').toBe(true)
  const gone = after.state === 'Completed' ? 1 : after.stepIndex - memory.stepIndex
  expect(gone, 'steps by one approval').toBe(1)
}

function isApproved({ state, pauseReached }: Memory): boolean {
  return state === 'StepReady' && pauseReached
}

interface Looked {
  readonly snapshot: Snapshot
  readonly decision: Decision
}

function checkChange(looked: Looked, change: Change): void {
  if (change.type !== 'patch') return
  const { target, patch } = change
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
export function checkTruth(world: World): void {
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
export function promisedReady(
  world: World,
  strategy: DeploymentStrategy,
  proportional: boolean,
): number {
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
export function keptAvailable(world: World, minReadySeconds: number): number {
  const latest = world.now - minReadySeconds * 1000
  const available = (set: ReplicaSet) =>
    podsOf(world, set).filter(pod => isReady(pod) && readySince(pod) <= latest).length
  return sum(setsIn(world).map(set => Math.min(available(set), replicasOf(set))))
}

/** The manager is about to scale in proportion, which is nobody's write. */
export function isScaled(world: World): boolean {
  const replicas = String(replicasOf(deploymentIn(world)!))
  const active = setsIn(world).filter(set => replicasOf(set) > 0)
  return active.some(({ metadata }) => metadata.annotations?.[DESIRED_REPLICAS] !== replicas)
}

/**
 * Paused by its owner, and nobody holds it any more, but pods of both sides are there: the manager makes
 * them as many as his own surge has room for, whoever is Ready.
 */
export function isCrowded(world: World): boolean {
  const deployment = deploymentIn(world)!
  if (holdOf(deployment) || deployment.spec.paused !== true) return false
  const total = sum(setsIn(world).map(replicasOf))
  return total > replicasOf(deployment) + resolveFenceposts(deployment).maxSurge
}

/** Every ReplicaSet counts the pods that it will keep: by other numbers the manager acts amiss. */
export function isCounted(world: World): boolean {
  const ready = readyByVersion(world)
  return setsIn(world).every(set => {
    const kept = Math.min(ready[versionOf(set)] ?? 0, replicasOf(set))
    return (set.status?.readyReplicas ?? 0) === kept
  })
}

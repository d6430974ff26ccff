// The controller-manager's part for Deployments, as Kubernetes 1.36 does it: scaling in proportion,
// the rolling update with its rounding, annotations of ReplicaSets, conditions, history. One call is
// one sync. Functions carry the names that they have there, so that the two can be read side by side.

import { isDeepStrictEqual } from 'node:util'

import type { Deployment, PodTemplate, ReplicaSet } from '#api/kubernetes.ts'
import { DESIRED_REPLICAS, MAX_REPLICAS, POD_TEMPLATE_HASH } from '#api/names.ts'
import { remove, store } from './api-server.ts'
import { syncConditions } from './deployment-conditions.ts'
import { resolveFenceposts } from './fenceposts.ts'
import {
  deploymentIn,
  forEachDeployment,
  podsOf,
  replicasOf,
  setsIn,
  sum,
  versionOf,
} from './world.ts'
import type { World } from './world.ts'

/** One sync of each Deployment. */
export function syncDeployments(world: World): void {
  forEachDeployment(world, syncDeployment)
}

/** One sync of the Deployment. */
export function syncDeployment(world: World): void {
  const deployment = deploymentIn(world)
  if (!deployment) return
  const { paused, strategy } = deployment.spec
  if (paused) sync(world)
  else if (isRenewed(world)) return
  else if (isScalingEvent(world)) sync(world)
  else if (strategy?.type === 'Recreate') rolloutRecreate(world)
  else rolloutRolling(world)
}

interface Sets {
  readonly newSet: ReplicaSet | undefined
  /** Oldest first. */
  readonly old: readonly ReplicaSet[]
  readonly all: readonly ReplicaSet[]
}

function current(world: World): Sets {
  const { spec } = deploymentIn(world)!
  const all = setsIn(world)
  const newSet = all.find(set => equalIgnoreHash(set.spec.template, spec.template))
  return { newSet, old: all.filter(set => set !== newSet), all }
}

/** The newest ReplicaSet gets the Deployment's annotations, revision and minReadySeconds. */
function getAllReplicaSetsAndSyncRevision(world: World, create: boolean): Sets {
  const deployment = deploymentIn(world)!
  const { newSet, old } = current(world)
  const revision = Math.max(0, ...old.map(revisionOf)) + 1
  if (newSet) {
    const { minReadySeconds = 0 } = deployment.spec
    const annotations = { ...newSet.metadata.annotations, ...copied(deployment) }
    annotations[REVISION] = String(Math.max(revision, revisionOf(newSet)))
    const renewed = { ...newSet.metadata, annotations }
    const armed = (newSet.spec.minReadySeconds ?? 0) !== minReadySeconds
    const spec = { ...newSet.spec, minReadySeconds }
    store(world, 'sets', { ...newSet, metadata: renewed, spec }, armed)
  } else if (create) {
    createNewSet(world, revision, sum(old.map(replicasOf)))
  }
  const sets = current(world)
  if (sets.newSet) setRevision(world, revisionOf(sets.newSet))
  return sets
}

const REVISION = 'deployment.kubernetes.io/revision'
const notCopied = new Set([REVISION, DESIRED_REPLICAS, MAX_REPLICAS])

function createNewSet(world: World, revision: number, podsNow: number): void {
  const deployment = deploymentIn(world)!
  const { replicas = 1, minReadySeconds = 0, template } = deployment.spec
  const { namespace = '', name, uid = '' } = deployment.metadata
  const { maxSurge } = resolveFenceposts(deployment)
  const hash = versionOf(deployment)
  const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash }
  const annotations = {
    ...copied(deployment),
    [REVISION]: String(revision),
    ...sizeAnnotations(deployment),
  }
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true }
  const set: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { namespace, name: `${name}-${hash}`, labels, annotations, ownerReferences: [owner] },
    spec: {
      replicas: Math.max(0, Math.min(replicas, replicas + maxSurge - podsNow)),
      minReadySeconds,
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
  store(world, 'sets', set, true)
}

function setRevision(world: World, revision: number): void {
  const { metadata, ...rest } = deploymentIn(world)!
  const annotations = { ...metadata.annotations, [REVISION]: String(revision) }
  store(world, 'workloads', { ...rest, metadata: { ...metadata, annotations } }, false)
}

function copied({ metadata }: Deployment): Record<string, string> {
  const entries = Object.entries(metadata.annotations ?? {})
  return Object.fromEntries(entries.filter(([key]) => !notCopied.has(key)))
}

function revisionOf({ metadata }: ReplicaSet): number {
  return Number(metadata.annotations?.[REVISION] ?? 0)
}

function equalIgnoreHash(a: PodTemplate, b: PodTemplate): boolean {
  const plain = ({ metadata, spec }: PodTemplate) => {
    const { [POD_TEMPLATE_HASH]: _, ...labels } = { ...metadata?.labels }
    return { spec, labels, annotations: { ...metadata?.annotations } }
  }
  return isDeepStrictEqual(plain(a), plain(b))
}

/**
 * The sync ends once it has renewed annotations or minReadySeconds of the newest ReplicaSet: it looks
 * at the ReplicaSets twice, writes the same again, and that is a conflict with its own first write.
 */
function isRenewed(world: World): boolean {
  const { newSet } = current(world)
  return getAllReplicaSetsAndSyncRevision(world, false).newSet !== newSet
}

function isScalingEvent(world: World): boolean {
  const { all } = current(world)
  const replicas = replicasOf(deploymentIn(world)!)
  return all.some(set => {
    const desired = set.metadata.annotations?.[DESIRED_REPLICAS]
    return replicasOf(set) > 0 && desired !== undefined && Number(desired) !== replicas
  })
}

/** A scaling, or a paused Deployment. */
function sync(world: World): void {
  const sets = getAllReplicaSetsAndSyncRevision(world, false)
  scale(world, sets)
  // By what it read before it scaled: a ReplicaSet that got pods just now may still be deleted.
  if (deploymentIn(world)!.spec.paused) cleanup(world, sets.old)
  syncConditions(world, current(world), 'sync')
}

function scale(world: World, { newSet, old, all }: Sets): void {
  const deployment = deploymentIn(world)!
  const replicas = replicasOf(deployment)
  const active = all.filter(set => replicasOf(set) > 0)
  const only = active.length === 0 ? (newSet ?? old.at(-1)) : active[0]
  if (active.length < 2) {
    if (only) scaleReplicaSet(world, only, replicas)
    return
  }
  if (newSet && isSaturated(deployment, newSet)) {
    for (const set of old) scaleReplicaSet(world, set, 0)
  } else if (deployment.spec.strategy?.type === 'RollingUpdate') {
    scaleInProportion(world, active)
  }
}

function scaleInProportion(world: World, active: readonly ReplicaSet[]): void {
  const deployment = deploymentIn(world)!
  const replicas = replicasOf(deployment)
  const allowed = replicas > 0 ? replicas + resolveFenceposts(deployment).maxSurge : 0
  const toAdd = allowed - sum(active.map(replicasOf))
  const byAge = toAdd > 0 ? [...active].reverse() : active
  const bySize = byAge.toSorted((a, b) => replicasOf(b) - replicasOf(a))
  let added = 0
  const sizes = bySize.map(set => {
    const rest = toAdd - added
    const share = rest === 0 ? 0 : fraction(deployment, set)
    const proportion = toAdd > 0 ? Math.min(share, rest) : Math.max(share, rest)
    added += proportion
    return replicasOf(set) + proportion
  })
  sizes[0] = Math.max(sizes[0]! + toAdd - added, 0)
  bySize.forEach((set, i) => scaleReplicaSet(world, set, sizes[i]!, true))
}

/** getReplicaSetFraction: how many pods a ReplicaSet gains or loses by a scaling. */
function fraction(deployment: Deployment, set: ReplicaSet): number {
  const replicas = replicasOf(deployment)
  const size = replicasOf(set)
  if (replicas === 0) return -size
  const max = replicas + resolveFenceposts(deployment).maxSurge
  const annotated = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? 0)
  const before = annotated || (deployment.status?.replicas ?? 0)
  return before === 0 ? 0 : Math.round((size * max) / before) - size
}

function isSaturated(deployment: Deployment, newSet: ReplicaSet): boolean {
  const replicas = replicasOf(deployment)
  const desired = Number(newSet.metadata.annotations?.[DESIRED_REPLICAS] ?? Number.NaN)
  const available = newSet.status?.availableReplicas ?? 0
  return [replicasOf(newSet), desired, available].every(count => count === replicas)
}

function rolloutRolling(world: World): void {
  getAllReplicaSetsAndSyncRevision(world, true)
  const scaled = reconcileNewReplicaSet(world) || reconcileOldReplicaSets(world)
  if (!scaled && isComplete(world)) cleanup(world, current(world).old)
  syncConditions(world, current(world), 'rollout')
}

function rolloutRecreate(world: World): void {
  const { old } = getAllReplicaSetsAndSyncRevision(world, false)
  const downs = old.filter(set => scaleReplicaSet(world, set, 0))
  if (downs.length === 0 && old.every(set => podsOf(world, set).length === 0)) {
    const { newSet } = getAllReplicaSetsAndSyncRevision(world, true)
    scaleReplicaSet(world, newSet!, replicasOf(deploymentIn(world)!))
    if (isComplete(world)) cleanup(world, old)
  }
  syncConditions(world, current(world), 'rollout')
}

function reconcileNewReplicaSet(world: World): boolean {
  const deployment = deploymentIn(world)!
  const { newSet, all } = current(world)
  const replicas = replicasOf(deployment)
  const size = replicasOf(newSet!)
  if (size >= replicas) return size > replicas && scaleReplicaSet(world, newSet!, replicas)
  const room = replicas + resolveFenceposts(deployment).maxSurge - sum(all.map(replicasOf))
  const up = Math.min(Math.max(room, 0), replicas - size)
  return scaleReplicaSet(world, newSet!, size + up)
}

function reconcileOldReplicaSets(world: World): boolean {
  const deployment = deploymentIn(world)!
  const { newSet, all, old } = current(world)
  if (sum(old.map(replicasOf)) === 0) return false
  const minAvailable = replicasOf(deployment) - resolveFenceposts(deployment).maxUnavailable
  const newUnavailable = replicasOf(newSet!) - availableOf(newSet!)
  const maxScaledDown = sum(all.map(replicasOf)) - minAvailable - newUnavailable
  if (maxScaledDown <= 0) return false

  const cleaned = cleanupUnhealthyReplicas(world, maxScaledDown)
  if (cleaned === undefined) return false
  // Those that had no pods asked for at first are left out, even if their status still counts some.
  const counted = new Set([newSet!, ...old.filter(replicasOf)].map(({ metadata }) => metadata.name))
  const left = current(world).all.filter(({ metadata }) => counted.has(metadata.name))
  const spare = sum(left.map(availableOf)) - minAvailable
  const downs = scaleDown(world, Math.max(spare, 0), replicasOf)
  return cleaned + downs > 0
}

/** Undefined: a ReplicaSet counts more available pods than it asks for, which ends the sync. */
function cleanupUnhealthyReplicas(world: World, most: number): number | undefined {
  let left = most
  for (const set of current(world).old) {
    if (left <= 0) break
    const unhealthy = replicasOf(set) - availableOf(set)
    if (replicasOf(set) === 0 || unhealthy === 0) continue
    if (unhealthy < 0) return undefined
    const down = Math.min(left, unhealthy)
    scaleReplicaSet(world, set, replicasOf(set) - down)
    left -= down
  }
  return most - left
}

/** Takes at most `most` pods from old ReplicaSets, oldest first, from each what `may` says. */
function scaleDown(world: World, most: number, may: (set: ReplicaSet) => number): number {
  let left = most
  for (const set of current(world).old) {
    const down = Math.min(left, may(set))
    if (down > 0) scaleReplicaSet(world, set, replicasOf(set) - down)
    left -= down
  }
  return most - left
}

function availableOf({ status }: ReplicaSet): number {
  return status?.availableReplicas ?? 0
}

/** Gives whether the size changed. `force`: the annotations are set although it does not. */
function scaleReplicaSet(world: World, set: ReplicaSet, size: number, force = false): boolean {
  const changes = replicasOf(set) !== size
  if (!changes && !force) return false
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deploymentIn(world)!) }
  const metadata = { ...set.metadata, annotations }
  store(world, 'sets', { ...set, metadata, spec: { ...set.spec, replicas: size } }, changes)
  return changes
}

function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = replicasOf(deployment)
  const { maxSurge } = resolveFenceposts(deployment)
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge) }
}

function isComplete(world: World): boolean {
  const { status, spec, metadata } = deploymentIn(world)!
  const { updatedReplicas, replicas, availableReplicas, observedGeneration = 0 } = { ...status }
  const all = [updatedReplicas, replicas, availableReplicas].every(n => n === (spec.replicas ?? 1))
  return all && observedGeneration >= (metadata.generation ?? 0)
}

function cleanup(world: World, old: readonly ReplicaSet[]): void {
  const extra = old.length - (deploymentIn(world)!.spec.revisionHistoryLimit ?? 10)
  const byRevision = old.toSorted((a, b) => revisionOf(a) - revisionOf(b))
  for (const set of byRevision.slice(0, Math.max(extra, 0))) {
    const { replicas = 0, observedGeneration = 0 } = { ...set.status }
    const seen = observedGeneration >= (set.metadata.generation ?? 0)
    if (replicas === 0 && replicasOf(set) === 0 && seen) removeSet(world, set)
  }
}

/** With its pods, which the garbage collector takes. */
function removeSet(world: World, set: ReplicaSet): void {
  for (const pod of podsOf(world, set)) remove(world, 'pods', pod.metadata.name)
  remove(world, 'sets', set.metadata.name)
}

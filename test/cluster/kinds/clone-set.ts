// How a CloneSet sizes and updates its pods: a partition says how many stay old, a surge comes first and
// new. Scaling goes before updating, and one pass does only one of the two.

import type { IntOrPercent } from '#api/kubernetes.ts'
import {
  amountOf,
  availableInMs,
  dispensableFirst,
  hasEnded,
  isReady,
  isTerminating,
  randomId,
  revisionOfPod,
  selectorText,
} from './pods.ts'
import type { NewPod, Plan, View } from './pods.ts'
import type { CloneSet, PlacedPod } from './resources.ts'

/** The next pass over a CloneSet. */
export function planCloneSet(view: View<CloneSet>): Plan {
  const scene = sceneOf(view)
  return { create: [], remove: [], ...nextWrites(view, scene), status: statusOf(view, scene) }
}

interface Scene {
  readonly replicas: number
  readonly partition: number
  readonly old: readonly PlacedPod[]
  readonly updated: readonly PlacedPod[]
  readonly active: readonly PlacedPod[]
  readonly isAvailable: (pod: PlacedPod) => boolean
}

function sceneOf({ workload, pods, update, now }: View<CloneSet>): Scene {
  const { replicas, minReadySeconds = 0, updateStrategy } = workload.spec
  const active = pods.filter(pod => !isTerminating(pod) && !hasEnded(pod))
  const isUpdated = (pod: PlacedPod) => revisionOfPod(pod) === update.name
  return {
    replicas,
    partition: oldPods(updateStrategy.partition, replicas),
    old: active.filter(pod => !isUpdated(pod)),
    updated: active.filter(isUpdated),
    active,
    isAvailable: pod => availableInMs(pod, minReadySeconds, now) === 0,
  }
}

/** How many pods a partition keeps old: percents round up, but only 100% keeps the last one. */
function oldPods(partition: IntOrPercent, replicas: number): number {
  const wanted = Math.min(Math.max(0, amountOf(partition, replicas, Math.ceil)), replicas)
  const everything = typeof partition === 'string' && wanted === replicas && partition !== '100%'
  return everything && replicas > 1 ? wanted - 1 : wanted
}

function nextWrites(view: View<CloneSet>, scene: Scene): Partial<Plan> {
  const { replicas, partition, old, active } = scene
  const { updateStrategy } = view.workload.spec
  const limits = limitsOf(view.workload, replicas)
  const demand = updateDemand(scene)
  const total = replicas + Math.min(limits.maxSurge, demand)
  const missing = total - active.length
  if (missing > 0) {
    const missingOld = Math.min(missing, Math.max(0, partition - old.length))
    const create = Array.from({ length: missing }, (_, i) => newPod(view, i < missingOld))
    return { create }
  }
  const spare = limits.maxUnavailable + active.length - replicas
  const remove = removable(scene, superfluous(scene, -missing), spare)
  if (remove.length > 0) return { remove }
  // One that is to be updated is removed; the next pass sees it missing, and makes it new.
  if (updateStrategy.paused || demand === 0) return {}
  return { remove: updatable(scene, dispensableFirst(old).slice(0, demand), spare) }
}

function limitsOf({ spec }: CloneSet, replicas: number) {
  const { maxUnavailable, maxSurge, paused } = spec.updateStrategy
  const surge = paused ? 0 : amountOf(maxSurge, replicas, Math.ceil)
  const round = surge === 0 ? Math.ceil : Math.floor
  return { maxSurge: surge, maxUnavailable: amountOf(maxUnavailable, replicas, round) }
}

/** How many old pods shall become new. More updated ones than wanted are left as they are. */
function updateDemand({ replicas, partition, old, updated }: Scene): number {
  return Math.max(0, Math.min(old.length - partition, replicas - partition - updated.length))
}

/** The pods that a smaller size leaves over: old ones as far as the partition allows, then new ones. */
function superfluous(scene: Scene, count: number): readonly PlacedPod[] {
  const { partition, old, updated } = scene
  const fewerOld = Math.min(count, Math.max(0, old.length - partition))
  return [
    ...dispensableFirst(old).slice(0, fewerOld),
    ...dispensableFirst(updated).slice(0, count - fewerOld),
  ]
}

/** Of these pods all that are not Ready, and as many Ready ones as may still get unavailable. */
function removable(
  { active, isAvailable }: Scene,
  pods: readonly PlacedPod[],
  spare: number,
): readonly PlacedPod[] {
  const left = Math.max(0, spare - active.filter(pod => !isAvailable(pod)).length)
  const ready = pods.filter(isReady).slice(0, left)
  return pods.filter(pod => !isReady(pod) || ready.includes(pod))
}

/** The same for an update, by who is available; too many unavailable new pods end it as well. */
function updatable(
  { active, updated, isAvailable }: Scene,
  pods: readonly PlacedPod[],
  spare: number,
): readonly PlacedPod[] {
  const room = (of: readonly PlacedPod[]) =>
    Math.max(0, spare - of.filter(pod => !isAvailable(pod)).length)
  const available = pods.filter(isAvailable).slice(0, room(active))
  return pods.filter(pod => !isAvailable(pod) || available.includes(pod)).slice(0, room(updated))
}

function newPod({ workload, current, update }: View<CloneSet>, isOld: boolean): NewPod {
  const id = randomId()
  const revision = isOld ? current : update
  const labels = {
    'apps.kruise.io/cloneset-instance-id': id,
    'controller-revision-hash': revision.name,
    'pod-template-hash': revision.hash,
  }
  return { name: `${workload.metadata.name}-${id}`, revision, labels }
}

function statusOf({ workload, current, update }: View<CloneSet>, scene: Scene): Plan['status'] {
  const { replicas, partition, active, updated, isAvailable } = scene
  const count = (pods: readonly PlacedPod[], fact: (pod: PlacedPod) => boolean) =>
    pods.filter(fact).length
  // Whether they are Ready is not asked.
  const complete = updated.length === active.length && active.length === replicas
  return {
    observedGeneration: workload.metadata.generation,
    replicas: active.length,
    readyReplicas: count(active, isReady),
    availableReplicas: count(active, isAvailable),
    updatedReplicas: updated.length,
    updatedReadyReplicas: count(updated, isReady),
    updatedAvailableReplicas: count(updated, isAvailable),
    expectedUpdatedReplicas: replicas - partition,
    updateRevision: update.name,
    currentRevision: complete ? update.name : current.name,
    labelSelector: selectorText(workload),
  }
}

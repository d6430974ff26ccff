// ReplicaSets make and kill pods, nodes make them Ready. Like the controller-manager's, this one
// counts the status over the pods that it found, so its numbers are a step behind what it did.

import type { ReplicaSet } from '#api/kubernetes.ts'
import { POD_TEMPLATE_HASH } from '#api/names.ts'
import { instantOf } from '#core/time.ts'
import type { PlacedPod as Pod } from '../cluster/kinds/resources.ts'
import { remove, store } from './api-server.ts'
import {
  forEachDeployment,
  isReady,
  kubeTime,
  podsOf,
  replicasOf,
  setsIn,
  versionOf,
} from './world.ts'
import type { World } from './world.ts'

/** One sync of every ReplicaSet. */
export function syncReplicaSets(world: World): void {
  forEachDeployment(world, () => {
    for (const set of setsIn(world)) syncReplicaSet(world, set)
  })
}

/** One sync of one ReplicaSet. */
export function syncReplicaSet(world: World, set: ReplicaSet): void {
  const pods = podsOf(world, set)
  const missing = replicasOf(set) - pods.length
  for (let i = 0; i < missing; i++) createPod(world, set)
  const victims = pods.toSorted(firstToGo).slice(0, Math.max(-missing, 0))
  for (const pod of victims) remove(world, 'pods', pod.metadata.name)

  const latest = world.now - (set.spec.minReadySeconds ?? 0) * 1000
  const status = {
    replicas: pods.length,
    readyReplicas: pods.filter(isReady).length,
    availableReplicas: pods.filter(pod => isReady(pod) && readySince(pod) <= latest).length,
    observedGeneration: set.metadata.generation ?? 0,
  }
  store(world, 'sets', { ...set, status }, false)
}

/** The oldest pods that can become Ready do so, as many as `count`. */
export function makeReady(world: World, count = Infinity): void {
  const able = [...world.pods.values()].filter(pod => !isReady(pod) && !isBroken(pod))
  for (const pod of able.slice(0, count)) {
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: kubeTime(world.now) }
    store(world, 'pods', { ...pod, status: { phase: 'Running', conditions: [ready] } }, false)
  }
}

/** A pod is killed by something that is not part of this. `which` counts round. */
export function killPod(world: World, which: number): void {
  const names = [...world.pods.keys()]
  const name = names[which % names.length]
  if (name !== undefined) remove(world, 'pods', name)
}

/** Pods of a version that were Ready are so no more, and never again. */
export function breakPods(world: World, version: string): void {
  const pods = setsIn(world).flatMap(set => (versionOf(set) === version ? podsOf(world, set) : []))
  for (const pod of pods) {
    const failed = { type: 'Ready', status: 'False', lastTransitionTime: kubeTime(world.now) }
    store(world, 'pods', { ...pod, status: { phase: 'Running', conditions: [failed] } }, false)
  }
}

function createPod(world: World, set: ReplicaSet): void {
  const { namespace = '', name, uid = '' } = set.metadata
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true }
  const labels = { ...set.spec.template.metadata?.labels }
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: `${name}-${world.version}`, labels, ownerReferences: [owner] },
    status: { phase: 'Pending' },
  }
  store(world, 'pods', pod, false)
}

/** Pods of a version with `broken` in its name never become Ready, nor do those on their way out. */
function isBroken({ metadata, spec, status }: Pod): boolean {
  const failed = status?.conditions?.some(
    ({ type, status: is }) => type === 'Ready' && is === 'False',
  )
  if (failed === true || metadata.deletionTimestamp !== undefined) return true
  const versions = [metadata.labels?.[POD_TEMPLATE_HASH], spec?.containers[0]?.image]
  return versions.some(version => version?.includes('broken'))
}

/** When a Ready pod became so. */
export function readySince({ status }: Pod): number {
  return instantOf(status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime)
}

/** Not Ready ones, then those that have been Ready for the shortest time, then the youngest. */
function firstToGo(a: Pod, b: Pod): number {
  if (isReady(a) !== isReady(b)) return isReady(a) ? 1 : -1
  if (isReady(a)) return readySince(b) - readySince(a)
  return age(b) - age(a)
}

function age({ metadata }: Pod): number {
  return instantOf(metadata.creationTimestamp)
}

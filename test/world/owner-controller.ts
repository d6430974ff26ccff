// The controllers of kinds that own their pods themselves. What they do next is what their stand-ins in a
// real cluster do: the plans are the same, and only the API server is another.

import type { ControllerRevision } from '#api/kubernetes.ts'
import { equalJson } from '#core/equal.ts'
import { podObject } from '../cluster/kinds/pods.ts'
import type { NewPod, Plan, View } from '../cluster/kinds/pods.ts'
import type { Node, Workload as Planned } from '../cluster/kinds/resources.ts'
import { revisionObject, revisionOf } from '../cluster/kinds/revisions.ts'
import type { Revision } from '../cluster/kinds/revisions.ts'
import { remove, store } from './api-server.ts'
import { endPod } from './controller.ts'
import { podsOf, workloadIn } from './world.ts'
import type { Workload, World } from './world.ts'

/** One sync by a plan; the names of its pods are ordinals, or made up. */
export function syncBy<W extends Planned>(plan: (view: View<W>) => Plan, ordinals: boolean) {
  return (world: World): void => {
    const workload = workloadIn(world)
    if (!workload) return
    const update = updateRevision(world, workload)
    const {
      create,
      remove: leaving,
      status,
    } = plan(viewOf(world, workload as unknown as W, update))
    for (const pod of leaving) endPod(world, pod)
    for (const pod of create) createPod(world, workload, pod, ordinals)
    const told = { ...workload.status, ...status }
    if (equalJson(told, workload.status)) return
    store(world, 'workloads', { ...workload, status: told }, false)
  }
}

/** Nodes end the oldest pods that are to go, as many as `count`. */
export function endPods(world: World, count = Infinity): void {
  const going = [...world.pods.values()].filter(
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  )
  for (const { metadata } of going.slice(0, count)) remove(world, 'pods', metadata.name)
}

function viewOf<W extends Planned>(world: World, workload: W, update: Revision): View<W> {
  const { currentRevision } = { ...(workload as { status?: { currentRevision?: string } }).status }
  return {
    workload,
    pods: podsOf(world, workload),
    current: revisionNamed(world, currentRevision) ?? update,
    update,
    nodes: nodesOf(world),
    now: world.now,
  }
}

function updateRevision(world: World, workload: Workload): Revision {
  const revision = revisionOf(workload as unknown as Planned)
  const all = [...world.revisions.values()]
  const newest = Math.max(0, ...all.map(each => each.revision))
  const known = world.revisions.get(revision.name)
  if (known && known.revision === newest) return revision
  const object = known ?? revisionObject(typeOf(world), workload, { ...revision, number: 0 })
  store(world, 'revisions', { ...object, revision: newest + 1 } as ControllerRevision, false)
  return revision
}

function revisionNamed(world: World, name: string | undefined): Revision | undefined {
  const found = world.revisions.get(name ?? '')
  if (!found) return undefined
  const { $patch: _, ...template } = { ...(found.data?.spec?.template as object) } as {
    readonly $patch?: string
  }
  const hash = found.metadata.name.slice(found.metadata.name.lastIndexOf('-') + 1)
  return { name: found.metadata.name, hash, template }
}

function nodesOf({ nodes }: World): readonly Node[] {
  return Array.from({ length: nodes }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `node-${String(i).padStart(2, '0')}` },
  }))
}

function createPod(world: World, workload: Workload, pod: NewPod, ordinals: boolean): void {
  // Letters: a number at the end of a name would be an ordinal.
  const letters = String(world.version).replaceAll(/\d/g, digit => 'bcdfghjklm'[Number(digit)]!)
  const name = ordinals ? pod.name : `${workload.metadata.name}-${letters}`
  const object = podObject(typeOf(world), workload, { ...pod, name })
  if (!world.pods.has(name))
    store(world, 'pods', { ...object, status: { phase: 'Pending' } }, false)
}

function typeOf({ kind: { adapter } }: World) {
  const { apiVersion, kind } = adapter
  return { apiVersion, kind }
}

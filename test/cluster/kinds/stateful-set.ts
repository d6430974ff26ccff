// How a StatefulSet of Kruise, and any kind of its shape, sizes and updates its pods: one ordinal at a time
// unless it is told otherwise, so that one pod which does not get Ready stops everything, the way back too.

import { amountOf, availableInMs, hasEnded, isReady, isTerminating } from './pods.ts'
import { revisionOfPod, selectorText } from './pods.ts'
import type { NewPod, Plan, View } from './pods.ts'
import type { PlacedPod, StatefulSetLike } from './resources.ts'
import type { Revision } from './revisions.ts'

type SetView = View<StatefulSetLike>

/** The next pass over a StatefulSet. */
export function planStatefulSet(view: SetView): Plan {
  const writes = { create: [], remove: [], ...nextWrites(sceneOf(view)) }
  return { ...writes, status: statusOf(view, writes) }
}

interface Scene {
  readonly view: SetView
  /** By ordinal, up to the size; undefined where there is none. */
  readonly slots: readonly (PlacedPod | undefined)[]
  /** Those beyond the size, by ordinal. */
  readonly condemned: readonly PlacedPod[]
  readonly ordered: boolean
  readonly isAvailable: (pod: PlacedPod) => boolean
}

function sceneOf(view: SetView): Scene {
  const { workload, pods, now } = view
  const { replicas, podManagementPolicy } = workload.spec
  const byOrdinal = new Map(pods.map(pod => [ordinalOf(pod), pod]))
  const minReadySeconds = minReadySecondsOf(workload)
  return {
    view,
    slots: Array.from({ length: replicas }, (_, ordinal) => byOrdinal.get(ordinal)),
    condemned: pods
      .filter(pod => ordinalOf(pod) >= replicas)
      .toSorted((a, b) => ordinalOf(a) - ordinalOf(b)),
    ordered: podManagementPolicy !== 'Parallel',
    isAvailable: pod => !isTerminating(pod) && availableInMs(pod, minReadySeconds, now) === 0,
  }
}

/** The minimum of ready seconds, which here is a matter of the update strategy. */
export function minReadySecondsOf({ spec }: StatefulSetLike): number {
  return spec.updateStrategy?.rollingUpdate?.minReadySeconds ?? 0
}

type Writes = Partial<Omit<Plan, 'status'>>

/** Each part that has something to do, or to wait for, keeps the later ones from their work. */
function nextWrites(scene: Scene): Writes {
  return filling(scene) ?? shrinking(scene) ?? { remove: updating(scene) }
}

function filling(scene: Scene): Writes | undefined {
  const ended = scene.slots.find(pod => pod && hasEnded(pod) && !isTerminating(pod))
  if (ended) return { remove: [ended] }
  if (scene.ordered) return fillingInOrder(scene)
  const create: NewPod[] = []
  for (const [ordinal, pod] of scene.slots.entries()) {
    if (!pod) create.push(newPod(scene.view, ordinal, create))
  }
  return create.length > 0 ? { create } : undefined
}

/** The first that is missing; one that is not available has to be waited for. */
function fillingInOrder({ view, slots, isAvailable }: Scene): Writes | undefined {
  const ordinal = slots.findIndex(pod => !pod || !isAvailable(pod))
  if (ordinal < 0) return undefined
  return slots[ordinal] ? {} : { create: [newPod(view, ordinal, [])] }
}

function shrinking({ slots, condemned, ordered, isAvailable }: Scene): Writes | undefined {
  const living = condemned.filter(pod => !isTerminating(pod))
  if (!ordered) return living.length > 0 ? { remove: living } : undefined
  const last = condemned.at(-1)
  if (!last) return undefined
  if (isTerminating(last)) return {}
  const unhealthy = [...slots, ...condemned].find(pod => pod && !isReady(pod))
  return isAvailable(last) || last === unhealthy ? { remove: [last] } : {}
}

function updating({ view, slots, isAvailable }: Scene): readonly PlacedPod[] {
  const { workload, update } = view
  const { type = 'RollingUpdate', rollingUpdate } = { ...workload.spec.updateStrategy }
  if (type !== 'RollingUpdate' || rollingUpdate?.paused) return []
  const { maxUnavailable = 1 } = { ...rollingUpdate }
  const limit = Math.max(1, amountOf(maxUnavailable, slots.length, Math.floor))
  const isNew = (pod: PlacedPod) => revisionOfPod(pod) === update.name
  const order = updateOrder(view, slots)
  const unavailable = order.filter(pod => !isNew(pod) || !isAvailable(pod))
  // Nothing is looked at beyond the one with which too many are unavailable.
  const last = unavailable[limit - 1]
  const seen = last ? order.slice(0, order.indexOf(last) + 1) : order
  return seen.filter(pod => !isNew(pod) && !isTerminating(pod))
}

/** The pods that may be new: from the highest ordinal down, or as many as there are without an order. */
function updateOrder({ workload, update }: SetView, slots: Scene['slots']): readonly PlacedPod[] {
  const { partition = 0, unorderedUpdate } = { ...workload.spec.updateStrategy?.rollingUpdate }
  const descending = slots.filter(pod => pod !== undefined).toReversed()
  if (!unorderedUpdate) return descending.filter(pod => ordinalOf(pod) >= partition)
  const begun = (pod: PlacedPod) => isTerminating(pod) || revisionOfPod(pod) === update.name
  const waiting = descending.filter(pod => !begun(pod))
  return [...descending.filter(begun), ...waiting].slice(0, Math.max(0, slots.length - partition))
}

function newPod(view: SetView, ordinal: number, before: readonly NewPod[]): NewPod {
  const name = `${view.workload.metadata.name}-${ordinal}`
  const revision = isOldAt(view, ordinal, before) ? view.current : view.update
  const labels = {
    'statefulset.kubernetes.io/pod-name': name,
    'controller-revision-hash': revision.name,
  }
  return { name, revision, labels }
}

/** A missing pod comes back old; `before` are those that come together with it. */
function isOldAt(
  { workload, pods, update }: SetView,
  ordinal: number,
  before: readonly NewPod[],
): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = { ...workload.spec.updateStrategy }
  if (type !== 'RollingUpdate') return false
  if (!rollingUpdate) return ordinal < (workload.status?.currentReplicas ?? 0)
  const { partition = 0, unorderedUpdate } = rollingUpdate
  if (!unorderedUpdate) return ordinal < partition
  const names = [...pods.map(revisionOfPod), ...before.map(({ revision }) => revision.name)]
  return names.filter(name => name !== update.name).length < partition
}

/** What is told counts the pods that come and go by the very pass, which ready ones are not yet. */
function statusOf(
  { workload, pods, current, update, now }: SetView,
  { create, remove }: Omit<Plan, 'status'>,
): Plan['status'] {
  const minReadySeconds = minReadySecondsOf(workload)
  const count = (fact: (pod: PlacedPod) => boolean) => pods.filter(fact).length
  const runs = (revision: Revision) => (pod: PlacedPod) =>
    !isTerminating(pod) && !remove.includes(pod) && revisionOfPod(pod) === revision.name
  const of = (revision: Revision) =>
    count(runs(revision)) + create.filter(pod => pod.revision.name === revision.name).length
  const isAvailable = (pod: PlacedPod) => availableInMs(pod, minReadySeconds, now) === 0
  const replicas = pods.length + create.length
  const [updatedReplicas, readyReplicas] = [of(update), count(isReady)]
  const { type = 'RollingUpdate' } = { ...workload.spec.updateStrategy }
  const everybody = updatedReplicas === replicas && readyReplicas === replicas
  const complete = everybody && type === 'RollingUpdate'
  return {
    observedGeneration: workload.metadata.generation,
    replicas,
    readyReplicas,
    availableReplicas: count(isAvailable),
    currentReplicas: complete ? updatedReplicas : of(current),
    updatedReplicas,
    updatedReadyReplicas: count(pod => runs(update)(pod) && isReady(pod)),
    updatedAvailableReplicas: count(pod => runs(update)(pod) && isAvailable(pod)),
    currentRevision: complete ? update.name : current.name,
    updateRevision: update.name,
    collisionCount: 0,
    labelSelector: selectorText(workload),
  }
}

function ordinalOf({ metadata }: PlacedPod): number {
  return Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1))
}

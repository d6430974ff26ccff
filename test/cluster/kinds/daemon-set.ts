// How a DaemonSet of Kruise covers its nodes and updates them: a partition says on how many nodes the pods
// stay old, and nodes are taken from the last name down. A pod that is missing always comes back new.

import type { ObjectMeta } from '#api/kubernetes.ts'
import { amountOf, availableInMs, hasEnded, isReady, isTerminating } from './pods.ts'
import { randomId, revisionOfPod } from './pods.ts'
import type { NewPod, Plan, View } from './pods.ts'
import type { KruiseDaemonSet, Node, PlacedPod } from './resources.ts'

type DaemonView = View<KruiseDaemonSet>

/** The next pass over a DaemonSet. */
export function planDaemonSet(view: DaemonView): Plan {
  const nodes = view.nodes.filter(node => isWanted(view.workload, node))
  const places = nodes.map(node => placeOf(view, node))
  const writes = covering(view, places) ?? updating(view, places)
  return { create: [], remove: [], ...writes, status: statusOf(view, places) }
}

/** What is on a node. */
interface Place {
  readonly node: Node
  /** None of these is terminating. */
  readonly old?: PlacedPod
  readonly updated?: PlacedPod
  readonly available: (pod: PlacedPod | undefined) => boolean
}

/** Its pods belong on the node: labels and taints say so. */
function isWanted({ spec }: KruiseDaemonSet, { metadata, spec: node }: Node): boolean {
  const { nodeSelector = {}, tolerations = [] } = (spec.template.spec ?? {}) as Placement
  const tolerated = (key: string) => tolerations.some(each => (each.key ?? key) === key)
  // What the node's own condition brings, daemons live with.
  const taints = (node?.taints ?? []).filter(({ key }) => !key.startsWith('node.kubernetes.io/'))
  return hasLabels(metadata, nodeSelector) && taints.every(({ key }) => tolerated(key))
}

interface Placement {
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly { readonly key?: string }[]
}

function hasLabels({ labels = {} }: ObjectMeta, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value)
}

function placeOf({ workload, pods, update, now }: DaemonView, node: Node): Place {
  const { minReadySeconds = 0 } = workload.spec
  const here = pods.filter(({ spec }) => spec?.nodeName === node.metadata.name)
  const living = here.filter(pod => !isTerminating(pod) && !hasEnded(pod))
  const [old] = living.filter(pod => revisionOfPod(pod) !== update.hash)
  const [updated] = living.filter(pod => revisionOfPod(pod) === update.hash)
  return {
    node,
    ...(old && { old }),
    ...(updated && { updated }),
    available: pod => pod !== undefined && availableInMs(pod, minReadySeconds, now) === 0,
  }
}

type Writes = Pick<Partial<Plan>, 'create' | 'remove'>

/** A pod for each node that has none, and none where none belongs. */
function covering(view: DaemonView, places: readonly Place[]): Writes | undefined {
  const { pods } = view
  const wanted = new Set(places.map(({ node }) => node.metadata.name))
  const stray = pods.filter(
    pod => !isTerminating(pod) && (hasEnded(pod) || !wanted.has(pod.spec?.nodeName ?? '')),
  )
  // One that is going still takes the room of the next.
  const taken = new Set(pods.map(({ spec }) => spec?.nodeName))
  const empty = places.filter(({ node }) => !taken.has(node.metadata.name))
  if (stray.length + empty.length === 0) return undefined
  return { remove: stray, create: empty.map(({ node }) => newPod(view, node)) }
}

function updating(view: DaemonView, places: readonly Place[]): Writes {
  const { type = 'RollingUpdate', rollingUpdate } = view.workload.spec.updateStrategy
  if (type !== 'RollingUpdate' || !rollingUpdate || rollingUpdate.paused) return {}
  const partition = amountOf(rollingUpdate.partition, places.length, Math.floor)
  const chosen = updateOrder(view, places).slice(0, Math.max(0, places.length - partition))
  const maxSurge = amountOf(rollingUpdate.maxSurge, places.length, Math.ceil)
  const unavailable = amountOf(rollingUpdate.maxUnavailable ?? 1, places.length, Math.ceil)
  if (maxSurge > 0) return surging(view, chosen, maxSurge)
  return { remove: replacing(chosen, Math.max(1, unavailable)) }
}

/** From the last name down: nodes that are new, then those where one is being replaced, then the others. */
function updateOrder({ workload }: DaemonView, places: readonly Place[]): readonly Place[] {
  const descending = places.toReversed()
  const { matchLabels = {} } = { ...workload.spec.updateStrategy.rollingUpdate?.selector }
  const updated = descending.filter(place => place.updated)
  const between = descending.filter(place => !place.updated && !place.old)
  const rest = descending.filter(
    place => !place.updated && place.old && hasLabels(place.node.metadata, matchLabels),
  )
  return [...updated, ...between, ...rest]
}

/** Old pods that may go: all unavailable ones, and of the available as many as may be missing. */
function replacing(places: readonly Place[], maxUnavailable: number): readonly PlacedPod[] {
  const missing = places.filter(({ old, updated, available }) => !old && !available(updated))
  const candidates = places.filter(({ old, updated }) => old && !updated)
  const idle = candidates.filter(({ old, available }) => !available(old))
  const serving = candidates.filter(({ old, available }) => available(old))
  const room = Math.max(0, maxUnavailable - missing.length)
  return [...idle, ...serving.slice(0, room)].flatMap(({ old }) => old ?? [])
}

/** A new pod beside the old one, which goes when the new one is available. */
function surging(view: DaemonView, places: readonly Place[], maxSurge: number): Writes {
  const both = places.filter(({ old, updated }) => old && updated)
  const done = both.filter(({ updated, available }) => available(updated))
  const candidates = places.filter(({ old, updated }) => old && !updated)
  const idle = candidates.filter(({ old, available }) => !available(old))
  const serving = candidates.filter(({ old, available }) => available(old))
  const room = Math.max(0, maxSurge - (both.length - done.length))
  return {
    remove: done.flatMap(({ old }) => old ?? []),
    create: [...idle, ...serving.slice(0, room)].map(({ node }) => newPod(view, node)),
  }
}

function newPod({ workload, update }: DaemonView, { metadata }: Node): NewPod {
  const name = `${workload.metadata.name}-${randomId()}`
  // No `pod-template-hash`, other than CloneSets.
  const labels = { 'controller-revision-hash': update.hash }
  return { name, revision: update, labels, nodeName: metadata.name }
}

function statusOf({ workload, update }: DaemonView, places: readonly Place[]): Plan['status'] {
  const count = (fact: (place: Place) => boolean) => places.filter(fact).length
  const ready = ({ old, updated }: Place) => [old, updated].some(pod => pod && isReady(pod))
  const numberAvailable = count(
    place => place.available(place.old) || place.available(place.updated),
  )
  return {
    observedGeneration: workload.metadata.generation,
    desiredNumberScheduled: places.length,
    currentNumberScheduled: count(({ old, updated }) => (old ?? updated) !== undefined),
    numberMisscheduled: 0,
    updatedNumberScheduled: count(({ updated }) => updated !== undefined),
    numberReady: count(ready),
    numberAvailable,
    numberUnavailable: places.length - numberAvailable,
    daemonSetHash: update.hash,
  }
}

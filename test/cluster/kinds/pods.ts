// What stand-ins know of pods, and the pods that they make.

import type { IntOrPercent, PodTemplate } from '#api/kubernetes.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Node, PlacedPod, Workload } from './resources.ts'
import { ownerReference, REVISION_HASH } from './revisions.ts'
import type { Revision } from './revisions.ts'

/** Everything one decision of a stand-in may look at. */
export interface View<W extends Workload> {
  readonly workload: W
  /** All that the workload controls, in whatever state they are. */
  readonly pods: readonly PlacedPod[]
  /** The stable revision: what pods below a partition come back with. */
  readonly current: Revision
  readonly update: Revision
  /** All nodes, by name. */
  readonly nodes: readonly Node[]
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A pod to be made. */
export interface NewPod {
  readonly name: string
  readonly revision: Revision
  readonly labels: Readonly<Record<string, string>>
  readonly nodeName?: string
}

/** What a stand-in does next, and what it tells of what it saw before. */
export interface Plan {
  readonly create: readonly NewPod[]
  readonly remove: readonly PlacedPod[]
  readonly status: Readonly<Record<string, unknown>>
}

/** The name of the revision that a pod runs; empty for one that nobody labelled. */
export function revisionOfPod({ metadata }: PlacedPod): string {
  return metadata.labels?.[REVISION_HASH] ?? ''
}

/** Somebody has asked for its end. */
export function isTerminating({ metadata }: PlacedPod): boolean {
  return metadata.deletionTimestamp !== undefined
}

/** It has ended by itself, for good. */
export function hasEnded({ status }: PlacedPod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded'
}

/** It runs, is Ready, and nobody has asked for its end. */
export function isReady(pod: PlacedPod): boolean {
  return !isTerminating(pod) && readySince(pod) !== undefined
}

/** In how many milliseconds a pod will be available; 0: it is, `Infinity`: not before it is Ready. */
export function availableInMs(pod: PlacedPod, minReadySeconds: number, now: number): number {
  const since = readySince(pod)
  if (since === undefined) return Infinity
  return Math.max(0, since + minReadySeconds * 1000 - now)
}

/** Those first that a controller can best do without: not Ready, cheap by annotation, young. */
export function dispensableFirst(pods: readonly PlacedPod[]): readonly PlacedPod[] {
  return pods.toSorted(
    (a, b) => Number(isReady(a)) - Number(isReady(b)) || costOf(a) - costOf(b) || ageOrder(b, a),
  )
}

/** Times are in seconds; of those made in the same one the version tells, well enough for a test. */
function ageOrder({ metadata: a }: PlacedPod, { metadata: b }: PlacedPod): number {
  const [from = '', to = ''] = [a.creationTimestamp, b.creationTimestamp]
  return from.localeCompare(to) || Number(a.resourceVersion) - Number(b.resourceVersion)
}

/** The object of a pod. */
export function podObject(
  type: Pick<ResourceType, 'apiVersion' | 'kind'>,
  workload: Pick<Workload, 'metadata'>,
  pod: NewPod,
): PlacedPod {
  const { metadata, spec } = pod.revision.template as Required<PodTemplate>
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: workload.metadata.namespace,
      name: pod.name,
      labels: { ...metadata.labels, ...pod.labels },
      annotations: metadata.annotations,
      ownerReferences: [ownerReference(type, workload)],
    },
    spec: {
      ...spec,
      ...(pod.nodeName !== undefined && { nodeName: pod.nodeName }),
    } as PlacedPod['spec'],
  } as PlacedPod
}

/** Five letters: a number at the end of a name would be an ordinal. */
export function randomId(): string {
  return Array.from({ length: 5 }, () => 'bcdfghjklm'[Math.floor(Math.random() * 10)]).join('')
}

/** A number, or a percent of all, in pods. */
export function amountOf(
  value: IntOrPercent | undefined,
  all: number,
  round: (x: number) => number,
): number {
  if (typeof value !== 'string') return value ?? 0
  return round((Number.parseInt(value, 10) * all) / 100)
}

/** The labels that a selector asks for, as `status.labelSelector` has them. */
export function selectorText({ spec }: Workload): string {
  const labels = Object.entries(spec.selector.matchLabels ?? {})
  return labels
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(',')
}

/** Since when a pod is Ready, in milliseconds since the epoch. */
function readySince({ status }: PlacedPod): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  if (status?.phase !== 'Running' || ready?.status !== 'True') return undefined
  return Date.parse(ready.lastTransitionTime ?? '')
}

function costOf({ metadata }: PlacedPod): number {
  return Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0)
}

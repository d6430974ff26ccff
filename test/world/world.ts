// A world small enough to trust: one workload with what it owns, one Rollout, and a clock that stands
// still until it is set. Everybody in it acts one step at a time, so that a test can
// let their steps come in any order.

import type {
  ControllerRevision,
  Deployment,
  KubeObject,
  PodTemplate,
  ReplicaSet,
} from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { Instant } from '#core/time.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { PlacedPod as Pod } from '../cluster/kinds/resources.ts'

/** The objects of one kind that are stored, or that a cache knows, by name. */
export type Stored<T> = ReadonlyMap<string, T>

/** A workload of any kind, and those that are made beside it. */
export interface Workload extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly template: PodTemplate }
  readonly status?: { readonly observedGeneration?: number }
}

/** What is stored, or what somebody knows of it. */
export interface Objects {
  workloads: Stored<Workload>
  sets: Stored<ReplicaSet>
  revisions: Stored<ControllerRevision>
  pods: Stored<Pod>
  rollouts: Stored<Rollout>
}

/** One kind of object. */
export type Kind = keyof Objects

/** An event on the workload. */
export interface Told {
  readonly reason: string
  readonly message: string
}

/** Everything there is. */
export interface World extends Objects {
  /** The Deployment at which the controller-manager looks. */
  focus: string
  /** Of which kind the workload is. */
  readonly kind: WorldKind
  /** Nodes that want a daemon. */
  nodes: number
  now: Instant
  /** By how many milliseconds the controller's clock is ahead of everybody else's. */
  skew: number
  /** Raised by every write: the next resourceVersion. */
  version: number
  /** Kruise Rollouts runs here as well. */
  kruiseRuns: boolean
  /** The API server knows where to call for admission. */
  registered: boolean
  /** Admission did not take the controller's last hold. */
  holdRefused: boolean
  /** The webhook answers. */
  webhook: boolean
  /** What becomes of a write for which the webhook does not answer. */
  failurePolicy: 'Fail' | 'Ignore'
  /** The API server has the policy that catches what the webhook does not answer. */
  policy: boolean
  /** What the controller knows: each kind as it was at some moment. */
  cache: Objects
  /** Pods that the controller has deleted, and knows of it. */
  deleted: ReadonlySet<string>
  /** When the controller wants to look again, if nothing happens before. */
  dueAt: Instant | undefined
  /** The controller's patience with a write that did not take. */
  repeats: { readonly times: number; readonly next: Instant }
  /** The controller's writes so far, in words. */
  did: string[]
  /** Warnings that people have been given. */
  warnings: string[]
  /** Events on the workload by their key. */
  events: ReadonlyMap<string, Told>
}

/** One kind of workload in this world. */
export interface WorldKind {
  /** In the style that every kind has. */
  readonly adapter: WorkloadAdapter
  /** The object with what the API server fills in. */
  readonly withDefaults: (object: Workload) => Workload
  /** Why the API server refuses the object; undefined: it does not. */
  readonly problem: (object: Workload) => string | undefined
  /** To the API server an annotation is a change like any other, and a new generation. */
  readonly countsAnnotations: boolean
  /** The write changes what holds the workload: the policy keeps it. */
  readonly loosens: (object: Workload, before: Workload) => boolean
  /** How many pods there are to be. */
  readonly size: (world: World) => number
  /** There are to be so many pods from now on, by somebody whom admission never sees. */
  readonly resize: (world: World, size: number) => void
  /** What its owner writes who pauses or resumes it, below `spec`; absent: it knows no pause. */
  readonly paused?: (object: Workload, paused: boolean) => object
  readonly sides: (world: World) => readonly Side[]
  /** Its own controller acts once. */
  readonly sync: (world: World) => void
  /** Who carries out what that asks for acts once: ReplicaSets, or nodes that end pods. */
  readonly carryOut: (world: World) => void
  /** How long the pod must be Ready for whoever made it to count it. */
  readonly waitMs: (world: World, pod: Pod) => number
}

/** Names in every world. */
export const NAMESPACE = 'shop'
export const WORKLOAD = 'web'
export const ROLLOUT = 'web-rollout'

/** The API server refused a write. */
export class Refused extends Error {}

/** Somebody else has written since the object was read. */
export class Conflict extends Refused {}

/** A world in which nothing has been made yet. */
export function emptyWorld(kind: WorldKind): World {
  return {
    ...noObjects(),
    focus: WORKLOAD,
    kind,
    nodes: 0,
    now: Date.parse('2026-01-01T00:00:00Z'),
    skew: 0,
    version: 1,
    kruiseRuns: false,
    registered: true,
    holdRefused: false,
    webhook: true,
    failurePolicy: 'Ignore',
    policy: true,
    cache: noObjects(),
    deleted: new Set(),
    dueAt: undefined,
    repeats: { times: 0, next: 0 },
    did: [],
    warnings: [],
    events: new Map(),
  }
}

function noObjects(): Objects {
  const none = new Map()
  return { workloads: none, sets: none, revisions: none, pods: none, rollouts: none }
}

/** The workload. */
export function workloadIn({ workloads }: Objects): Workload | undefined {
  return workloads.get(WORKLOAD)
}

/** The workload where it is a Deployment; for the controller-manager the one at which it looks. */
export function deploymentIn(objects: Focused): Deployment | undefined {
  return objects.workloads.get(focusOf(objects)) as Deployment | undefined
}

type Focused = Pick<Objects, 'workloads'> & Partial<Pick<World, 'focus'>>

function focusOf({ focus = WORKLOAD }: Focused): string {
  return focus
}

/** One after the other, the workload and what is made beside it. */
export function forEachDeployment(world: World, act: (world: World) => void): void {
  for (const name of world.workloads.keys()) {
    world.focus = name
    act(world)
  }
  world.focus = WORKLOAD
}

/** The Deployments that are made beside the other one. */
export function besideIn(objects: Objects): readonly Workload[] {
  const uid = workloadIn(objects)?.metadata.uid
  return [...objects.workloads.values()].filter(each => ownerOf(each) === uid && uid !== undefined)
}

/** The Rollout. */
export function rolloutIn({ rollouts }: Objects): Rollout | undefined {
  return rollouts.get(ROLLOUT)
}

/** The ReplicaSets of the Deployment, oldest first, as the controller-manager sorts them. */
export function setsIn(objects: Objects & Focused, name = focusOf(objects)): readonly ReplicaSet[] {
  const uid = objects.workloads.get(name)?.metadata.uid
  return [...objects.sets.values()].filter(set => ownerOf(set) === uid).toSorted(byAge)
}

/** The pods of a ReplicaSet, or of a workload that owns its pods itself. */
export function podsOf({ pods }: Objects, set: KubeObject): readonly Pod[] {
  return [...pods.values()].filter(pod => ownerOf(pod) === set.metadata.uid)
}

/** A pod has its condition Ready. */
export function isReady({ status }: Pod): boolean {
  return (
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
  )
}

/** The image tag of a template: its version. */
export function versionOf({ spec }: Workload | ReplicaSet): string {
  const containers = spec.template.spec?.['containers'] as readonly { readonly image: string }[]
  return containers[0]?.image.split(':')[1] ?? ''
}

/** The pods of one version. */
export interface Side {
  readonly version: string
  /** As many as there are to be. */
  readonly replicas: number
  /** Those that are there and Ready. */
  readonly ready: readonly Pod[]
}

/** The versions of the workload, oldest first where somebody says so. */
export function sidesIn(world: World): readonly Side[] {
  return world.kind.sides(world)
}

/** Pods that are to be there, by version. */
export function wanted(world: World): Readonly<Record<string, number>> {
  const sides = sidesIn(world).filter(({ replicas }) => replicas > 0)
  return Object.fromEntries(sides.map(({ version, replicas }) => [version, replicas]))
}

/** Ready pods of the workload, by version. */
export function readyByVersion(world: World): Readonly<Record<string, number>> {
  const ready = sidesIn(world).map(side => [side.version, side.ready.length] as const)
  return Object.fromEntries(ready.filter(([, count]) => count > 0))
}

/** Ready pods of the workload. */
export function readyPods(world: World): number {
  return sum(Object.values(readyByVersion(world)))
}

/** What an object asks for; the API server fills in 1. */
export function replicasOf({ spec }: Workload | ReplicaSet): number {
  return spec.replicas ?? 1
}

/** The sum of numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

/** A time in whole seconds, rounded down as Kubernetes writes it. */
export function kubeTime(now: Instant): string {
  return new Date(Math.floor(now / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

function ownerOf({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller)?.uid
}

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [older, newer] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (older !== newer) return older < newer ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

// What the simulated world must know of a kind of workload: the part of the API server, of the kind's
// own controller, and of whoever carries out what that asks for.

import type { Pod } from '#api/kubernetes.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { Side, Workload, World } from './world.ts'

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

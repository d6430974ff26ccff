// What a history must know of the workload that it is about. The laws are the same for all; a kind says
// what its owner writes, what is promised by that, and where a law cannot be asked.

import type { Change } from '#core/change.ts'
import type { Decision, Snapshot } from '#core/rollout/model.ts'
import type { ReplicaSetFacts, WorkloadFacts } from '../cluster/chronicle-facts.ts'
import type { Canary, Strategy as Style } from '../world/people.ts'
import type { World, WorldKind } from '../world/world.ts'

/** One look of the controller that has led to a decision. */
export interface Looked {
  readonly snapshot: Snapshot
  readonly decision: Decision
}

/** One kind of workload, released in one style. */
export interface Subject {
  readonly kind: WorldKind
  /** In place unless given. */
  readonly style?: Style
  readonly canary?: Canary
  /** The strategies that its owners have, as parts of `spec`; by the first three they change theirs. */
  readonly strategies: readonly object[]
  /** What its owner has of all that a hold touches, as it is stored. */
  readonly values: (world: World) => object
  /** That, as he wants it who has that strategy. */
  readonly wish: (strategy: object, minReadySeconds: number) => object
  /** Admission knows how many pods there are. */
  readonly isTold: (world: World) => boolean
  readonly facts: (world: World) => WorkloadFacts
  readonly sets: (world: World) => readonly ReplicaSetFacts[]
  /** How far the pods of a version have spread, in a number that grows with each that comes. */
  readonly spread: (world: World, version: string) => number
  /** That number where as many of all are new as may be. */
  readonly spreadMost: (most: number, replicas: number) => number
  /** Nobody's write makes pods come new now that nobody asked for. */
  readonly isShared: (world: World) => boolean
  /** The law of Ready pods can be asked of what happens next. */
  readonly isCounted: (world: World) => boolean
  /** What the controller has seen is what there is. */
  readonly isSeen: (world: World) => boolean
  /** Ready pods that are to stay. */
  readonly keptReady: (world: World) => number
  /** Those of them that have been Ready for so long that they count. */
  readonly keptAvailable: (world: World, minReadySeconds: number) => number
  /** The Ready pods that a strategy promises; `proportional`: a scaling has come since the last hold. */
  readonly promisedReady: (world: World, strategy: object, proportional: boolean) => number
  /** No write lets out more pods than the step wants. */
  readonly checkWrites: (looked: Looked, written: readonly Change[]) => void
  /** All have come to rest: what is told is so. */
  readonly checkTruth?: (world: World) => void
  /** For the log. */
  readonly fields: (world: World) => string
}

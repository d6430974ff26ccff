// What the core must know about one kind of workload, and the only place where kinds differ.

import type { KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
import type { Move } from '../move.ts'
import type { KindRef } from '../ref.ts'
import type { Style } from '../style.ts'
import type { Instant } from '../time.ts'
import type { Catch } from './catch.ts'
import type { Hold } from './hold.ts'
import type { Workload, WorkloadAction } from './model.ts'
import type { HoldRecord, OwnerValues } from './record.ts'
import type { PodVersion } from './pod-version.ts'
import type { Owned, WorkloadSeen } from './seen.ts'

/** What an edit wants of its first wave. */
export interface FirstAim {
  /** New pods, in the words of the step. */
  readonly pods: Hold['pods']
  /** Pods of the very version may run already; how many is not known. They count. */
  readonly mayRun: boolean
}

/**
 * How a kind is held in its own fields, for admission. `project` and `restore` are idempotent and touch
 * nothing but the hold fields.
 */
export interface WorkloadFields<O extends KubeObject = KubeObject> {
  /** What stock clients make of one that is held; undefined: all of them wait for the end. */
  readonly deceived?: string
  /** Why new pods cannot go back while the template stays; undefined: an abort brings them back. */
  readonly noAbort?: string
  /** Pods that it is to have. */
  replicas(object: O): number
  /** Equal for two objects exactly when they are the same version. */
  fingerprint(object: O): string
  /** Its own controller has left nobody at an older version. */
  settled(object: O): boolean
  /** Its fields are those of a hold, whether it has one or not. */
  armed(object: O): boolean
  /** Why the object cannot be held as its owner wants it; undefined if it can. */
  unholdable(owner: OwnerValues, object: O): string | undefined
  /** Why nobody is replaced by the owner's values, which stand at once, held or not; undefined: some are. */
  restsBy?(owner: OwnerValues): string | undefined
  /** Why the API server would refuse the owner's values; undefined if it would not. */
  invalid(owner: OwnerValues): string | undefined
  /** The owner's wish by a write to a workload that is not held; `before` is undefined at creation. */
  ownerOfFree(incoming: O, before?: O): OwnerValues
  /** The owner's wish by a write to a held workload. */
  ownerOfHeld(incoming: O, hold: Hold, record: HoldRecord): OwnerValues
  /** The owner's wish as it is recorded; the API's defaults where somebody has damaged it. */
  recordedOwner(record: HoldRecord): OwnerValues
  /** How far the very edit of `before` may go. */
  firstWave(
    before: O,
    object: O,
    owner: OwnerValues,
    aim: FirstAim,
  ): Pick<Hold, 'mode' | 'budget' | 'surge'>
  /** The hold with what it sets on the object, where that could be taken for the owner's own value. */
  noted(hold: Hold, object: O, owner: OwnerValues): Hold
  /** The most new pods that the hold lets run. */
  most(object: O, hold: Hold): number
  /** The hold of a workload that is to stand still: pods beyond its size stay, whatever they run. */
  keepingAll<T extends Pick<Hold, 'surge'>>(hold: T, before: O, object: O): T
  /** The most pods that will run at a time while `n` are let out. */
  peak(object: O, owner: OwnerValues, n: number): number
  /**
   * What its owner is told of such a release: what it costs, what its hold cannot keep; a line each.
   * `mayRun`: pods of the very version may run already.
   */
  caveats(owner: OwnerValues, mayRun: boolean): readonly string[]
  /** Pods of another new version keep those of the edit of `before`, which begins with `hold`, from starting. */
  noSide?(before: O, hold: Hold, mayRun: boolean): boolean
  project(object: O, hold: Hold, owner: OwnerValues): O
  restore(object: O, owner: OwnerValues): O
  /** The fields stand as the hold says. */
  projected(object: O, hold: Hold, owner: OwnerValues): boolean
  /** The owner has paused the workload. */
  paused(owner: OwnerValues): boolean
  /** The owner's values, not paused. */
  unpaused(owner: OwnerValues): OwnerValues
  /** The object as the policy in the API server holds it. */
  caught(object: O): O
  /** What the object says in the field by which the policy holds it, in a word. */
  carries(object: O): string
  /** A caught object with what the word says, unless somebody has changed that field since. */
  asCarried(object: O, word: string): O
  /** What the word says, as a merge patch of `spec`. */
  carriedSpec(word: string): OwnerValues
}

/** What leaving asks of a kind: what becomes of its pods once it is given back. */
export interface WorkloadLeaving<O extends KubeObject = KubeObject> {
  /** Its pods, and the new ones of them, as its own controller counts; undefined: ReplicaSets tell. */
  counted(object: O): Pick<Workload, 'total' | 'updated'> | undefined
  /** Pods that its owner himself keeps at an older version. */
  kept(object: O, owner: OwnerValues): number
  /** How pods become new by what the owner wants. */
  strategyInWords(object: O, owner: OwnerValues): string
  /** The owner's values where they are lost: the API's defaults in place of what is ours. */
  guessedOwner(object: O): OwnerValues
}

/**
 * One kind of workload in one style: its objects `O`, what is kept of them `S`, what is observed `W`. A
 * workload that nobody holds is the same for every style of its kind. Pure.
 */
export interface WorkloadAdapter<
  O extends KubeObject = KubeObject,
  S extends WorkloadSeen = WorkloadSeen,
  W extends Workload = Workload,
>
  extends KindRef, WorkloadFields<O>, WorkloadLeaving<O> {
  readonly style: Style
  /** How its pods tell which version they run. */
  readonly podVersion: PodVersion
  /** The stable template that returns can go out by the steps. */
  readonly rollsBackInSteps?: true
  /** Why its kind cannot be released in a style, and what to write instead, where there is more to say. */
  readonly lacks?: Readonly<Partial<Record<Style, string>>>
  /** How it is held while nobody of ours answers. */
  readonly catch: Catch
  /** Others in which the API server serves the same objects, and in which a Rollout may name them. */
  readonly otherVersions?: readonly string[]
  /** The merge patch by which its owner resumes one that he has paused; undefined: `rollout resume` does. */
  readonly resumedBy?: MergePatch
  /** Name of the workload that is made for its release; undefined where none is. */
  besideName?(seen: S): string | undefined
  /** What is kept of an object while nobody looks; `before` is what was kept of it so far. */
  see(object: O, before?: S): S
  /** The workload in words that mean the same for every kind. */
  observe(seen: S, owned: Owned, now: Instant): W
  /** What to do so that what the action wishes becomes true; undefined when it is. */
  move(workload: W, action: WorkloadAction, now: Instant): Move | undefined
}

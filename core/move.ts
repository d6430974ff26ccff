// What is done next, as data: the writes of one moment, and what is waited for.

import type { FinalisingStep } from '#api/rollout.generated.ts'
import type { Change } from './change.ts'
import type { ScriptCall } from './script.ts'
import type { Instant } from './time.ts'

/** The next thing to do on the way to a target. */
export interface Move {
  readonly changes: readonly Change[]
  /** Shown to the user while the target is not reached. */
  readonly why: string
  /** Look again then, if no event comes first. */
  readonly requeueAt?: Instant
  /** New pods are waited for to be Ready; whatever is there beyond those that are wanted stays. */
  readonly surplusStays?: true
  /** The same write as before, which did not take: more of them would not help. */
  readonly again?: true
  /** Nothing moves until somebody acts. */
  readonly blocked?: true
  /** The API's name of it, where it brings requests home. */
  readonly task?: FinalisingStep
  /** The next decision needs its answer. */
  readonly run?: ScriptCall
}

/** A write that the API server refuses for what it is: a right is missing, or somebody's policy is against it. */
export interface RefusedWrite {
  /** Which one, as `wordsOf` tells. */
  readonly write: string
  /** In the API server's words. */
  readonly why: string
}

/** One reason to act, or to wait; undefined: it has nothing to say. */
export type Rule<W, T> = (w: W, target: T) => Move | undefined

/** What the first rule says that has something to say. */
export function firstMove<W, T>(rules: readonly Rule<W, T>[], w: W, target: T): Move | undefined {
  for (const rule of rules) {
    const move = rule(w, target)
    if (move) return move
  }
  return undefined
}

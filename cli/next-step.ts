// What is done next to give a workload back.

import type { KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '#core/change.ts'
import type { Instant } from '#core/time.ts'

/** What is to be done next. */
export type Step =
  | { readonly type: 'write'; readonly object: Observed; readonly patch: MergePatch }
  | { readonly type: 'delete'; readonly object: Observed }
  /** The controller-manager has not seen the object as it is now. */
  | { readonly type: 'wait'; readonly object: Observed }
  /** Something is to be seen on one of these, or a time is to pass. */
  | {
      readonly type: 'await'
      readonly objects: readonly KubeObject[]
      readonly why: string
      readonly until?: Instant
      /** Pods whose coming and going is waited for. */
      readonly pods?: PodsAwaited
    }

/** An object whose own controller says which generation it has seen. */
export interface Observed extends KubeObject {
  readonly status?: { readonly observedGeneration?: number }
}

/** They take as long as their owner says that they may. */
export interface PodsAwaited {
  /** So many are still to come or to go: fewer is progress. */
  readonly left: number
  /** So long without progress there is hope. */
  readonly patienceMs: number
}

// A write to a workload, as admission judges it.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '../rollout/model.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import type { Hold } from '../workload/hold.ts'
import type { HoldRecord } from '../workload/record.ts'

/** One write to a workload, and what is known beside it. */
export interface WorkloadReview {
  /** That of the hold that stands, if there is one. */
  readonly adapter: WorkloadAdapter
  readonly object: KubeObject
  /** The object so far; undefined when it is being created. */
  readonly before?: KubeObject
  /** The Rollout that guards the workload. */
  readonly rollout?: Rollout
  /** What that says at rest of requests that cannot be moved. */
  readonly blocked?: string
  /** The write comes from our controller. */
  readonly fromController: boolean
}

/** A review, and which versions it is about. A large template takes long to tell: once is enough. */
export interface Review extends WorkloadReview {
  readonly version: string
  readonly versionBefore: string
}

/** A write to a workload that is held. */
export interface Held extends Review {
  readonly before: KubeObject
  readonly hold: Hold
  readonly record: HoldRecord
}

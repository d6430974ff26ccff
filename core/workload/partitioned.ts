// A kind of the shape of a StatefulSet: held by its partition.

import type { KindRef, WorkloadAdapter } from './adapter.ts'
import { movesWith, restore } from './moves.ts'
import { partitionCatch } from './partition-catch.ts'
import { partitionFields } from './partition-fields.ts'
import type { Partitioned } from './partition-fields.ts'
import { partitionLeaving } from './partition-leaving.ts'
import { abort, advance, keep, unblock } from './partition-rules.ts'
import { seePartitioned, viewPartitioned } from './partition-view.ts'
import type { PartitionSeen, PartitionWorkload } from './partition-view.ts'

/**
 * The adapter of a kind with `spec.replicas`, `spec.template`, `updateStrategy.rollingUpdate.partition`,
 * the status of a StatefulSet, and pods that carry their revision.
 */
export function partitioned({
  apiVersion,
  kind,
  plural,
}: KindRef): WorkloadAdapter<Partitioned, PartitionSeen, PartitionWorkload> {
  const ref = { apiVersion, kind }
  return {
    ...partitionFields,
    ...partitionLeaving,
    ...ref,
    plural,
    style: 'partition',
    catch: partitionCatch,
    see: seePartitioned,
    observe: (seen, owned, now) => viewPartitioned(ref, seen, owned, now),
    move: movesWith<PartitionWorkload>({
      advance: (w, { pods }, now) => advance(w, pods, now),
      keep: (w, _, now) => keep(w, now),
      abort: (w, _, now) => abort(w, now),
      // It has no condition that its clients look at.
      tellAborted: () => undefined,
      rest: w => restore(w),
      unblock: w => unblock(w),
    }),
  }
}

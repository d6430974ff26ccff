// `apps/v1` StatefulSet: held by its partition.

import type { WorkloadAdapter } from './adapter.ts'
import { movesWith, restore } from './moves.ts'
import { partitionFields } from './partition-fields.ts'
import type { Partitioned } from './partition-fields.ts'
import { partitionLeaving } from './partition-leaving.ts'
import { abort, advance, keep, unblock } from './partition-rules.ts'
import { seePartitioned, viewPartitioned } from './partition-view.ts'
import type { PartitionSeen, PartitionWorkload } from './partition-view.ts'

const ref = { apiVersion: 'apps/v1', kind: 'StatefulSet' } as const

export const statefulSet: WorkloadAdapter<Partitioned, PartitionSeen, PartitionWorkload> = {
  ...partitionFields,
  ...partitionLeaving,
  ...ref,
  plural: 'statefulsets',
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

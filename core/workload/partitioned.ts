// The adapter of any kind that is held by a partition, made of what the kind differs in.

import { defined } from '../defined.ts'
import type { WorkloadAdapter } from './adapter.ts'
import { movesWith, restore } from './moves.ts'
import { partitionCatch } from './partition-catch.ts'
import { partitionFields } from './partition-fields.ts'
import type { PartitionKind } from './partition-kind.ts'
import { partitionLeaving } from './partition-leaving.ts'
import type { Partitioned } from './partition-object.ts'
import { abort, advance, keep, unblock } from './partition-rules.ts'
import { seePartitioned, viewPartitioned } from './partition-view.ts'
import { byRevision } from './pod-version.ts'
import type { PartitionSeen, PartitionWorkload } from './partition-view.ts'

/** The adapter of a kind with a partition. */
export type PartitionAdapter = WorkloadAdapter<Partitioned, PartitionSeen, PartitionWorkload>

/** Makes the adapter of a kind. */
export function partitioned(kind: PartitionKind): PartitionAdapter {
  const { apiVersion, plural, otherVersions = [], place, podVersion = byRevision } = kind
  const fields = partitionFields(kind)
  return {
    ...fields,
    ...partitionLeaving(kind, fields),
    apiVersion,
    otherVersions,
    kind: kind.kind,
    plural,
    podVersion,
    ...defined({ rollsBackInSteps: kind.rollsBackInSteps, lacks: kind.lacks }),
    style: 'partition',
    catch: partitionCatch(kind, fields),
    resumedBy: { spec: place.patch({ paused: false }) },
    see: (object, before) => seePartitioned({ kind, fields }, object, before),
    observe: (seen, { pods }, now) => viewPartitioned(kind, seen, pods, now),
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

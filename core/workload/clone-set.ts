// `apps.kruise.io` CloneSet: held by its partition, a number or a share of pods that stay old, whichever
// they are. A share follows a scaling, a number does not: so it is a share wherever one says it exactly.

import type { IntOrPercent } from '#api/kubernetes.ts'
import { NOBODY } from './partition-fields.ts'
import { replicaCounts } from './partition-kind.ts'
import { replicasOf } from './partition-object.ts'
import { byCount } from './partition-orders.ts'
import { inStrategy } from './partition-places.ts'
import { partitioned } from './partitioned.ts'
import { mark, pods } from './percent.ts'
import { byEndOfRevision } from './pod-version.ts'
import { takenForFinished } from './stock-clients.ts'

export const cloneSet = partitioned({
  apiVersion: 'apps.kruise.io/v1alpha1',
  kind: 'CloneSet',
  plural: 'clonesets',
  deceived: takenForFinished,
  lacks: {
    blueGreen:
      'a CloneSet cannot keep two sides: Kruise makes a new pod for an old one that is evicted, or ' +
      'none, with nobody of ours alive; write `canary` instead of `blueGreen`',
  },
  place: inStrategy,
  // All of its types replace pods, or change them where they are.
  restsBy: [],
  size: replicasOf,
  old: oldPods,
  partitionFor,
  limits({ maxUnavailable = '20%', maxSurge = 0 }, size) {
    const surge = pods(maxSurge, size, Math.ceil)
    const round = surge === 0 ? Math.ceil : Math.floor
    return { maxUnavailable: pods(maxUnavailable, size, round), maxSurge: surge }
  },
  counts: replicaCounts,
  order: () => byCount,
  rollsBackInSteps: true,
  waits: () => false,
  // With a gate of Kruise pods carry only the hash, which is the end of the name.
  revisionOf: (label, workload) => (label.includes('-') ? label : `${workload}-${label}`),
  podVersion: byEndOfRevision,
})

/** A share rounds up; only the whole one keeps the last pod old, where there is more than one. */
function oldPods(partition: IntOrPercent, size: number): number {
  const old = Math.min(pods(partition, size, Math.ceil), size)
  const all = typeof partition === 'string' && partition !== '100%' && old === size
  return all && size > 1 ? old - 1 : old
}

function partitionFor(old: number, size: number): IntOrPercent {
  if (old >= size) return size === 0 ? old : NOBODY
  const share = mark(`${Math.floor((old * 100) / size)}%`)
  return oldPods(share, size) === old ? share : old
}

// What leaving says of a kind with a partition. It owns its pods itself, and its own controller counts them.

import { defined } from '../defined.ts'
import type { WorkloadFields, WorkloadLeaving } from './adapter.ts'
import { keptBy, ownPartition, restingBy } from './partition-fields.ts'
import type { PartitionKind } from './partition-kind.ts'
import type { Partitioned } from './partition-object.ts'

/** That part of the adapter of a kind with a partition. */
export function partitionLeaving(
  kind: PartitionKind,
  fields: WorkloadFields<Partitioned>,
): WorkloadLeaving<Partitioned> {
  return {
    counted({ metadata, status }) {
      const { observedGeneration = 0 } = { ...status }
      const { replicas, updated } = kind.counts({ ...status })
      // Until it has seen an edit, those that it calls new are of the version before.
      const seen = observedGeneration >= (metadata.generation ?? 0)
      return { total: replicas, updated: seen ? updated : 0 }
    },
    kept(object, owner) {
      const size = kind.size(object)
      return restingBy(kind, owner) === undefined ? keptBy(kind, owner, size) : size
    },
    strategyInWords(object, owner) {
      const type = restingBy(kind, owner)
      if (type !== undefined) return `its own strategy ${type}`
      const block = { ...kind.place.blockOf(object.spec.updateStrategy) }
      const { maxUnavailable = kind.limits(block, kind.size(object)).maxUnavailable } = block
      const partition = ownPartition(kind, owner) ?? 0
      return `its own strategy (partition ${partition}, maxUnavailable ${maxUnavailable})`
    },
    guessedOwner(object) {
      const partition = fields.armed(object) ? '0' : fields.carries(object)
      const { updateStrategy } = fields.carriedSpec(partition)
      const { type } = { ...object.spec.updateStrategy }
      return { updateStrategy: { ...defined({ type }), ...(updateStrategy as object) } }
    },
  }
}

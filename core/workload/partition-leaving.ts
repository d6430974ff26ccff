// What leaving says of a kind with a partition. It owns its pods itself, and its own controller counts them.

import { defined } from '../defined.ts'
import type { WorkloadLeaving } from './adapter.ts'
import { asPartitionOwner, ownPartition, partitionFields } from './partition-fields.ts'
import type { Partitioned } from './partition-fields.ts'

export const partitionLeaving: WorkloadLeaving<Partitioned> = {
  counted({ metadata, status }) {
    const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = { ...status }
    // Until it has seen an edit, those that it calls new are of the version before.
    const seen = observedGeneration >= (metadata.generation ?? 0)
    return { total: replicas, updated: seen ? updatedReplicas : 0 }
  },
  kept({ spec }, owner) {
    const { replicas = 1 } = spec
    if (partitionFields.unholdable(owner) !== undefined) return replicas
    return Math.min(ownPartition(asPartitionOwner(owner)) ?? 0, replicas)
  },
  strategyInWords({ spec }, owner) {
    const { type = 'RollingUpdate' } = { ...asPartitionOwner(owner).updateStrategy }
    if (type !== 'RollingUpdate') return `its own strategy ${type}`
    const { maxUnavailable = 1 } = { ...spec.updateStrategy?.rollingUpdate }
    const partition = ownPartition(asPartitionOwner(owner)) ?? 0
    return `its own strategy (partition ${partition}, maxUnavailable ${maxUnavailable})`
  },
  guessedOwner(object) {
    const partition = partitionFields.armed(object) ? '0' : partitionFields.carries(object)
    const { updateStrategy } = partitionFields.carriedSpec(partition)
    const { type } = { ...object.spec.updateStrategy }
    return { updateStrategy: { ...defined({ type }), ...(updateStrategy as object) } }
  },
}

// What leaving says of a DaemonSet. It owns its pods itself, and its own controller counts them.

import type { DaemonSet } from '#api/kubernetes.ts'
import type { WorkloadLeaving } from './adapter.ts'
import { asDaemonOwner, daemonFields, typeOf, unholdable } from './daemon-fields.ts'

export const daemonLeaving: WorkloadLeaving<DaemonSet> = {
  counted({ metadata, status }) {
    const { observedGeneration = 0, desiredNumberScheduled = 0 } = { ...status }
    const { updatedNumberScheduled = 0 } = { ...status }
    // Until it has seen an edit, those that it calls new are of the version before.
    const seen = observedGeneration >= (metadata.generation ?? 0)
    return { total: desiredNumberScheduled, updated: seen ? updatedNumberScheduled : 0 }
  },
  kept: (object, owner) =>
    unholdable(asDaemonOwner(owner)) === undefined ? 0 : daemonFields.replicas(object),
  strategyInWords(_, owner) {
    const { type, rollingUpdate } = asDaemonOwner(owner).updateStrategy
    if (type !== 'RollingUpdate') return `its own strategy ${type}`
    const { maxUnavailable = 1, maxSurge = 0 } = { ...rollingUpdate }
    return `its own strategy (maxUnavailable ${maxUnavailable}, maxSurge ${maxSurge})`
  },
  guessedOwner(object) {
    const type = daemonFields.armed(object) ? 'RollingUpdate' : typeOf(object)
    const { rollingUpdate = null } = { ...object.spec.updateStrategy }
    return { updateStrategy: { type, rollingUpdate } }
  },
}

// What leaving says of a Deployment. Its ReplicaSets tell which of its pods are new.

import type { Deployment } from '#api/kubernetes.ts'
import type { WorkloadLeaving } from './adapter.ts'
import { ownAmounts, ownerOfFree } from './deployment-fields.ts'
import type { DeploymentOwner } from './deployment-fields.ts'

export const deploymentLeaving: WorkloadLeaving<Deployment> = {
  counted: () => undefined,
  kept: () => 0,
  strategyInWords(_, owner) {
    const own = owner as DeploymentOwner
    if (own.strategy.type !== 'RollingUpdate') return `its own strategy ${own.strategy.type}`
    const { maxUnavailable, maxSurge } = ownAmounts(own)
    return `its own strategy (maxUnavailable ${maxUnavailable}, maxSurge ${maxSurge})`
  },
  guessedOwner: object => ({ ...ownerOfFree(object), paused: false }),
}

// The writes to the ReplicaSets of a Deployment.

import { DESIRED_REPLICAS, MAX_REPLICAS } from '#api/names.ts'
import type { MergePatch, Patch } from '../change.ts'
import type { DeploymentWorkload, Revision } from './deployment-view.ts'
import { surgePods } from './percent.ts'

/** A merge patch of a ReplicaSet. */
export function setChange({ metadata }: Revision, patch: MergePatch): Patch {
  const { namespace, name, resourceVersion } = metadata
  const target = { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace, name, resourceVersion }
  return { type: 'patch', target, patch }
}

/**
 * Another size of a ReplicaSet. Without the annotations the controller-manager would take the write
 * for a scaling of its own.
 */
export function scale(w: DeploymentWorkload, set: Revision, replicas: number): Patch {
  const surge = w.hold ? surgePods(w.hold.surge, w.replicas) : w.promised.maxSurge
  const annotations = {
    [DESIRED_REPLICAS]: String(w.replicas),
    [MAX_REPLICAS]: String(w.replicas + surge),
  }
  return setChange(set, { metadata: { annotations }, spec: { replicas } })
}

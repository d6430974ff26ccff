// The owner's values once more, as tools of Kruise Rollouts read them in a blue-green release. Nothing of
// ours reads it: the record is what counts.

import { HOLD, KRUISE_ORIGINAL, RECORD } from '#api/names.ts'
import type { Deployment } from '#api/kubernetes.ts'
import { ownAmounts } from './deployment-fields.ts'
import type { DeploymentOwner } from './deployment-fields.ts'

/** The Deployment with its owner's values in the annotation. */
export function withOriginal(object: Deployment, owner: DeploymentOwner): Deployment {
  const { maxUnavailable, maxSurge } = ownAmounts(owner)
  const { minReadySeconds, progressDeadlineSeconds } = owner
  const original = JSON.stringify({
    maxUnavailable,
    maxSurge,
    ...(minReadySeconds !== 0 && { minReadySeconds }),
    progressDeadlineSeconds,
  })
  const annotations = { ...object.metadata.annotations, [KRUISE_ORIGINAL]: original }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** The Deployment without the annotation, where it is of a hold of ours, or of a copy of one. */
export function withoutOurs(object: Deployment): Deployment {
  const { annotations = {} } = object.metadata
  return [HOLD, RECORD].some(key => Object.hasOwn(annotations, key))
    ? withoutOriginal(object)
    : object
}

/** The Deployment without the annotation. */
export function withoutOriginal(object: Deployment): Deployment {
  const { annotations: all = {}, ...metadata } = object.metadata
  if (all[KRUISE_ORIGINAL] === undefined) return object
  const { [KRUISE_ORIGINAL]: _, ...annotations } = all
  // The API server stores no empty map.
  const left = Object.keys(annotations).length > 0 && { annotations }
  return { ...object, metadata: { ...metadata, ...left } }
}

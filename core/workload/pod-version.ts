// By which of its labels a pod tells its version: what a Service selects by, to reach one version alone.

import { CONTROLLER_REVISION, POD_TEMPLATE_HASH } from '#api/names.ts'
import type { Version } from './model.ts'
import type { PodSeen } from './seen.ts'

/** One label, and its value. */
export interface PodVersion {
  readonly label: string
  /** Its value on pods of a revision, by the name of that. */
  readonly valueOf: (revision: string) => string
}

/** The controller of ReplicaSets names them so. */
export const byTemplateHash: PodVersion = { label: POD_TEMPLATE_HASH, valueOf: hash => hash }

/** Who owns pods with no ReplicaSet between names the revision. */
export const byRevision: PodVersion = { label: CONTROLLER_REVISION, valueOf: revision => revision }

/** Of the name only the end, which no setting of Kruise changes. */
export const byEndOfRevision: PodVersion = {
  label: POD_TEMPLATE_HASH,
  valueOf: revision => revision.slice(revision.lastIndexOf('-') + 1),
}

/** How many pods run neither version, where both are known. */
export function podsBetween(
  versions: readonly (Pick<Version, 'hash'> | undefined)[],
  pods: readonly PodSeen[],
): number {
  if (versions.includes(undefined)) return 0
  const hashes = new Set(versions.map(version => version!.hash))
  return pods.filter(({ revision }) => revision !== undefined && !hashes.has(revision)).length
}

// Who owns which field of an object, as the API server notes it. What we wrote while we gave a workload
// back must not stay ours: the owner's next server-side apply would find a conflict with us.

import { CONTROLLER_MANAGER } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'

/** The name under which this program writes. */
export const CLI_MANAGER = 'sluice'

/** One entry of `metadata.managedFields`. */
export interface FieldOwner {
  readonly manager: string
  readonly operation: string
  readonly subresource?: string
}

/** The entries of an object. */
export function fieldOwners({ metadata }: KubeObject): readonly FieldOwner[] {
  return (metadata as { readonly managedFields?: readonly FieldOwner[] }).managedFields ?? []
}

/** The entries as they would stand had we never written: others own what they owned `before`. */
export function withoutUs(
  now: readonly FieldOwner[],
  before: readonly FieldOwner[],
): readonly FieldOwner[] {
  const theirs = before.filter(entry => !isOurs(entry) && entry.subresource === undefined)
  const kept = new Set(theirs.map(keyOf))
  return [...theirs, ...now.filter(entry => !isOurs(entry) && !kept.has(keyOf(entry)))]
}

function isOurs({ manager }: FieldOwner): boolean {
  return manager === CLI_MANAGER || manager === CONTROLLER_MANAGER
}

function keyOf({ manager, operation, subresource }: FieldOwner): string {
  return [manager, operation, subresource].join('|')
}

// Removes an object that may be gone already.

import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import type { ObjectRef, ResourceType } from '#kube/resources.ts'

/** Removes the object, if it is there. */
export async function removed(
  client: KubeClient,
  type: ResourceType,
  ref: ObjectRef,
): Promise<void> {
  try {
    await client.remove(type, ref)
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
  }
}

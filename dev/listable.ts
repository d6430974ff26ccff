// What the API server knows a moment after it has stored it: a kind after its definition, a right after its role.

import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import type { ResourceType } from '#kube/resources.ts'
import { until } from './until.ts'

/** Waits until objects of the kind can be listed; `notYet` is what the API server says until then. */
export function listable(
  client: KubeClient,
  type: ResourceType,
  notYet: new (...args: never[]) => Error = NotFound,
): Promise<void> {
  return until(`${type.apiVersion} ${type.plural} cannot be listed`, async () => {
    try {
      await client.list(type, { limit: 1 })
      return true
    } catch (error) {
      if (error instanceof notYet) return false
      throw error
    }
  })
}

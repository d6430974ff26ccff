// The workload that a Rollout names, as one text.

import type { Rollout } from '#api/rollout.generated.ts'
import { adapterFor } from '../workload/registry.ts'
import { keyOf } from '../ref.ts'

/** The key of the workload that a Rollout names, in whichever of its versions. */
export function workloadKey({ metadata, spec }: Rollout): string {
  const { workloadRef: ref } = spec
  const { apiVersion } = adapterFor(ref) ?? ref
  return keyOf({ ...ref, apiVersion, namespace: metadata.namespace ?? '' })
}

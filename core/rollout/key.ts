// One text that names a workload: the key of the queue, and of the indexes by workload.

import type { Rollout } from '#api/rollout.generated.ts'
import { adapterFor } from '../workload/registry.ts'
import type { WorkloadRef } from './model.ts'

/** The key of a workload. */
export function keyOf({ apiVersion, kind, namespace, name }: WorkloadRef): string {
  return [apiVersion, kind, namespace, name].join('|')
}

/** The workload that a key names. */
export function refOf(key: string): WorkloadRef {
  const [apiVersion = '', kind = '', namespace = '', name = ''] = key.split('|')
  return { apiVersion, kind, namespace, name }
}

/** The key of the workload that a Rollout names, in whichever of its versions. */
export function workloadKey({ metadata, spec }: Rollout): string {
  const { workloadRef: ref } = spec
  const { apiVersion } = adapterFor(ref) ?? ref
  return keyOf({ ...ref, apiVersion, namespace: metadata.namespace ?? '' })
}

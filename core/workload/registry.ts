// Every kind of workload that can be released step by step, a row each.

import type { WorkloadRef } from '../rollout/model.ts'
import type { WorkloadAdapter } from './adapter.ts'
import { deployment } from './deployment.ts'
import { statefulSet } from './statefulset.ts'

export const adapters: readonly WorkloadAdapter[] = [deployment, statefulSet]

/** The adapter of a kind; undefined for a kind that is not supported. */
export function adapterFor(
  ref: Pick<WorkloadRef, 'apiVersion' | 'kind'>,
): WorkloadAdapter | undefined {
  return adapters.find(({ apiVersion, kind }) => apiVersion === ref.apiVersion && kind === ref.kind)
}

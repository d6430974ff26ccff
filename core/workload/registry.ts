// Every kind of workload that can be released step by step, a row each.

import type { WorkloadRef } from '../rollout/model.ts'
import type { KindRef, WorkloadAdapter } from './adapter.ts'
import { deployment } from './deployment.ts'
import { partitioned } from './partitioned.ts'
import { statefulSet } from './statefulset.ts'

/** The kinds that every installation releases. */
export const adapters: readonly WorkloadAdapter[] = [deployment, statefulSet]

/** Those, and further ones, all of a StatefulSet's shape. */
export function adaptersWith(extra: readonly KindRef[]): readonly WorkloadAdapter[] {
  return [...adapters, ...extra.map(partitioned)]
}

/** The adapter of a kind; undefined for a kind that is not among them. */
export function adapterFor(
  ref: Pick<WorkloadRef, 'apiVersion' | 'kind'>,
  among: readonly WorkloadAdapter[] = adapters,
): WorkloadAdapter | undefined {
  return among.find(({ apiVersion, kind }) => apiVersion === ref.apiVersion && kind === ref.kind)
}

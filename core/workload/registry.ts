// Every kind of workload that can be released step by step, a row each.

import type { Instant, Move, Workload, WorkloadRef } from '../rollout/model.ts'
import type { WorkloadAction, WorkloadAdapter } from './adapter.ts'
import { deployment } from './deployment.ts'
import { statefulSet } from './statefulset.ts'

export const adapters: readonly WorkloadAdapter[] = [deployment, statefulSet]

/** The adapter of a kind; undefined for a kind that is not supported. */
export function adapterFor(
  ref: Pick<WorkloadRef, 'apiVersion' | 'kind'>,
): WorkloadAdapter | undefined {
  return adapters.find(({ apiVersion, kind }) => apiVersion === ref.apiVersion && kind === ref.kind)
}

/** What to do so that what the action wishes becomes true of the workload; undefined when it is. */
export function moveOf(workload: Workload, action: WorkloadAction, now: Instant): Move | undefined {
  return adapterFor(workload.ref)?.move(workload, action, now)
}

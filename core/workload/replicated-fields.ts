// What admission asks of every kind that has a number of pods and one template for them.

import type { KubeObject, PodTemplate } from '#api/kubernetes.ts'
import type { WorkloadFields } from './adapter.ts'
import { templateFingerprint } from './template.ts'

interface Replicated extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly template: PodTemplate }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
  }
}

/** A part of the admission half of their adapters. */
export const replicatedFields: Pick<
  WorkloadFields<Replicated>,
  'replicas' | 'fingerprint' | 'settled'
> = {
  replicas: ({ spec }) => spec.replicas ?? 1,
  fingerprint: ({ spec }) => templateFingerprint(spec.template),
  settled: ({ metadata, spec, status }) => {
    const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = { ...status }
    const seen = observedGeneration >= (metadata.generation ?? 0)
    return seen && updatedReplicas === replicas && replicas === (spec.replicas ?? 1)
  },
}

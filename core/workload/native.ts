// Which kinds every cluster has.

import type { WorkloadRef } from '../rollout/model.ts'

/** Kubernetes has it itself. The group of a custom resource has a dot in its name. */
export function isNative({ apiVersion }: Pick<WorkloadRef, 'apiVersion'>): boolean {
  const [group = '', version] = apiVersion.split('/')
  return version === undefined || !group.includes('.') || group.endsWith('.k8s.io')
}

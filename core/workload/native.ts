// What the name of a kind tells of it: whether every cluster has it, and which others are the same.

import type { WorkloadRef } from '../rollout/model.ts'

/** Kubernetes has it itself. The group of a custom resource has a dot in its name. */
export function isNative({ apiVersion }: Pick<WorkloadRef, 'apiVersion'>): boolean {
  const [group = '', version] = apiVersion.split('/')
  return version === undefined || !group.includes('.') || group.endsWith('.k8s.io')
}

/** The group of a kind, whatever the version. */
export function groupOf({ apiVersion }: Pick<WorkloadRef, 'apiVersion'>): string {
  return apiVersion.split('/')[0]!
}

type Kind = Pick<WorkloadRef, 'apiVersion' | 'kind'>

/** The same kind, in whatever version. */
export function isSameKind(a: Kind, b: Kind): boolean {
  return a.kind === b.kind && groupOf(a) === groupOf(b)
}

/** The same kind in the same version. */
export function isSameVersion(a: Kind, b: Kind): boolean {
  return a.kind === b.kind && a.apiVersion === b.apiVersion
}

// When are two pod templates the same version? Exactly when the controller-manager makes no new
// ReplicaSet of it: holding a workload for a difference that makes none would leave it waiting for ever.

import { POD_TEMPLATE_HASH } from '#api/names.ts'
import type { PodTemplate } from '#api/kubernetes.ts'
import { digest } from '../digest.ts'

/** Fields that are maps in the API's types: there, empty and absent are the same. */
const maps = new Set(['labels', 'annotations', 'nodeSelector', 'matchLabels', 'limits', 'requests'])

/** Equal for two templates exactly when they are the same version. */
export function templateFingerprint(template: PodTemplate): string {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {}
  return digest(withoutEmpty({ ...template, metadata: { ...template.metadata, labels } }))
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => !meansAbsent(key, member))
      .map(([key, member]) => [key, withoutEmpty(member)]),
  )
}

function meansAbsent(key: string, value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && maps.has(key) && Object.keys(value).length === 0
}

// The owner's strategy in pods, with the controller-manager's rounding.

import type { Deployment } from '#api/kubernetes.ts'

/** `maxSurge` and `maxUnavailable` of a Deployment in pods, rounded up and down. */
export interface Fenceposts {
  readonly maxSurge: number
  readonly maxUnavailable: number
}

/** As the controller-manager rounds; both 0 counts as one unavailable. */
export function resolveFenceposts({ spec }: Deployment): Fenceposts {
  const { replicas = 1, strategy } = spec
  const rolling = strategy?.rollingUpdate
  if (!rolling) return { maxSurge: 0, maxUnavailable: 0 }
  const maxSurge = scaled(rolling.maxSurge ?? 0, replicas, Math.ceil)
  const unavailable = scaled(rolling.maxUnavailable ?? 0, replicas, Math.floor)
  const maxUnavailable = maxSurge === 0 && unavailable === 0 ? 1 : unavailable
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) }
}

function scaled(value: number | string, of: number, round: (x: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) * of) / 100)
}

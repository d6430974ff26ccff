// The arithmetic of maxUnavailable and maxSurge: the controller-manager rounds the first down and the
// second up, and a budget must be a percent so that it stays right when somebody scales the workload.

import type { IntOrPercent } from '#api/kubernetes.ts'

/** What the owner's strategy promises for `replicas` pods, in pods. */
export interface Promised {
  readonly maxUnavailable: number
  readonly maxSurge: number
}

/** Rounded as the controller-manager does; both 0 means that one pod may be unavailable. */
export function promised(
  maxUnavailable: IntOrPercent,
  maxSurge: IntOrPercent,
  replicas: number,
): Promised {
  const surge = pods(maxSurge, replicas, Math.ceil)
  const unavailable = Math.min(pods(maxUnavailable, replicas, Math.floor), replicas)
  return { maxUnavailable: surge + unavailable === 0 ? 1 : unavailable, maxSurge: surge }
}

/** The maxUnavailable that lets exactly `n` of `replicas` pods be new, also after a scaling. */
export function budgetFor(n: number, replicas: number): IntOrPercent {
  if (replicas === 0) return '100%'
  const percent = Math.ceil((n * 100) / replicas)
  // Above 100 replicas one percent is more than one pod: only a number says it exactly.
  return Math.floor((percent * replicas) / 100) === n ? `${percent}%` : n
}

/** The maxSurge that lets `k` pods run beside the others, in the unit of the owner's own value. */
export function surgeFor(k: number, replicas: number, owner: IntOrPercent): IntOrPercent {
  if (k === 0) return '0%'
  // A 0 has no unit; a percent can be marked as ours.
  if (typeof owner === 'number' && owner !== 0) return k
  const percent = Math.floor(((k - 1) * 100) / replicas) + 1
  return Math.ceil((percent * replicas) / 100) === k ? `${percent}%` : k
}

/** How many pods a budget lets be new. */
export function budgetPods(budget: IntOrPercent, replicas: number): number {
  return Math.min(pods(budget, replicas, Math.floor), replicas)
}

/** How many pods a surge lets run beside the others. */
export function surgePods(surge: IntOrPercent, replicas: number): number {
  return pods(surge, replicas, Math.ceil)
}

/** In pods, rounded as the kind does. */
export function pods(value: IntOrPercent, replicas: number, round: (x: number) => number): number {
  if (typeof value === 'number') return value
  const percent = Number.parseInt(value, 10)
  return Number.isNaN(percent) ? 0 : round((percent * replicas) / 100)
}

/**
 * A projected percent begins with a zero, which API and controller-manager accept and nobody writes:
 * so admission can tell our value from an owner's edit. Numbers cannot be marked.
 */
export function mark(value: IntOrPercent): IntOrPercent {
  return typeof value === 'number' ? value : `0${value}`
}

/** The value was projected by us. */
export function marked(value: unknown): boolean {
  return typeof value === 'string' && /^0\d+%$/.test(value)
}

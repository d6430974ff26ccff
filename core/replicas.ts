// How many pods a step asks for: a number of pods, or a percent of however many there are.

import type { IntOrPercent } from '#api/kubernetes.ts'

/** A number of pods, or a percent of them, both as a whole number that is not negative. */
export interface Amount {
  readonly unit: 'pods' | 'percent'
  readonly value: number
}

/** The amount that a field says; undefined where it says neither `3` nor `"30%"`. */
export function parseIntOrPercent(field: unknown): Amount | undefined {
  if (typeof field === 'number') {
    return Number.isSafeInteger(field) && field >= 0 ? { unit: 'pods', value: field } : undefined
  }
  if (typeof field !== 'string' || !/^\d{1,9}%$/.test(field)) return undefined
  return { unit: 'percent', value: Number.parseInt(field, 10) }
}

/**
 * How many of `replicas` pods are new when a step that wants `value` is done. Percents round up, and
 * only 100% and numbers replace the last old pod. 0 where `value` says nothing that can be used.
 */
export function podCount(value: IntOrPercent, replicas: number): number {
  const amount = parseIntOrPercent(value)
  if (!amount) return 0
  if (amount.unit === 'pods') return Math.min(amount.value, replicas)
  if (amount.value >= 100) return replicas
  const count = Math.ceil((amount.value * replicas) / 100)
  // 99% of 2 pods would be both: the step is meant to leave something to compare with.
  return replicas > 1 ? Math.min(count, replicas - 1) : count
}

/** How many pods a workload has, and how many of them go back by steps to the version that `ran` of them have. */
interface Sized {
  readonly replicas: number
  readonly goingBack?: { readonly ran: number; readonly of: number }
}

/** How many pods run the update revision when a step that wants `value` is done. */
export function newPods(value: IntOrPercent, { replicas, goingBack }: Sized): number {
  const { ran = 0, of = replicas } = { ...goingBack }
  return ran + podCount(value, of)
}

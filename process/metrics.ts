// How a process counts: each metric says all values of its labels at once, so that what has never
// happened is a 0 that an alert can see, no label grows without bound, and the reference can be
// compared with the registry.

import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'

/** The values that each label may have. */
export type Labels = Readonly<Record<string, readonly string[]>>

/** One value for each label. */
export type LabelValues<L extends Labels> = { readonly [Name in keyof L]: L[Name][number] }

/** What every metric says of itself. */
export interface MetricOptions<L extends Labels> {
  readonly name: string
  readonly help: string
  readonly labels: L
}

/** Adds to the value of some labels. */
export type Add<L extends Labels> = (values: LabelValues<L>, by?: number) => void

/** Makes a counter; `refresh` is called before it is read, to add what is still under way. */
export function counter<const L extends Labels>(
  registry: Registry,
  options: MetricOptions<L>,
  refresh: () => void = () => {},
): Add<L> {
  const { name, help, labels } = options
  const labelNames = Object.keys(labels)
  const made = new Counter({ name, help, labelNames, registers: [registry], collect: refresh })
  const add: Add<L> = (values, by = 1) => made.inc({ ...values }, by)
  for (const values of combinations(labels)) add(values, 0)
  return add
}

/** Makes a histogram of seconds. */
export function histogram<const L extends Labels>(
  registry: Registry,
  options: MetricOptions<L> & { readonly buckets: readonly number[] },
): (values: LabelValues<L>, seconds: number) => void {
  const { name, help, labels } = options
  const labelNames = Object.keys(labels)
  const buckets = [...options.buckets]
  const made = new Histogram({ name, help, labelNames, buckets, registers: [registry] })
  for (const values of combinations(labels)) made.zero({ ...values })
  return (values, seconds) => made.observe({ ...values }, seconds)
}

/** Makes a gauge that is asked when it is read. */
export function gauge(
  registry: Registry,
  { name, help }: Pick<MetricOptions<Labels>, 'name' | 'help'>,
  read: () => number,
): void {
  const made: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect: (): void => made.set(read()),
  })
}

function combinations<L extends Labels>(labels: L): readonly LabelValues<L>[] {
  let found: readonly Readonly<Record<string, string>>[] = [{}]
  for (const [name, values] of Object.entries(labels)) {
    found = found.flatMap(before => values.map(value => ({ ...before, [name]: value })))
  }
  return found as readonly LabelValues<L>[]
}

// Figures of many runs in few words.

/** The value below which the share of the samples lies, 0.5 being the median. */
function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const last = sorted.length - 1
  return sorted[Math.min(last, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Median and 99th percentile, in the unit of the samples. */
export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly runs: number
}

/** Median and 99th percentile. */
export function spread(samples: readonly number[]): Spread {
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)]
  return { p50, p99, runs: samples.length }
}

/** `12.3 / 45.6`, p50 and p99, with as many digits as matter. */
export function inWords({ p50, p99 }: Spread, unit = ''): string {
  return `p50 ${short(p50)}${unit}, p99 ${short(p99)}${unit}`
}

/** Three digits at most, and no more than the number has. */
export function short(value: number): string {
  return String(Number(value.toPrecision(Math.abs(value) >= 1000 ? 4 : 3)))
}

/** The arithmetic mean. */
export function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length
}

// What a process of ours counts, as Prometheus would read it.

import type { Child } from '../../dev/child.ts'

/** The numbers of one moment. */
export interface Numbers {
  /** The one series of a metric without labels. */
  readonly only: (metric: string) => number
  /** The series of a metric by one of its labels; `among` chooses by another, as `what="listed"`. */
  readonly by: (metric: string, label: string, among?: string) => Readonly<Record<string, number>>
}

/** Reads /metrics. */
export async function scrape({ ready }: Child): Promise<Numbers> {
  const answer = await fetch(`http://127.0.0.1:${String(ready['probesPort'])}/metrics`)
  const lines = (await answer.text()).split('\n')
  const valueOf = (line: string) => Number(line.slice(line.lastIndexOf(' ') + 1))
  return {
    only(metric) {
      const line = lines.find(each => each.startsWith(`${metric} `))
      if (line === undefined) throw new Error(`${metric} is not counted`)
      return valueOf(line)
    },
    by(metric, label, among = '') {
      const found = lines.filter(line => line.startsWith(`${metric}{`) && line.includes(among))
      if (found.length === 0) throw new Error(`${metric} with ${among} is not counted`)
      return Object.fromEntries(
        found.map(line => [new RegExp(`${label}="([^"]*)"`).exec(line)?.[1] ?? '', valueOf(line)]),
      )
    },
  }
}

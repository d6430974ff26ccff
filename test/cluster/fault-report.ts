// What a suite of faults has tried, how often, and what was lost: printed when it is over, and kept as
// JSON under .cache/faults/, which git ignores.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

/** One kind of fault. */
export interface Tried {
  /** As in docs/reliability.md. */
  readonly fault: string
  /** How often it was made. */
  readonly times: number
  /** How often something was lost by it, in how many ways: none, where all is as it should be. */
  readonly lost: Readonly<Record<string, number>>
}

const folder = join(import.meta.dirname, '..', '..', '.cache', 'faults')

/** Prints the table of a suite, and keeps it. */
export function reportFaults(suite: string, tried: readonly Tried[]): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${suite}.json`), `${JSON.stringify(tried, null, 2)}\n`)
  const lines = tried.map(({ fault, times, lost }) => {
    const ways = Object.entries(lost).map(([what, count]) => `${count} x ${what}`)
    return `${String(times).padStart(6)} x ${fault}: lost ${ways.join('; ') || 'nothing'}`
  })
  console.log([`${suite}:`, ...lines].join('\n'))
}

/** The same when this test is over: what it did not find as it should be was lost. */
export function reportAtEnd(suite: string, tried: readonly Omit<Tried, 'lost'>[]): void {
  onTestFinished(({ task }) => {
    const errors = task.result?.errors ?? []
    const lost = counted(errors.map(({ message }) => message.split('\n')[0]!))
    const rows = tried.map(each => ({ ...each, lost }))
    reportFaults(suite, rows)
  })
}

/** How often each is there. */
export function counted(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

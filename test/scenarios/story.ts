// Tells stories: a row says what happens, and what is done and seen because of it. What was done
// stands before the arrow: holds as `budget+surge`, ReplicaSets, events; what an operator sees after it.

import { expect, test } from 'vitest'

import type { Happening } from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'
import type { Beginning } from '../world/play.ts'

/** What happens, and what comes of it. */
export type Row = readonly [happening: Happening, line: string]

/** A story, and what it begins with where that is not 10 pods and 3 steps: 1 pod, half, all. */
export interface Story {
  readonly beginning?: Beginning
  readonly rows: readonly Row[]
}

/** One test for each story, named after it. */
export function tell(stories: Readonly<Record<string, Story>>): void {
  for (const [name, { beginning, rows }] of Object.entries(stories)) {
    test(name, () => {
      const world = newWorld(beginning)
      for (const [happening, line] of rows) expect(play(world, happening)).toBe(line)
    })
  }
}

// Every fault that is put into one release, and which of them a run chooses. docs/reliability.md has a
// row for each.

import type { Disturbance, Run } from './release-run.ts'
import { travels } from './time-travel.ts'
import {
  brokenWatches,
  lateFrames,
  lostFrames,
  refusedAfter,
  watchedKinds,
  watchesFail,
} from './watch-faults.ts'
import { conflicts, refusals, refusedWrites } from './write-faults.ts'

/** One way of one fault. */
export interface Planned {
  readonly fault: string
  /** Of which kind, by which answer, how often. */
  readonly how: string
  readonly disturb: (run: Run) => Disturbance
}

const codes = Object.keys(refusals)

/** All ways of every fault, for a release of so many writes. */
export function allFaults(writes: number): readonly Planned[] {
  return [
    ...ofWatches('frames come late', lateFrames),
    ...ofWatches('frames are lost until the next list', lostFrames),
    ...journeysOf(writes),
    ...[1, 5, 50].map(attempts => ({
      fault: 'somebody else writes before each of our writes',
      how: `${attempts} times`,
      disturb: conflicts(attempts),
    })),
    ...codes.flatMap(code =>
      ['deployments', 'replicasets', 'rollouts', 'events'].map(kind => ({
        fault: 'a write is refused for now',
        how: `${code} ${kind}`,
        disturb: refusedWrites(kind, refusals[code]!),
      })),
    ),
    ...(['list', 'watch'] as const).flatMap(verb =>
      codes.flatMap(code =>
        watchedKinds.map(kind => ({
          fault: `a ${verb} is refused for now`,
          how: `${code} ${kind}`,
          disturb: watchesFail(kind, refusedAfter(verb, refusals[code]!)),
        })),
      ),
    ),
    ...Object.entries(brokenWatches).flatMap(([name, how]) => ofWatches(`a watch ${name}`, how)),
  ]
}

function ofWatches(fault: string, how: Parameters<typeof watchesFail>[1]): readonly Planned[] {
  return watchedKinds.map(kind => ({ fault, how: kind, disturb: watchesFail(kind, how) }))
}

function journeysOf(writes: number): readonly Planned[] {
  const third = Math.floor(writes / 3)
  const journeys = [
    { at: third, back: 1 },
    { at: 2 * third, back: third },
    { at: 2 * third, back: 1 },
    // Of the last ones a run may do without some: what only tells of pods is told together.
    { at: Math.floor((5 * writes) / 6), back: 2 * third },
  ]
  return journeys.map(journey => ({
    fault: 'restarted at an API server that is behind',
    how: `write ${journey.at} to ${journey.back}`,
    disturb: travels(journey),
  }))
}

/** Of each fault as many ways as a short run has time for: which, the seed says. */
export function someOf(all: readonly Planned[], seed: number): readonly Planned[] {
  const faults = [...new Set(all.map(({ fault }) => fault))]
  return faults.flatMap((fault, index) => {
    const ways = all.filter(each => each.fault === fault)
    const count = Math.ceil(ways.length / 8)
    // Each fault begins with another kind.
    const first = (seed + index) * count
    return Array.from({ length: count }, (_, next) => ways[(first + next) % ways.length]!)
  })
}

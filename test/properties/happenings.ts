// What may happen in a history, as plain data, in words that hold for the simulated world and for a
// real cluster: a history that failed can be read, and run again from its seed.

import fc from 'fast-check'

import type { DeploymentSpec, IntOrPercent } from '#api/kubernetes.ts'
import type { Steps } from '../world/people.ts'

/** One thing that happens: its name and a small number that says which. */
export type Happened<Name extends string> = readonly [name: Name, which: number]

/** An owner's strategy. */
export type Strategy = NonNullable<DeploymentSpec['strategy']>

/** The versions that people edit between; a broken one never gets Ready. */
export const versions = ['v1', 'v2', 'v3', 'broken'] as const

/** A rolling update. */
export function rolling(maxUnavailable: IntOrPercent, maxSurge: IntOrPercent): Strategy {
  return { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } }
}

/** The plans of the Rollout, each of three steps: their number may not change during a release. */
export function plansWith(pauseSeconds: number): readonly Steps[] {
  return [
    [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }],
    [
      { replicas: '20%' },
      { replicas: '60%', pause: { duration: pauseSeconds } },
      { replicas: '100%' },
    ],
    [{ replicas: '30%' }, { replicas: 5 }, { replicas: '99%' }],
  ]
}

/** What happens how often: ten, three and two times in fifteen. */
export interface Mix<Name extends string> {
  readonly often: readonly Name[]
  readonly sometimes: readonly Name[]
  readonly seldom: readonly Name[]
}

/** Histories of at most `longest` things that happen. */
export function histories<Name extends string>(
  { often, sometimes, seldom }: Mix<Name>,
  longest: number,
): fc.Arbitrary<readonly Happened<Name>[]> {
  const named = (names: readonly Name[]): fc.Arbitrary<Happened<Name>> =>
    fc.tuple(fc.constantFrom(...names), fc.nat(27))
  const one = fc.oneof(
    { weight: 10, arbitrary: named(often) },
    { weight: 3, arbitrary: named(sometimes) },
    { weight: 2, arbitrary: named(seldom) },
  )
  return fc.array(one, { maxLength: longest, size: 'max' })
}

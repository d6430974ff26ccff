// Whose value a partition is, and what becomes of it: of its owner what he has written, and as he has.

import { expect, test } from 'vitest'

import { threeSteps } from '../../test/world/three-steps.ts'
import { reviewWorkload } from '../admission/review.ts'
import { cloneSet } from './clone-set.ts'
import type { Hold } from './hold.ts'
import type { Partitioned, Strategy } from './partition-object.ts'
import { statefulSet } from './statefulset.ts'

function web(replicas: number, updateStrategy?: Strategy, version = '1'): Partitioned {
  const template = { spec: { containers: [{ name: 'app', image: `app:${version}` }] } }
  const metadata = { namespace: 'shop', name: 'web', uid: 'u', generation: 1 }
  const spec = { replicas, template, ...(updateStrategy && { updateStrategy }) }
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec }
}

function rolling(partition?: number): Strategy {
  return { type: 'RollingUpdate', rollingUpdate: { ...(partition !== undefined && { partition }) } }
}

const half: Hold = {
  mode: 'wave',
  pods: '50%',
  budget: '50%',
  surge: '0%',
  rolloutId: 'v2-2',
  seq: 1,
}

/** Whose partition it is that stands in a held StatefulSet of ten, of which five are new. */
function ownerOf(incoming: Partitioned) {
  const free = web(10, rolling(2))
  const owner = statefulSet.ownerOfFree(free)
  const record = { owner, stable: 's', rollout: 'r', rolloutUid: 'u' }
  const noted = statefulSet.noted(half, free, owner)
  expect(noted).toMatchObject({ partition: 5, size: 10 })
  const { updateStrategy } = statefulSet.ownerOfHeld(incoming, noted, record) as Partitioned['spec']
  return updateStrategy?.rollingUpdate?.partition
}

test.each<[string, Partitioned, number | null]>([
  ['what the hold has set is no wish of his', web(10, rolling(5)), 2],
  ['nor after a scaling', web(20, rolling(5)), 2],
  ['another number is', web(10, rolling(6)), 6],
  ['also the one that the hold would come to by now', web(20, rolling(10)), 10],
  ['and none', web(10, rolling()), null],
])('%s', (_, incoming, partition) => {
  expect(ownerOf(incoming)).toBe(partition)
})

test('an edit is told that the owner keeps pods back himself, and nothing where he does not', () => {
  const rollout = { ...threeSteps, steps: [{ replicas: 4 }, { replicas: '100%' }] }
  const told = (strategy?: Strategy) => {
    const versions = { object: web(10, strategy, '2'), before: web(10, strategy) }
    const review = { adapter: statefulSet, ...versions, rollout, fromController: false }
    return reviewWorkload(review).warnings.filter(line => line.includes('partition'))
  }
  expect(told(rolling(7))).toEqual([
    'its own partition 7 is kept: those pods stay at the old version, whatever the steps say, and after the end as well',
  ])
  for (const strategy of [undefined, rolling(), rolling(0)]) expect(told(strategy)).toEqual([])
})

test.each<[string, Strategy | undefined, string]>([
  ['no partition', rolling(), '4 of 10 pods'],
  ['one that keeps fewer', rolling(6), '4 of 10 pods'],
  ['one that keeps more than the step', rolling(7), '3 of 10 pods'],
  ['one that keeps everybody', rolling(12), '0 of 10 pods'],
])('an edit is told how many pods come, with %s of the owner', (_, strategy, pods) => {
  const rollout = { ...threeSteps, steps: [{ replicas: 4 }, { replicas: '100%' }] }
  const versions = { object: web(10, strategy, '2'), before: web(10, strategy) }
  const review = { adapter: statefulSet, rollout, fromController: false, ...versions }
  expect(reviewWorkload(review).warnings[0]).toContain(`step 1 of 2: ${pods}, then`)
})

test('who becomes OnDelete in the middle of a release is told that it stands at once', () => {
  const before = reviewWorkload({
    adapter: statefulSet,
    rollout: threeSteps,
    fromController: false,
    object: web(10, rolling(), '2'),
    before: web(10, rolling()),
  }).object as Partitioned
  const spec = { ...before.spec, updateStrategy: { type: 'OnDelete' } }
  const review = { adapter: statefulSet, rollout: threeSteps, fromController: false, before }
  const incoming: Partitioned = { ...before, spec }
  const { object, warnings } = reviewWorkload({ ...review, object: incoming })
  expect((object as Partitioned).spec.updateStrategy).toEqual({ type: 'OnDelete' })
  expect(warnings).toEqual([
    'recorded, but it stands at once: its updateStrategy is OnDelete, by which nobody is replaced step by step; the release waits until that is taken back',
  ])
})

test.each<Strategy | undefined>([
  undefined,
  {},
  { rollingUpdate: {} },
  { type: 'RollingUpdate' },
  { type: 'RollingUpdate', rollingUpdate: {} },
])('a strategy that says little is given back as it was: %j', strategy => {
  for (const adapter of [statefulSet, cloneSet]) {
    const free = web(10, strategy)
    const owner = adapter.ownerOfFree(free)
    const held = adapter.project(free, half, owner)
    const record = { owner, stable: 's', rollout: 'r', rolloutUid: 'u' }
    const noted = adapter.noted(half, free, owner)
    expect(adapter.ownerOfHeld(held, noted, record)).toEqual(owner)
    expect(adapter.restore(held, owner)).toEqual(free)
  }
})

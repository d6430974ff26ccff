// The stable template has returned, and goes out by the steps: whom a step is for, and whom it is not.

import { expect, test } from 'vitest'

import { clones, observed, rolling, told, unordered } from '../../test/world/partition-scene.ts'
import type { PartitionScene, SceneKind } from '../../test/world/partition-scene.ts'
import type { Hold } from './hold.ts'
import type { WorkloadAction } from './model.ts'
import { statefulSet } from './statefulset.ts'

const sets: SceneKind = { adapter: statefulSet, strategy: rolling }
const to = (pods: number | string): WorkloadAction => ({ type: 'advance', pods })
const labelPods = (...batches: number[]): WorkloadAction => ({ type: 'labelPods', batches })

/** In the middle of a way back to v1. */
function back(kind: SceneKind, pods: string, hold: Partial<Hold>, replicas?: number) {
  return {
    kind,
    pods,
    hold: { ran: 0, rolloutId: 'v1-3', ...hold },
    ...(replicas !== undefined && { replicas }),
    spec: { template: { spec: { containers: [{ name: 'app', image: 'v1' }] } } },
    status: { updateRevision: 'web-v1' },
  } satisfies PartitionScene
}

const begins = { mode: 'stop', pods: '20%', budget: '1%' } as const
const four = { pods: '20%', ran: 4 } as const

test.each<[string, WorkloadAction, PartitionScene, string]>([
  [
    'a StatefulSet: of 6 that have left 2 go back, from the highest ordinal on',
    to('20%'),
    back(sets, '1111222222', begins),
    'wave 2',
  ],
  [
    'the next 2, while those stay',
    to('50%'),
    back(sets, '1111222211', { ...four, budget: 2 }),
    'wave 3',
  ],
  [
    'one that others stand above, whom a scaling has brought up, goes back as well',
    to('30%'),
    back(sets, '111111111121', { pods: '30%', ran: 11, budget: 1 }),
    'wave 2',
  ],
  [
    'and only while nobody is on his way',
    to('30%'),
    back(sets, '11111111112', { pods: '30%', ran: 11, budget: 1, size: 12 }, 12),
    'wait: 10 of 12 new pods are ready',
  ],
  [
    'the step is reached once they are Ready',
    to('20%'),
    back(sets, '1111222211', { ...four, budget: 2 }),
    'done',
  ],
  [
    'and not before',
    to('20%'),
    back(sets, '11112222w1', { ...four, budget: 2 }),
    'wait: 5 of 6 new pods are ready',
  ],
  ['a number is one of pods that go', to(3), back(sets, '1111222222', begins), 'wave 3'],
  ['and no more go than have left', to(9), back(sets, '1111222222', begins), 'wave 6'],
  [
    'jumping back takes nobody away that was let out',
    to('10%'),
    back(sets, '1111222211', { ...four, budget: 2 }),
    'done',
  ],
  ['where nobody has left every step stands', to('20%'), back(sets, '1111', begins), 'wave 0'],
  [
    'a broken pod that keeps an ordered one from everything goes first',
    to('20%'),
    back(sets, '11112222x2', begins),
    'delete web-8',
  ],
  [
    'a version between goes back like the last one',
    to('50%'),
    back(sets, '1111333322', begins),
    'wave 3',
  ],
  [
    'grown in the middle: what came with the scaling runs the version already',
    to('20%'),
    back(sets, '111122221111', { ...four, budget: 2, size: 12 }),
    'done',
  ],
  [
    'a CloneSet: 2 of 6 beside the 4 that never left',
    to('20%'),
    back(clones, '2122122122', begins),
    'wave 5',
  ],
  [
    'and the step is reached when as many run it in all',
    to('20%'),
    back(clones, '2112112122', { pods: '20%', ran: 3, budget: 5 }),
    'done',
  ],
  [
    'a scaling took pods that had never left: they count no more',
    to('20%'),
    back(clones, '222221', { pods: '20%', ran: 4, budget: 6, size: 6 }),
    'wave 2',
  ],
  [
    'but one that is missing for a moment does',
    to('20%'),
    back(clones, '222221', { pods: '20%', ran: 2, budget: 3, size: 7 }, 7),
    'wait: 1 of 3 new pods are ready',
  ],
  [
    'an update without an order counts pods, whichever they are',
    to('20%'),
    back(unordered, '1211222222', begins),
    'wave 5',
  ],
  ['all of them', to('100%'), back(unordered, '1211222222', begins), 'wave 10'],
])('%s', (_, action, scene, words) => {
  expect(told(action, scene)).toBe(words)
})

test('only pods that a step has brought back carry its number', () => {
  const scene = back(sets, '1122', { ran: 1, pods: 1, budget: 1 })
  const { updatePods, ...w } = observed(scene)
  const [first, second] = updatePods.map((pod, i) => ({ ...pod, created: i }))
  const named = { ...w, ownerRolloutId: 'undo', updatePods: [first!, second!] }
  const move = statefulSet.move(named, labelPods(1), 0)
  expect(move?.changes).toMatchObject([{ type: 'patch', target: { name: 'web-1' } }])
  expect(move?.changes).toHaveLength(1)
})

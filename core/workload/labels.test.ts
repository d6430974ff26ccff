// Which pods get which labels of an owner who names his release.

import { expect, test } from 'vitest'

import { ROLLOUT_BATCH_ID, ROLLOUT_ID } from '#api/names.ts'
import { labelPods } from './labels.ts'
import type { Workload } from './model.ts'
import type { PodSeen } from './seen.ts'

/** A new pod for each, with the step that its label says, or another id, or none. */
function labelled(batches: readonly number[], pods: readonly (number | string | undefined)[]) {
  const updatePods = pods.map((said, index) => ({
    metadata: { namespace: 'shop', name: `p${index}`, uid: `p${index}`, resourceVersion: '1' },
    ...(typeof said === 'number' && { rolloutId: 'r1', batchId: String(said) }),
    ...(typeof said === 'string' && { rolloutId: said, batchId: '1' }),
  }))
  const workload = { ownerRolloutId: 'r1', updatePods: updatePods as readonly unknown[] }
  const { changes = [] } = { ...labelPods(workload as Workload, batches) }
  return changes.map(change => {
    if (change.type !== 'patch') throw new Error('a pod is written otherwise')
    const { metadata } = change.patch as Pick<PodSeen, 'metadata'> & {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
    }
    expect(metadata.labels[ROLLOUT_ID]).toBe('r1')
    return `${change.target.name} ${metadata.labels[ROLLOUT_BATCH_ID]}`
  })
}

const none = undefined

test.each<[string, readonly number[], readonly (number | string | undefined)[], readonly string[]]>(
  [
    ['a step’s pods are of that step', [2], [none, none], ['p0 1', 'p1 1']],
    ['those of the next one are of the next', [2, 3], [1, 1, none], ['p2 2']],
    ['a pod that died leaves a hole, which the next one fills', [2, 3], [1, none, 2], ['p1 1']],
    [
      'of several holes those of the latest step first',
      [2, 4],
      [none, 1, 2, none],
      ['p0 2', 'p3 1'],
    ],
    ['a scaling makes holes in every step', [2, 4], [1, 2, none, none], ['p2 2', 'p3 1']],
    ['another release’s label is none', [2], ['r0', 1], ['p0 1']],
    ['a step that is not there any more is none', [2], [2, 1], ['p0 1']],
    ['what is no step is none', [1], [Number.NaN], ['p0 1']],
    ['who comes beyond the steps stays as it is', [1], [1, none, none], []],
    [
      'a step that has too many fills no hole of another',
      [1, 3],
      [1, 1, none, none],
      ['p2 2', 'p3 2'],
    ],
    ['a plan that has shrunk asks for nothing', [3, 2], [1, 1, 1], []],
  ],
)('%s', (_, batches, pods, expected) => {
  expect(labelled(batches, pods)).toEqual(expected)
})

test('without an id of the owner’s nobody is labelled', () => {
  const updatePods = [{ metadata: { name: 'p' } }] as unknown as Workload['updatePods']
  expect(labelPods({ updatePods } as Workload, [1])).toBeUndefined()
})

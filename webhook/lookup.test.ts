import { expect, test } from 'vitest'

import type { Rollout } from '#api/rollout.generated.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { createLookup } from './lookup.ts'

const rollout = (name: string) =>
  ({
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { namespace: 'shop', name },
    spec: { workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, strategy: {} },
  }) as unknown as Rollout
const key = (name: string) => workloadKey(rollout(name))

function place() {
  const state = { now: 0, watching: true, lists: 0, stored: [rollout('web')] }
  const lookup = createLookup({
    list: async () => {
      state.lists += 1
      return state.stored
    },
    watching: () => state.watching,
    now: () => state.now,
  })
  const names = async (name: string) =>
    (await lookup('shop', key(name))).map(each => each.metadata.name)
  return { state, names }
}

test('that there is none is remembered for a while, that there is one is asked again', async () => {
  const { state, names } = place()
  for (let edit = 0; edit < 5; edit += 1) expect(await names('left')).toEqual([])
  expect(state.lists).toBe(1)
  for (let edit = 0; edit < 3; edit += 1) expect(await names('web')).toEqual(['web'])
  expect(state.lists).toBe(4)
  state.now = 10_000
  state.stored = [rollout('left')]
  expect(await names('left')).toEqual(['left'])
})

test('while the watch is broken nothing is remembered', async () => {
  const { state, names } = place()
  await names('left')
  state.watching = false
  state.stored = [rollout('left')]
  expect(await names('left')).toEqual(['left'])
})

test('edits at the same time share one list', async () => {
  const { state, names } = place()
  const asked = Array.from({ length: 50 }, (_, i) => names(i % 2 ? 'left' : 'web'))
  expect((await Promise.all(asked)).flat()).toHaveLength(25)
  expect(state.lists).toBe(1)
})

test('a list that began before the question is no answer to it', async () => {
  const stored: Rollout[] = []
  const lists: (() => void)[] = []
  const lookup = createLookup({
    list: () => {
      const read = [...stored]
      return new Promise(resolve => lists.push(() => resolve(read)))
    },
    watching: () => true,
  })
  const before = lookup('shop', key('web'))
  await expect.poll(() => lists.length).toBe(1)
  stored.push(rollout('web'))
  const after = [lookup('shop', key('web')), lookup('shop', key('web'))]
  lists[0]!()
  await expect.poll(() => lists.length).toBe(2)
  lists[1]!()
  expect([await before, ...(await Promise.all(after))].map(found => found.length)).toEqual([
    0, 1, 1,
  ])
})

test('a list that fails is no answer', async () => {
  let fails = true
  const lookup = createLookup({
    list: async () => (fails ? Promise.reject(new Error('no answer')) : []),
    watching: () => true,
  })
  await expect(lookup('shop', key('left'))).rejects.toThrow('no answer')
  fails = false
  expect(await lookup('shop', key('left'))).toEqual([])
})

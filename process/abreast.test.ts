import { setImmediate as turn } from 'node:timers/promises'

import { expect, onTestFinished, test, vi } from 'vitest'

import { abreast } from './abreast.ts'

/** Work that goes on until it is told to end, and how much of it was done at once. */
function bench() {
  const open = new Map<number, { end: () => void; fail: (error: Error) => void }>()
  const begun: number[] = []
  const work = (each: number) =>
    new Promise<string>((resolve, reject) => {
      begun.push(each)
      const over = () => open.delete(each)
      open.set(each, {
        end: () => over() && resolve(`done ${each}`),
        fail: error => over() && reject(error),
      })
    })
  return { open, begun, work }
}

test('five at a time, the next one when one of them is over, the results in order', async () => {
  const { open, begun, work } = bench()
  const results = abreast([1, 2, 3, 4, 5, 6, 7], work)
  await turn()
  expect(begun).toEqual([1, 2, 3, 4, 5])
  open.get(2)!.end()
  await turn()
  expect(begun).toEqual([1, 2, 3, 4, 5, 7])
  for (const each of [3, 1, 5]) open.get(each)!.end()
  await turn()
  for (const each of open.values()) each.end()
  expect(await Promise.all(results)).toEqual([1, 2, 3, 4, 5, 6, 7].map(each => `done ${each}`))
})

test('one that fails keeps no other back, and is told where it is looked at', async () => {
  const { open, begun, work } = bench()
  const results = abreast([1, 2, 3, 4, 5, 6], work)
  const unhandled = vi.fn()
  process.on('unhandledRejection', unhandled)
  onTestFinished(() => void process.off('unhandledRejection', unhandled))
  await turn()
  open.get(1)!.fail(new Error('no'))
  await turn()
  expect(unhandled).not.toHaveBeenCalled()
  expect(begun).toEqual([1, 2, 3, 4, 5, 6])
  for (const each of open.values()) each.end()
  await expect(results[0]).rejects.toThrow('no')
  expect(await results[5]).toBe('done 6')
})

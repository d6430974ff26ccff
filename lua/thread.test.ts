// A thread that ends by itself says so, and takes nobody with it.

import { expect, test } from 'vitest'

import { compiledLua } from './module.ts'
import { startThread } from './thread.ts'
import type { Thread } from './thread.ts'

const call = { text: 'return { obj.a }', input: '{"a":1}' }

test('where it cannot start, each call is told why', async () => {
  const thread = startThread({} as WebAssembly.Module)
  await thread.up
  for (const told of [await thread.run(call, 1_000), await thread.run(call, 1_000)]) {
    expect(told).toEqual({ ended: expect.stringContaining('WebAssembly.Module') })
  }
})

test('a call that cannot be understood ends it, and is told why', async () => {
  const thread = startThread(compiledLua())
  const told = await thread.run({ text: call.text, input: undefined as unknown as string }, 5_000)
  expect(told).toEqual({ ended: expect.stringContaining('TypeError') })
})

test('an ended one answers nothing any more', async () => {
  const thread: Thread = startThread(compiledLua())
  expect(await thread.run(call, 5_000)).toEqual({ json: '[1]' })
  const running = thread.run({ text: 'while true do end', input: '{}' }, 60_000)
  thread.end()
  expect(await running).toEqual({ ended: 'exit code 1' })
  expect(await thread.run(call, 5_000)).toEqual({ ended: 'exit code 1' })
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { BrokenFrame, lines } from './frames.ts'
import { parseEvent } from './watch.ts'

async function* chunksOf(bytes: Uint8Array, cuts: readonly number[]) {
  let start = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(start, Math.max(start, cut))
    start = Math.max(start, cut)
  }
  yield bytes.subarray(start)
}

async function read(text: string, cuts: readonly number[] = []): Promise<string[]> {
  const found: string[] = []
  for await (const line of lines(chunksOf(Buffer.from(text), cuts))) found.push(line)
  return found
}

test('lines are the same wherever the network splits them', async () => {
  const objects = fc.array(fc.record({ name: fc.string({ unit: 'grapheme' }), n: fc.integer() }))
  const cuts = fc.array(fc.nat({ max: 400 }))
  await fc.assert(
    fc.asyncProperty(objects, cuts, async (values, at) => {
      const text = values.map(value => `${JSON.stringify(value)}\n`).join('')
      const found = (await read(text, at)).map(line => JSON.parse(line) as unknown)
      expect(found).toEqual(values)
    }),
  )
})

test('a stream that ends inside a line is broken', async () => {
  await expect(read('{"type":"ADDED"}\n{"type":"MOD')).rejects.toThrow(
    'the stream ended inside a line: {"type":"MOD',
  )
})

test('empty lines mean nothing', async () => {
  expect(await read('{}\n\r\n\n{}\n')).toEqual(['{}', '{}'])
})

test.each([
  ['not JSON', 'garbage'],
  ['not an object', '3'],
  ['without an object', '{"type":"ADDED"}'],
  ['without a version', '{"type":"ADDED","object":{"metadata":{"name":"a"}}}'],
  ['of unknown type', '{"type":"MOVED","object":{"metadata":{"resourceVersion":"1"}}}'],
  ['without a type', '{"object":{"metadata":{"resourceVersion":"1"}}}'],
])('an event %s is an error', (_, line) => {
  expect(() => parseEvent(line, 'WATCH /x')).toThrow(BrokenFrame)
})

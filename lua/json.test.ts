// Everything that JSON can say goes into a script and comes out as it was.

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { luaMachine } from './machine.ts'
import { compiledLua } from './module.ts'

const machine = luaMachine(compiledLua())

/** A member that is null is not there for Lua, and a list has no room for it. */
const json = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0),
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }).map(text => text.toWellFormed()),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value')),
  ),
})).value

test('a value is the same afterwards, in both spellings of JSON', () => {
  const same = (value: unknown, input: string) => {
    const answer = machine.run('return { obj.value, (json.decode(json.encode(obj.value))) }', input)
    const [first, second] = JSON.parse('json' in answer ? answer.json : 'null') as unknown[]
    expect(first).toEqual(value)
    expect(second).toEqual(value)
  }
  fc.assert(
    fc.property(json, value => {
      const input = JSON.stringify({ value })
      const spelt = input.replaceAll(
        /[^\0-\u007F]/g,
        mark => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
      same(JSON.parse(JSON.stringify(value)), input)
      same(JSON.parse(JSON.stringify(value)), spelt)
      same(JSON.parse(JSON.stringify(value)), JSON.stringify({ value }, undefined, 2))
    }),
    { numRuns: 300 },
  )
})

test.each(['{"a":1', '{"a" 1}', '[1 2]', '{a:1}', '[1,]', 'nul', '"a', '[1]2', ''])(
  'what is not JSON is refused: %s',
  text => {
    const answer = machine.run('return { (json.decode(obj.text)) }', JSON.stringify({ text }))
    expect('wrong' in answer && answer.wrong).toMatch(/^not JSON at byte \d+: /)
  },
)

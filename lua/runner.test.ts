// Scripts of many releases at once: a bad one fails with words that help, and holds nobody up.

import { afterEach, describe, expect, test } from 'vitest'

import type { Script } from '#core/script.ts'
import { ScriptThreads } from './runner.ts'
import type { Limits } from './runner.ts'

const started: ScriptThreads[] = []
afterEach(() => {
  for (const threads of started.splice(0)) threads.stop()
})

function threads(limits: Partial<Limits> = {}): ScriptThreads {
  const one = new ScriptThreads(limits)
  started.push(one)
  return one
}

const script = (text: string): Script => ({ name: 'the script', text, remedy: 'correct it' })
const good = script('return { sum = obj.a + 1 }')
const endless = script('while true do end')
const pattern = script('return { ("a"):rep(60):match(("a*"):rep(30) .. "b") }')

test('what a script returns', async () => {
  expect(await threads().run(good, { a: 1 })).toEqual({ returned: { sum: 2 } })
})

test('the words name the script, the line and what to do', async () => {
  expect(await threads().run(script('local a\nreturn a.b'), {})).toEqual({
    mistake: "the script, line 2: attempt to index local 'a' (a nil value); correct it",
    lasting: true,
  })
  expect(await threads().run(script('return 1'), {})).toEqual({
    mistake: 'the script: returns a number where a table is expected; correct it',
    lasting: true,
  })
})

describe('a script without an end', () => {
  test.each([
    ['a loop', endless],
    ['a pattern, where no Lua runs that could be asked to stop', pattern],
    ['a loop that catches every error', script('while true do pcall(error) end')],
    ['a loop of short strings', script('while true do local s = ("x"):rep(1e5) end')],
    [
      'a comparison that asks back',
      script('table.sort({ 1, 2, 3 }, function() while true do end end)'),
    ],
  ])('%s', async (_, bad) => {
    expect(await threads({ mostMs: 200 }).run(bad, {})).toEqual({
      mistake: 'the script: takes more than 0.2 s; correct it',
      lasting: false,
    })
  })

  test('has a second', async () => {
    const begun = performance.now()
    const outcome = await threads().run(endless, {})
    expect(outcome).toMatchObject({ mistake: 'the script: takes more than 1 s; correct it' })
    expect(performance.now() - begun).toBeGreaterThan(1_000)
  })

  test('delays no other: they are answered while it still runs', async () => {
    const one = threads({ mostMs: 10_000 })
    const answered: string[] = []
    const bad = one.run(endless, {}).then(() => answered.push('bad'))
    const others = Array.from({ length: 50 }, async (_, a) => {
      expect(await one.run(script(`return { a = ${a} }`), {})).toEqual({ returned: { a } })
      answered.push('good')
    })
    await Promise.all(others)
    expect(answered).toEqual(others.map(() => 'good'))
    one.stop()
    await bad
  })

  test('used by many delays no other either, and neither do several of them', async () => {
    const one = threads({ mostMs: 10_000, slowAtOnce: 2 })
    const bad = [endless, pattern, script('repeat until false')]
    const waiting = bad.flatMap(each => Array.from({ length: 5 }, () => one.run(each, {})))
    expect(await one.run(good, { a: 1 })).toEqual({ returned: { sum: 2 } })
    one.stop()
    expect(await Promise.all(waiting)).toHaveLength(15)
  })
})

describe('a slow script', () => {
  const slow = script('local n = 0 for i = 1, obj.turns do n = n + i end return { n = n }')
  const turns = 2e7

  test('gets its time', async () => {
    const one = threads({ momentMs: 1, mostMs: 30_000 })
    expect(await one.run(slow, { turns })).toEqual({ returned: { n: (turns * (turns + 1)) / 2 } })
  })

  test('is not kept waiting by one that never ends', async () => {
    const one = threads({ momentMs: 1, mostMs: 30_000, slowAtOnce: 2 })
    const bad = [one.run(endless, {}), one.run(endless, {})]
    expect(await one.run(slow, { turns })).toHaveProperty('returned')
    one.stop()
    await Promise.all(bad)
  })

  test('may be quick the next time', async () => {
    const one = threads({ mostMs: 100 })
    const mixed = script('while obj.endless do end return {}')
    const first = one.run(mixed, { endless: true })
    const others = [1, 2, 3].map(() => one.run(mixed, {}))
    expect(await first).toMatchObject({ lasting: false })
    expect(await Promise.all(others)).toEqual(others.map(() => ({ returned: null })))
    expect(await one.run(mixed, {})).toEqual({ returned: null })
  })
})

test('a thousand calls, each with its own answer', async () => {
  const one = threads({ mostMs: 30_000 })
  const calls = Array.from({ length: 1_000 }, (_, a) => one.run(good, { a }))
  expect(await Promise.all(calls)).toEqual(calls.map((_, a) => ({ returned: { sum: a + 1 } })))
})

test('a thread that was not needed for a while is gone, and comes back', async () => {
  const one = threads({ idleMs: 1 })
  expect(await one.run(good, { a: 1 })).toEqual({ returned: { sum: 2 } })
  await expect.poll(() => one.threads).toBe(0)
  expect(await one.run(good, { a: 2 })).toEqual({ returned: { sum: 3 } })
})

test('who stops is not waited for, and nothing is left unanswered', async () => {
  const one = threads({ mostMs: 60_000 })
  const waiting = [endless, good, pattern].map(each => one.run(each, { a: 1 }))
  one.stop()
  const outcomes = await Promise.all([...waiting, one.run(good, { a: 1 })])
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ lasting: false })
    expect('mistake' in outcome && outcome.mistake).toMatch(
      /^the script: was not run: .*; correct it$/,
    )
  }
})

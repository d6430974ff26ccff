import { expect, test } from 'vitest'

import { scriptKey } from '#core/script.ts'
import type { ScriptOutcome } from '#core/script.ts'
import { createScripts } from './scripts.ts'

const script = { name: 'our script', text: 'return {}', remedy: 'mend it' }

function setUp() {
  const asked: unknown[] = []
  const running: ((outcome: ScriptOutcome) => void)[] = []
  const run = (_: unknown, input: unknown) => {
    asked.push(input)
    const { promise, resolve } = Promise.withResolvers<ScriptOutcome>()
    running.push(resolve)
    return promise
  }
  return { asked, running, scripts: createScripts({ run }, () => 7) }
}

test('a script that runs is not run again, and whoever waits is told', async () => {
  const { asked, running, scripts } = setUp()
  const call = { script, input: { weight: '20' } }
  const told = [1, 2].map(
    () => new Promise<void>(resolve => scripts.run({ ...call }, () => resolve())),
  )
  expect(asked).toEqual([{ weight: '20' }])
  expect(scripts.answers.size).toBe(0)
  running[0]!({ returned: { a: 'b' } })
  await Promise.all(told)
  expect(scripts.answers.get(scriptKey(call))).toEqual({ returned: { a: 'b' }, at: 7 })
})

test('what was answered the longest ago is forgotten', async () => {
  const { running, scripts } = setUp()
  const call = (input: number) => ({ script, input })
  const told = Array.from(
    { length: 201 },
    (_, input) => new Promise<void>(resolve => scripts.run(call(input), resolve)),
  )
  for (const answer of running) answer({ returned: {} })
  await Promise.all(told)
  expect(scripts.answers.size).toBe(200)
  expect(scripts.answers.has(scriptKey(call(0)))).toBe(false)
  expect(scripts.answers.has(scriptKey(call(200)))).toBe(true)
})

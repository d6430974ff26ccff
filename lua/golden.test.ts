// Scripts as users of Kruise Rollouts write them, in golden/: each says in its first two lines what it is
// given, and what it gives or how it fails.

import { readFileSync, readdirSync } from 'node:fs'

import { expect, test } from 'vitest'

import type { Answer } from './machine.ts'
import { luaMachine } from './machine.ts'
import { compiledLua } from './module.ts'

const folder = new URL('./golden/', import.meta.url)
const machine = luaMachine(compiledLua())

test.each(readdirSync(folder))('%s', file => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const [, input, kind, expected] = /^-- obj (.*)\n-- (gives|fails) (.*)\n/.exec(text)!
  const answer = machine.run(text, input!)
  if (kind === 'fails') expect(inWords(answer)).toBe(expected)
  else expect(returned(answer)).toEqual(JSON.parse(expected!))
})

function returned(answer: Answer): unknown {
  return 'json' in answer ? JSON.parse(answer.json) : inWords(answer)
}

function inWords(answer: Answer): string {
  if ('json' in answer) return answer.json
  return answer.line === undefined ? answer.wrong : `line ${answer.line}: ${answer.wrong}`
}

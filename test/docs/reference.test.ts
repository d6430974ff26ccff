// The reference pages say every string that the product can say, and no other.

import { globSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import * as names from '#api/names.ts'
import { firstCells, read, section } from './markdown.ts'

const root = join(import.meta.dirname, '..', '..')
const core = globSync('core/**/*.ts', { cwd: root })
  .filter(file => !file.endsWith('.test.ts'))
  .map(read)
  .join('\n')
const annotations = read('docs/reference/annotations.md')
const status = read('docs/reference/status.md')

test('every exported name and fixed value is in the reference, and no other key', () => {
  const told = new Set(firstCells(annotations).filter(cell => !pairs.has(cell)))
  expect([...told].toSorted()).toEqual(Object.values(names).map(String).toSorted())
})

const pairs = new Set(firstCells(section(annotations, 'The pairs of a hold')))

test('every pair of a hold is in the reference, and no other', () => {
  const [, body] = /function formatHold([^]*?)\n}/.exec(read('core/workload/hold.ts'))!
  const written = quoted(body!, /\['([a-z-]+)', /g)
  expect(written.length).toBeGreaterThan(1)
  expect([...pairs].toSorted()).toEqual(written.toSorted())
})

test.each([
  ['Phases', () => union('Phase')],
  ['Step states', () => union('StepState')],
  ['Condition Progressing', () => union('ProgressingReason')],
  [
    'Condition Ready',
    () => [...said('idle = reconciling \\?'), ...said('notReady:'), ...refusals(), ...stalls()],
  ],
  ['Condition Stalled', () => [...refusals(), ...stalls()]],
  ['Events', () => quoted(read('core/rollout/events.ts'), /reason: '(\w+)'/g)],
])('%s: every word is in the reference, and no other', (heading, words) => {
  const known = words()
  expect(known.length).toBeGreaterThan(1)
  expect(firstCells(section(status, heading)).toSorted()).toEqual([...new Set(known)].toSorted())
})

/** The members of a union of strings. */
function union(type: string): readonly string[] {
  const source = read('core/rollout/model.ts')
  const [, members] = new RegExp(`export type ${type} =([^]*?)\\n\\n`).exec(source) ?? []
  return quoted(members ?? '', /'(\w+)'/g)
}

/** Every word that stands on a line of the core after `before`. */
function said(before: string): readonly string[] {
  const lines = quoted(core, new RegExp(`${before} (.*)`, 'g'))
  return lines.flatMap(line => quoted(line, /'([A-Z]\w+)'/g))
}

function stalls(): readonly string[] {
  return quoted(core, /stalled: '(\w+)'/g)
}

/** Reasons of a Rollout that cannot be followed. */
function refusals(): readonly string[] {
  return quoted(read('core/rollout/parse.ts'), /reason: '(\w+)'/g)
}

function quoted(text: string, expression: RegExp): readonly string[] {
  return [...text.matchAll(expression)].map(([, word]) => word!)
}

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

/** Strings and numbers; the others are catalogues of reasons, which have a page of their own. */
const fixed = Object.values(names).filter(value => typeof value !== 'object')

test('every exported name and fixed value is in the reference, and no other key', () => {
  const told = new Set(firstCells(annotations).filter(cell => !pairs.has(cell)))
  expect([...told].toSorted()).toEqual(fixed.map(String).toSorted())
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
])('%s: every word is in the reference, and no other', (heading, words) => {
  const known = words()
  expect(known.length).toBeGreaterThan(1)
  expect(firstCells(section(status, heading)).toSorted()).toEqual([...new Set(known)].toSorted())
})

test.each([
  ['Condition Ready', names.READY_REASONS],
  ['Condition Stalled', names.STALLED_REASONS],
  ['Condition Progressing', names.PROGRESSING_REASONS],
  ['Condition Succeeded', names.SUCCEEDED_REASONS],
  ['Events', names.EVENT_REASONS],
  ['A TrafficRouting', names.ROUTING_REASONS],
])('%s: every reason is in the reference with its meaning, and no other', (heading, reasons) => {
  const page = section(status, heading)
  expect(firstCells(page).toSorted()).toEqual(Object.keys(reasons).toSorted())
  for (const [reason, meaning] of Object.entries(reasons)) {
    const row = page.split('\n').find(line => line.startsWith(`| \`${reason}\``))
    expect(row, reason).toContain(`| ${meaning}`)
  }
})

test('every reason for which a Rollout is not Ready is on the page of operations', () => {
  const table = section(read('docs/operations.md'), 'The table')
  const { Guarding: _, Releasing: __, ...reasons } = names.READY_REASONS
  expect(Object.keys(reasons).filter(reason => !table.includes(`\`${reason}\``))).toEqual([])
})

test('every reason of the catalogue is given by the core', () => {
  const { READY_REASONS, STALLED_REASONS, PROGRESSING_REASONS, EVENT_REASONS } = names
  const { SUCCEEDED_REASONS } = names
  const all = [
    READY_REASONS,
    STALLED_REASONS,
    PROGRESSING_REASONS,
    SUCCEEDED_REASONS,
    EVENT_REASONS,
  ]
  const unused = all.flatMap(Object.keys).filter(reason => !core.includes(`'${reason}'`))
  expect(unused).toEqual([])
})

test('Tasks at the end: every task is in the reference, and no other', () => {
  const orders = ['one-service', 'two-services'].map(name => read(`core/traffic/${name}.ts`))
  const tasks = quoted(orders.join(''), /ofTask\('(\w+)'/g)
  expect(tasks.length).toBeGreaterThan(1)
  const told = firstCells(section(status, 'Tasks at the end'))
  expect(told.toSorted()).toEqual([...new Set([...tasks, 'END'])].toSorted())
})

/** The members of a union of strings. */
function union(type: string): readonly string[] {
  const source = read('core/rollout/model.ts')
  const [, members] = new RegExp(`export type ${type} =([^]*?)\\n\\n`).exec(source) ?? []
  return quoted(members ?? '', /'(\w+)'/g)
}

function quoted(text: string, expression: RegExp): readonly string[] {
  return [...text.matchAll(expression)].map(([, word]) => word!)
}

// The page of figures has the rows that the bench declares, in their order.

import { expect, test } from 'vitest'

import { rows } from '../../bench/rows.ts'
import { read, section } from './markdown.ts'

const page = read('docs/performance.md')
const table = section(page, 'One run')
  .split('\n')
  .filter(line => line.startsWith('|'))
  .map(line => line.split('|').map(cell => cell.trim()))

test('every row is on the page, with its peer and its target, and no other', () => {
  const [, , ...body] = table
  const told = body.map(([, what, peer, target]) => [what, peer, target])
  expect(told).toEqual(rows.map(({ what, peer, target }) => [what, peer, target]))
})

test('the run names its machine', () => {
  expect(section(page, 'One run')).toMatch(/^machine: \d+ x .*, Linux .*, Node v\d+/m)
})

test('a row is asked for by a name of its own', () => {
  const names = rows.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(page).toContain(`--only ${names.find(name => name === 'approval')}`)
})

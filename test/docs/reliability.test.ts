// The page of faults has each fault that a release is played with, how many ways of it, and where all
// the others are.

import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { allFaults, someOf } from '#cluster/fault-plan.ts'
import { read, section } from './markdown.ts'

const root = join(import.meta.dirname, '..', '..')
const page = read('docs/reliability.md')

function rowsOf(heading: string): readonly (readonly string[])[] {
  const lines = section(page, heading)
    .split('\n')
    .filter(line => line.startsWith('|'))
  const [, , ...rows] = lines.map(line => line.split('|').map(cell => cell.trim()))
  return rows
}

test('every fault is on the page, with how many ways of it are played, and no other', () => {
  const all = allFaults(40)
  const some = someOf(all, 1)
  const faults = [...new Set(all.map(({ fault }) => fault))]
  const count = (ways: typeof all, fault: string) =>
    String(ways.filter(each => each.fault === fault).length)
  const told = rowsOf('One fault in a release').map(([, fault, , ci, full]) => [fault, ci, full])
  expect(told).toEqual(faults.map(fault => [fault, count(some, fault), count(all, fault)]))
})

test('a short run plays some ways of every fault, others by another seed', () => {
  const all = allFaults(40)
  const played = [1, 2, 3, 4, 5, 6, 7, 8].flatMap(seed => someOf(all, seed))
  expect(new Set(played.map(({ fault, how }) => `${fault} ${how}`)).size).toBe(all.length)
})

test('every test that it names is there, and every suite that reports faults is named', () => {
  const named = [...page.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file]) => file!)
  expect(named.filter(file => !existsSync(join(root, file)))).toEqual([])
  const reporting = globSync('test/cluster/*.test.ts', { cwd: root }).filter(file =>
    read(file).includes('reportFaults('),
  )
  expect(reporting.length).toBeGreaterThan(3)
  expect(reporting.filter(file => !named.includes(file))).toEqual([])
})

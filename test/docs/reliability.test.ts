// The page of faults has each fault that a release is played with, how many ways of it, and where all
// the others are.

import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { allFaults, someOf } from '../cluster/fault-plan.ts'
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

/** What says in a file how often a fault is played, unless the environment says otherwise. */
const sampled = [
  ['random histories', 'test/cluster/histories.test.ts', 'seedsOf(', 'HISTORIES'],
  [
    'random histories of other kinds and styles',
    'test/cluster/kind-histories.test.ts',
    'seedsOf(',
    'HISTORIES',
  ],
  [
    'the webhook is away, with the policy',
    'test/cluster/outage-histories.test.ts',
    'with: seedsOf(',
    'HISTORIES',
  ],
  [
    'the webhook is away, without it (`Ignore`)',
    'test/cluster/outage-histories.test.ts',
    'without: seedsOf(',
    'HISTORIES',
  ],
  [
    'webhook replicas restart or are killed',
    'test/cluster/webhook-restarts.test.ts',
    "process.env['EDITS'] ?? ",
    'EDITS',
  ],
  ['strange reviews', 'webhook/strangers.test.ts', "process.env['REVIEWS'] ?? ", 'REVIEWS'],
] as const

test.each(sampled)('%s: as often as the page says', (fault, file, before, variable) => {
  const row = rowsOf('Everything else').find(([, each]) => each === fault)
  const { scripts } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  expect(row?.[3], 'in CI').toBe(numberAfter(read(file), before))
  expect(row?.[4], 'in all').toBe(numberAfter(scripts['test:faults'] ?? '', `${variable}=`))
})

function numberAfter(text: string, before: string): string | undefined {
  return /^\d+/.exec(text.split(before)[1] ?? '')?.[0]
}

test('the page names each number by which a run is made longer', () => {
  const { scripts } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const variables = (scripts['test:faults'] ?? '').match(/\b[A-Z]+(?==)/g) ?? []
  expect(variables.length).toBeGreaterThan(5)
  expect(variables.filter(name => !page.includes(`\`${name}\``))).toEqual([])
})

test('every test that it names is there, and every suite that reports faults is named', () => {
  const named = [...page.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file]) => file!)
  expect(named.filter(file => !existsSync(join(root, file)))).toEqual([])
  const reporting = globSync('test/cluster/*.test.ts', { cwd: root }).filter(file =>
    /report(?:Faults|AtEnd)\(/.test(read(file)),
  )
  expect(reporting.length).toBeGreaterThan(3)
  expect(reporting.filter(file => !named.includes(file))).toEqual([])
})

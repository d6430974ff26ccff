// The table of docs/stock-clients.md says of every client in every state what the cluster tests prove.

import { expect, test } from 'vitest'

import { commands } from '../cluster/client-commands.ts'
import type { Command } from '../cluster/client-commands.ts'
import { effectOf, impossible, states } from '../cluster/client-table.ts'
import type { Effect, StateName } from '../cluster/client-table.ts'
import { read, section } from './markdown.ts'

const page = section(read('docs/stock-clients.md'), 'What a write does')

/** The columns: states in which every client does the same. */
const columns: Readonly<Record<string, readonly StateName[]>> = {
  'at rest': ['atRest'],
  'in a release': ['step1', 'step2', 'step3', 'stalled'],
  'third version': ['third'],
  'last step': ['lastStep'],
  'Rollout paused': ['frozenByRollout'],
  'Deployment paused': ['frozenByOwner'],
  'rolling back': ['rollingBack'],
  aborted: ['aborted'],
}

/** The rows: what is written, and the clients that write it. */
const rows: Readonly<Record<string, (command: Command) => boolean>> = {
  'a new version': it => writes(it, 'new') && !special(it),
  'the same again': it => writes(it, 'same') && !special(it),
  'the stable version': it => writes(it, 'stable') && !special(it),
  '`kubectl replace` with a new version': it => writes(it, 'new') && it.whole === true,
  '`kubectl replace` with the same': it => writes(it, 'same') && it.whole === true,
  '`kubectl replace` with the stable version': it => writes(it, 'stable') && it.whole === true,
  '`rollout undo`': it => writes(it, 'previous'),
  '`rollout undo --to-revision`, the stable one': it =>
    writes(it, 'stable') && it.refusesPaused === true,
  '`rollout undo --to-revision`, one released earlier': it => writes(it, 'earlier'),
  '`rollout restart`': it => it.restarts === true,
  '`rollout pause`': it => it.writes.paused === true,
  '`rollout resume`': it => it.writes.paused === false,
  '`scale`, an autoscaler': it => it.writes.replicas !== undefined,
  'another strategy': it => it.writes.strategy === true,
  'a second server-side manager without force: the same': it =>
    writes(it, 'same') && it.second === true,
  'a second server-side manager without force: a new version': it =>
    writes(it, 'new') && it.second === true,
}

test('every client is in one row, and every state in one column', () => {
  for (const command of commands) {
    const found = Object.values(rows).filter(isIn => isIn(command))
    expect(found, command.name).toHaveLength(1)
  }
  expect(Object.values(columns).flat().toSorted()).toEqual(Object.keys(states).toSorted())
})

test.each(Object.keys(rows))('the row of %s', row => {
  const told = lineOf(row)
  const meant = Object.values(columns).map(column => {
    const effects = column.flatMap(state => wordsIn(rows[row]!, state))
    const [only = '', ...others] = new Set(effects)
    expect(others, `${row}: ${column.join()}`).toEqual([])
    return only
  })
  expect(told).toEqual(meant)
})

test('the columns are those', () => {
  expect(lineOf('what is written')).toEqual(Object.keys(columns))
})

function lineOf(row: string): readonly string[] {
  const cells = page
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
    .find(([, first]) => first === row)
  expect(cells, row).toBeDefined()
  return cells!.slice(2, -1)
}

function wordsIn(isIn: (command: Command) => boolean, state: StateName): readonly string[] {
  return commands.filter(isIn).map(command => {
    if (impossible(command, states[state])) return '-'
    // What a manifest that names no hold field changes is told below the table.
    return wordsFor(effectOf(command, states[state], 'named'))
  })
}

type Words = { readonly [K in Effect['is']]: (effect: Extract<Effect, { is: K }>) => string }

const words: Words = {
  nothing: ({ warning }) => (warning ? 'nothing, and says so' : 'nothing'),
  refused: ({ words: { source } }) => (source.startsWith('Apply') ? 'conflict' : 'refused'),
  release: ({ stopped, again }) => (stopped ? 'held at 0' : again ? 'step 1 again' : 'step 1'),
  rollback: ({ unpauses }) => (unpauses ? 'rollback, un-paused' : 'rollback'),
  scaled: () => 'share kept',
  paused: ({ told }) => (told ? 'frozen' : 'native'),
  resumed: () => 'goes on',
  recorded: ({ told }) => (told ? 'recorded' : 'native'),
}

function wordsFor<K extends Effect['is']>(effect: Extract<Effect, { is: K }>): string {
  return words[effect.is as K](effect)
}

function writes({ writes: { template } }: Command, version: string): boolean {
  return template === version
}

function special({ whole, second, restarts, refusesPaused }: Command): boolean {
  return (whole ?? second ?? restarts ?? refusesPaused) === true
}

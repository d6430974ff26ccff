// `npm run bench`: what Sluice costs and how fast it is, beside a plain Deployment in the same run.

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

import type { Flags } from '#process/flags.ts'
import { runProgram, untilAborted } from '#process/program.ts'
import { wholeNumber } from '#process/settings.ts'
import { idle } from './idle.ts'
import { insideController, insideWebhook } from './inspector.ts'
import { startPlace } from './place.ts'
import type { Place } from './place.ts'
import { machine, save, table, writePage } from './report.ts'
import type { Line } from './report.ts'
import { rows } from './rows.ts'
import type { Row } from './rows.ts'

const flags = {
  gate: { type: 'boolean', default: false, help: 'fails when a row misses' },
  only: { type: 'string', value: 'ROW', help: 'measures one row, or a group of them' },
  profile: {
    type: 'boolean',
    default: false,
    help: 'saves CPU profiles of both processes, taken while it measures',
  },
  page: {
    type: 'boolean',
    default: false,
    help: 'writes what was measured into the table of the docs',
  },
  tries: {
    type: 'string',
    // A neighbour's busy second must not count.
    default: '3',
    value: 'COUNT',
    help: 'how often a figure that misses is measured at most',
  },
} as const satisfies Flags

const program = {
  name: 'sluice bench',
  command: 'npm run bench --',
  about: 'What Sluice costs and how fast it is, beside a plain Deployment in the same run.',
  flags,
}

await runProgram(program, async stop => {
  const { values } = parseArgs({ options: flags })
  const chosen = rows.filter(({ name, group }) => {
    return values.only === undefined || [name, group].includes(values.only)
  })
  if (chosen.length === 0) {
    const names = [...new Set(rows.flatMap(({ name, group }) => [group ?? name, name]))].join(', ')
    throw new Error(`--only: no row ${values.only}; the rows are ${names}`)
  }
  const most = wholeNumber('--tries', values.tries, { least: 1, most: 10 })
  const progress = (line: string) => void process.stderr.write(`${line}\n`)
  const at = new Date().toISOString()
  const where = machine()
  const place = await startPlace(progress)
  let missed: readonly Line[]
  try {
    const endProfiles = values.profile ? await profiles(place) : undefined
    const ended = untilAborted(stop).then(() => Promise.reject(stop.reason as Error))
    const lines = await Promise.race([measureAll(place, chosen, most), ended])
    const report = { at, machine: where, lines, figures: await figuresOf(place, chosen) }
    process.stdout.write(table(report))
    const file = await save(report)
    if (values.page) await writePage(report, rows)
    progress(`saved as ${file.pathname}`)
    for (const saved of (await endProfiles?.(file)) ?? []) progress(`saved as ${saved}`)
    missed = lines.filter(({ met }) => !met)
  } catch (error) {
    progress(place.log.slice(-20).join('\n'))
    throw error
  } finally {
    await place.stop()
  }
  if (values.gate && missed.length > 0) {
    throw new Error(`missed: ${missed.map(({ row }) => row.name).join(', ')}`)
  }
})

async function measureAll(
  place: Place,
  chosen: readonly Row[],
  most: number,
): Promise<readonly Line[]> {
  const lines = new Map<Row, Line>()
  // Memory of a process that has done nothing is there only once.
  const families = new Set([idle, ...chosen.map(({ family }) => family)])
  for (const family of families) {
    const members = chosen.filter(row => row.family === family)
    for (const line of await measureFamily(place, members, most)) lines.set(line.row, line)
  }
  return chosen.map(row => lines.get(row)!)
}

/** Measures rows of one family, again while one of them misses by time alone; a count stands. */
async function measureFamily(
  place: Place,
  members: readonly Row[],
  most: number,
): Promise<readonly Line[]> {
  let lines: readonly Line[] = []
  for (let tries = 1; tries <= most && members.length > 0; tries++) {
    const measured = await place.shared(members[0]!.family)
    lines = members.map((row, i) => {
      const line = { row, ...row.judge(measured), tries }
      const before = lines[i]
      return before === undefined || (!before.met && before.again) ? line : before
    })
    for (const { row, ours, met } of lines) {
      place.progress(`${row.name}: ${ours}${met ? '' : ' (missed)'}`)
    }
    if (lines.every(({ met, again }) => met || !again)) break
    if (tries < most) place.forget(members[0]!.family)
  }
  return lines
}

async function figuresOf(
  place: Place,
  chosen: readonly Row[],
): Promise<Readonly<Record<string, unknown>>> {
  const families = new Set(chosen.map(({ family }) => family))
  const all = [...families].map(async family => [family.name, await place.shared(family)] as const)
  return Object.fromEntries(await Promise.all(all))
}

/** Begins a profile of each process; the function that it gives saves them beside a report. */
async function profiles(place: Place) {
  const inside = { webhook: insideWebhook, controller: insideController }
  const running: { readonly name: string; readonly end: () => Promise<string> }[] = []
  for (const [name, look] of Object.entries(inside)) {
    const inspector = await place.shared(look)
    running.push({ name, end: await inspector.profile() })
  }
  return async (report: URL): Promise<readonly string[]> => {
    const files: string[] = []
    for (const { name, end } of running) {
      const file = report.pathname.replace(/\.json$/, `-${name}.cpuprofile`)
      await writeFile(file, await end())
      files.push(file)
    }
    return files
  }
}

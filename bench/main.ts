// `npm run bench`: what Sluice costs and how fast it is, beside a plain Deployment in the same run. With
// `-- --gate` it fails when a row misses; `-- --only <row>` measures one; `-- --profile` saves CPU
// profiles of both processes, taken while it measures.

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

import { runProgram } from '#process/program.ts'
import { attach } from './inspector.ts'
import type { Inspector } from './inspector.ts'
import { startPlace } from './place.ts'
import type { Place } from './place.ts'
import { machine, save, table } from './report.ts'
import type { Line } from './report.ts'
import { rows } from './rows.ts'
import type { Row } from './rows.ts'

/** A neighbour's busy second must not count: a figure that misses is measured so often. */
const TRIES = 3

await runProgram('sluice bench', async () => {
  const { values } = parseArgs({
    options: {
      gate: { type: 'boolean', default: false },
      only: { type: 'string' },
      profile: { type: 'boolean', default: false },
    },
  })
  const chosen = rows.filter(({ name }) => values.only === undefined || name === values.only)
  if (chosen.length === 0) {
    const names = rows.map(({ name }) => name).join(', ')
    throw new Error(`--only: no row ${values.only}; the rows are ${names}`)
  }
  const progress = (line: string) => void process.stderr.write(`${line}\n`)
  const at = new Date().toISOString()
  const where = machine()
  const place = await startPlace(progress)
  let missed: readonly Line[]
  try {
    const endProfiles = values.profile ? await profiles(place) : undefined
    const lines = await measureAll(place, chosen)
    const report = { at, machine: where, lines, figures: await figuresOf(place, chosen) }
    process.stdout.write(table(report))
    const file = await save(report)
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

async function measureAll(place: Place, chosen: readonly Row[]): Promise<readonly Line[]> {
  const lines = new Map<Row, Line>()
  // Memory of a process that has done nothing is there only once.
  const order = chosen.toSorted((a, b) => rank(a) - rank(b))
  for (const row of order) lines.set(row, await measureRow(place, row))
  return chosen.map(row => lines.get(row)!)
}

function rank({ name }: Row): number {
  return name === 'idle-requests' ? 0 : 1
}

async function measureRow(place: Place, row: Row): Promise<Line> {
  for (let tries = 1; ; tries++) {
    const judged = row.judge(await place.shared(row.family))
    place.progress(`${row.name}: ${judged.ours}${judged.met ? '' : ' (missed)'}`)
    if (judged.met || !row.timing || tries === TRIES) return { row, ...judged, tries }
    place.forget(row.family)
  }
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
  const { webhook, controller } = place.sluice
  const running: { name: string; end: () => Promise<string>; inspector: Inspector }[] = []
  for (const [name, { pid }] of Object.entries({ webhook, controller })) {
    const inspector = await attach(pid, place.log)
    running.push({ name, end: await inspector.profile(), inspector })
  }
  return async (report: URL): Promise<readonly string[]> => {
    const files: string[] = []
    for (const { name, end, inspector } of running) {
      const file = report.pathname.replace(/\.json$/, `-${name}.cpuprofile`)
      await writeFile(file, await end())
      inspector.close()
      files.push(file)
    }
    return files
  }
}

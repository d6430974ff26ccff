// What the bench says: a table for people, and the same with all figures as JSON.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg, release, totalmem } from 'node:os'

import type { Judged, Row } from './rows.ts'

/** One row with what came out. */
export interface Line extends Judged {
  readonly row: Row
  /** How often it was measured until it was met. */
  readonly tries: number
}

/** What was measured, and on what. */
export interface Report {
  readonly at: string
  readonly machine: string
  readonly lines: readonly Line[]
  /** All figures, by the name of the family. */
  readonly figures: Readonly<Record<string, unknown>>
}

/** The machine in a line; with its load, since neighbours count. */
export function machine(): string {
  const cores = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const load = loadavg()[0]!.toFixed(1)
  return `${cores.length} x ${cores[0]?.model ?? 'unknown'}, ${memory} GiB, Linux ${release()}, Node ${process.version}, load ${load}`
}

/** The table, as markdown. */
export function table({ machine: where, lines }: Report): string {
  return tableOf(where, lines.map(cellsOf))
}

function cellsOf({ row: { what, peer, target }, ours, met, tries }: Line): readonly string[] {
  const verdict = met ? 'met' : 'MISSED'
  return [what, peer, target, ours, tries > 1 ? `${verdict}, try ${tries}` : verdict]
}

function tableOf(where: string, body: readonly (readonly string[])[]): string {
  const head = ['what', 'Kruise Rollouts', 'must reach', 'measured', '']
  const text = [head, head.map(() => '---'), ...body].map(cells => `| ${cells.join(' | ')} |`)
  return [`machine: ${where}`, '', ...text, ''].join('\n')
}

/** Saves the report below bench/results/, and gives the file. */
export async function save({ lines, ...rest }: Report): Promise<URL> {
  const folder = new URL('results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const plain = lines.map(({ row: { name, what, peer, target }, ...judged }) => {
    return { name, what, peer, target, ...judged }
  })
  const file = new URL(`${rest.at.replaceAll(':', '-')}.json`, folder)
  await writeFile(file, `${JSON.stringify({ ...rest, rows: plain }, null, 2)}\n`)
  return file
}

/**
 * Writes the table of these rows into docs/performance.md, in the place of the one that is there: of a
 * row that was not measured what it says stays.
 */
export async function writePage({ machine: where, lines }: Report, all: readonly Row[]) {
  const page = new URL('../docs/performance.md', import.meta.url)
  const text = await readFile(page, 'utf8')
  const [before, after] = [text.indexOf(heading) + heading.length, text.indexOf(next)]
  const there = text
    .slice(before, after)
    .split('\n')
    .filter(each => each.startsWith('|'))
  const cells = [
    ...lines.map(cellsOf),
    ...there.map(each =>
      each
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    ),
  ]
  const body = all.flatMap(({ what }) => cells.filter(([first]) => first === what).slice(0, 1))
  await writeFile(page, `${text.slice(0, before)}${tableOf(where, body)}${text.slice(after)}`)
}

const heading = '## One run\n\n'
const next = '\n## What the profiles showed'

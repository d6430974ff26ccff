// Reads the parts of a page that a test can hold to: code blocks, links, tables, headings.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** A fenced block. `info` holds the words after the language: `run=edit` is `{run: 'edit'}`. */
export interface Block {
  readonly language: string
  readonly info: Readonly<Record<string, string>>
  readonly text: string
}

/** The README and every page of docs/, by path from the top of the checkout. */
export function pages(): readonly string[] {
  return ['README.md', ...globSync('docs/**/*.md', { cwd: root })].toSorted()
}

/** The text of a page, or of any other file of the checkout. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The fenced blocks, in order. */
export function blocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\w*) ?(.*)\n([^]*?)^```$/gm)].map(
    ([, language = '', words = '', text = '']) => ({
      language,
      info: Object.fromEntries(words.split(' ').map(word => word.split('=') as [string, string])),
      text,
    }),
  )
}

/** The targets of links, as they are written; code is passed over. */
export function links(markdown: string): readonly string[] {
  return [...withoutBlocks(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
}

/** The fragments by which the headings of a page are reached, as GitHub makes them. */
export function fragments(markdown: string): readonly string[] {
  return [...withoutBlocks(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** The words in backticks that stand alone in the first cell of a row. */
export function firstCells(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, cell]) => cell!)
}

/** The part of a page below a heading, up to the next one of any level. */
export function section(markdown: string, heading: string): string {
  const [, text] = markdown.split(new RegExp(`^#+ ${heading}$`, 'm'))
  if (text === undefined) throw new Error(`no heading "${heading}"`)
  return text.split(/^#+ /m)[0]!
}

/** A line as a page shows it: `…` stands for anything, and columns may be wider. */
export function pattern(line: string): RegExp {
  const parts = line.split('…').map(part => {
    const escaped = part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    return escaped.replaceAll(/ +/g, ' +')
  })
  return new RegExp(`^${parts.join('.*')}$`, 'm')
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, '')
}

// `npm run image-tree [-- dir]` makes the file tree of the image, `npm run package [-- dir]` the folder
// for `npm pack`; by default below .cache.

import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { argv, stderr, stdout } from 'node:process'

import { writeImageTree } from './image-tree.ts'
import { writePackage } from './package.ts'

const root = join(import.meta.dirname, '..')
const makers: ReadonlyMap<string, (root: string, target: string) => Promise<void>> = new Map([
  ['image-tree', writeImageTree],
  ['package', writePackage],
])

const [what = '', given] = argv.slice(2)
const ours = join(root, '.cache', what)
const target = given === undefined ? ours : resolve(given)
try {
  const make = makers.get(what)
  if (!make) throw new Error(`${what}: expected one of ${[...makers.keys()].join(', ')}`)
  // What somebody else named is never removed.
  if (given === undefined) await rm(ours, { recursive: true, force: true })
  await make(root, target)
  stdout.write(`${target}\n`)
} catch (error) {
  stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

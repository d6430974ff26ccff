// `npm run image-tree [-- dir]`: makes the file tree of the image, by default below .cache.

import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { argv, stderr, stdout } from 'node:process'

import { writeImageTree } from './image-tree.ts'

const root = join(import.meta.dirname, '..')
const ours = join(root, '.cache', 'image-tree')

const [given] = argv.slice(2)
const target = given === undefined ? ours : resolve(given)
try {
  // What somebody else named is never removed.
  if (given === undefined) await rm(ours, { recursive: true, force: true })
  await writeImageTree(root, target)
  stdout.write(`${target}\n`)
} catch (error) {
  stderr.write(`image-tree: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

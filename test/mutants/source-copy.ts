// Copies of the source in which one rule is taken out: whoever says that a rule is tested can see a
// test fail without it.

import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One text of one file, and what stands there instead. */
export interface Replacement {
  /** Path from the top of the source. */
  readonly file: string
  /** Stands there exactly once. */
  readonly text: string
  readonly instead: string
}

/** The top of the source. */
export const top = join(import.meta.dirname, '..', '..')
const parts = [
  'package.json',
  'api',
  'core',
  'test/properties',
  'test/world',
  'test/scenarios',
  'test/contracts',
  // The own controllers of kinds, how what is recorded of a release is judged, and what those read.
  'test/cluster',
  'kube',
]

/** Copies what the fast tests of the rules need into a folder that is made for it. */
export async function copySource(folder: string, replacement?: Replacement): Promise<void> {
  const changed = replacement && (await replaced(replacement))
  await mkdir(join(folder, 'test'), { recursive: true })
  for (const part of parts) await cp(join(top, part), join(folder, part), { recursive: true })
  await symlink(join(top, 'node_modules'), join(folder, 'node_modules'))
  if (changed !== undefined) await writeFile(join(folder, replacement!.file), changed)
}

async function replaced({ file, text, instead }: Replacement): Promise<string> {
  const pieces = (await readFile(join(top, file), 'utf8')).split(text)
  if (pieces.length !== 2) {
    const times = `${pieces.length - 1} times`
    throw new Error(`${file} holds this text ${times}, not once: ${text}`)
  }
  return pieces.join(instead)
}

// The source as one file in which one rule is taken out: whoever says that a rule is tested can see a
// test fail without it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { rolldown } from 'rolldown'

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

/** Puts a module and all of ours that it imports into one file; packages stay imports. */
export async function bundle(
  entry: string,
  output: string,
  replacement?: Replacement,
): Promise<void> {
  const changed = replacement && (await replaced(replacement))
  const path = replacement && join(top, replacement.file)
  const bundled = await rolldown({
    input: join(top, entry),
    cwd: top,
    platform: 'node',
    external: /^[^.#/]/,
    // What would be left out as unused may be what fails.
    treeshake: false,
    plugins: [{ name: 'replacement', load: id => (id === path ? changed : undefined) }],
  })
  await bundled.write({ file: output, format: 'esm', codeSplitting: false })
  await bundled.close()
}

async function replaced({ file, text, instead }: Replacement): Promise<string> {
  const pieces = (await readFile(join(top, file), 'utf8')).split(text)
  if (pieces.length !== 2) {
    const times = `${pieces.length - 1} times`
    throw new Error(`${file} holds this text ${times}, not once: ${text}`)
  }
  return pieces.join(instead)
}

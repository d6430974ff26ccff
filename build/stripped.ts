// What the entry files need, as JavaScript: Node's own stripping puts blanks in place of types, so
// that lines and columns in a stack trace stay those of the source. Made for the image, and for the
// package that `npx` runs: Node strips no types below node_modules.

import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, posix } from 'node:path'

/** Texts by path from the top, such as `core/digest.js`. */
export type Files = ReadonlyMap<string, string>

/** The fields of the product's package.json that what is shipped needs. */
export interface PackageManifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly type: string
  /** What `#…` means, such as `#core/*`: `./core/*`. */
  readonly imports: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly engines: Readonly<Record<string, string>>
}

/**
 * The entry files and all that they import or start as a thread, stripped, with `.js` in place of `.ts` in
 * names and imports, and the files that they read from beside them, as they are. Entries are paths from
 * `root`. Throws where a file is missing.
 */
export async function stripped(root: string, entries: readonly string[]): Promise<Files> {
  const { imports } = await manifestOf(root)
  const files = new Map<string, string>()
  const found = new Set(entries)
  for (const path of found) {
    const text = await readFile(join(root, path), 'utf8')
    if (!path.endsWith('.ts')) {
      files.set(path, text)
      continue
    }
    const source = stripTypeScriptTypes(text)
    for (const [, beside] of source.matchAll(readFromBeside))
      found.add(pathOf(imports, path, beside!))
    for (const [, , target] of source.matchAll(ownImport)) {
      found.add(pathOf(imports, path, `${target}.ts`))
    }
    files.set(scriptName(path), source.replaceAll(ownImport, "$1$2.js'"))
  }
  return files
}

/** Writes files into a folder that is missing or empty; throws one line where it is neither. */
export async function writeFiles(target: string, files: Files): Promise<void> {
  await mkdir(target, { recursive: true })
  if ((await readdir(target)).length > 0) throw new Error(`${target}: the folder is not empty`)
  for (const [path, text] of files) {
    await mkdir(dirname(join(target, path)), { recursive: true })
    await writeFile(join(target, path), text)
  }
}

/** What `#…` means where tests are not: their own aliases lead nowhere. */
export function shippedImports({ imports }: PackageManifest): PackageManifest['imports'] {
  const shipped = Object.entries(imports).filter(([, target]) => !target.startsWith('./test/'))
  return Object.fromEntries(shipped)
}

/** The name that a source has once it is stripped. */
export function scriptName(path: string): string {
  return path.replace(/\.ts$/, '.js')
}

/** Everything from elsewhere that the files import: packages, and modules of Node; sorted. */
export function foreignImports(files: Files): readonly string[] {
  const names = [...files.values()].flatMap(text =>
    [...text.matchAll(foreignImport)].map(([, specifier]) => packageOf(specifier!)),
  )
  return [...new Set(names)].toSorted()
}

/** The package in which a module lies. */
function packageOf(specifier: string): string {
  const [scope, name] = specifier.split('/')
  return specifier.startsWith('@') ? `${scope}/${name}` : scope!
}

/** Reads the package.json at `root`. */
export async function manifestOf(root: string): Promise<PackageManifest> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as PackageManifest
}

const ownImport = /(\b(?:from |import |import\(|new URL\()')([#.][^'\n]*)\.ts'/g
const readFromBeside = /\bnew URL\('(\.[^'\n]*)(?<!\.ts)', import\.meta\.url\)/g
const foreignImport = /\b(?:from |import |import\()'([^#.'\n][^'\n]*)'/g

function pathOf(imports: PackageManifest['imports'], from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  const prefix = specifier.slice(0, specifier.indexOf('/') + 1)
  const target = imports[`${prefix}*`]
  if (target === undefined) throw new Error(`${from}: package.json has no imports for ${prefix}*`)
  return posix.join(target.replace('*', specifier.slice(prefix.length)))
}

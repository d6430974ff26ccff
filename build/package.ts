// The folder of which `npm pack` makes what `npx sluice` runs: the command-line tool, stripped of types,
// with the packages that it imports and no others. It is run by the Node that is there, from 20 on.

import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import {
  foreignImports,
  manifestOf,
  scriptName,
  shippedImports,
  stripped,
  writeFiles,
} from './stripped.ts'
import type { Files, PackageManifest } from './stripped.ts'

const ENTRY = 'cli/main.ts'

/** Makes the folder, which must be missing or empty, from the checkout at `root`. Needs no network. */
export async function writePackage(root: string, target: string): Promise<void> {
  const files = await stripped(root, [ENTRY])
  await writeFiles(target, files)
  const manifest = packageManifest(await manifestOf(root), files)
  await writeFile(join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  for (const name of ['LICENSE', 'README.md']) await cp(join(root, name), join(target, name))
}

function packageManifest(manifest: PackageManifest, files: Files) {
  const { name, version, description, license, type, engines, dependencies } = manifest
  const imported = new Set(foreignImports(files))
  const needed = Object.entries(dependencies).filter(([dependency]) => imported.has(dependency))
  return {
    name,
    version,
    description,
    license,
    type,
    engines,
    bin: { sluice: scriptName(ENTRY) },
    imports: shippedImports(manifest),
    dependencies: Object.fromEntries(needed),
  }
}

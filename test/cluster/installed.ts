// The package of `npx sluice`, installed into a folder as npm would: there npx finds it, and asks no
// registry.

import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { writePackage } from '../../build/package.ts'

const root = join(import.meta.dirname, '..', '..')

/** Installs it below `folder`; gives the path of its script. */
export async function installPackage(folder: string): Promise<string> {
  const modules = join(folder, 'node_modules')
  await writePackage(root, join(modules, 'sluice'))
  const script = join(modules, 'sluice', 'cli', 'main.js')
  await chmod(script, 0o755)
  await mkdir(join(modules, '.bin'))
  await symlink(script, join(modules, '.bin', 'sluice'))
  for (const name of ['undici', '@kubernetes']) {
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  return script
}

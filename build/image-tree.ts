// The file tree of the container image, made without docker: stripped sources, a package.json, and
// the production packages of the checkout. The Dockerfile runs this too, so both are the same.

import { cp, readFile, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'

import { manifestOf, shippedImports, stripped, writeFiles } from './stripped.ts'
import type { PackageManifest } from './stripped.ts'

/** The programs of the image. */
export const ENTRIES = ['controller/main.ts', 'webhook/main.ts', 'cli/uninstall.ts']

/**
 * Makes the tree in a folder that is missing or empty, from the checkout at `root`, whose packages are
 * installed. Needs no network. Throws one line where it cannot.
 */
export async function writeImageTree(root: string, target: string): Promise<void> {
  await writeFiles(target, await stripped(root, ENTRIES))
  await writeFile(join(target, 'package.json'), manifestText(await manifestOf(root)))
  await cp(join(root, 'LICENSE'), join(target, 'LICENSE'))
  for (const path of await productionPackages(root)) await copyPackage(root, target, path)
}

/** Folders of the packages that run in production, such as `node_modules/pino`, sorted. */
export async function productionPackages(root: string): Promise<readonly string[]> {
  const { packages } = JSON.parse(
    await readFile(join(root, 'package-lock.json'), 'utf8'),
  ) as Lockfile
  // What is optional is Node itself, which the image brings.
  const runs = Object.entries(packages).filter(([path, { dev, devOptional, optional }]) => {
    return path !== '' && !dev && !devOptional && !optional
  })
  return runs.map(([path]) => path).toSorted()
}

interface Lockfile {
  readonly packages: Readonly<
    Record<
      string,
      { readonly dev?: boolean; readonly devOptional?: boolean; readonly optional?: boolean }
    >
  >
}

function manifestText(manifest: PackageManifest): string {
  const { name, version, description, license, type, dependencies } = manifest
  const kept = { name, version, private: true, description, license, type }
  const text = { ...kept, imports: shippedImports(manifest), dependencies }
  return `${JSON.stringify(text, undefined, 2)}\n`
}

/** Packages of which some files are read: the rest is never loaded, and so not there either. */
const READ: ReadonlyMap<string, readonly string[]> = new Map([
  ['node_modules/wasmoon-lua5.1', ['package.json', 'LICENSE', 'dist/liblua5.1.wasm']],
  // What its rest would need.
  ['node_modules/@types/emscripten', []],
  ['node_modules/lodash', []],
])

async function copyPackage(root: string, target: string, path: string): Promise<void> {
  const read = READ.get(path)
  if (read === undefined) return copyWhole(root, target, path)
  for (const file of read) await copyWhole(root, target, `${path}/${file}`)
}

async function copyWhole(root: string, target: string, path: string): Promise<void> {
  const source = join(root, path)
  const nested = join(source, 'node_modules')
  await cp(source, join(target, path), {
    recursive: true,
    // Packages within a package have entries of their own.
    filter: file => file !== nested && !file.startsWith(nested + sep) && !neverLoaded.test(file),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new Error(`${path} is not installed: run npm ci`, { cause: error })
  })
}

/** Types and source maps are most of the bytes, and nobody reads them there. */
const neverLoaded = /\.(d\.[cm]?ts|map)$/

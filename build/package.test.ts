// What `npm pack` makes is run as `npx` would: unpacked below node_modules, by every Node that is here.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { usage } from '../cli/arguments.ts'
import { writePackage } from './package.ts'

interface Packed {
  readonly bin: { readonly sluice: string }
  readonly dependencies: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, '..')
const place = mkdtempSync(join(tmpdir(), 'sluice-package-'))
const installed = join(place, 'node_modules', 'sluice')
let packed: Packed
afterAll(() => rmSync(place, { recursive: true }))

function runIn(cwd: string, program: string, ...args: readonly string[]) {
  const env = { PATH: process.env['PATH'], HOME: place, npm_config_offline: 'true' }
  return spawnSync(program, args, { cwd, encoding: 'utf8', env })
}

function run(program: string, ...args: readonly string[]) {
  return runIn(place, program, ...args)
}

beforeAll(async () => {
  await writePackage(root, join(place, 'folder'))
  const { stdout, stderr } = run('npm', 'pack', './folder', '--json')
  const [file] = Object.values(JSON.parse(stdout || stderr) as Record<string, { filename: string }>)
  mkdirSync(installed, { recursive: true })
  run('tar', '-xzf', file!.filename, '--strip-components=1', '-C', installed)
  packed = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Packed
  for (const name of Object.keys(packed.dependencies)) {
    const link = join(place, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
})

// The system's own may be older than the one that runs the tests.
const nodes = [process.execPath, '/usr/bin/node'].filter(path => existsSync(path))

test.each(nodes)('%s runs it: usage, and words that are not understood', node => {
  const script = join(installed, packed.bin.sluice)
  expect(run(node, script, '--help')).toMatchObject({ status: 0, stdout: `${usage}\n`, stderr: '' })
  const { status, stderr } = run(node, script, 'ejct')
  expect({ status, stderr }).toMatchObject({ status: 2 })
  expect(stderr).toMatch(/^sluice: ejct: no such command/)
})

test('in a checkout npx runs what is there, and asks no registry', () => {
  const { status, stdout, stderr } = runIn(root, 'npx', 'sluice', '--help')
  expect(stderr).toBe('')
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${usage}\n` })
})

test.each(nodes)('%s loads what a kubeconfig needs, and asks its API server', node => {
  const kubeconfig = join(import.meta.dirname, '..', 'test', 'cluster', 'no-such-kubeconfig')
  const script = join(installed, packed.bin.sluice)
  const { status, stderr } = run(node, script, 'adopt', 'deploy/web', '--kubeconfig', kubeconfig)
  expect(status).toBe(1)
  expect(stderr).toMatch(/no-such-kubeconfig: the kubeconfig cannot be read: ENOENT/)
})

test('it brings the packages that it imports, no others, and no types', () => {
  expect(Object.keys(packed.dependencies)).toEqual(['@kubernetes/client-node', 'undici'])
  expect(existsSync(join(installed, 'cli', 'main.js'))).toBe(true)
  for (const path of ['cli/main.ts', 'controller', 'webhook', 'test']) {
    expect(existsSync(join(installed, path)), path).toBe(false)
  }
})

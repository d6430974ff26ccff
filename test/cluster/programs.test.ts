// Which program is taken when there are several, and that a lock outlives nobody.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'

import { expect, onTestFinished, test } from 'vitest'

import { readConfig } from './config.ts'
import { withLock } from './lock.ts'
import { builtProgram, kubernetesPrograms } from './program-build.ts'
import { findProgram, locateProgram } from './programs.ts'

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return dir
}

async function put(dir: string, names: readonly string[], script = ''): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const name of names) {
    await writeFile(join(dir, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(dir, name), 0o755)
  }
}

test('the Kubernetes programs come from the first source that has all of them', async () => {
  const root = await folder()
  const [assets, path] = [join(root, 'assets'), join(root, 'path')]
  const config = readConfig({ HOME: root, PATH: path, KUBEBUILDER_ASSETS: assets })
  const found = () => locateProgram('kubectl', config)

  expect(found()).toBeUndefined()
  const built = builtProgram(config.cacheDir, 'kube', 'kubectl')
  await put(dirname(built), kubernetesPrograms)
  expect(found()).toBe(built)

  // As setup-envtest makes it: two are missing.
  await put(assets, ['etcd', 'kube-apiserver', 'kubectl'])
  await put(path, ['kubectl'])
  expect(found()).toBe(built)
  await put(path, kubernetesPrograms)
  expect(found()).toBe(join(path, 'kubectl'))
  await put(assets, kubernetesPrograms)
  expect(found()).toBe(join(assets, 'kubectl'))
})

test('a helm on PATH is taken for the major version that it says', async () => {
  const root = await folder()
  const config = readConfig({ HOME: root, PATH: join(root, 'path') })
  await put(join(root, 'path'), ['helm'], 'echo v3.22.0+gabc')
  expect(locateProgram('helm3', config)).toBe(join(root, 'path', 'helm'))
  expect(locateProgram('helm4', config)).toBeUndefined()
})

test('without Go each program is missed with the ways to give it', async () => {
  const root = await folder()
  const config = readConfig({ HOME: root, PATH: join(root, 'path') })
  const go = `install Go 1.21 or newer (https://go.dev/dl), which builds it once into ${config.cacheDir}`
  await expect(findProgram('kwok', { config })).rejects.toThrow(
    `kwok is missing: set KUBEBUILDER_ASSETS to a folder with kwok; or put kwok on PATH; or ${go}`,
  )
  await expect(findProgram('gateway', { config })).rejects.toThrow(
    `gateway is missing, which nobody but us has: ${go}`,
  )
})

test('only one holds a lock at a time, and nothing stays of it', async () => {
  const root = await folder()
  const path = join(root, 'thing')
  let holders = 0
  let most = 0
  let waited = 0
  const work = async () => {
    most = Math.max(most, ++holders)
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    holders--
  }
  await Promise.all([1, 2, 3, 4].map(() => withLock({ path, waiting: () => waited++ }, work)))
  expect([most, waited > 0]).toEqual([1, true])
  expect(await readdir(root)).toEqual([])
})

test('the lock of a killed process is free, that of a living one is not', async () => {
  const root = await folder()
  const path = join(root, 'thing')
  const script = `
    import { withLock } from '${join(import.meta.dirname, 'lock.ts')}'
    await withLock({ path: '${path}', waiting() {} }, async () => {
      process.stdout.write('held')
      await new Promise(resolve => setTimeout(resolve, 60_000))
    })`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script])
  await once(holder.stdout, 'data')

  const seen: number[] = []
  const interruption = new AbortController()
  const waiting = (pid: number) => {
    seen.push(pid)
    interruption.abort(new Error('enough'))
  }
  const blocked = withLock({ path, waiting, signal: interruption.signal }, async () => {})
  await expect(blocked).rejects.toThrow('enough')
  expect(seen).toEqual([holder.pid])

  holder.kill('SIGKILL')
  await once(holder, 'close')
  expect(await readdir(root)).toHaveLength(1)
  expect(await withLock({ path, waiting }, async () => 'held')).toBe('held')
  expect(seen).toHaveLength(1)
  expect(await readdir(root)).toEqual([])
})

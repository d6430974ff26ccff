// Files as the kubelet mounts a Secret: names that lead through one link, which is exchanged as a whole.

import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { beforeAll, expect, onTestFinished, test } from 'vitest'

import { createAuthority, issue } from './authority.ts'
import type { Names, Pair } from './authority.ts'
import { followFiles } from './files.ts'

const day = 86_400_000
const names = { dnsNames: ['sluice.svc'], ips: [] }
let ca: Pair
let first: Pair
let second: Pair
const make = (wanted: Names = names, now = Date.now()) => issue(ca, { ...wanted, now, days: 2 })
beforeAll(async () => {
  ca = await createAuthority({ now: Date.now(), days: 365 })
  ;[first, second] = await Promise.all([make(), make()])
})

/** A volume; `put` exchanges what is in it, leaves out what is undefined, and gives the folder. */
async function volume() {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-files-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), join(dir, name))
  let generation = 0
  const put = async ({ cert, key }: Partial<Pair>) => {
    const next = `..${(generation += 1)}`
    await mkdir(join(dir, next))
    if (cert !== undefined) await writeFile(join(dir, next, 'tls.crt'), cert)
    if (key !== undefined) await writeFile(join(dir, next, 'tls.key'), key)
    await symlink(next, join(dir, '..tmp'))
    await rename(join(dir, '..tmp'), join(dir, '..data'))
    return join(dir, next)
  }
  return { dir, put }
}

/** Follows a volume that holds the first pair. */
async function following() {
  const { dir, put } = await volume()
  await put(first)
  const changes: Pair[] = []
  const errors: string[] = []
  const followed = await followFiles({
    dir,
    names,
    checkMs: 3_600_000,
    onChange: pair => void changes.push(pair),
    onError: error => void errors.push((error as Error).message),
  })
  onTestFinished(() => followed.stop())
  return { dir, put, changes, errors, ...followed }
}

test('what the link leads to is served, and what it leads to next', async () => {
  const { put, check, current, changes, errors } = await following()
  expect(current()).toEqual(first)
  await check()
  expect(changes).toEqual([])
  await put(second)
  await check()
  expect([current(), changes]).toEqual([second, [second]])
  expect(errors).toEqual([])
})

test('what is not good is told once, and not taken over', async () => {
  const { dir, put, check, current, changes, errors } = await following()
  const file = `--certificate-dir: ${join(dir, 'tls.crt')}`
  const ended = await make(names, Date.now() - 3 * day)
  const rows: readonly (readonly [Partial<Pair>, string])[] = [
    [{ cert: second.cert, key: first.key }, `${file} and tls.key are no certificate and its key`],
    [await make({ dnsNames: ['old.svc'], ips: [] }), `${file} is not for sluice.svc: issue it`],
    [{ cert: 'x', key: 'y' }, `${file} and tls.key are no certificate and its key`],
    [ended, `${file} ended at `],
    [{ cert: second.cert }, `--certificate-dir: cannot read ${join(dir, 'tls.key')}: ENOENT`],
  ]
  for (const [pair, message] of rows) {
    await put(pair)
    await check()
    await check()
    expect(errors.at(-1)).toContain(message)
    expect(current()).toEqual(first)
  }
  expect(errors).toHaveLength(rows.length)
  expect(changes).toEqual([])
  await put(second)
  await check()
  expect(current()).toEqual(second)
})

test('without a good one it does not begin, and says which file', async () => {
  const { dir, put } = await volume()
  await put({ cert: first.cert, key: second.key })
  const begun = followFiles({ dir, names, onChange: () => {}, onError: () => {} })
  await expect(begun).rejects.toThrow(`${join(dir, 'tls.crt')} and tls.key are no certificate`)
})

test('files that are exchanged between two reads are read once more', async () => {
  const { put, check, current, errors } = await following()
  // Who reads a pipe waits for what is written into it.
  const before = await put({ key: first.key })
  spawnSync('mkfifo', [join(before, 'tls.crt')])
  const checked = check()
  // Opened when the reader is there.
  const pipe = await open(join(before, 'tls.crt'), 'w')
  await put(second)
  await pipe.writeFile(first.cert)
  await pipe.close()
  await checked
  expect(errors).toEqual([])
  expect(current()).toEqual(second)
})

// A lock between processes that survives the death of its holder. Each contender puts a file of
// its own beside the path, then looks around: it holds the lock if no other living contender is
// there. So nobody ever takes a file over from somebody else, and there is no race in doing so.

import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { isRunning, startedAt, type ProcessId } from './processes.ts'

/** What a lock protects, and what its user hears while somebody else holds it. */
export interface LockOptions {
  /** The folder of this path is created; the lock's files lie in it and go when it is released. */
  readonly path: string
  /** Called once, with the pid of the holder, when the lock is not free. */
  readonly waiting: (pid: number) => void
  /** Ends the wait; the rejection is the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Runs `work` while no other process, and no other caller in this one, holds the same lock. */
export async function withLock<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(options.path), { recursive: true })
  const own = await acquire(options)
  try {
    return await work()
  } finally {
    await rm(own, { force: true })
  }
}

async function acquire(options: LockOptions): Promise<string> {
  const self = `${process.pid}-${encodeURIComponent(startedAt(process.pid) ?? '')}`
  const own = `${options.path}.lock-${self}-${randomBytes(4).toString('hex')}`
  let told = false
  for (;;) {
    options.signal?.throwIfAborted()
    const holder = (await otherContender(options.path, own)) ?? (await claim(options.path, own))
    if (!holder) return own
    if (!told) options.waiting(holder.pid)
    told = true
    // Two that meet step back; the random part keeps them from meeting again.
    await delay(50 + Math.random() * 100)
  }
}

async function claim(path: string, own: string): Promise<ProcessId | undefined> {
  await writeFile(own, '')
  const other = await otherContender(path, own)
  if (other) await rm(own, { force: true })
  return other
}

async function otherContender(path: string, own: string): Promise<ProcessId | undefined> {
  const prefix = `${basename(path)}.lock-`
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix) || name === basename(own)) continue
    const [pid, start = ''] = name.slice(prefix.length).split('-')
    const other = { pid: Number(pid), startedAt: decodeURIComponent(start) }
    if (isRunning(other)) return other
    // Left by a process that died: names are never used twice, so nobody living can own it.
    await rm(join(dirname(path), name), { force: true })
  }
  return undefined
}

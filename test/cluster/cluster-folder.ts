// A local cluster is a folder: whoever has the path can see what runs, stop it, start a part of it
// again and remove it all, also long after the program that started it is gone.

import { readFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { components, type ComponentName } from './components.ts'
import type { Access } from './credentials.ts'
import {
  endProcess,
  isRunning,
  startInBackground,
  type Command,
  type ProcessId,
} from './processes.ts'

/** What is kept about a cluster that came up whole. */
export interface ClusterRecord {
  readonly admin: Access
  readonly etcdPort: number
  readonly commands: Readonly<Record<ComponentName, Command>>
}

const graceMs = 2000
// The API server needs etcd to end in peace, and the others need the API server.
const stopOrder: readonly (readonly ComponentName[])[] = [
  ['kwok', 'kube-scheduler', 'kube-controller-manager'],
  ['kube-apiserver'],
  ['etcd'],
]

/** Makes the folder of a cluster, for the owner alone since it holds credentials. */
export async function makeFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  for (const part of ['logs', 'pids', 'bin']) await mkdir(join(dir, part), { recursive: true })
}

/** Records that the cluster is complete. */
export async function writeRecord(dir: string, record: ClusterRecord): Promise<void> {
  await writeWhole(join(dir, 'cluster.json'), JSON.stringify(record, undefined, 2))
}

/** The record of a cluster; undefined when there is none, or it never came up whole. */
export async function readRecord(dir: string): Promise<ClusterRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(dir, 'cluster.json'), 'utf8')) as ClusterRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Starts a component and records its process. */
export async function launch(dir: string, name: ComponentName, command: Command): Promise<void> {
  const { pid, startedAt } = await startInBackground(command)
  await writeWhole(pidFile(dir, name), `${pid} ${startedAt}\n`)
}

/** The process of a component, undefined when it does not run. */
export function runningProcess(dir: string, name: ComponentName): ProcessId | undefined {
  try {
    const [, pid, startedAt] = /^(\d+) (.+)\n$/.exec(readFileSync(pidFile(dir, name), 'utf8')) ?? []
    if (pid === undefined || startedAt === undefined) return undefined
    const id = { pid: Number(pid), startedAt }
    return isRunning(id) ? id : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The pids of the components that run. */
export function runningPids(dir: string): Readonly<Partial<Record<ComponentName, number>>> {
  const pids: Partial<Record<ComponentName, number>> = {}
  for (const name of components) {
    const running = runningProcess(dir, name)
    if (running) pids[name] = running.pid
  }
  return pids
}

/** Ends one component; it is no error when it does not run. */
export async function endComponent(dir: string, name: ComponentName): Promise<void> {
  const running = runningProcess(dir, name)
  if (running) await endProcess(running, graceMs)
  await rm(pidFile(dir, name), { force: true })
}

/** Ends every process of a cluster and removes its folder; it is no error when it is gone. */
export async function removeCluster(dir: string): Promise<void> {
  for (const group of stopOrder) {
    await Promise.all(group.map(name => endComponent(dir, name)))
  }
  await rm(dir, { recursive: true, force: true })
}

function pidFile(dir: string, name: ComponentName): string {
  return join(dir, 'pids', name)
}

// A reader sees the old text or the new one, never a part.
async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

// A network namespace of its own: only loopback is there, and every address that a pod can have.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

/** From these kwok gives addresses to pods. */
const POD_ADDRESSES = '10.240.0.0/16'

/** Without the rights of root a namespace of users lends them. */
const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
const ready = `ip link set lo up && ip route add local ${POD_ADDRESSES} dev lo`

function inside(command: string): readonly string[] {
  return [...asRoot, '--net', '--', 'sh', '-c', `${ready} && ${command}`]
}

/** Why none can be made; undefined: one can. */
export function namespaceTrouble(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', inside('true'), { encoding: 'utf8' })
  if (status === 0) return undefined
  return `no network namespace can be made: ${error?.message ?? stderr.trim()}`
}

/** Starts Node in one, with a channel; it is gone with the last process in it. */
export function spawnInside(script: string, hear: (line: string) => void): ChildProcess {
  // The shell puts its arguments in the place of "$@".
  const args = [...inside('exec "$@"'), 'sh', process.execPath, script]
  const child = spawn('unshare', args, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  child.stderr!.setEncoding('utf8').on('data', hear)
  return child
}

// A network namespace of its own: only loopback is there, and every address that a pod can have.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

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

/** A script of ours that runs in one; it is gone with the last process in it. */
export interface Inside<Asked> {
  readonly ask: (asked: Asked) => void
  /** Rejected when the script has ended, with what it said. */
  readonly ended: Promise<never>
  /** Takes away its channel, with which it ends. */
  readonly stop: () => Promise<void>
}

/** Starts Node with a script in one, and hears what it tells. */
export function startInside<Asked extends object, Told>(
  script: string,
  hear: (told: Told) => void,
): Inside<Asked> {
  // The shell puts its arguments in the place of "$@".
  const args = [...inside('exec "$@"'), 'sh', process.execPath, script]
  const child = spawn('unshare', args, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  const said: string[] = []
  child.stderr!.setEncoding('utf8').on('data', (text: string) => said.push(text))
  child.on('message', hear as (told: unknown) => void)
  // All of its words are here then. Node tells no `close` of who was disconnected.
  const silent = once(child.stderr!, 'close')
  const ended = once(child, 'exit').then(async () => {
    await silent
    throw new Error(`${script} has ended: ${said.join('')}`)
  })
  // Who waits for something hears of it.
  ended.catch(() => {})
  return {
    ask(asked) {
      if (child.connected) child.send(asked)
    },
    ended,
    async stop() {
      if (child.connected) child.disconnect()
      await ended.catch(() => {})
    },
  }
}

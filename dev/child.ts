// One process of the product, started from this checkout: it says when it is ready, its log can be
// read line by line, and it ends when we do.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'

/** How a process is started. */
export interface ChildOptions {
  readonly program: 'webhook' | 'controller'
  readonly args: readonly string[]
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[]
  /** Gets each line of its log. */
  readonly onLine: (line: string) => void
}

/** A process that runs. */
export interface Child {
  readonly pid: number
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Fulfilled with the exit code when it has ended and its log is read, -1 after a signal. */
  readonly ended: Promise<number>
  /** Sends a signal, SIGTERM unless given, and waits for the end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

/**
 * Most of what a decision makes is garbage at once: the first bounds the room that Node keeps for it. With the second no
 * key of somebody's object reaches the prototype of all. The chart gives the same, here and below.
 */
const flags = ['--max-semi-space-size=2', '--disable-proto=delete']
/** What is freed goes back instead of staying in one of many arenas. */
const fewArenas = { MALLOC_ARENA_MAX: '2' }

/** What does not end by itself in this time is killed. */
const patienceMs = 20_000

/** Starts a process and waits until it is ready. Throws its own words when it ends before. */
export function startChild(options: ChildOptions): Promise<Child> {
  const { program, args, env = {}, nodeFlags = [], onLine } = options
  const main = fileURLToPath(new URL(`../${program}/main.ts`, import.meta.url))
  return startNode({
    args: [...flags, ...nodeFlags, main, ...args],
    env: { ...process.env, ...fewArenas, ...env },
    onLine,
  })
}

/** How Node is started; the environment is all that the process gets. */
export interface NodeOptions extends Pick<ChildOptions, 'args' | 'onLine'> {
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** Starts Node with a program of the product, as `startChild` does. */
export async function startNode({ args, onLine, ...surroundings }: NodeOptions): Promise<Child> {
  const child = spawn(process.execPath, args, {
    ...surroundings,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C goes to the whole group of a terminal: we end our children ourselves, in order.
    detached: true,
  })
  const errors: string[] = []
  createInterface({ input: child.stdout! }).on('line', onLine)
  createInterface({ input: child.stderr! }).on('line', line => {
    errors.push(line)
    onLine(line)
  })
  // Not with its exit: its last lines may still be on their way then.
  const ended = once(child, 'close').then(([code]) => (code as number | null) ?? -1)
  const readiness = once(child, 'message').then(([message]) => message as Child['ready'])
  const first = await Promise.race([readiness, ended])
  if (typeof first === 'number') {
    throw new Error(errors.at(-1) ?? `node ${args.join(' ')} ended with code ${first}`)
  }
  return {
    pid: child.pid!,
    ready: first,
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
      await ended
      clearTimeout(late)
    },
  }
}

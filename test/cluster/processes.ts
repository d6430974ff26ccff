// Processes that outlive the program that started them. A pid alone names nobody, since the system
// gives it out again: a process is known by its pid and the moment it started.

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** One process of this machine, past or present. */
export interface ProcessId {
  readonly pid: number
  /** Opaque; two processes that had the same pid differ in it. */
  readonly startedAt: string
}

/** A program to run in the background, with the file that gets its output. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** Output is appended; the file is created when needed. */
  readonly log: string
}

const pollMs = 10

/** When a living process started; undefined when there is none, or only its exit status is left. */
export function startedAt(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStart(pid) : psStart(pid)
}

function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name in brackets may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function psStart(pid: number): string | undefined {
  const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [state = '', ...start] = ps.stdout.trim().split(/\s+/)
  return state === '' || state.startsWith('Z') ? undefined : start.join(' ')
}

/** The process still runs. */
export function isRunning(id: ProcessId): boolean {
  return startedAt(id.pid) === id.startedAt
}

/**
 * Starts a program in a session of its own, so that neither Ctrl-C nor the end of this process
 * reaches it. Fails when the program cannot be executed.
 */
export async function startInBackground(command: Command): Promise<ProcessId> {
  const log = openSync(command.log, 'a')
  try {
    const child = spawn(command.program, command.args, {
      detached: true,
      stdio: ['ignore', log, log],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', error =>
        reject(new Error(`cannot run ${command.program}: ${error.message}`)),
      )
    })
    child.unref()
    const pid = child.pid!
    // A child that is gone already gets an id that nothing matches, and so counts as ended.
    return { pid, startedAt: startedAt(pid) ?? 'ended' }
  } finally {
    closeSync(log)
  }
}

/** Asks a process to end, and kills it when it still runs after `graceMs` milliseconds. */
export async function endProcess(id: ProcessId, graceMs: number): Promise<void> {
  for (const [signal, boundMs] of [['SIGTERM', graceMs] as const, ['SIGKILL', 5000] as const]) {
    if (isRunning(id)) send(id.pid, signal)
    if (await ended(id, boundMs)) return
  }
  throw new Error(`process ${id.pid} does not end, not even by SIGKILL`)
}

async function ended(id: ProcessId, boundMs: number): Promise<boolean> {
  const deadline = performance.now() + boundMs
  while (isRunning(id)) {
    if (performance.now() > deadline) return false
    await delay(pollMs)
  }
  return true
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The last lines of a log, for an error message; empty when there is no such file. */
export function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return ''
  }
}

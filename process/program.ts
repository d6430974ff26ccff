// How a process of ours lives: one log, one signal that ends it, one line when it cannot start.

import { pino } from 'pino'
import type { Logger } from 'pino'

import { asksForHelp, helpOf } from './flags.ts'
import type { Program } from './flags.ts'

/**
 * Runs a program until SIGTERM, SIGINT or SIGHUP aborts its signal. Asked to end it exits with 0, also
 * while it starts; a failure is one line and exit code 1. Asked for help it tells its flags, and does not run.
 */
export async function runProgram(
  program: Program,
  run: (stop: AbortSignal) => Promise<void>,
): Promise<void> {
  if (asksForHelp(process.argv.slice(2))) {
    process.stdout.write(helpOf(program))
    return
  }
  const stop = new AbortController()
  const end = (signal: NodeJS.Signals) => stop.abort(new Error(`told to end by ${signal}`))
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  // Of a terminal that closes both the shell and the kernel tell: the second time must not kill.
  process.on('SIGHUP', end)
  // A parent that listens and dies must not leave us behind.
  process.once('disconnect', () => stop.abort(new Error('the parent process is gone')))
  try {
    await run(stop.signal)
    // Idle connections and timers of libraries must not keep an ended process.
    process.exit(0)
  } catch (error) {
    if (error === stop.signal.reason) process.exit(0)
    process.stderr.write(
      `${program.name}: ${error instanceof Error ? error.message : String(error)}\n`,
    )
    process.exit(1)
  }
}

/** Waits for the signal, also for one that was aborted before. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
}

/** The log of a process: JSON lines, times in ISO 8601. */
export function createLog(name: string, level: string): Logger {
  const timestamp = pino.stdTimeFunctions.isoTime
  return pino({ name, level, timestamp, base: { name } }, openLog())
}

/** What is kept of a log while its reader stands still; later lines are dropped. */
const backlogBytes = 1024 * 1024
/** How long a process that ends waits for the reader of its log. */
const lastLinesMs = 5000

/**
 * Standard output, for a log. Nothing waits for its reader but the end of the process, and that not for
 * long: a leader whose lines nobody takes renews its Lease, gives it up and ends as any other.
 */
function openLog() {
  let patientUntil = 0
  const log = pino.destination({
    // Of an asynchronous one pino writes the rest at the exit, and tries that for ever.
    sync: true,
    maxLength: backlogBytes,
    retryEAGAIN: () => performance.now() < patientUntil,
    // A reader that goes on gets the backlog; `flush` does nothing where lines have no least length.
    minLength: 1,
    periodicFlush: 250,
  })
  // It stands still, or is gone: there is no place to tell it.
  log.on('error', () => {})
  process.once('exit', () => {
    patientUntil = performance.now() + lastLinesMs
    log.flush()
  })
  return log
}

/** Tells a parent process, if there is one that listens, that this one is up. */
export function announce(ready: Readonly<Record<string, unknown>>): void {
  process.send?.(ready)
}

// A thread that runs scripts. Nothing inside Lua can be relied on to stop a script (a single pattern can
// run for hours, and a script can catch its errors), so it is stopped with its thread.

import { Worker } from 'node:worker_threads'

import type { Answer } from './machine.ts'

/** A script and its input, as texts. */
export interface Call {
  readonly text: string
  readonly input: string
}

/** `late`: there was no answer in time, and the thread is no more. `ended`: it is no more, and why. */
export type Told = Answer | { readonly late: true } | { readonly ended: string }

/** Runs one call at a time. */
export interface Thread {
  /** When it is ready, or has ended. */
  readonly up: Promise<unknown>
  /** The milliseconds count from when it is up. */
  run(call: Call, mostMs: number): Promise<Told>
  /** Ends it, whatever it does. */
  end(): void
}

/** Starts one. It keeps the process alive while it starts and while it has a call. */
export function startThread(module: WebAssembly.Module): Thread {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: module,
    // What a script has no use for is not there to be found.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 },
  })
  const ended = endOf(worker)
  const up = Promise.race([nextMessage(worker), ended]).then(() => worker.unref())
  return {
    up,
    async run(call, mostMs) {
      await up
      worker.ref()
      try {
        return await answered(worker, call, mostMs, ended)
      } finally {
        worker.unref()
      }
    },
    end: () => void worker.terminate(),
  }
}

async function endOf(worker: Worker): Promise<{ readonly ended: string }> {
  return new Promise(resolve => {
    worker.once('error', error => resolve({ ended: String(error) }))
    worker.once('exit', code => resolve({ ended: `exit code ${code}` }))
  })
}

/** Waits for ever where the thread ends before; `endOf` tells that. */
async function nextMessage(worker: Worker): Promise<unknown> {
  return new Promise(resolve => worker.once('message', resolve))
}

async function answered(
  worker: Worker,
  { text, input }: Call,
  mostMs: number,
  ended: Promise<Told>,
): Promise<Told> {
  const answer = nextMessage(worker) as Promise<Answer>
  const { promise: late, resolve } = Promise.withResolvers<Told>()
  // An answer that came while this thread was busy is read before it is called late.
  const timer = setTimeout(() => setImmediate(resolve, { late: true }), mostMs)
  worker.postMessage({ text, input } satisfies Call)
  try {
    const told = await Promise.race([answer, late, ended])
    if ('late' in told) await worker.terminate()
    return told
  } finally {
    clearTimeout(timer)
  }
}

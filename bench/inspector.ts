// Looks into a running Node process: its live heap, and where its time goes. A signal opens the
// inspector, so a process that is not looked at pays nothing for it.

import { setTimeout as delay } from 'node:timers/promises'

import type { Place } from './place.ts'

/** A connection to the inspector of a process. */
export interface Inspector {
  /** Bytes of the heap that are in use after a collection of garbage. */
  readonly liveHeap: () => Promise<number>
  /** Begins a CPU profile; the function that it gives ends it, and gives the profile as JSON. */
  readonly profile: () => Promise<() => Promise<string>>
}

interface Answer {
  readonly id?: number
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

/** Looks into the controller; a process tells only once where its inspector listens. */
export function insideController({ sluice, log }: Place): Promise<Inspector> {
  return attach(sluice.controller.pid, log)
}

/** Looks into the webhook. */
export function insideWebhook({ sluice, log }: Place): Promise<Inspector> {
  return attach(sluice.webhook.pid, log)
}

/** Connects. `log` has the lines of the process: in one of them it says where its inspector listens. */
async function attach(pid: number, log: readonly string[]): Promise<Inspector> {
  const seen = log.length
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await told(log, seen))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.addEventListener('open', () => resolve())
  socket.addEventListener('error', () => reject(new Error('the inspector does not answer')))
  await promise
  const call = caller(socket)
  return {
    async liveHeap() {
      // Twice: what the first one frees may hold more.
      for (let i = 0; i < 2; i++) await call('HeapProfiler.collectGarbage')
      return Number((await call('Runtime.getHeapUsage'))['usedSize'])
    },
    async profile() {
      await call('Profiler.enable')
      await call('Profiler.start')
      return async () => JSON.stringify((await call('Profiler.stop'))['profile'])
    },
  }
}

/** The address, which the process tells when the signal has reached it. */
async function told(log: readonly string[], seen: number): Promise<string> {
  const find = (lines: readonly string[]) =>
    lines.findLast(line => line.startsWith(words))?.slice(words.length)
  for (let waited = 0; waited < 200; waited++) {
    const url = find(log.slice(seen))
    if (url !== undefined) return url
    await delay(25)
  }
  throw new Error('the inspector was not opened')
}

const words = 'Debugger listening on '

function caller(socket: WebSocket) {
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  let last = 0
  return async (method: string) => {
    last += 1
    const id = last
    const answered = new Promise<Answer>(resolve => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method }))
    const { result, error } = await answered
    waiting.delete(id)
    if (error) throw new Error(`${method}: ${error.message}`)
    return result ?? {}
  }
}

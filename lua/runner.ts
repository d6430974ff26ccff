// Who runs the scripts of all releases. A script has a moment to answer, then it is stopped and begun
// again in a thread of its own, where it has its full time: so one that never ends holds nobody up but
// those who use the same script. It is remembered as slow until it is quick again.

import type { Script, ScriptOutcome, ScriptRunner } from '#core/script.ts'
import { compiledLua } from './module.ts'
import { startThread } from './thread.ts'
import type { Call, Thread, Told } from './thread.ts'

/** Times and numbers that hold for all scripts. */
export interface Limits {
  /** After it a script gets a thread of its own. */
  readonly momentMs: number
  /** After it a script has failed. */
  readonly mostMs: number
  /** Most slow scripts that run at once. */
  readonly slowAtOnce: number
  /** How long the thread of quick scripts waits for the next. */
  readonly idleMs: number
}

const LIMITS: Limits = { momentMs: 50, mostMs: 1_000, slowAtOnce: 3, idleMs: 60_000 }

/** Beyond it the script that was slow the longest ago is forgotten. */
const SLOW_KNOWN = 100

interface Waiting extends Call {
  readonly done: (told: Told) => void
}

interface SlowScript {
  readonly calls: Waiting[]
  running: boolean
}

/** Runs scripts in threads, which are started when there is something to run. */
export class ScriptThreads implements ScriptRunner {
  readonly #limits: Limits
  readonly #quick: Waiting[] = []
  /** By text, the one that ran the longest ago first. */
  readonly #slow = new Map<string, SlowScript>()
  readonly #threads = new Set<Thread>()
  #module: WebAssembly.Module | undefined
  #thread: Thread | undefined
  #idle: NodeJS.Timeout | undefined
  #working = false
  #slowRunning = 0
  #stopped = false

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  async run(script: Script, input: unknown): Promise<ScriptOutcome> {
    const { promise, resolve: done } = Promise.withResolvers<Told>()
    this.#admit({ text: script.text, input: JSON.stringify(input), done })
    return outcomeOf(script, await promise, this.#limits.mostMs)
  }

  /** How many there are. */
  get threads(): number {
    return this.#threads.size
  }

  /** Ends all threads; what waits or runs fails. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#idle)
    for (const thread of this.#threads) thread.end()
  }

  #admit(call: Waiting): void {
    const slow = this.#slow.get(call.text)
    if (slow === undefined) {
      this.#quick.push(call)
      void this.#workOff()
    } else {
      slow.calls.push(call)
      this.#startSlow()
    }
  }

  async #workOff(): Promise<void> {
    if (this.#working) return
    this.#working = true
    clearTimeout(this.#idle)
    for (let call = this.#quick.shift(); call !== undefined; call = this.#quick.shift()) {
      if (this.#slow.has(call.text)) this.#admit(call)
      else await this.#runQuick(call)
    }
    this.#working = false
    this.#idle = setTimeout(() => this.#drop(this.#thread), this.#limits.idleMs).unref()
  }

  async #runQuick(call: Waiting): Promise<void> {
    const thread = (this.#thread ??= this.#start())
    const told = await thread.run(call, this.#limits.momentMs)
    if ('late' in told || 'ended' in told) this.#drop(thread)
    if (!('late' in told)) return call.done(told)
    this.#slow.set(call.text, { calls: [], running: false })
    this.#forgetSlow()
    this.#admit(call)
  }

  #startSlow(): void {
    for (const [text, slow] of this.#slow) {
      if (this.#slowRunning >= this.#limits.slowAtOnce) return
      if (!slow.running && slow.calls.length > 0) void this.#runSlow(text, slow)
    }
  }

  async #runSlow(text: string, slow: SlowScript): Promise<void> {
    const call = slow.calls.shift()!
    slow.running = true
    this.#slowRunning += 1
    const thread = this.#start()
    await thread.up
    const begun = performance.now()
    const told = await thread.run(call, this.#limits.mostMs)
    const ms = performance.now() - begun
    this.#drop(thread)
    slow.running = false
    this.#slowRunning -= 1
    // The others come first now.
    this.#slow.delete(text)
    if (ms > this.#limits.momentMs) this.#slow.set(text, slow)
    else for (const waiting of slow.calls) this.#admit(waiting)
    call.done(told)
    this.#startSlow()
  }

  #forgetSlow(): void {
    for (const [text, { running, calls }] of this.#slow) {
      if (this.#slow.size <= SLOW_KNOWN) return
      if (!running && calls.length === 0) this.#slow.delete(text)
    }
  }

  #start(): Thread {
    const thread = this.#started()
    this.#threads.add(thread)
    return thread
  }

  #started(): Thread {
    if (this.#stopped) return gone('the process is being stopped')
    try {
      return startThread((this.#module ??= compiledLua()))
    } catch (error) {
      return gone(String(error))
    }
  }

  #drop(thread: Thread | undefined): void {
    if (thread === undefined) return
    if (this.#thread === thread) this.#thread = undefined
    this.#threads.delete(thread)
    thread.end()
  }
}

function gone(ended: string): Thread {
  return { up: Promise.resolve(), run: () => Promise.resolve({ ended }), end: () => {} }
}

function outcomeOf({ name, remedy }: Script, told: Told, mostMs: number): ScriptOutcome {
  if ('json' in told) return { returned: JSON.parse(told.json) as unknown }
  if ('wrong' in told) {
    const place = told.line === undefined ? name : `${name}, line ${told.line}`
    return { mistake: `${place}: ${told.wrong}; ${remedy}`, lasting: true }
  }
  const what = 'late' in told ? `takes more than ${mostMs / 1_000} s` : `was not run: ${told.ended}`
  return { mistake: `${name}: ${what}; ${remedy}`, lasting: false }
}

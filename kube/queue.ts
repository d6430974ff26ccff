// Keys with work to do. A key is in one place at a time: ready, running or waiting for its time; so
// a thousand events for one object are one run, and never two at once.
import { backoffMs } from './backoff.ts'
import { AlreadyExists, Conflict, NotFound, Retryable } from './errors.ts'

/** What became of one run. */
export interface RunReport {
  readonly key: string
  /** `retry` is the world's trouble (a conflict, an overloaded server); `error` is anything else. */
  readonly outcome: 'ok' | 'retry' | 'error'
  readonly seconds: number
  readonly error?: unknown
  /** When the key runs again by itself after a failure. */
  readonly retryInMs?: number
}

/** How busy a queue is, for gauges and counters. */
export interface QueueStats {
  /** Keys that could run now. */
  readonly depth: number
  /** Keys that wait for their time. */
  readonly waiting: number
  readonly running: number
  /** Failed runs that were scheduled again, since the start. */
  readonly retries: number
  /** Those of them that were errors. */
  readonly errors: number
}

/** How a queue is made. */
export interface QueueOptions {
  /** Does the work of one key; what it throws decides when the key runs again. */
  readonly run: (key: string) => Promise<void>
  /** Most keys that run at once. */
  readonly concurrency: number
  /** Gets the outcome of each run. */
  readonly onRun?: (report: RunReport) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly random?: () => number
}

const ERROR_BACKOFF = { baseMs: 5, capMs: 30_000 }
/**
 * A conflict ends with the next watch event, which wakes the key; trying before it comes would only
 * conflict again. More than a second of waiting would be visible.
 */
const QUICK_BACKOFF = { baseMs: 50, capMs: 1_000 }
/** Timers do not notice a wall clock that was set or a process that slept, so they look again. */
const LONGEST_TIMER_MS = 60_000

interface Waiting {
  readonly at: number
  readonly timer: NodeJS.Timeout
}

/** Runs keys, each at most once at a time, with a back-off of its own for each that fails. */
export class WorkQueue {
  readonly #options: QueueOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #ready = new Set<string>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #failures = new Map<string, number>()
  #retries = 0
  #errors = 0
  #stopped = false

  constructor(options: QueueOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? Math.random
  }

  /** Runs the key soon; if it is running now, once more after that. */
  add(key: string): void {
    if (this.#stopped) return
    this.#ready.add(key)
    this.#start()
  }

  /**
   * Runs the key at a time (milliseconds since the epoch) unless it runs sooner. Of several times
   * the earliest counts, and any run uses it up: who still wants the later one asks again.
   */
  addAt(key: string, epochMs: number): void {
    if (this.#stopped) return
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined && waiting.at <= epochMs) return
    if (epochMs <= this.#now()) {
      this.add(key)
      return
    }
    clearTimeout(waiting?.timer)
    this.#wait(key, epochMs)
  }

  stats(): QueueStats {
    return {
      depth: this.#ready.size,
      waiting: this.#waiting.size,
      running: this.#running.size,
      retries: this.#retries,
      errors: this.#errors,
    }
  }

  /** Starts nothing more, and waits for the runs under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#ready.clear()
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
    await Promise.all(this.#running.values())
  }

  #wait(key: string, at: number): void {
    const begun = this.#now()
    const ms = Math.min(Math.max(at - begun, 0), LONGEST_TIMER_MS)
    const timer = setTimeout(() => {
      this.#waiting.delete(key)
      const now = this.#now()
      // By a clock that was set back nobody knows any more when its time is: whoever runs can say.
      if (now >= at || now < begun) this.add(key)
      else this.#wait(key, at)
    }, ms)
    this.#waiting.set(key, { at, timer })
  }

  #start(): void {
    for (const key of this.#ready) {
      if (this.#running.size >= this.#options.concurrency) return
      if (this.#running.has(key)) continue
      this.#ready.delete(key)
      clearTimeout(this.#waiting.get(key)?.timer)
      this.#waiting.delete(key)
      // Begun a moment later: a run that ended before it is noted here would count for ever.
      this.#running.set(
        key,
        Promise.resolve(key).then(each => this.#run(each)),
      )
    }
  }

  async #run(key: string): Promise<void> {
    const startedAt = performance.now()
    try {
      await this.#options.run(key)
      this.#failures.delete(key)
      this.#report({ key, outcome: 'ok', seconds: elapsed(startedAt) })
    } catch (error) {
      this.#failed(key, error, startedAt)
    } finally {
      this.#running.delete(key)
      this.#start()
    }
  }

  #failed(key: string, error: unknown, startedAt: number): void {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const quick = overtaken.some(kind => error instanceof kind)
    const outcome = quick || error instanceof Retryable ? 'retry' : 'error'
    const asked = error instanceof Retryable ? (error.retryAfterMs ?? 0) : 0
    const bounds = quick ? QUICK_BACKOFF : ERROR_BACKOFF
    const retryInMs = asked + backoffMs(failures, bounds, this.#random)
    this.#retries += 1
    if (outcome === 'error') this.#errors += 1
    this.addAt(key, this.#now() + retryInMs)
    this.#report({ key, outcome, seconds: elapsed(startedAt), error, retryInMs })
  }

  #report(report: RunReport): void {
    this.#options.onRun?.(report)
  }
}

/** Somebody was quicker: what he did is about to be seen. */
const overtaken = [Conflict, NotFound, AlreadyExists] as const

function elapsed(since: number): number {
  return (performance.now() - since) / 1000
}

// Watches over one exchange with the API server: how long it may take, who may end it, and what its
// failure means.
import { withoutAnswer } from './errors.ts'

/** One HTTP request. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query. */
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly signal?: AbortSignal
  /** Bounds the whole exchange; for a stream, the wait for its headers. */
  readonly timeoutMs: number
}

/** Joins the caller's signal and a time limit, and leaves no listener behind on the former. */
export class Guard {
  readonly #controller = new AbortController()
  readonly #call: Call
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = () => this.#controller.abort(this.#call.signal?.reason)
  #timedOut = false

  constructor(call: Call) {
    this.#call = call
    this.#timer = setTimeout(() => {
      this.#timedOut = true
      this.#controller.abort()
    }, call.timeoutMs)
    if (call.signal?.aborted === true) this.#onAbort()
    else call.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Aborts when the exchange is to end, for whatever reason. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The time limit ended the exchange. */
  get timedOut(): boolean {
    return this.#timedOut
  }

  /** Ends the time limit: the rest may take as long as it takes. */
  disarm(): void {
    clearTimeout(this.#timer)
  }

  /** Ends the watch over the exchange. */
  release(): void {
    this.disarm()
    this.#call.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Ends the exchange itself. */
  close(): void {
    this.release()
    this.#controller.abort()
  }

  /** Turns what undici throws into the caller's abort, our time limit, or a broken connection. */
  explain(error: unknown): unknown {
    if (this.#call.signal?.aborted === true) return this.#call.signal.reason
    if (this.#timedOut) {
      return withoutAnswer(describe(this.#call), `no answer within ${this.#call.timeoutMs} ms`)
    }
    if (!isNetworkError(error)) return error
    return withoutAnswer(describe(this.#call), networkWords(error), error)
  }
}

/** Says what is asked, for messages: the query is left out. */
export function describe(call: { readonly method: string; readonly path: string }): string {
  return `${call.method} ${call.path.split('?')[0] ?? ''}`
}

function isNetworkError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function networkWords(error: Error & { code: string }): string {
  // A refused connection to several addresses is an AggregateError without a message.
  return error.message === '' ? error.code : error.message
}

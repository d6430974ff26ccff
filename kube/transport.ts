// Carries requests to the API server over kept-alive connections: one pool for requests, one for
// watches, so that any number of open watches never makes a request wait. A pool whose connections
// can no longer be trusted (a refused certificate, a peer that vanished) is left as a whole.
import type { Dispatcher } from 'undici'
import type { Connection } from './connection.ts'
import { fromStatus } from './errors.ts'
import type { Fence } from './fence.ts'
import { Guard, describe } from './guard.ts'
import type { Call } from './guard.ts'
import { RenewablePool } from './pool.ts'
import type { Lane } from './pool.ts'

/** An open response whose body arrives over time. */
export interface Stream {
  readonly chunks: AsyncIterable<Uint8Array>
  /** Closes the connection; calling it again does nothing. */
  readonly close: () => void
}

/** What the transport is made from. */
export interface TransportOptions {
  readonly connection: Connection
  readonly userAgent: string
  /** Most connections for requests that are not watches; without it nobody waits for another. */
  readonly connections?: number
  /** Asked in the moment before a request that is not a watch is written. */
  readonly fence?: Fence
  /** Gets each admission warning, without quotes. */
  readonly onWarning?: (text: string) => void
}

/** Sends requests; every failure is an error of errors.ts, or the reason of an aborted signal. */
export class Transport {
  readonly #options: TransportOptions
  readonly #basePath: string
  readonly #requests: RenewablePool
  readonly #watches: RenewablePool

  constructor(options: TransportOptions) {
    this.#options = options
    const { connection } = options
    this.#basePath = new URL(connection.server).pathname.replace(/\/+$/, '')
    this.#requests = new RenewablePool(connection, options)
    this.#watches = new RenewablePool(connection)
  }

  /** Sends a request and gives the body of a successful answer. */
  async send(call: Call): Promise<string> {
    const guard = new Guard(call)
    const lane = this.#requests.lane()
    try {
      const response = await this.#exchange(lane, call, guard)
      const body = await response.body.text()
      this.#warn(response.headers['warning'])
      if (response.statusCode >= 200 && response.statusCode < 300) return body
      throw this.#failure(call, response, body)
    } catch (error) {
      throw guard.explain(error)
    } finally {
      if (guard.timedOut) lane.leave()
      guard.release()
    }
  }

  /** Opens a stream; it fails where no byte arrives for `idleMs`. */
  async open(call: Call, idleMs: number): Promise<Stream> {
    const guard = new Guard(call)
    const lane = this.#watches.lane()
    try {
      const response = await this.#exchange(lane, call, guard, idleMs)
      if (response.statusCode !== 200) {
        throw this.#failure(call, response, await response.body.text())
      }
      guard.disarm()
      return { chunks: explained(response.body, guard), close: () => guard.close() }
    } catch (error) {
      if (guard.timedOut) lane.leave()
      guard.release()
      throw guard.explain(error)
    }
  }

  /** Closes every connection at once; requests under way fail. */
  async close(): Promise<void> {
    await Promise.all([this.#requests.destroy(), this.#watches.destroy()])
  }

  async #exchange(
    lane: Lane,
    call: Call,
    { signal }: Guard,
    bodyTimeout?: number,
  ): Promise<Dispatcher.ResponseData> {
    const settings = { signal, ...(bodyTimeout === undefined ? {} : { bodyTimeout }) }
    const first = await lane.request({ ...(await this.#request(call, false)), ...settings })
    if (first.statusCode !== 401) return first
    await first.body.dump()
    // The token may have rotated since it was read, or the certificate that this connection began
    // with has expired, which stays refused however often it is asked. A 401 comes before any effect.
    lane.leave()
    return lane.request({ ...(await this.#request(call, true)), ...settings })
  }

  async #request(call: Call, fresh: boolean): Promise<Dispatcher.RequestOptions> {
    const body = call.body === undefined ? undefined : Buffer.from(call.body)
    return {
      method: call.method,
      path: this.#basePath + call.path,
      headers: {
        accept: 'application/json',
        'user-agent': this.#options.userAgent,
        ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
        // A body that is sent in parts does not tell by itself.
        ...(body === undefined ? {} : { 'content-length': String(body.byteLength) }),
        ...(await this.#options.connection.headers(fresh)),
      },
      ...(body === undefined ? {} : { body }),
    }
  }

  #failure(call: Call, response: Dispatcher.ResponseData, body: string): Error {
    const retryAfter = response.headers['retry-after']
    return fromStatus({
      code: response.statusCode,
      body,
      request: describe(call),
      ...(typeof retryAfter === 'string' ? { retryAfter } : {}),
    })
  }

  #warn(header: string | string[] | undefined): void {
    const { onWarning } = this.#options
    if (header === undefined || onWarning === undefined) return
    for (const text of parseWarnings(header)) onWarning(text)
  }
}

/** Gives the texts of Warning headers (`299 - "text"`, several in one header or in many). */
export function parseWarnings(header: string | readonly string[]): string[] {
  const joined = typeof header === 'string' ? header : header.join(', ')
  return [...joined.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(match =>
    (match[1] ?? '').replaceAll(/\\(.)/g, '$1'),
  )
}

async function* explained(
  body: AsyncIterable<Uint8Array>,
  guard: Guard,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw guard.explain(error)
  } finally {
    guard.release()
  }
}

// Carries requests to the API server over kept-alive connections: one pool for requests, one for
// watches, so that any number of open watches never makes a request wait.
import { Pool, buildConnector } from 'undici'
import type { Dispatcher } from 'undici'
import type { Connection } from './connection.ts'
import { fromStatus } from './errors.ts'
import { Guard, describe } from './guard.ts'
import type { Call } from './guard.ts'

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
  /** Most connections for requests that are not watches. */
  readonly connections: number
  /** Gets each admission warning, without quotes. */
  readonly onWarning?: (text: string) => void
}

const CONNECT_TIMEOUT_MS = 10_000
/** Below the 90 s after which the API server closes an idle connection. */
const KEEP_ALIVE_MS = 60_000
/** The kernel then notices a vanished peer in about half a minute. */
const PROBE_AFTER_MS = 15_000

/** Sends requests; every failure is an error of errors.ts, or the reason of an aborted signal. */
export class Transport {
  readonly #options: TransportOptions
  readonly #basePath: string
  readonly #requests: Pool
  readonly #watches: Pool

  constructor(options: TransportOptions) {
    this.#options = options
    const server = new URL(options.connection.server)
    this.#basePath = server.pathname.replace(/\/+$/, '')
    const settings: Pool.Options = {
      connect: connectorOf(options.connection),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    this.#requests = new Pool(server.origin, { ...settings, connections: options.connections })
    this.#watches = new Pool(server.origin, settings)
  }

  /** Sends a request and gives the body of a successful answer. */
  async send(call: Call): Promise<string> {
    const guard = new Guard(call)
    try {
      const { response, body } = await this.#exchange(call, guard.signal)
      this.#warn(response.headers['warning'])
      if (response.statusCode >= 200 && response.statusCode < 300) return body
      throw this.#failure(call, response, body)
    } catch (error) {
      throw guard.explain(error)
    } finally {
      guard.release()
    }
  }

  /** Opens a stream; it fails where no byte arrives for `idleMs`. */
  async open(call: Call, idleMs: number): Promise<Stream> {
    const guard = new Guard(call)
    try {
      const response = await this.#watches.request({
        ...(await this.#request(call, false)),
        signal: guard.signal,
        bodyTimeout: idleMs,
      })
      if (response.statusCode !== 200) {
        throw this.#failure(call, response, await response.body.text())
      }
      guard.disarm()
      return { chunks: explained(response.body, guard), close: () => guard.close() }
    } catch (error) {
      guard.release()
      throw guard.explain(error)
    }
  }

  /** Closes every connection at once; requests under way fail. */
  async close(): Promise<void> {
    await Promise.all([this.#requests.destroy(), this.#watches.destroy()])
  }

  async #exchange(call: Call, signal: AbortSignal) {
    const first = await this.#requests.request({ ...(await this.#request(call, false)), signal })
    const body = await first.body.text()
    if (first.statusCode !== 401) return { response: first, body }
    // The token may have rotated since it was read; a 401 comes before any effect.
    const second = await this.#requests.request({ ...(await this.#request(call, true)), signal })
    return { response: second, body: await second.body.text() }
  }

  async #request(call: Call, fresh: boolean): Promise<Dispatcher.RequestOptions> {
    return {
      method: call.method,
      path: this.#basePath + call.path,
      headers: {
        accept: 'application/json',
        'user-agent': this.#options.userAgent,
        ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
        ...(await this.#options.connection.headers(fresh)),
      },
      ...(call.body === undefined ? {} : { body: call.body }),
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

function connectorOf(connection: Connection): buildConnector.connector {
  return (options, callback) => {
    void connectWith(connection, options, callback)
  }
}

async function connectWith(
  connection: Connection,
  options: buildConnector.Options,
  callback: buildConnector.Callback,
): Promise<void> {
  try {
    // Read for every new connection: certificates and CA rotate while we run.
    const tls = await connection.tls()
    const connect = buildConnector({
      ...tls,
      allowH2: false,
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
    })
    connect(options, callback)
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)), null)
  }
}

// Connections to one API server, kept alive; and leaving them all behind when what they began with, or
// the peer at their other end, is no more.
import { Pool, buildConnector } from 'undici'
import type { Dispatcher } from 'undici'
import type { Connection } from './connection.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** Below the 90 s after which the API server closes an idle connection. */
const KEEP_ALIVE_MS = 60_000
/** The kernel then notices a vanished peer in about half a minute. */
const PROBE_AFTER_MS = 15_000

/** How one request goes, and may go again. */
export interface Lane {
  readonly request: (options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>
  /** Later requests get new connections; those under way end on theirs. */
  readonly leave: () => void
}

/** A pool of connections that can be exchanged for new ones at any time. */
export class RenewablePool {
  readonly #make: () => Pool
  readonly #leaving = new Set<Pool>()
  #pool: Pool

  /** Without `connections` it has as many as there are requests at once. */
  constructor(connection: Connection, connections?: number) {
    const { origin } = new URL(connection.server)
    const settings: Pool.Options = {
      connect: connectorOf(connection),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(connections === undefined ? {} : { connections }),
    }
    this.#make = () => new Pool(origin, settings)
    this.#pool = this.#make()
  }

  /** The way of one request. */
  lane(): Lane {
    let used = this.#pool
    return {
      request: options => {
        used = this.#pool
        return used.request(options)
      },
      leave: () => this.#leave(used),
    }
  }

  #leave(used: Pool): void {
    // Of many requests that found out together one is enough.
    if (used !== this.#pool) return
    this.#pool = this.#make()
    this.#leaving.add(used)
    const left = () => this.#leaving.delete(used)
    used.close().then(left, left)
  }

  /** Closes every connection at once; requests under way fail. */
  async destroy(): Promise<void> {
    await Promise.all([this.#pool, ...this.#leaving].map(pool => pool.destroy()))
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

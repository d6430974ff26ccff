// Connections to one API server, kept alive; and leaving them all behind when what they began with, or
// the peer at their other end, is no more.
import type * as undici from 'undici'
import type { Connection } from './connection.ts'
import { FencedPool, connectResetting } from './fence.ts'
import type { Fence } from './fence.ts'
import { Pool, buildConnector } from './undici.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** Below the 90 s after which the API server closes an idle connection. */
const KEEP_ALIVE_MS = 60_000
/** The kernel then notices a vanished peer in about half a minute. */
const PROBE_AFTER_MS = 15_000

/** How one request goes, and may go again. */
export interface Lane {
  readonly request: (
    options: undici.Dispatcher.RequestOptions,
  ) => Promise<undici.Dispatcher.ResponseData>
  /** Later requests get new connections; those under way end on theirs. */
  readonly leave: () => void
}

/** How a pool is made. */
export interface PoolOptions {
  /** Most connections at once; without it as many as there are requests. */
  readonly connections?: number
  /** Asked in the moment before a request is written. */
  readonly fence?: Fence
}

/** A pool of connections that can be exchanged for new ones at any time. */
export class RenewablePool {
  readonly #make: () => Pool
  readonly #leaving = new Set<Pool>()
  #pool: Pool

  constructor(connection: Connection, { connections, fence }: PoolOptions = {}) {
    const { origin } = new URL(connection.server)
    const settings: undici.Pool.Options = {
      connect: connectorOf(connection, fence !== undefined),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(connections === undefined ? {} : { connections }),
    }
    this.#make = () =>
      fence === undefined ? new Pool(origin, settings) : new FencedPool(origin, settings, fence)
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

/** With `abrupt`, closing a connection resets it. */
function connectorOf(connection: Connection, abrupt: boolean): undici.buildConnector.connector {
  return (options, callback) => {
    void connectWith({ connection, abrupt }, options, callback)
  }
}

async function connectWith(
  { connection, abrupt }: { readonly connection: Connection; readonly abrupt: boolean },
  options: undici.buildConnector.Options,
  callback: undici.buildConnector.Callback,
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
    const below = abrupt && options.protocol === 'https:'
    const httpSocket = below ? await connectResetting(options, CONNECT_TIMEOUT_MS) : undefined
    connect({ ...options, ...(httpSocket && { httpSocket }) }, callback)
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)), null)
  }
}

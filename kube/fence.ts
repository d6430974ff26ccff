// Requests that may only leave while we lead. The lease is looked at in the very moment before the
// bytes are written, since a request waits before that: for a token, for a free connection, for a
// process that was stopped. It is looked at again when its headers are out and its body is not: a
// process may be stopped behind any look. What was written and not yet taken by the network dies
// with the lease.

import { once } from 'node:events'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'

import type * as undici from 'undici'

import { Retryable } from './errors.ts'
import { describe } from './guard.ts'
import type { Call } from './guard.ts'
import { Pool } from './undici.ts'

/** For how long requests may still leave, in milliseconds; 0 or less: none may. */
export type Fence = () => number

/**
 * The fence of a term. `apartMs` lie between its end and the beginning of the next one: no request asks
 * for more, so that what leaves in the last moment is over on the API server before another may lead.
 */
export function fenceOf(remainingMs: Fence, apartMs: number): Fence {
  return () => Math.min(remainingMs(), apartMs)
}

/** It was not sent: the lease is over, and another may have written since the decision. */
export class LeadLost extends Retryable {
  constructor(request: string) {
    const message = `${request}: not sent, since the lease is over`
    super({ code: 0, reason: '', message, causes: [] })
  }
}

/** A request with a time limit that does not outlast the term, here and on the API server. */
export function fenced<C extends Pick<Call, 'method' | 'path' | 'timeoutMs'>>(
  call: C,
  fence: Fence | undefined,
): C {
  if (fence === undefined) return call
  const timeoutMs = Math.min(call.timeoutMs, remaining(fence, call))
  const path = `${call.path}${call.path.includes('?') ? '&' : '?'}timeout=${timeoutMs}ms`
  return { ...call, path, timeoutMs }
}

function remaining(fence: Fence, call: { readonly method: string; readonly path: string }): number {
  const left = Math.floor(fence())
  if (left <= 0) throw new LeadLost(describe(call))
  return left
}

/**
 * A pool that asks the fence when a request has its connection and is about to be written, and again
 * between its headers and its body.
 */
export class FencedPool extends Pool {
  readonly #fence: Fence

  constructor(origin: string, options: undici.Pool.Options, fence: Fence) {
    super(origin, options)
    this.#fence = fence
  }

  override dispatch(
    options: undici.Dispatcher.DispatchOptions,
    handler: undici.Dispatcher.DispatchHandler,
  ): boolean {
    const { body } = options
    const look = () => void remaining(this.#fence, options)
    return super.dispatch(
      body instanceof Uint8Array ? { ...options, body: inTwo(body, look) } : options,
      {
        // undici calls this and writes the request, without anything in between.
        onRequestStart: (controller, context) => {
          look()
          handler.onRequestStart?.(controller, context)
        },
        onResponseStart: (...args) => handler.onResponseStart?.(...args),
        onResponseData: (...args) => handler.onResponseData?.(...args),
        onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
        onResponseError: (...args) => handler.onResponseError?.(...args),
      },
    )
  }
}

/**
 * The headers go with the first part, and the API server's clock begins with them. So who is stopped
 * before they are out learns of it at the look, and the request is never whole; and who is stopped
 * after the look comes too late for the time limit that the headers name.
 */
function inTwo(body: Uint8Array, look: () => void): Readable {
  const parts = (async function* () {
    yield body.subarray(0, 1)
    // By then the first part is out, and nothing keeps the second one waiting behind the look.
    await turn()
    look()
    yield body.subarray(1)
  })()
  // undici takes every iterable as it is; its types do not say so. A stream would read ahead.
  return parts as unknown as Readable
}

/**
 * Opens a connection that is reset when it is closed. Closed in the ordinary way, the kernel would go
 * on sending what a broken network did not take, for minutes, and deliver it when the network is back.
 */
export async function connectResetting(
  to: { readonly hostname: string; readonly port: string },
  timeoutMs: number,
): Promise<Socket> {
  const socket = new ResettingSocket()
  try {
    socket.connect(Number(to.port || 443), to.hostname)
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
    socket.connected = true
    // From here on the TLS connection above it tells what goes wrong.
    socket.on('error', () => {})
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

class ResettingSocket extends Socket {
  /** There is something to reset; until then it ends with the error that says why. */
  connected = false
  #resetting = false

  override destroy(error?: Error): this {
    if (this.#resetting || !this.connected) return super.destroy(error)
    this.#resetting = true
    return this.resetAndDestroy()
  }
}

// Opens and closes listeners: the real port comes back, a port that cannot be had is one line that
// names the setting, and closing ends within a bound.

import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'

/** Where to listen; port 0 takes a free one. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The part of a fastify instance that opening and closing need. */
export interface Listener {
  readonly server: Server
  readonly listen: (address: Address) => Promise<unknown>
  readonly close: () => Promise<unknown>
}

const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use: stop the other process, or set another port (0 is a free one)',
  EACCES: 'not allowed: set a port above 1023',
  EADDRNOTAVAIL: 'this machine has no such address: set another host',
  ENOTFOUND: 'the host is unknown: set another host',
}

/** Starts to listen and gives the real port. `setting` names what the user sets in an error. */
export async function open(listener: Listener, at: Address, setting: string): Promise<number> {
  try {
    await listener.listen(at)
  } catch (error) {
    const hint = hints[(error as NodeJS.ErrnoException).code ?? '']
    if (hint === undefined) throw error
    throw new Error(`${setting}: cannot listen on ${at.host}:${at.port}, ${hint}`, { cause: error })
  }
  return (listener.server.address() as AddressInfo).port
}

/** Answers what is in flight and closes; connections still open after the bound are cut. */
export async function shut(listener: Listener, boundMs: number): Promise<void> {
  const cut = setTimeout(() => listener.server.closeAllConnections(), boundMs)
  try {
    await listener.close()
  } finally {
    clearTimeout(cut)
  }
}

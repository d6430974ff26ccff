// The processes of pods: each a small HTTP server at the address of its pod, that answers with its version.

import { createServer } from 'node:http'
import type { Server } from 'node:http'

import type { Served } from './channel.ts'

/** They begin and end as pods do. */
export interface Servers {
  /** Fulfilled when it listens. */
  readonly serve: (pod: Served) => Promise<void>
  /** The pod is deleted: it ends once the gateway knows, as a `preStop` hook that is long enough makes it. */
  readonly gone: (address: string) => void
  /** All that the gateway may send requests to. */
  readonly needed: (servers: ReadonlySet<string>) => void
}

/** A request takes so long, so that some are always under way. */
const answerMs = 20

/** One address. */
interface Listening {
  readonly pod: Served
  readonly server: Server
  readonly gone: boolean
}

/** There are none yet. */
export function createServers(): Servers {
  const all = new Map<string, Listening>()
  let known: ReadonlySet<string> = new Set()
  const endUnneeded = () => {
    for (const [address, { pod, server, gone }] of all) {
      if (!gone || known.has(`${address}:${pod.port}`)) continue
      all.delete(address)
      // Requests under way are still answered.
      server.close()
    }
  }
  return {
    async serve(pod) {
      const { address, port } = pod
      // Addresses are given out again, maybe before the gateway has left the pod that had it.
      const before = all.get(address)
      const server = before?.server ?? answering(() => all.get(address)?.pod.version ?? pod.version)
      all.set(address, { pod, server, gone: false })
      if (before) return
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, address, resolve)
      })
    },
    gone(address) {
      const found = all.get(address)
      if (found) all.set(address, { ...found, gone: true })
      endUnneeded()
    },
    needed(servers) {
      known = servers
      endUnneeded()
    },
  }
}

function answering(version: () => string): Server {
  return createServer((_, answer) => {
    setTimeout(() => answer.end(version()), answerMs)
  })
}

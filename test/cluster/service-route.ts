// Plays kube-proxy for the API server alone: by its egress configuration it dials Services through a
// socket of ours, which leads the address of a Service to the processes behind it. That a Service leads to its
// pods service.test.ts proves, in a network namespace. This needs none, and leaves the processes where
// tests reach their probes, and decide whom the API server reaches.

import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'

import { stringify } from 'yaml'

/** Leads connections to Services. */
export interface ServiceRoute {
  /** Flags by which the API server uses it. */
  readonly apiServerFlags: readonly string[]
  /** Leads `host:port`, as the API server dials it, to these ports of loopback, in turn. */
  readonly lead: (address: string, ports: readonly number[]) => void
  readonly stop: () => Promise<void>
}

/** Listens, before the API server starts. */
export async function startServiceRoute(): Promise<ServiceRoute> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-route-'))
  const udsName = join(dir, 'socket')
  const config = join(dir, 'egress.yaml')
  const connection = { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName } } }
  const apiVersion = 'apiserver.k8s.io/v1beta1'
  const egressSelections = [{ name: 'cluster', connection }]
  await writeFile(
    config,
    stringify({ apiVersion, kind: 'EgressSelectorConfiguration', egressSelections }),
  )

  const routes = new Map<string, readonly number[]>()
  const open = new Set<Socket>()
  let turn = 0
  const server = createServer().on('connect', ({ url = '' }, socket: Socket) => {
    const ports = routes.get(url) ?? []
    const port = ports[turn++ % ports.length]
    if (port === undefined) {
      socket.end('HTTP/1.1 502 no endpoints\r\n\r\n')
      return
    }
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    for (const [end, other] of [[socket, target] as const, [target, socket] as const]) {
      open.add(end)
      end.on('error', () => other.destroy()).on('close', () => open.delete(end))
    }
  })
  server.listen(udsName)
  await once(server, 'listening')
  return {
    apiServerFlags: [`--egress-selector-config-file=${config}`],
    lead: (address, ports) => void routes.set(address, ports),
    async stop() {
      for (const socket of open) socket.destroy()
      server.close()
      await rm(dir, { recursive: true })
    },
  }
}

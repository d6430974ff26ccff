// Runs in a network namespace of its own, where nobody else is: the servers of the pods, each at the address of
// its pod, the gateway, and those who send it requests. A socket in the file system, which namespaces do not
// part, leads to the API server. What is to be done comes by the channel of the parent, with which it ends.

import { lead } from '../pod-network/lead.ts'
import type { Asked, Begin, Told } from './channel.ts'
import { runGateway } from './gateway-process.ts'
import { startRequests } from './requests.ts'
import { createServers } from './servers.ts'

const tell = (told: Told) => void process.send?.(told)

async function begin({ api, gateway, load }: Begin): Promise<void> {
  // The address is the same here as outside, so that its certificate and each kubeconfig fit.
  await lead({ port: api.port, host: '127.0.0.1' }, { path: api.socket })
  const servers = createServers()
  const requests = startRequests(load, answer => tell({ answer }))
  process.on('message', (asked: Asked) => {
    if ('requests' in asked) requests.to(asked.requests)
    else if ('gone' in asked) servers.gone(asked.gone)
    else void servers.serve(asked.serve).then(() => tell({ served: asked.serve.address }), end)
  })
  const code = await runGateway(gateway, routed => {
    const all = routed.rules.flatMap(({ backends }) => backends.flatMap(each => each.servers))
    servers.needed(new Set(all))
    tell({ routed })
  })
  throw new Error(`the gateway ended with code ${code}`)
}

function end(error: Error): void {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}

process.once('disconnect', () => process.exit())
process.once('message', (first: Begin) => void begin(first).catch(end))

// Leads connections on, as they are.

import { connect, createServer } from 'node:net'
import type { ListenOptions, NetConnectOpts, Server } from 'node:net'

/** Listens at one place, and leads whoever comes to the other. */
export async function lead(from: ListenOptions, to: NetConnectOpts): Promise<Server> {
  const server = createServer(near => {
    const far = connect(to)
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(from, resolve)
  })
  return server
}

// Which certificate a webhook serves to a connection that begins now.

import { once } from 'node:events'
import { connect } from 'node:tls'

import type { Child } from '../../dev/child.ts'

/** Its SHA-256 fingerprint, as X509Certificate says it. */
export async function certificateOf({ ready }: Child): Promise<string> {
  const socket = connect({ port: Number(ready['port']), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

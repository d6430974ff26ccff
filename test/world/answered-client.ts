// A client of an API server that gives the answers that a test wants of it.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import type { ClientOptions } from '#kube/client.ts'

/** Both are closed when the test has finished. */
export async function answeredClient(
  answer: RequestListener,
  options?: ClientOptions,
): Promise<KubeClient> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    source: 'test',
    namespace: 'default',
    tls: async () => ({}),
    headers: async () => ({}),
  }
  const client = new KubeClient(connection, options)
  onTestFinished(async () => {
    await client.close()
    server.close()
    await once(server, 'close')
  })
  return client
}

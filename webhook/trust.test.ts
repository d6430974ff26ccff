// The keeper of the API server's trust against one that does not take it.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

import { createAuthority, issue } from '#certs/authority.ts'
import { KubeClient } from '#kube/client.ts'
import { createMetrics } from './metrics.ts'
import { keepTrusted } from './trust.ts'

/** A keeper whose API server answers with `state.code`: 404 says that nothing is registered. */
async function keeper(code: number) {
  const state = { code }
  const server = createServer((_, response) => {
    response.writeHead(state.code).end(JSON.stringify({ kind: 'Status', code: state.code }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new KubeClient({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    source: 'test',
    namespace: 'default',
    tls: async () => ({}),
    headers: async () => ({}),
  })
  const lifetime = { now: Date.now(), days: 1 }
  const authority = await createAuthority(lifetime)
  const pair = await issue(authority, { dnsNames: ['a.svc'], ips: [], ...lifetime })
  const serving = { ...pair, caBundle: authority.cert }
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const metrics = createMetrics()
  const trust = keepTrusted({ client, configuration: 'ours', serving, metrics, onError })
  const ending = new AbortController()
  onTestFinished(async () => {
    ending.abort()
    await client.close()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { state, serving, trust, errors, ending }
}

test.each([403, 503])('who could not tell it (%i) says so, and has not told', async code => {
  const { state, serving, trust, errors } = await keeper(code)
  await trust.begin()
  expect([trust.told(), errors.length]).toEqual([false, 1])
  await expect(trust.keep(serving)).rejects.toThrow()
  expect(trust.told()).toBe(false)
  state.code = 404
  await trust.keep(serving)
  expect(trust.told()).toBe(true)
})

test('a server that is busy is told of while it runs, and told when it is not', async () => {
  const { state, trust, errors, ending } = await keeper(503)
  const running = trust.run(ending.signal)
  await expect.poll(() => errors.length).toBeGreaterThan(0)
  expect(trust.told()).toBe(false)
  state.code = 404
  await expect.poll(trust.told).toBe(true)
  ending.abort()
  await running
})

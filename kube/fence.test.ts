// A fence is asked at the last moment, and what it kept back or cut off never arrives.

import { once } from 'node:events'
import { createServer } from 'node:https'
import type { RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createAuthority, issue } from '#certs/authority.ts'
import { KubeClient } from './client.ts'
import { Retryable } from './errors.ts'
import { LeadLost, fenceOf } from './fence.ts'
import { PODS } from './resources.ts'

const ref = { namespace: 'ns', name: 'one' }

/** A TLS server with its plain sockets, and a client whose fence is `left()`. */
async function fencedClient(answer: RequestListener, left: () => number, slowTls = async () => {}) {
  const lifetime = { now: Date.now(), days: 1 }
  const authority = await createAuthority(lifetime)
  const own = await issue(authority, { dnsNames: [], ips: ['127.0.0.1'], ...lifetime })
  const https = createServer(own, answer)
  const sockets: Socket[] = []
  const breaks: string[] = []
  https.on('secureConnection', socket =>
    socket.on('error', (error: NodeJS.ErrnoException) => breaks.push(error.code ?? '')),
  )
  const tcp = createTcpServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    https.emit('connection', socket)
  }).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const client = new KubeClient(
    {
      server: `https://127.0.0.1:${(tcp.address() as AddressInfo).port}`,
      source: 'test',
      namespace: 'default',
      tls: async () => {
        await slowTls()
        return { ca: authority.cert }
      },
      headers: async () => ({}),
    },
    { fence: left, process: 'test one', connections: 1 },
  )
  onTestFinished(async () => {
    await client.close()
    for (const socket of sockets) socket.destroy()
    if (!tcp.listening) return
    tcp.close()
    await once(tcp, 'close')
  })
  return { client, sockets, breaks, tcp }
}

test('a request carries its time limit to the API server, and who sends it', async () => {
  const { client } = await fencedClient(
    ({ url, headers }, response) => {
      response.end(JSON.stringify({ url, agent: headers['user-agent'] }))
    },
    () => 1234.5,
  )
  const options = { fieldManager: 'me' }
  expect(await client.mergePatch(PODS, ref, {}, options)).toEqual({
    url: '/api/v1/namespaces/ns/pods/one?fieldManager=me&timeout=1234ms',
    agent: 'sluice/dev (test one)',
  })
  const short = await client.mergePatch(PODS, ref, {}, { timeoutMs: 500 })
  expect(short).toMatchObject({ url: '/api/v1/namespaces/ns/pods/one?timeout=500ms' })
})

test('no request asks for more time than lies between two terms', async () => {
  const answer: RequestListener = ({ url }, response) => void response.end(JSON.stringify({ url }))
  const { client } = await fencedClient(
    answer,
    fenceOf(() => 9000, 5000),
  )
  const path = '/api/v1/namespaces/ns/pods/one?timeout=5000ms'
  expect(await client.mergePatch(PODS, ref, {}, { timeoutMs: 20_000 })).toEqual({ url: path })
  expect(fenceOf(() => 3000, 5000)()).toBe(3000)
})

test('nothing is sent when the lease is over', async () => {
  let asked = 0
  const { client, sockets } = await fencedClient(
    (_, response) => void response.end(String((asked += 1))),
    () => 0,
  )
  await expect(client.mergePatch(PODS, ref, {})).rejects.toThrow(
    'PATCH /api/v1/namespaces/ns/pods/one: not sent, since the lease is over',
  )
  expect([asked, sockets.length]).toEqual([0, 0])
})

test('nothing is sent when it ended while the connection was being made', async () => {
  let left = 1000
  let asked = 0
  const answer: RequestListener = (_, response) => void response.end(String((asked += 1)))
  const { client, sockets } = await fencedClient(
    answer,
    () => left,
    async () => void (left = 0),
  )
  await expect(client.mergePatch(PODS, ref, {})).rejects.toBeInstanceOf(LeadLost)
  expect([asked, sockets.length]).toEqual([0, 1])
  left = 1000
})

test('nothing is sent when it ended while the request waited for its turn', async () => {
  let left = 1000
  const asked: string[] = []
  const { client } = await fencedClient(
    ({ method = '' }, response) => {
      asked.push(method)
      left = 0
      response.end('{}')
    },
    () => left,
  )
  const [first, second] = await Promise.allSettled([
    client.mergePatch(PODS, ref, {}),
    client.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: ref }),
  ])
  expect(first.status).toBe('fulfilled')
  expect(second).toMatchObject({ status: 'rejected', reason: expect.any(LeadLost) })
  expect(asked).toEqual(['PATCH'])
})

test('what left when the process slept just after the fence was asked is never a whole request', async () => {
  let left = 1000
  let asked = 0
  const bodies: string[] = []
  const { client, breaks } = await fencedClient(
    async (request, response) => {
      const whole = await request
        .setEncoding('utf8')
        .toArray()
        .catch(() => undefined)
      if (whole) bodies.push(whole.join(''))
      response.end('{}')
    },
    () => {
      const then = left
      // Asked for the time limit, and with the connection at hand; asleep from then on.
      if (++asked === 2) left = 0
      return then
    },
  )
  const writing = client.mergePatch(PODS, ref, { metadata: { labels: { a: 'b' } } })
  await expect(writing).rejects.toBeInstanceOf(LeadLost)
  await expect.poll(() => breaks).toHaveLength(1)
  expect(bodies).toEqual([])

  left = 20_000
  await client.mergePatch(PODS, ref, { metadata: { labels: { ö: 'b' } } })
  expect(bodies).toEqual(['{"metadata":{"labels":{"ö":"b"}}}'])
})

test('what is under way at the end is cut off: its connection is reset', async () => {
  let arrived = () => {}
  const arrival = new Promise<void>(resolve => (arrived = resolve))
  const { client, breaks } = await fencedClient(
    () => arrived(),
    () => 300,
  )
  const writing = client.mergePatch(PODS, ref, {})
  await Promise.all([arrival, expect(writing).rejects.toThrow(/no answer within 300 ms/)])
  await expect(writing).rejects.toBeInstanceOf(Retryable)
  await expect.poll(() => breaks).toEqual(['ECONNRESET'])
})

test('a server that is not there is the world’s trouble', async () => {
  const { client, sockets } = await fencedClient(
    (_, response) => void response.end('{}'),
    () => 5000,
    () => Promise.reject(Object.assign(new Error('no file'), { code: 'ENOENT' })),
  )
  await expect(client.mergePatch(PODS, ref, {})).rejects.toThrow('no file')
  expect(sockets).toHaveLength(0)
})

test('a connection that is refused says so at once', async () => {
  const { client, tcp } = await fencedClient(
    (_, response) => void response.end('{}'),
    () => 60_000,
  )
  tcp.close()
  await once(tcp, 'close')
  const writing = client.mergePatch(PODS, ref, {})
  await expect(writing).rejects.toThrow(/ECONNREFUSED/)
  await expect(writing).rejects.toBeInstanceOf(Retryable)
})

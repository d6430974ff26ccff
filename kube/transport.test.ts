import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { KubeClient } from './client.ts'
import type { ClientOptions } from './client.ts'
import { Forbidden, Retryable } from './errors.ts'
import { NAMESPACES, pathOf, PODS, SECRETS } from './resources.ts'
import { parseWarnings } from './transport.ts'

async function serve(answer: RequestListener, options: ClientOptions = {}, tokens = ['t']) {
  const server = createServer(answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  let asked = 0
  const client = new KubeClient(
    {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/k8s/clusters/one/`,
      source: 'test',
      namespace: 'default',
      tls: async () => ({}),
      headers: async fresh => {
        if (fresh) asked += 1
        return { authorization: `Bearer ${tokens[asked]}` }
      },
    },
    options,
  )
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return client
}

const ref = { namespace: 'ns', name: 'one' }

test('warnings come apart and unquoted', () => {
  expect(parseWarnings('299 - "use \\"v1\\"", 299 kube "second, with a comma"')).toEqual([
    'use "v1"',
    'second, with a comma',
  ])
  expect(parseWarnings(['299 - "a"', '299 - "b"'])).toEqual(['a', 'b'])
})

test('a path names exactly one thing', () => {
  expect(pathOf(PODS, { namespace: 'a/b', name: 'c' }, 'status')).toBe(
    '/api/v1/namespaces/a%2Fb/pods/c/status',
  )
  expect(pathOf(PODS, {})).toBe('/api/v1/pods')
  expect(pathOf(NAMESPACES, { name: 'x', namespace: 'ignored' })).toBe('/api/v1/namespaces/x')
  expect(() => pathOf(SECRETS, { namespace: 'n', name: '' })).toThrow('the name is empty')
  expect(() => pathOf(SECRETS, { name: 'x' })).toThrow('no namespace')
})

test('a refused token is read again once', async () => {
  const client = await serve(
    (request, response) => {
      response.statusCode = request.headers.authorization === 'Bearer new' ? 200 : 401
      response.end(JSON.stringify({ path: request.url, agent: request.headers['user-agent'] }))
    },
    { version: '1.2.3' },
    ['old', 'new'],
  )
  expect(await client.get(PODS, ref)).toEqual({
    path: '/k8s/clusters/one/api/v1/namespaces/ns/pods/one',
    agent: 'sluice/1.2.3',
  })
})

test('credentials that stay refused are an error', async () => {
  const refuse: RequestListener = (_, response) => void response.writeHead(401).end()
  const client = await serve(refuse, {}, ['old', 'old'])
  await expect(client.get(PODS, ref)).rejects.toBeInstanceOf(Forbidden)
})

test('a refused watch asks with credentials read again', async () => {
  const client = await serve(
    (request, response) => {
      response.statusCode = request.headers.authorization === 'Bearer new' ? 200 : 401
      response.end('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}\n')
    },
    {},
    ['old', 'new'],
  )
  const { value } = await client.watch(PODS, { resourceVersion: '1' }).next()
  expect(value).toEqual({ type: 'BOOKMARK', resourceVersion: '7' })
})

test('a refused connection is left: its certificate stays what it was', async () => {
  const ports: number[] = []
  const client = await serve((request, response) => {
    const port = request.socket.remotePort!
    if (!ports.includes(port)) ports.push(port)
    // The first connection is accepted once; then what it began with has expired.
    response.statusCode = port === ports[0] && request.url?.includes('/two') ? 401 : 200
    response.end('{}')
  })
  await client.get(PODS, ref)
  await client.get(PODS, { ...ref, name: 'two' })
  await client.get(PODS, ref)
  expect(ports).toHaveLength(2)
})

test('after one connection fell silent no request goes over its neighbours', async () => {
  const ports = new Set<number>()
  const silent = new Set<number>()
  const waiting: (() => void)[] = []
  const client = await serve((request, response) => {
    const port = request.socket.remotePort!
    ports.add(port)
    if (silent.has(port)) return
    waiting.push(() => void response.end('{}'))
    if (request.url?.includes('together') && waiting.length < 8) return
    for (const answer of waiting.splice(0)) answer()
  })
  const together = { ...ref, name: 'together' }
  await Promise.all(Array.from({ length: 8 }, () => client.get(PODS, together)))
  // The pool takes a moment to see that they are free.
  await vi.waitFor(async () => {
    const before = ports.size
    await client.get(PODS, ref)
    expect(ports.size).toBe(before)
  }, 30_000)
  for (const port of ports) silent.add(port)
  const before = ports.size
  await expect(client.get(PODS, ref, { timeoutMs: 50 })).rejects.toBeInstanceOf(Retryable)
  expect(await client.get(PODS, ref)).toEqual({})
  expect(ports.size).toBe(before + 1)
})

test.each<[string, ClientOptions]>([
  ['the webhook', {}],
  ['the controller', { process: 'controller one', fence: () => 60_000 }],
])(
  'no request of %s waits for another: nobody is answered before the last came',
  async (_, own) => {
    const waiting: (() => void)[] = []
    const client = await serve((_request, response) => {
      waiting.push(() => void response.end('{}'))
      // With a limiter of ours nobody ever would be.
      if (waiting.length === 200) for (const answer of waiting) answer()
    }, own)
    const answers = Array.from({ length: 200 }, () => client.get(PODS, ref))
    expect(await Promise.all(answers)).toHaveLength(200)
  },
)

test('an answer that does not come in time, or not at all, can be asked again', async () => {
  const client = await serve((request, response) => {
    if (request.method === 'DELETE') response.destroy()
    if (request.method === 'PATCH') response.end('<html>')
  })
  const late = client.get(PODS, ref, { timeoutMs: 50 })
  await expect(late).rejects.toThrow(/GET .*\/pods\/one: no answer within 50 ms/)
  await expect(late).rejects.toBeInstanceOf(Retryable)
  await expect(client.remove(PODS, ref)).rejects.toBeInstanceOf(Retryable)
  await expect(client.mergePatch(PODS, ref, {})).rejects.toThrow('the answer is not JSON')
})

test('an aborted request throws the reason of its signal', async () => {
  const client = await serve(() => {})
  const reason = new Error('enough')
  const stop = new AbortController()
  const asked = client.get(PODS, ref, { signal: stop.signal })
  stop.abort(reason)
  await expect(asked).rejects.toBe(reason)
  await expect(client.get(PODS, ref, { signal: stop.signal })).rejects.toBe(reason)
})

test('open watches never keep a request waiting', async () => {
  const client = await serve(
    (request, response) => {
      response.writeHead(200)
      if (request.url?.includes('watch=')) response.flushHeaders()
      else response.end('{}')
    },
    { connections: 1 },
  )
  const stop = new AbortController()
  const watches = Array.from({ length: 20 }, () =>
    client.watch(PODS, { resourceVersion: '1', signal: stop.signal }).next(),
  )
  expect(await client.get(PODS, ref)).toEqual({})
  stop.abort(new Error('enough'))
  for (const watch of watches) await expect(watch).rejects.toThrow('enough')
})

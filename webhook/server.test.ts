// The server over real TLS and real sockets: what is promised to API servers, and to a stranger.

import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { text as consume } from 'node:stream/consumers'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'

import { pino } from 'pino'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { API_VERSION, OLDER_API_VERSION } from '#api/names.ts'
import { createAuthority, issue } from '#certs/authority.ts'
import type { Pair } from '#certs/authority.ts'
import { createMetrics } from './metrics.ts'
import { createWebhookServer } from './server.ts'
import type { AdmissionResponse, Reviewer, WebhookServerOptions } from './server.ts'

const now = Date.now()
const names = { dnsNames: [], ips: ['127.0.0.1'] }
const allow: Reviewer = () => ({ allowed: true })

let ca: Pair
let certificates: readonly [Pair, Pair]

beforeAll(async () => {
  ca = await createAuthority({ now, days: 10 })
  const make = () => issue(ca, { ...names, now, days: 5 })
  certificates = [await make(), await make()]
})

async function start(options: Partial<WebhookServerOptions> = {}) {
  const lines: Record<string, unknown>[] = []
  const metrics = createMetrics()
  const server = createWebhookServer({
    certificate: certificates[0],
    admit: allow,
    validate: allow,
    onBug: () => ({ allowed: false, status: { code: 500, message: 'a bug' } }),
    metrics,
    log: pino({ base: null }, { write: line => void lines.push(JSON.parse(line)) }),
    listen: { host: '127.0.0.1', port: 0 },
    probes: { host: '127.0.0.1', port: 0 },
    ...options,
  })
  const ports = await server.listen()
  onTestFinished(() => server.close())
  const count = async (name: string) => {
    const text = await metrics.registry.metrics()
    return Number(
      text
        .split('\n')
        .find(line => line.startsWith(name))
        ?.split(' ')
        .at(-1),
    )
  }
  const probe = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${ports.probesPort}${path}`)
    return { code: answer.status, text: await answer.text() }
  }
  return { server, lines, count, probe, ...ports }
}

interface Call {
  readonly path?: string
  readonly body?: string | Buffer
  readonly agent?: Agent
  readonly headers?: Readonly<Record<string, string>>
}

interface Reply {
  readonly code: number
  readonly text: string
  readonly serial: string
  readonly reused: boolean
  readonly connection: string | undefined
  readonly keepAlive: string
}

function post(port: number, call: Call = {}): Promise<Reply> {
  const { path = '/admit', body = review(), agent, headers } = call
  const bytes = Buffer.from(body)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        ca: ca.cert,
        agent: agent ?? false,
        headers: {
          'content-type': 'application/json',
          ...(headers?.['transfer-encoding'] ? {} : { 'content-length': bytes.length }),
          ...headers,
        },
      },
      res => {
        let text = ''
        const serial = (res.socket as TLSSocket).getPeerCertificate().serialNumber
        res.setEncoding('utf8').on('data', chunk => (text += chunk))
        res.on('error', reject).on('end', () =>
          resolve({
            code: res.statusCode ?? 0,
            text,
            serial,
            reused: sent.reusedSocket,
            connection: res.headers.connection,
            keepAlive: String(res.headers['keep-alive']),
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(bytes)
  })
}

function review(request: object = {}): string {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      operation: 'UPDATE',
      name: 'web',
      namespace: 'shop',
      object,
      oldObject: object,
      ...request,
    },
  })
}

const responseOf = (reply: Reply) => JSON.parse(reply.text).response

/** A reviewer that is asked, and answers when the test says so. */
function gate() {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<AdmissionResponse>()
  const reviewer: Reviewer = () => {
    asked.resolve()
    return answer.promise
  }
  return { reviewer, asked: asked.promise, answer: answer.resolve }
}

describe('a well-formed review', () => {
  test('goes to the reviewer of its path, and is logged and counted once', async () => {
    const validate: Reviewer = () => ({ allowed: false, status: { message: 'no' } })
    const admit: Reviewer = () => ({
      allowed: true,
      held: true,
      patch: [{ op: 'add', path: '/spec/paused', value: true }],
    })
    const { port, lines, count } = await start({ admit, validate })

    expect(responseOf(await post(port))).toMatchObject({ uid: 'u1', patchType: 'JSONPatch' })
    const denied = await post(port, { path: '/validate' })
    expect(responseOf(denied)).toEqual({ uid: 'u1', allowed: false, status: { message: 'no' } })
    await post(port, { body: review({ dryRun: true }) })

    expect(lines.map(line => line['msg'])).toEqual(['patched', 'denied', 'patched'])
    expect(lines[0]).toMatchObject({ uid: 'u1', namespace: 'shop', name: 'web', held: true })
    const reviews = 'sluice_webhook_reviews_total{operation="UPDATE",outcome='
    expect(await count(`${reviews}"patched"}`)).toBe(2)
    expect(await count(`${reviews}"denied"}`)).toBe(1)
    expect(await count('sluice_webhook_review_seconds_count')).toBe(3)
    expect(await count('sluice_webhook_held_edits_total')).toBe(1)
  })

  test('of 3 MiB is answered', async () => {
    const { port } = await start()
    const data = 'x'.repeat(3 * 1024 * 1024)
    const body = review({ object: { metadata: {}, data } })
    expect(responseOf(await post(port, { body }))).toEqual({ uid: 'u1', allowed: true })
  })

  test('with __proto__ and constructor keys reaches the reviewer and pollutes nothing', async () => {
    let seen: unknown
    const admit: Reviewer = ({ object }) => {
      seen = object
      return { allowed: true }
    }
    const { port } = await start({ admit })
    const evil = '{"metadata":{},"__proto__":{"bad":1},"constructor":{"prototype":{"bad":1}}}'
    const body = review({ object: 'HERE' }).replace('"HERE"', evil)
    expect((await post(port, { body })).code).toBe(200)
    expect(Object.keys(seen as object)).toEqual(['metadata', '__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['bad']).toBeUndefined()
  })

  test('that is nested 100,000 deep is answered', async () => {
    const { port } = await start()
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const object = `{"metadata":{},"spec":${deep}}`
    const body = review({ object: 'HERE' }).replace('"HERE"', object)
    expect(responseOf(await post(port, { body }))).toEqual({ uid: 'u1', allowed: true })
  })

  const broken: readonly [string, Reviewer][] = [
    [
      'throws',
      () => {
        throw new Error('oh')
      },
    ],
    ['rejects', () => Promise.reject(new Error('oh'))],
    ['answers nothing', () => undefined as unknown as AdmissionResponse],
    [
      'makes a patch that is no JSON',
      () => ({ allowed: true, patch: [{ op: 'add', path: '/x', value: 1n }] }),
    ],
  ]
  for (const [name, admit] of broken) {
    test(`gets the answer of onBug from a reviewer that ${name}`, async () => {
      const onBug = () => ({ allowed: true, warnings: ['a bug'] })
      const { port, count, lines } = await start({ admit, onBug })
      const reply = await post(port)
      expect(reply.code).toBe(200)
      expect(responseOf(reply)).toEqual({ uid: 'u1', allowed: true, warnings: ['a bug'] })
      expect(await count('sluice_webhook_bugs_total')).toBe(1)
      expect(lines.map(line => line['msg'])).toEqual(['the reviewer failed', 'bug'])
    })
  }

  test('is refused, with 200, when onBug throws as well', async () => {
    const fail = () => {
      throw new Error('oh')
    }
    const { port } = await start({ admit: fail, onBug: fail })
    const reply = await post(port)
    expect(reply.code).toBe(200)
    expect(responseOf(reply)).toMatchObject({ uid: 'u1', allowed: false })
  })
})

test('a review of objects to be converted is answered, logged and counted', async () => {
  const { port, lines, count } = await start()
  const send = async (weight: unknown) => {
    const spec = {
      objectRef: { workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
      strategy: { canary: { steps: [{ weight }] } },
    }
    const metadata = { namespace: 'shop', name: 'web' }
    const object = { apiVersion: OLDER_API_VERSION, kind: 'Rollout', metadata, spec }
    const request = { uid: 'u1', desiredAPIVersion: API_VERSION, objects: [object] }
    const body = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request }
    const { code, text } = await post(port, { path: '/convert', body: JSON.stringify(body) })
    expect(code).toBe(200)
    return (JSON.parse(text) as { response: { result: object } }).response.result
  }
  expect(await send(20)).toEqual({ status: 'Success' })
  expect(await send('x')).toMatchObject({ status: 'Failure' })
  expect(await count('sluice_webhook_conversions_total{outcome="converted"}')).toBe(1)
  expect(await count('sluice_webhook_conversions_total{outcome="failed"}')).toBe(1)
  expect(lines).toEqual([
    expect.objectContaining({
      msg: 'failed',
      uid: 'u1',
      count: 1,
      message: expect.stringContaining('Rollout shop/web: spec.strategy') as string,
    }),
  ])
})

describe('a malformed request', () => {
  const rows: readonly [string, Call, number, string][] = [
    ['no uid', { body: review({ uid: undefined }) }, 400, 'request.uid: expected a text'],
    [
      'another version',
      { body: review().replace('io/v1', 'io/v1beta1') },
      400,
      'apiVersion and kind: expected admission.k8s.io/v1 AdmissionReview',
    ],
    [
      'a byte order mark',
      { body: `\uFEFF${review()}` },
      400,
      'the body is not JSON, or not as UTF-8 without a byte order mark',
    ],
    [
      'half a review',
      { body: review().slice(0, 99) },
      400,
      'the body is not JSON, or not as UTF-8 without a byte order mark',
    ],
    [
      'an empty body',
      { body: '' },
      400,
      'the body is not JSON, or not as UTF-8 without a byte order mark',
    ],
    [
      'an own __proto__ instead of fields',
      { body: `{"__proto__":${review()}}` },
      400,
      'apiVersion and kind: expected admission.k8s.io/v1 AdmissionReview',
    ],
    ['deep nesting alone', { body: '['.repeat(50_000) + ']'.repeat(50_000) }, 400, 'the body: '],
    [
      'YAML',
      { headers: { 'content-type': 'application/yaml' } },
      415,
      'content-type: expected application/json',
    ],
    [
      'an admission at the path of conversions',
      { path: '/convert' },
      400,
      'apiVersion and kind: expected apiextensions.k8s.io/v1 ConversionReview',
    ],
    ['another path', { path: '/' }, 404, 'POST /admit, /validate and /convert only'],
  ]
  for (const [name, call, code, line] of rows) {
    test(`${name}: ${code}, and the next request is served`, async () => {
      const { port } = await start({
        admit: () => ({ allowed: true }),
      })
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const reply = await post(port, { ...call, agent })
      expect(reply.code).toBe(code)
      expect(reply.text).toContain(line)
      expect(reply.text.trimEnd()).not.toContain('\n')
      expect((await post(port, { agent })).code).toBe(200)
    })
  }

  const lengths = {
    'by its length': {},
    'in chunks': { 'transfer-encoding': 'chunked' },
  }
  for (const [how, headers] of Object.entries(lengths)) {
    test(`of 9 MiB, ${how}: 413`, async () => {
      const { port, count } = await start()
      const reply = await post(port, { body: Buffer.alloc(9 * 1024 * 1024, ' '), headers })
      expect(reply).toMatchObject({ code: 413, text: 'the body is larger than 8388608 bytes\n' })
      expect((await post(port)).code).toBe(200)
      const malformed = 'sluice_webhook_reviews_total{operation="unknown",outcome="malformed"}'
      expect(await count(malformed)).toBe(1)
    })
  }
})

describe('rotation', () => {
  test('loses no request on open connections, and new ones see the new certificate', async () => {
    const { port, server } = await start()
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    onTestFinished(() => agents.forEach(agent => agent.destroy()))
    const replies: Reply[] = []
    const load = agents.map(async agent => {
      for (let i = 0; i < 50; i += 1) {
        const reply = await post(port, { agent })
        replies.push(reply)
        if (replies.length === 150) server.setCertificate(certificates[1])
      }
    })
    await Promise.all(load)

    expect(replies).toHaveLength(400)
    expect(replies.every(reply => reply.code === 200)).toBe(true)
    // One handshake for each agent: nobody had to connect again.
    expect(replies.filter(reply => !reply.reused)).toHaveLength(8)
    const fresh = await post(port)
    expect(fresh.code).toBe(200)
    expect(fresh.serial).not.toBe(replies[0]?.serial)
  })

  test('to something unreadable throws, and the old certificate goes on', async () => {
    const { port, server } = await start()
    expect(() => server.setCertificate({ cert: 'x', key: 'y' })).toThrow()
    expect((await post(port)).code).toBe(200)
  })
})

describe('shutdown', () => {
  test('answers what is in flight, then closes', async () => {
    const { reviewer, asked, answer } = gate()
    const { port, server } = await start({ admit: reviewer })
    const reply = post(port)
    await asked
    const closed = server.close()
    answer({ allowed: true })
    expect(responseOf(await reply)).toEqual({ uid: 'u1', allowed: true })
    await closed
    await expect(post(port)).rejects.toThrow('ECONNREFUSED')
  })

  test('answers a review whose first bytes came before it', async () => {
    const { port, server } = await start()
    const socket = connect({ host: '127.0.0.1', port, ca: ca.cert })
    await once(socket, 'secureConnect')
    const body = review()
    const head = 'POST /admit HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
    socket.write(head)
    // The server reads its sockets in turn: once it has answered here, it has read there.
    await post(port)
    const closed = server.close()
    await expect.poll(() => post(port).catch(String)).toContain('ECONNREFUSED')
    socket.write(`content-length: ${body.length}\r\n\r\n${body}`)
    const text = await consume(socket)
    expect(text).toContain('HTTP/1.1 200 OK')
    expect(text.toLowerCase()).toContain('connection: close')
    await closed
  })

  test('takes readiness first and serves on while it drains, sending clients away', async () => {
    const { port, probe, server } = await start({ drainMs: 300 })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    expect(await probe('/readyz')).toEqual({ code: 200, text: 'ok\n' })
    expect((await post(port, { agent })).connection).toBe('keep-alive')

    const closed = server.close()
    expect(await probe('/readyz')).toEqual({ code: 503, text: 'shutting down\n' })
    const reply = await post(port, { agent })
    expect(reply).toMatchObject({ code: 200, connection: 'close' })
    expect((await post(port, { agent })).reused).toBe(false)
    await closed
    await expect(post(port)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('listening', () => {
  test('keeps connections longer than the 90 s of an API server', async () => {
    const { port } = await start()
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    expect((await post(port, { agent })).keepAlive).toBe('timeout=120')
  })

  test('on a port that is taken is one clear line, and leaves nothing open', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const line = `127.0.0.1:${port}, the port is in use: stop the other process`
    const taken = { host: '127.0.0.1', port }
    await expect(start({ listen: taken })).rejects.toThrow(
      `webhook listener: cannot listen on ${line}`,
    )
    await expect(start({ probes: taken })).rejects.toThrow(
      `probes listener: cannot listen on ${line}`,
    )
  })

  test('offers probes and metrics without TLS', async () => {
    let why: string | undefined = 'the cache is not synced'
    const { probe } = await start({ unready: () => why })
    expect(await probe('/healthz')).toEqual({ code: 200, text: 'ok\n' })
    expect(await probe('/readyz')).toEqual({ code: 503, text: 'the cache is not synced\n' })
    why = undefined
    expect((await probe('/readyz')).code).toBe(200)
    expect((await probe('/metrics')).text).toContain('process_resident_memory_bytes')
  })
})

import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'

import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'

import { createAuthority, issue } from '#certs/authority.ts'
import { createGate } from './bounds.ts'
import { createMetrics } from './metrics.ts'
import { createWebhookServer } from './server.ts'

/** A gate for 10 bytes, 4 at most each; requests are named by their order. */
function gate(small = 0) {
  const { enter, taken } = createGate({ bytes: 10, most: 4, small })
  const log: string[] = []
  let count = 0
  const come = (length?: string) => {
    const name = String((count += 1))
    const ended = new EventEmitter()
    const headers = length === undefined ? {} : { 'content-length': length }
    void enter({ headers } as IncomingMessage, ended).then(inside => {
      log.push(`${name} ${inside ? 'in' : 'gone'}`)
    })
    return () => void ended.emit('close')
  }
  const settled = () => new Promise(resolve => setImmediate(resolve))
  return { come, log, taken, settled }
}

test('bodies are let in while they fit, and then in the order in which they came', async () => {
  const { come, log, taken, settled } = gate()
  const end1 = come('4')
  come('4')
  const end3 = come('4')
  come('1')
  await settled()
  expect(log).toEqual(['1 in', '2 in'])
  expect(taken()).toBe(8)
  end1()
  await settled()
  expect(log).toEqual(['1 in', '2 in', '3 in', '4 in'])
  end3()
  expect(taken()).toBe(5)
})

test('who gives up while waiting keeps nobody else waiting, and takes nothing', async () => {
  const { come, log, taken, settled } = gate()
  const ends = [come('4'), come('4')]
  const impatient = come('4')
  come('2')
  await settled()
  impatient()
  await settled()
  expect(log).toEqual(['1 in', '2 in', '3 gone', '4 in'])
  for (const end of ends) end()
  expect(taken()).toBe(2)
})

test('a body of unknown length counts as the largest, a too large one as no more than that', async () => {
  const { come, taken, settled } = gate()
  come()
  come('1000')
  await settled()
  expect(taken()).toBe(8)
})

test('a small body waits for no large one', async () => {
  const { come, log, settled } = gate(1)
  for (const length of ['4', '4', '4', '1']) come(length)
  await settled()
  expect(log).toEqual(['1 in', '2 in', '4 in'])
})

/** A server whose reviews are open until the test ends them. */
async function serve() {
  const lifetime = { now: Date.now(), days: 1 }
  const authority = await createAuthority(lifetime)
  const certificate = await issue(authority, { dnsNames: [], ips: ['127.0.0.1'], ...lifetime })
  const open: (() => void)[] = []
  const review = () =>
    new Promise<{ allowed: boolean }>(resolve => open.push(() => resolve({ allowed: true })))
  const server = createWebhookServer({
    certificate,
    admit: review,
    validate: review,
    onBug: () => ({ allowed: false }),
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
    listen: { host: '127.0.0.1', port: 0 },
    probes: { host: '127.0.0.1', port: 0 },
  })
  const { port } = await server.listen()
  const agent = new Agent({ ca: authority.cert, keepAlive: true })
  onTestFinished(async () => {
    agent.destroy()
    await server.close()
  })
  const send = (text: string, signal?: AbortSignal) =>
    new Promise<number>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': text.length }
      const options = { host: '127.0.0.1', port, path: '/admit', method: 'POST', agent, headers }
      const sent = request({ ...options, ...(signal && { signal }) }, answer => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      })
      sent.once('error', reject)
      sent.end(text)
    })
  return { open, send, port, ca: authority.cert }
}

/** A review with an object of so many bytes. */
function reviewOf(bytes: number): string {
  const kind = { group: 'apps', version: 'v1', kind: 'Deployment' }
  const object = { metadata: { name: 'a' }, padding: 'x'.repeat(bytes) }
  const asked = { uid: 'u', kind, operation: 'CREATE', object, userInfo: {} }
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { ...asked, resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
  })
}

test('reviews are answered while others announce large bodies and send nothing', async () => {
  const { open, send, port, ca } = await serve()
  const headers = { 'content-type': 'application/json', 'content-length': 8 * 1024 * 1024 }
  const options = { host: '127.0.0.1', port, path: '/admit', method: 'POST', ca, headers }
  const idle = Array.from({ length: 8 }, () => request(options))
  await Promise.all(
    idle.map(async each => {
      each.on('error', () => {})
      each.flushHeaders()
      const [socket] = await once(each, 'socket')
      await once(socket, 'secureConnect')
    }),
  )
  const sent = send(reviewOf(20 * 1024))
  await expect.poll(() => open.length, { timeout: 2500 }).toBe(1)
  open[0]!()
  expect(await sent).toBe(200)
  for (const each of idle) each.destroy()
})

test('large reviews that come together are read a few at a time, and all answered', async () => {
  const { open, send } = await serve()
  const text = reviewOf(7 * 1024 * 1024)
  const impatient = new AbortController()
  const first = Array.from({ length: 4 }, () => send(text))
  await expect.poll(() => open.length).toBe(4)
  const waiting = Array.from({ length: 3 }, () => send(text))
  const leaving = send(text, impatient.signal)
  impatient.abort()
  await expect(leaving).rejects.toThrow('aborted')
  open[0]!()
  await expect.poll(() => open.length).toBe(5)
  expect(open).toHaveLength(5)
  for (let next = 1; next < 7; next += 1) {
    await expect.poll(() => open.length).toBeGreaterThan(next)
    // Four at a time: of those that are open one has ended for each that came in.
    expect(open.length - next).toBeLessThanOrEqual(4)
    open[next]!()
  }
  expect(await Promise.all([...first, ...waiting])).toEqual(Array(7).fill(200))
})

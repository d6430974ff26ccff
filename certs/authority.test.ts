// What forge makes is judged by Node's TLS stack over a real connection.

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import {
  beginning,
  covers,
  createAuthority,
  expiry,
  issue,
  matches,
  signedBy,
} from './authority.ts'
import type { Pair } from './authority.ts'

const day = 86_400_000
const now = Math.floor(Date.now() / 1000) * 1000
const names = { dnsNames: ['sluice.sluice-system.svc', 'localhost'], ips: ['127.0.0.1', '::1'] }

let ca: Pair
let serving: Pair

beforeAll(async () => {
  ca = await createAuthority({ now, days: 365 })
  serving = await issue(ca, { ...names, now, days: 90 })
})

async function serve(pair: Pair): Promise<number> {
  const server = createServer({ cert: pair.cert, key: pair.key }, (_, res) => res.end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

function call(port: number, trusted: string, servername?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca: trusted, agent: false as const }
    get({ ...options, ...(servername ? { servername } : {}) }, res => {
      res.resume().on('end', () => resolve('verified'))
    }).on('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code)))
  })
}

describe('a serving certificate', () => {
  test('verifies by address and by name, and by nothing else', async () => {
    const port = await serve(serving)
    await expect(call(port, ca.cert)).resolves.toBe('verified')
    await expect(call(port, ca.cert, names.dnsNames[0])).resolves.toBe('verified')
    await expect(call(port, ca.cert, 'other.svc')).rejects.toThrow('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('verifies against a bundle of two CAs, not against another CA alone', async () => {
    const other = await createAuthority({ now, days: 365 })
    const port = await serve(serving)
    await expect(call(port, other.cert + ca.cert)).resolves.toBe('verified')
    await expect(call(port, other.cert)).rejects.toThrow('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('is refused once it has expired', async () => {
    const old = await issue(ca, { ...names, now: now - 10 * day, days: 9 })
    await expect(call(await serve(old), ca.cert)).rejects.toThrow('CERT_HAS_EXPIRED')
  })

  test('begins an hour ago, ends as asked, and never outlives its CA', async () => {
    expect(beginning(serving.cert)).toBe(now - 3_600_000)
    expect(expiry(serving.cert)).toBe(now + 90 * day)
    expect(expiry((await issue(ca, { ...names, now, days: 900 })).cert)).toBe(now + 365 * day)
  })

  test('is for servers only, with identifiers and a serial of its own', async () => {
    const parsed = new X509Certificate(serving.cert)
    expect(parsed.ca).toBe(false)
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(parsed.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    const next = new X509Certificate((await issue(ca, { ...names, now, days: 90 })).cert)
    expect(next.serialNumber).not.toBe(parsed.serialNumber)
  })

  test('needs a name, and addresses that are addresses', async () => {
    const none = issue(ca, { dnsNames: [], ips: [], now, days: 1 })
    await expect(none).rejects.toThrow('dnsNames and ips are both empty')
    const wrong = issue(ca, { dnsNames: [], ips: ['localhost'], now, days: 1 })
    await expect(wrong).rejects.toThrow('ips holds "localhost"')
  })
})

describe('questions', () => {
  let other: Pair
  beforeAll(async () => {
    other = await createAuthority({ now, days: 365 })
  })

  test('covers needs every name', () => {
    expect(covers(serving.cert, names)).toBe(true)
    expect(covers(serving.cert, { dnsNames: ['localhost'], ips: [] })).toBe(true)
    expect(covers(serving.cert, { dnsNames: ['localhost', 'new'], ips: [] })).toBe(false)
    expect(covers(serving.cert, { dnsNames: [], ips: ['10.0.0.1'] })).toBe(false)
    expect(covers('garbage', names)).toBe(false)
  })

  test('signedBy looks at the signature', () => {
    expect(signedBy(serving.cert, ca.cert)).toBe(true)
    expect(signedBy(serving.cert, other.cert)).toBe(false)
    expect(signedBy(ca.cert, serving.cert)).toBe(false)
    expect(signedBy('garbage', ca.cert)).toBe(false)
    expect(signedBy(serving.cert, '')).toBe(false)
  })

  test('matches looks at the key', () => {
    expect(matches(serving)).toBe(true)
    expect(matches({ cert: serving.cert, key: ca.key })).toBe(false)
    expect(matches({ cert: serving.cert, key: serving.key.slice(0, 400) })).toBe(false)
  })
})

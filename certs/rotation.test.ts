// A year of certificates in a second: the clock is injected, the certificates are real.

import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'

import { createAuthority, expiry, issue, signedBy } from './authority.ts'
import { startRotation } from './rotation.ts'
import type { Rotation, RotationOptions, Serving } from './rotation.ts'
import { inMemory } from './store.ts'
import type { CertificateStore, Material } from './store.ts'

const day = 86_400_000
const minute = 60_000
const start = Date.UTC(2026, 0, 1)
const names = { dnsNames: ['sluice.svc'], ips: [] }

interface Run {
  readonly rotation: Rotation
  readonly changes: { readonly serving: Serving; readonly reasons: readonly string[] }[]
  readonly errors: unknown[]
  readonly at: (time: number) => Promise<void>
}

async function run(store: CertificateStore, options: Partial<RotationOptions> = {}): Promise<Run> {
  let now = start
  const changes: Run['changes'] = []
  const errors: unknown[] = []
  const rotation = await startRotation({
    store,
    names,
    now: () => now,
    onChange: (serving, reasons) => void changes.push({ serving, reasons }),
    onError: error => errors.push(error),
    ...options,
  })
  onTestFinished(() => rotation.stop())
  changes.unshift({ serving: rotation.current(), reasons: rotation.reasons })
  const at = async (time: number) => {
    now = time
    await rotation.check()
  }
  return { rotation, changes, errors, at }
}

describe('the life of certificates', () => {
  test('a serving certificate is renewed at two thirds of its life, under the same CA', async () => {
    const { rotation, changes, at } = await run(inMemory())
    await at(start + 60 * day - 1000)
    expect(changes).toHaveLength(1)
    await at(start + 60 * day)
    expect(changes[1]?.reasons).toEqual(['the serving certificate is past two thirds of its life'])
    expect(rotation.current().caBundle).toBe(changes[0]?.serving.caBundle)
    expect(expiry(rotation.current().cert)).toBe(start + 150 * day)
  })

  test('a new CA is published first, used later, and the old one leaves when it ends', async () => {
    const store = inMemory()
    const { rotation, changes, at } = await run(store, { servingDays: 364 })
    const before = rotation.current()

    const renewal = start + (365 * 2 * day) / 3
    await at(renewal)
    const published = rotation.current()
    expect(published.cert).toBe(before.cert)
    expect(published.caBundle).toContain(before.caBundle)
    expect(published.caBundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)

    await at(renewal + 9 * minute)
    expect(rotation.current()).toEqual(published)
    await at(renewal + 11 * minute)
    const moved = rotation.current()
    expect(moved.caBundle).toBe(published.caBundle)
    expect(signedBy(moved.cert, before.caBundle)).toBe(false)
    expect(signedBy(moved.cert, moved.caBundle)).toBe(true)

    await at(start + 365 * day)
    expect(changes.at(-1)?.reasons).toContain('the previous CA is over')
    expect(rotation.current().caBundle).toBe(moved.caBundle.replace(before.caBundle, ''))
    expect((await store.read()).material.caPrevious).toBeUndefined()
  })

  test('a clock that jumps is noticed within a minute, with nobody asking', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const clock = { now: start }
    const { rotation } = await run(inMemory(), { now: () => clock.now })
    const { cert } = rotation.current()
    clock.now = start + 61 * day
    vi.advanceTimersByTime(minute)
    vi.useRealTimers()
    await vi.waitFor(() => expect(rotation.current().cert).not.toBe(cert), 30_000)
  })

  test('a process that slept past every expiry serves a good certificate at once', async () => {
    const { rotation, at } = await run(inMemory())
    const late = start + 800 * day
    await at(late)
    expect(expiry(rotation.current().cert)).toBe(late + 90 * day)
    expect(signedBy(rotation.current().cert, rotation.current().caBundle)).toBe(true)
  })
})

describe('what is found in the store', () => {
  let good: Material
  let foreign: Material
  beforeAll(async () => {
    const make = async (dnsNames: string[]) => {
      const ca = await createAuthority({ now: start, days: 365 })
      const serving = await issue(ca, { dnsNames, ips: [], now: start, days: 90 })
      return { caCert: ca.cert, caKey: ca.key, cert: serving.cert, key: serving.key }
    }
    good = await make(['sluice.svc'])
    foreign = await make(['sluice.svc'])
  })

  const rows: readonly [string, () => Promise<Partial<Material>>, readonly string[]][] = [
    ['good material', async () => good, []],
    [
      'half of it',
      async () => ({ caCert: good.caCert, caKey: good.caKey, cert: good.cert }),
      ['the serving certificate is missing, unreadable, expired or without its key'],
    ],
    [
      'a cut PEM',
      async () => ({ ...good, cert: good.cert.slice(0, 300) }),
      ['the serving certificate is missing, unreadable, expired or without its key'],
    ],
    [
      "another pair's key",
      async () => ({ ...good, key: foreign.key }),
      ['the serving certificate is missing, unreadable, expired or without its key'],
    ],
    [
      'a foreign CA',
      async () => ({ ...good, cert: foreign.cert, key: foreign.key }),
      ['the serving certificate is from a foreign CA'],
    ],
    [
      'other names',
      async () => {
        const ca = { cert: good.caCert, key: good.caKey }
        const other = await issue(ca, { dnsNames: ['old.svc'], ips: [], now: start, days: 90 })
        return { ...good, cert: other.cert, key: other.key }
      },
      ['the serving certificate lacks a name'],
    ],
    [
      'a CA without its key: what is served stays good',
      async () => ({ caCert: good.caCert, cert: good.cert, key: good.key }),
      ['the CA is missing, unreadable, expired or without its key'],
    ],
    [
      'garbage',
      async () => ({ caCert: 'x', caKey: 'y', cert: 'z', key: '', caPrevious: 'p' }),
      [
        'the previous CA is over',
        'the CA is missing, unreadable, expired or without its key',
        'the serving certificate is missing, unreadable, expired or without its key',
      ],
    ],
  ]

  for (const [name, stored, reasons] of rows) {
    test(name, async () => {
      const store = inMemory()
      await store.write((await stored()) as Material, await store.read())
      const { rotation, changes } = await run(store)
      expect(changes.map(change => change.reasons)).toEqual([reasons])
      const { cert, caBundle } = rotation.current()
      const cas = caBundle.split(/(?<=END CERTIFICATE-----\n)/)
      expect(cas.some(ca => signedBy(cert, ca))).toBe(true)
    })
  }
})

describe('a store that was emptied', () => {
  test('holds a new CA, which is made known a check before it is used', async () => {
    const store = inMemory()
    const { rotation, changes, at } = await run(store)
    const first = rotation.current()
    await store.write({} as Material, await store.read())
    await at(start + day)
    const stored = (await store.read()).material
    expect(rotation.current()).toMatchObject({ cert: first.cert, key: first.key })
    expect(rotation.current().caBundle).toBe(`${stored.caCert}${first.caBundle}`)
    await at(start + day)
    expect(rotation.current()).toMatchObject({ cert: stored.cert, caBundle: stored.caCert })
    await at(start + day)
    expect(changes).toHaveLength(3)
  })

  test('is not followed while its CA cannot be made known', async () => {
    const store = inMemory()
    let reachable = false
    const { rotation, errors, at } = await run(store, {
      onChange: async () => {
        if (!reachable) throw new Error('no answer')
      },
    })
    const first = rotation.current()
    await store.write({} as Material, await store.read())
    for (const _ of [1, 2, 3]) await at(start + day)
    expect(rotation.current()).toEqual(first)
    expect(errors).toHaveLength(3)
    reachable = true
    await at(start + day)
    expect(rotation.current().cert).toBe(first.cert)
    await at(start + day)
    expect(rotation.current().cert).toBe((await store.read()).material.cert)
  })

  test('is not waited for by who serves a certificate that has ended', async () => {
    const store = inMemory()
    const { rotation, at } = await run(store)
    await store.write({} as Material, await store.read())
    await at(start + 91 * day)
    expect(rotation.current().cert).toBe((await store.read()).material.cert)
  })
})

describe('replicas', () => {
  test('that start at once end with the same certificate', async () => {
    const store = inMemory()
    const runs = await Promise.all([run(store), run(store), run(store)])
    const served = new Set(runs.map(each => each.rotation.current().cert))
    expect(served.size).toBe(1)
  })

  test('take over what another one renewed', async () => {
    const store = inMemory()
    const [one, two] = [await run(store), await run(store)]
    await one.at(start + 61 * day)
    expect(two.rotation.current()).not.toEqual(one.rotation.current())
    await two.at(start + 61 * day)
    expect(two.rotation.current()).toEqual(one.rotation.current())
  })

  test('keep serving while the store fails, and say so', async () => {
    const store = inMemory()
    let broken = false
    const read = () => (broken ? Promise.reject(new Error('no answer')) : store.read())
    const { rotation, errors, at } = await run({ ...store, read })
    const before = rotation.current()
    broken = true
    await at(start + 61 * day)
    expect(errors).toEqual([new Error('no answer')])
    expect(rotation.current()).toBe(before)
    broken = false
    await at(start + 61 * day)
    expect(rotation.current()).not.toEqual(before)
  })

  test('offer a change again that was not taken over', async () => {
    const served: Serving[] = []
    const { errors, at } = await run(inMemory(), {
      onChange: serving => {
        served.push(serving)
        if (served.length === 1) throw new Error('not now')
      },
    })
    await at(start + 61 * day)
    expect(errors).toEqual([new Error('not now')])
    await at(start + 61 * day)
    expect(served).toHaveLength(2)
    expect(served[1]).toEqual(served[0])
  })
})

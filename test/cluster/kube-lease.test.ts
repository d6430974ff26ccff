// The lease against a real API server: one leader at a time, it goes from hand to hand, and what is
// bound to it does not outlast it.

import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import type { Connection } from '#kube/connection.ts'
import { Retryable } from '#kube/errors.ts'
import { fenceOf } from '#kube/fence.ts'
import type { Fence } from '#kube/fence.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { LeaderElector } from '#kube/lease.ts'
import type { LeaseNews, LeaseOptions, Term } from '#kube/lease.ts'
import { LEASES } from '#kube/resources.ts'
import { stopwatch } from '#kube/stopwatch.ts'
import { eventually } from './eventually.ts'
import { CONFIG_MAPS, configMap, newNamespace } from './reflections.ts'

let connection: Connection
let client: KubeClient

beforeAll(async () => {
  connection = await fromKubeconfig(inject('cluster').kubeconfig)
  client = new KubeClient(connection)
})
afterAll(() => client.close())

describe('the lease', () => {
  const times = { durationMs: 6_000, renewDeadlineMs: 4_000, retryMs: 400 }
  /** Nobody who waits for such a lease to run out gets it within a test. To give it back may take `retryMs`. */
  const long = { durationMs: 90_000, renewDeadlineMs: 60_000, retryMs: 2_000 }

  /** A candidate that leads until it is told to stop; `at` notes what it does and when. */
  function candidate(
    namespace: string,
    identity: string,
    { through = client, ...own }: Partial<LeaseOptions> & { readonly through?: KubeClient } = {},
  ) {
    const news: LeaseNews[] = []
    const spans: { from: number; to: number }[] = []
    const elector = new LeaderElector({
      client: through,
      namespace,
      name: 'leader',
      identity,
      ...times,
      ...own,
      onNews: each => news.push(each),
    })
    const terms: Term[] = []
    const stop = new AbortController()
    const running = elector.run(stop.signal, async (signal, term) => {
      terms.push(term)
      const span = { from: performance.now(), to: Number.POSITIVE_INFINITY }
      spans.push(span)
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      span.to = performance.now()
    })
    const end = async () => {
      stop.abort()
      await running
    }
    onTestFinished(end)
    return { elector, spans, terms, end, news: () => news.map(each => each.what) }
  }

  test('passes on at once when the leader shuts down', async () => {
    const namespace = await newNamespace(client)
    const one = candidate(namespace, 'one', long)
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
    const two = candidate(namespace, 'two', long)
    await eventually(() => expect(two.news()).toContain('following'))
    expect(two.elector.isLeader()).toBe(false)

    await one.end()
    expect(one.news()).toEqual(['leading', 'released'])
    expect(one.elector.isLeader()).toBe(false)
    await eventually(() => expect(two.spans).toHaveLength(1))
    expect(two.spans[0]!.from).toBeGreaterThanOrEqual(one.spans[0]!.to)
    const { spec } = await client.get(LEASES, { namespace, name: 'leader' })
    expect(spec).toMatchObject({ holderIdentity: 'two', leaseDurationSeconds: 90 })
    expect(spec?.renewTime).toMatch(/\.\d{6}Z$/)
  })

  test('a leader that cannot renew stops before another starts', async () => {
    const namespace = await newNamespace(client)
    const own = new KubeClient(connection)
    const one = candidate(namespace, 'one', { through: own })
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
    const two = candidate(namespace, 'two')
    await eventually(() => expect(two.news()).toContain('following'))

    await own.close()
    await eventually(() => expect(two.elector.isLeader()).toBe(true))
    expect(one.news()).toContain('lost')
    expect(one.spans).toHaveLength(1)
    expect(one.spans[0]!.to).toBeLessThan(two.spans[0]!.from)
  })

  test('a leader whose lease is taken away stops, and foreign writes alone do not matter', async () => {
    const namespace = await newNamespace(client)
    const ref = { namespace, name: 'leader' }
    const one = candidate(namespace, 'one')
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
    await client.mergePatch(LEASES, ref, { metadata: { labels: { touched: 'yes' } } })
    const touched = await client.get(LEASES, ref)
    await eventually(async () => {
      const now = await client.get(LEASES, ref)
      expect(now.spec?.renewTime).not.toBe(touched.spec?.renewTime)
      expect(now.metadata.labels).toEqual({ touched: 'yes' })
    })
    expect(one.news()).toEqual(['leading'])

    await client.mergePatch(LEASES, ref, { spec: { holderIdentity: 'thief' } })
    await eventually(() => expect(one.news()).toContain('lost'))
    expect(one.spans[0]!.to).toBeLessThan(Number.POSITIVE_INFINITY)
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
  })

  test('what the work throws ends the election and gives the lease back', async () => {
    const namespace = await newNamespace(client)
    const options = { client, namespace, name: 'leader', identity: 'one', ...long }
    const elector = new LeaderElector(options)
    const failing = elector.run(new AbortController().signal, async () => {
      throw new Error('bug')
    })
    await expect(failing).rejects.toThrow('bug')
    const { spec } = await client.get(LEASES, { namespace, name: 'leader' })
    expect(spec?.holderIdentity).toBeUndefined()
  })

  test('a term that is over stays over when the same process leads again', async () => {
    const namespace = await newNamespace(client)
    const one = candidate(namespace, 'one')
    await eventually(() => expect(one.terms).toHaveLength(1))
    expect(one.terms[0]!.remainingMs()).toBeGreaterThan(0)
    // Taken away and given back before the next renewal: another may have led meanwhile.
    await client.mergePatch(
      LEASES,
      { namespace, name: 'leader' },
      { spec: { holderIdentity: null } },
    )
    await eventually(() => expect(one.terms).toHaveLength(2))
    expect(one.terms[0]!.remainingMs()).toBe(0)
    expect(one.terms[1]!.remainingMs()).toBeGreaterThan(0)
    expect(one.news()).toEqual(['leading', 'lost', 'leading'])
  })

  test('who has seen a lease held waits for it, also when somebody deletes it', async () => {
    const namespace = await newNamespace(client)
    const one = candidate(namespace, 'one')
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
    const two = candidate(namespace, 'two')
    await eventually(() => expect(two.news()).toContain('following'))
    await client.remove(LEASES, { namespace, name: 'leader' })
    await eventually(() => expect(one.news()).toContain('lost'))
    await eventually(() => expect(two.elector.isLeader() || one.elector.isLeader()).toBe(true))
    for (const span of two.spans) expect(span.from).toBeGreaterThan(one.spans[0]!.to)
  })
})

describe('a process that is stopped', () => {
  const termMs = 2000
  const apartMs = 1000

  test.each([1, 2, 3])('writes nothing when that was behind look %i at its fence', async look => {
    const namespace = await newNamespace(client)
    const ref = { namespace, name: 'one' }
    await client.create(CONFIG_MAPS, configMap(namespace, 'one'))
    let looks = Number.NEGATIVE_INFINITY
    // Who connects for the first time may take long.
    let open: Fence = () => Infinity
    const fence = () => {
      const left = open()
      if ((looks += 1) === look) stopped(termMs + apartMs)
      return left
    }
    const writer = new KubeClient(connection, { fence })
    onTestFinished(() => writer.close())
    await writer.mergePatch(CONFIG_MAPS, ref, { data: { in: 'time' } })

    const since = stopwatch()
    open = fenceOf(() => termMs - since(), apartMs)
    looks = 0
    const writing = writer.mergePatch(CONFIG_MAPS, ref, { data: { in: 'the term of another' } })
    await expect(writing).rejects.toBeInstanceOf(Retryable)
    expect((await client.get(CONFIG_MAPS, ref)).data).toEqual({ in: 'time' })
    expect(looks).toBeGreaterThanOrEqual(look)
  })
})

/** Nothing of this process runs meanwhile, as under SIGSTOP. */
function stopped(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

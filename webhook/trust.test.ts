// The keeper of the API server's trust against one that does not take it.

import { expect, onTestFinished, test } from 'vitest'

import { createAuthority, issue } from '#certs/authority.ts'
import { answeredClient } from '../test/world/answered-client.ts'
import { createMetrics } from './metrics.ts'
import { keepTrusted } from './trust.ts'

/** A keeper whose API server answers with `state.code`: 404 says that nothing is registered. */
async function keeper(code: number) {
  const state = { code }
  const client = await answeredClient((_, response) => {
    response.writeHead(state.code).end(JSON.stringify({ kind: 'Status', code: state.code }))
  })
  const lifetime = { now: Date.now(), days: 1 }
  const authority = await createAuthority(lifetime)
  const pair = await issue(authority, { dnsNames: ['a.svc'], ips: [], ...lifetime })
  const serving = { ...pair, caBundle: authority.cert }
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const metrics = createMetrics()
  const trust = keepTrusted({
    client,
    configuration: 'ours',
    hosts: ['a.svc'],
    serving,
    metrics,
    onConvertedElsewhere: () => {},
    onError,
  })
  const ending = new AbortController()
  onTestFinished(() => ending.abort())
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

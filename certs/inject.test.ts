// What a caBundle holds after many starts, at an API server that stores one configuration.

import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

import { answeredClient } from '../test/world/answered-client.ts'
import { certificatesIn, createAuthority } from './authority.ts'
import { injectCaBundle, injectConversion } from './inject.ts'

const day = 86_400_000

/** A client of an API server whose only configuration has this bundle. */
async function place(bundle: string) {
  const stored = { caBundle: Buffer.from(bundle).toString('base64') }
  const client = await answeredClient(async (request, response) => {
    const operations = request.method === 'PATCH' ? JSON.parse(await text(request)) : []
    for (const { path, value } of operations) {
      if (path === '/webhooks/0/clientConfig/caBundle') stored.caBundle = value
    }
    const webhooks = [{ name: 'one', clientConfig: { ...stored } }]
    response.end(JSON.stringify({ metadata: { name: 'ours', resourceVersion: '1' }, webhooks }))
  })
  const bundled = () => certificatesIn(Buffer.from(stored.caBundle, 'base64').toString('utf8'))
  return { client, bundled }
}

test('of CAs of many starts the newest stay, and ours', { timeout: 120_000 }, async () => {
  const now = Date.now()
  const authorities = await Promise.all(
    Array.from({ length: 11 }, (_, i) => createAuthority({ now: now - i * day, days: 365 })),
  )
  const [ours, ...others] = authorities.map(({ cert }) => cert)
  const { client, bundled } = await place(others.toReversed().join(''))
  await injectCaBundle(client, { mutating: 'ours', caBundle: ours! })
  expect(bundled()).toEqual([ours, ...others.slice(0, 8)])
  await injectCaBundle(client, { mutating: 'ours', caBundle: others.at(-1)! })
  expect(bundled()).toContain(others.at(-1))
})

test.each([
  [{ service: { namespace: 'sluice-system', name: 'sluice-webhook' } }, 'written'],
  [{ url: 'https://127.0.0.1:9443/convert' }, 'written'],
  [{ url: 'https://[::1]:9443/convert' }, 'written'],
  [{ service: { namespace: 'kruise-rollout', name: 'sluice-webhook' } }, 'not ours'],
  [{ url: 'https://127.0.0.2:9443/convert' }, 'not ours'],
  [{ url: 'nonsense' }, 'not ours'],
  [undefined, 'not ours'],
])('a definition that is converted by %j: %s', async (clientConfig, outcome) => {
  const { cert } = await createAuthority({ now: Date.now(), days: 1 })
  const patches: unknown[] = []
  const client = await answeredClient(async (request, response) => {
    if (request.method === 'PATCH') patches.push(JSON.parse(await text(request)))
    const conversion = clientConfig && { strategy: 'Webhook', webhook: { clientConfig } }
    const spec = { ...(conversion && { conversion }) }
    response.end(JSON.stringify({ metadata: { name: 'a', resourceVersion: '1' }, spec }))
  })
  const hosts = ['sluice-webhook.sluice-system.svc', '127.0.0.1', '::1']
  const target = { definition: 'a', hosts, caBundle: cert }
  expect(await injectConversion(client, target)).toBe(outcome)
  const value = Buffer.from(cert).toString('base64')
  const path = '/spec/conversion/webhook/clientConfig/caBundle'
  const patch = [
    { op: 'replace', path: '/metadata/resourceVersion', value: '1' },
    { op: 'add', path, value },
  ]
  expect(patches).toEqual(outcome === 'written' ? [patch] : [])
})

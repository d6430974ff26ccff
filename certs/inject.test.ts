// What a caBundle holds after many starts, at an API server that stores one configuration.

import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

import { answeredClient } from '../test/world/answered-client.ts'
import { certificatesIn, createAuthority } from './authority.ts'
import { injectCaBundle } from './inject.ts'

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

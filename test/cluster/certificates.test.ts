// Certificates in a real cluster: replicas that share a Secret, and a caBundle that is kept.

import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'

import { createAuthority, issue, signedBy } from '#certs/authority.ts'
import { injectCaBundle } from '#certs/inject.ts'
import { startRotation } from '#certs/rotation.ts'
import { inSecret } from '#certs/store.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { MUTATING_WEBHOOKS, NAMESPACES, SECRETS } from '#kube/resources.ts'
import { mutatingConfiguration } from '../../webhook/configuration.ts'
import type { WebhookManifest } from '../../webhook/configuration.ts'

const run = Math.random().toString(36).slice(2, 8)
const namespace = `certificates-${run}`
const names = { dnsNames: ['sluice-webhook.sluice-system.svc'], ips: ['127.0.0.1'] }
const day = 86_400_000

let client: KubeClient

beforeAll(async () => {
  client = new KubeClient(await fromKubeconfig(inject('cluster').kubeconfig))
  const metadata = { name: namespace }
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
})

afterAll(async () => {
  await client.remove(NAMESPACES, { name: namespace })
  await client.close()
})

async function rotation(name: string) {
  const errors: unknown[] = []
  const store = inSecret(client, { namespace, name })
  const onError = (error: unknown) => errors.push(error)
  const started = await startRotation({ store, names, onChange: () => {}, onError })
  onTestFinished(() => started.stop())
  return { ...started, errors }
}

async function register(name: string, manifest: WebhookManifest) {
  await client.create(MUTATING_WEBHOOKS, manifest)
  onTestFinished(() => client.remove(MUTATING_WEBHOOKS, { name }))
}

describe('a Secret', () => {
  test('is made by the first of three replicas, and serves all', async () => {
    const all = await Promise.all([rotation('three'), rotation('three'), rotation('three')])
    expect(new Set(all.map(each => each.current().cert)).size).toBe(1)
    const { type, data } = await client.get(SECRETS, { namespace, name: 'three' })
    expect(type).toBe('Opaque')
    expect(Object.keys(data ?? {}).toSorted()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
  })

  test('that exists and is empty is filled, with its labels left', async () => {
    const metadata = { name: 'empty', namespace, labels: { chart: 'sluice' } }
    await client.create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata })
    const { current } = await rotation('empty')
    const secret = await client.get(SECRETS, metadata)
    expect(secret.metadata.labels).toEqual(metadata.labels)
    expect(Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64').toString()).toBe(current().cert)
  })

  test('that is good is not written', async () => {
    await rotation('quiet')
    const before = await client.get(SECRETS, { namespace, name: 'quiet' })
    await rotation('quiet')
    const after = await client.get(SECRETS, { namespace, name: 'quiet' })
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion)
  })

  test('that somebody halves or deletes is made good at the next check', async () => {
    const { check, current, errors } = await rotation('halved')
    const first = current()
    const ref = { namespace, name: 'halved' }
    await client.mergePatch(SECRETS, ref, { data: { 'tls.key': null } })
    await check()
    expect(current().cert).not.toBe(first.cert)
    expect(current().caBundle).toBe(first.caBundle)

    const second = current()
    await client.remove(SECRETS, ref)
    await check()
    expect(current().cert).toBe(second.cert)
    expect(current().caBundle).toContain(second.caBundle)
    expect((await client.get(SECRETS, ref)).data?.['tls.key']).toBeDefined()
    await check()
    expect(signedBy(current().cert, current().caBundle)).toBe(true)
    expect(current().caBundle).not.toContain(second.caBundle)
    expect(errors).toEqual([])
  })

  test('written over by another replica is not overwritten', async () => {
    const store = inSecret(client, { namespace, name: 'raced' })
    await rotation('raced')
    const seen = await store.read()
    const touched = { metadata: { annotations: { touched: 'yes' } } }
    await client.mergePatch(SECRETS, { namespace, name: 'raced' }, touched)
    const { caCert = '', caKey = '' } = seen.material
    const mine = { caCert, caKey, cert: 'mine', key: 'mine' }
    const after = await store.write(mine, seen)
    expect(after.material).toEqual(seen.material)
    expect(after.version).not.toBe(seen.version)
  })

  test('in a namespace that is missing is an error that names it', async () => {
    const store = inSecret(client, { namespace: `no-${run}`, name: 'x' })
    const started = startRotation({ store, names, onChange: () => {}, onError: () => {} })
    await expect(started).rejects.toThrow(`no-${run}`)
  })
})

describe('a caBundle', () => {
  const name = `bundle-${run}`

  test('is written where it differs, and nowhere else', async () => {
    const url = 'https://127.0.0.1:1'
    const target = {
      mutating: name,
      validating: name,
      caBundle: (await rotation('b')).current().caBundle,
    }
    const nowhere = { mutating: 'not registered', validating: 'not registered' }
    expect(await injectCaBundle(client, target)).toEqual(nowhere)

    const own = `none-${run}`
    const manifest = mutatingConfiguration({
      name,
      url,
      failurePolicy: 'Ignore',
      ownNamespace: own,
    })
    await register(name, manifest)
    expect(await injectCaBundle(client, target)).toMatchObject({ mutating: 'written' })
    const written = await client.get(MUTATING_WEBHOOKS, { name })
    const caBundle = Buffer.from(target.caBundle).toString('base64')
    const injected = manifest.webhooks.map(webhook => ({
      ...webhook,
      clientConfig: { ...(webhook['clientConfig'] as object), caBundle },
    }))
    expect(written.webhooks).toMatchObject(injected)

    expect(await injectCaBundle(client, target)).toMatchObject({ mutating: 'there' })
    const after = await client.get(MUTATING_WEBHOOKS, { name })
    expect(after.metadata.resourceVersion).toBe(written.metadata.resourceVersion)
  })

  test('keeps what another replica put there, and nothing else', async () => {
    const other = `other-${run}`
    const make = async (now: number) => (await createAuthority({ now, days: 30 })).cert
    const [first, second, gone] = [
      await make(Date.now()),
      await make(Date.now()),
      await make(Date.now() - 40 * day),
    ]
    const { serving } = await foreignCertificate()
    const url = 'https://127.0.0.1:1'
    const caBundle = `${gone}${serving}not a certificate\n`
    await register(
      other,
      mutatingConfiguration({ name: other, url, failurePolicy: 'Ignore', caBundle }),
    )
    const put = (each: string) => injectCaBundle(client, { mutating: other, caBundle: each })
    expect(await put(first)).toEqual({ mutating: 'written' })
    expect(await put(second)).toEqual({ mutating: 'written' })
    // By turns, as two replicas would that know different CAs: nobody writes again.
    for (const each of [first, second, first])
      expect(await put(each)).toEqual({ mutating: 'there' })
    const { webhooks = [] } = await client.get(MUTATING_WEBHOOKS, { name: other })
    const bundles = webhooks.map(each => Buffer.from(each.clientConfig.caBundle ?? '', 'base64'))
    for (const bundle of bundles) expect(String(bundle)).toBe(second + first)
  })
})

/** A certificate that no CA of ours is. */
async function foreignCertificate() {
  const lifetime = { now: Date.now(), days: 1 }
  const { cert } = await issue(await createAuthority(lifetime), { ...names, ...lifetime })
  return { serving: cert }
}

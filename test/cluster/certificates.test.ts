// Certificates in a real cluster: replicas that share a Secret, a caBundle that is kept, and a
// change of CA under load that loses no write.

import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { WORKLOAD_TYPE } from '#api/names.ts'
import { createAuthority, expiry, signedBy } from '#certs/authority.ts'
import { injectCaBundle } from '#certs/inject.ts'
import { startRotation } from '#certs/rotation.ts'
import { inSecret } from '#certs/store.ts'
import { KubeClient } from '#kube/client.ts'
import { Retryable } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { DEPLOYMENTS, MUTATING_WEBHOOKS, NAMESPACES, SECRETS } from '#kube/resources.ts'
import { mutatingConfiguration } from '../../webhook/configuration.ts'
import type { WebhookManifest } from '../../webhook/configuration.ts'
import { createMetrics } from '../../webhook/metrics.ts'
import { createWebhookServer } from '../../webhook/server.ts'

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

    await client.remove(SECRETS, ref)
    await check()
    expect(signedBy(current().cert, current().caBundle)).toBe(true)
    expect((await client.get(SECRETS, ref)).data?.['tls.key']).toBeDefined()
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

    expect(await injectCaBundle(client, target)).toMatchObject({ mutating: 'equal' })
    const after = await client.get(MUTATING_WEBHOOKS, { name })
    expect(after.metadata.resourceVersion).toBe(written.metadata.resourceVersion)
  })
})

test('a change of CA under load loses no write', { timeout: 60_000 }, async () => {
  const name = `load-${run}`
  // The first CA was made 244 days ago: today it is past two thirds of its year.
  const clock = { now: Date.now() - 244 * day }
  const errors: unknown[] = []
  const store = inSecret(client, { namespace, name: 'load' })
  const serving = await startRotation({
    store,
    names,
    servingDays: 364,
    now: () => clock.now,
    onChange: ({ cert, key }) => server.setCertificate({ cert, key }),
    onError: error => errors.push(error),
  })
  onTestFinished(() => serving.stop())
  const first = serving.current()
  const reviewed = new Set<string | undefined>()
  const server = createWebhookServer({
    certificate: first,
    admit({ object }) {
      const { spec } = object as Deployment
      reviewed.add(spec.template.metadata?.annotations?.['edit'])
      return { allowed: true }
    },
    validate: () => ({ allowed: true }),
    onBug: () => ({ allowed: false }),
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
    listen: { host: '127.0.0.1', port: 0 },
    probes: { host: '127.0.0.1', port: 0 },
  })
  const { port } = await server.listen()
  onTestFinished(() => server.close())
  const manifest = mutatingConfiguration({
    name,
    url: `https://127.0.0.1:${port}`,
    failurePolicy: 'Fail',
    caBundle: first.caBundle,
  })
  const here = { key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] }
  const webhooks = manifest.webhooks.map(webhook => ({
    ...webhook,
    namespaceSelector: { matchExpressions: [here] },
  }))
  await register(name, { ...manifest, webhooks })

  const ref = { namespace, name: 'load' }
  const labels = { app: 'load' }
  const spec = {
    replicas: 0,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
  }
  const metadata = { ...ref, labels: { [WORKLOAD_TYPE]: 'deployment' } }
  await client.create(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })
  let writes = 0
  const edit = () => {
    writes += 1
    const annotations = { edit: String(writes) }
    return client.mergePatch(DEPLOYMENTS, ref, {
      spec: { template: { metadata: { annotations } } },
    })
  }
  await expect.poll(async () => (await edit(), reviewed.size)).toBeGreaterThan(0)

  const before = writes
  const goal = { writes: Number.POSITIVE_INFINITY }
  const load = (async () => {
    while (writes < goal.writes) await edit()
  })()
  const someMore = () => {
    const wanted = writes + 20
    return expect.poll(() => writes, { timeout: 10_000 }).toBeGreaterThan(wanted)
  }
  const step = async (now: number) => {
    clock.now = now
    await serving.check()
    await injectCaBundle(client, { mutating: name, caBundle: serving.current().caBundle })
    await someMore()
    return serving.current()
  }

  const published = await step(Date.now())
  expect(published.cert).toBe(first.cert)
  expect(published.caBundle).toContain(first.caBundle)
  const moved = await step(Date.now() + 11 * 60_000)
  expect(moved.cert).not.toBe(first.cert)
  expect(signedBy(moved.cert, first.caBundle)).toBe(false)
  expect(expiry(moved.cert)).toBeGreaterThan(Date.now() + 300 * day)
  // Takes the open connections away: the next writes have to verify the new certificate.
  await injectCaBundle(client, {
    mutating: name,
    caBundle: moved.caBundle.replace(first.caBundle, ''),
  })
  await someMore()

  goal.writes = writes
  await load
  expect(errors).toEqual([])
  const edits = Array.from({ length: writes - before }, (_, index) => String(before + index + 1))
  expect(edits.filter(each => !reviewed.has(each))).toEqual([])
  // The load would have noticed: with a CA that signed nothing of ours writes fail.
  const foreign = await createAuthority({ now: Date.now(), days: 1 })
  await injectCaBundle(client, { mutating: name, caBundle: foreign.cert })
  const failed = async () => {
    try {
      await edit()
    } catch (error) {
      return error
    }
    return undefined
  }
  await expect.poll(failed, { timeout: 10_000 }).toBeInstanceOf(Retryable)
})

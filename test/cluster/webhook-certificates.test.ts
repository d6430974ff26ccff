// Two webhooks that share a Secret, behind one address, under load: whatever becomes of certificates
// and Secret, every edit is answered and held, and what is broken is mended by itself.

import { pino } from 'pino'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'

import { createAuthority, issue } from '#certs/authority.ts'
import type { Material } from '#certs/store.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { MUTATING_WEBHOOKS, SECRETS } from '#kube/resources.ts'
import { applyCustomResources } from '../../dev/sluice.ts'
import { createMetrics } from '../../webhook/metrics.ts'
import { startWebhook } from '../../webhook/webhook.ts'
import type { Webhook } from '../../webhook/webhook.ts'
import { startEdits } from './edits.ts'
import { eventually } from './eventually.ts'
import { newNamespace } from './reflections.ts'
import { createFrozen, register, startBalancer } from './webhook-replicas.ts'

const day = 86_400_000
const name = `rotated-${Math.random().toString(36).slice(2, 8)}`
const ips = ['127.0.0.1']
// Some fifty keys are made on the way.
const longer = { timeout: 300_000 }

let client: KubeClient
beforeAll(async () => {
  client = new KubeClient(await fromKubeconfig(inject('cluster').kubeconfig))
  await applyCustomResources(client)
})
afterAll(() => client?.close())

async function bundle(): Promise<string> {
  const { webhooks } = await client.get(MUTATING_WEBHOOKS, { name })
  return Buffer.from(webhooks?.[0]?.clientConfig.caBundle ?? '', 'base64').toString('utf8')
}

/** Another text of the same CAs: the API server leaves its connections for new ones. */
async function newConnections(): Promise<void> {
  const { webhooks = [] } = await client.get(MUTATING_WEBHOOKS, { name })
  const text = `${await bundle()}\n# ${Math.random()}\n`
  const value = Buffer.from(text).toString('base64')
  const operations = webhooks.map((_, index) => {
    return { op: 'replace', path: `/webhooks/${index}/clientConfig/caBundle`, value } as const
  })
  await client.jsonPatch(MUTATING_WEBHOOKS, { name }, operations)
}

/** Good material of a CA that nobody knows, for other names or other times if so told. */
async function foreign(dnsNames: readonly string[], now: number, days: number): Promise<Material> {
  const ca = await createAuthority({ now, days: 365 })
  const own = dnsNames.length > 0 ? [] : ips
  const serving = await issue(ca, { dnsNames, ips: own, now, days })
  return { caCert: ca.cert, caKey: ca.key, cert: serving.cert, key: serving.key }
}

const encoded = (text: string) => Buffer.from(text).toString('base64')
const dataOf = ({ caCert, caKey, cert, key }: Material) => ({
  'ca.crt': encoded(caCert),
  'ca.key': encoded(caKey),
  'ca-previous.crt': null,
  'tls.crt': encoded(cert),
  'tls.key': encoded(key),
})

/** A place with two replicas, three workloads that are edited all the time, and a clock. */
async function begin() {
  const namespaces = await Promise.all([1, 2, 3].map(() => newNamespace(client)))
  // The first CA was made 244 days ago: today it is past two thirds of its year.
  const clock = { now: Date.now() - 244 * day }
  const balancer = await startBalancer<Webhook>()
  const start = async () => {
    const webhook = await startWebhook(
      {
        client,
        config: {
          namespace: namespaces[0]!,
          extraKinds: [],
          routes: false,
          routeKinds: [],
          configuration: name,
          makeDeployments: true,
          certificateSecret: 'certificates',
          hosts: ips,
          host: '127.0.0.1',
          port: 0,
          probesHost: '127.0.0.1',
          probesPort: 0,
          drainMs: 0,
          caDays: 365,
          servingDays: 364,
          logLevel: 'silent',
        },
        metrics: createMetrics(),
        log: pino({ level: 'silent' }),
        // Checked when the test says so: a minute is never over here.
        certificates: { now: () => clock.now, checkMs: 3_600_000 },
      },
      new AbortController().signal,
    )
    onTestFinished(() => webhook.close())
    return webhook
  }
  for (let replica = 0; replica < 2; replica += 1) balancer.replicas.push(await start())
  const [first] = balancer.replicas
  const { caBundle } = first!.certificates.current()
  const url = `https://127.0.0.1:${balancer.port}`
  await register(client, { name, url, caBundle, namespaces })
  for (const namespace of namespaces) await createFrozen(client, namespace)
  const secret = { namespace: namespaces[0]!, name: 'certificates' }
  return { ...balancer, start, clock, namespaces, secret }
}

test('no edit is refused or unheld, whatever becomes of the certificates', longer, async () => {
  const { replicas, start, clock, namespaces, secret } = await begin()
  await eventually(async () => {
    const probe = startEdits(client, namespaces)
    await probe.end()
    expect(probe.trouble).toEqual([])
  })
  const load = startEdits(client, namespaces)
  onTestFinished(() => load.end())
  /** Every certificate that was served while edits came in. */
  const rotated = new Set<string>()
  /** One replica looks at the Secret, then the other: there is load between any two looks. */
  const seen = async (what: string) => {
    for (const { certificates } of replicas) {
      await certificates.check()
      await newConnections()
      await load.goOn(what)
      rotated.add(certificates.current().cert)
    }
  }
  const served = () => new Set(replicas.map(each => each.certificates.current().cert))
  const first = replicas[0]!.certificates.current()
  await load.goOn('at rest')

  clock.now += 242.8 * day
  await seen('the certificate is renewed')
  expect(served()).not.toContain(first.cert)
  const second = replicas[0]!.certificates.current()
  expect(second.caBundle).toBe(first.caBundle)

  clock.now = Date.now()
  await seen('a new CA is made known')
  expect(served()).toEqual(new Set([second.cert]))
  clock.now += 11 * 60_000
  await seen('a certificate of the new CA')
  expect(served()).not.toContain(second.cert)
  expect(served().size).toBe(1)
  expect(await bundle()).toContain(first.caBundle)

  const good = replicas[0]!.certificates.current()
  const other = await foreign([], clock.now, 90)
  const damages: readonly [string, Readonly<Record<string, string | null>>][] = [
    ['only tls.crt', { 'ca.crt': null, 'ca.key': null, 'tls.key': null }],
    ["another pair's key", { 'tls.key': encoded(other.key) }],
    ['a cut certificate', { 'tls.crt': encoded(good.cert.slice(0, 200)) }],
    ['garbage', { 'ca.crt': 'eA==', 'ca.key': 'eA==', 'tls.crt': 'eA==', 'tls.key': 'eA==' }],
    ['other names', dataOf(await foreign(['old.svc'], clock.now, 90))],
    ['expired', dataOf(await foreign([], clock.now - 40 * day, 30))],
    ['other good certificates', dataOf(other)],
  ]
  for (const [what, data] of damages) {
    const before = served()
    await client.mergePatch(SECRETS, secret, { data })
    await seen(what)
    // A new CA is made known first.
    if ('ca.crt' in data) await seen(`${what}, a check later`)
    expect(served().size, what).toBe(1)
    expect(served(), what).not.toEqual(before)
  }

  await client.remove(SECRETS, secret)
  await seen('deleted')
  await seen('deleted, a check later')
  expect(served().size).toBe(1)
  await client.remove(SECRETS, secret)
  const [gone] = replicas.splice(0, 1, await start())
  await newConnections()
  await load.goOn('deleted, and one replica begins anew')
  await gone!.close()
  await seen('begun anew')
  await seen('begun anew, a check later')
  expect(served().size).toBe(1)

  await load.end()
  expect(load.trouble).toEqual([])
  expect(load.held()).toBe(load.sent())
  expect(rotated.size).toBeGreaterThan(10)
})

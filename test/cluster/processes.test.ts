// The two processes as an installation runs them: certificates in a Secret, probes, metrics, a Lease.

import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { HOLD, WAVE, WORKLOAD_TYPE } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { createAuthority, issue } from '#certs/authority.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import {
  DEPLOYMENTS,
  EVENTS,
  LEASES,
  MUTATING_WEBHOOKS,
  NAMESPACES,
  ROLLOUTS,
  SECRETS,
} from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { startChild } from '../../dev/child.ts'
import type { Child, ChildOptions } from '../../dev/child.ts'
import { applyCustomResources } from '../../dev/sluice.ts'
import { until } from '../../dev/until.ts'
import { mutatingConfiguration } from '../../webhook/configuration.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { workloadOf, ROLLOUT, rolloutOf, WORKLOAD } from './manifests.ts'
import { scrape } from './scrape.ts'
import type { Numbers } from './scrape.ts'
import { certificateOf } from './served-certificate.ts'

const namespace = 'sluice-system'
const hosts = 'sluice-webhook.sluice-system.svc,127.0.0.1'

let cluster: ControlPlane
let client: KubeClient
const children: Child[] = []
const lines: string[] = []
beforeAll(async () => {
  cluster = await startControlPlane({ progress: () => {} })
  client = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
  const metadata = { name: namespace }
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
  await applyCustomResources(client)
})
afterAll(async () => {
  await Promise.all(children.map(child => child.stop('SIGKILL')))
  await client?.close()
  await cluster?.stop()
})

test('replicas of the webhook share one certificate, which the API server trusts', async () => {
  const replicas = await Promise.all([webhook(), webhook()])
  const { data = {} } = await client.get(SECRETS, { namespace, name: 'sluice-certificates' })
  expect(Object.keys(data).toSorted()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
  const caBundle = Buffer.from(data['ca.crt']!, 'base64').toString()
  expect(replicas.map(({ ready }) => ready['caBundle'])).toEqual([caBundle, caBundle])

  const name = 'sluice'
  const url = `https://127.0.0.1:${String(replicas[0]!.ready['port'])}`
  await client.create(MUTATING_WEBHOOKS, {
    ...mutatingConfiguration({ name, url, failurePolicy: 'Fail' }),
  } as never)
  const ours = async () => {
    const { webhooks = [] } = await client.get(MUTATING_WEBHOOKS, { name })
    return webhooks.every(({ clientConfig }) => clientConfig.caBundle === data['ca.crt'])
  }
  await eventually('the caBundle is ours', ours)
  const foreign = await readFile(join(cluster.dir, 'credentials', 'ca.crt'))
  const value = foreign.toString('base64')
  const path = '/webhooks/0/clientConfig/caBundle'
  await client.jsonPatch(MUTATING_WEBHOOKS, { name }, [{ op: 'replace', path, value }])
  await eventually('the caBundle is ours again', ours)

  expect(await probe(replicas[0]!, 'healthz')).toEqual([200, 'ok\n'])
  expect(await probe(replicas[0]!, 'readyz')).toEqual([200, 'ok\n'])
  const { only } = await scrape(replicas[0]!)
  const end = only('sluice_webhook_certificate_expiry_timestamp_seconds')
  expect(end).toBeGreaterThan(Date.now() / 1000)

  await replicas[0]!.stop()
  expect(await replicas[0]!.ended).toBe(0)
})

test('a webhook that was suspended serves the certificate that came meanwhile', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-mounted-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const lifetime = { now: Date.now(), days: 1 }
  const authority = await createAuthority(lifetime)
  const bring = async () => {
    const { cert, key } = await issue(authority, { dnsNames: [], ips: ['127.0.0.1'], ...lifetime })
    await writeFile(join(dir, 'tls.crt'), cert)
    await writeFile(join(dir, 'tls.key'), key)
    return new X509Certificate(cert).fingerprint256
  }
  const first = await bring()
  const at = [`--certificate-dir=${dir}`, '--hosts=127.0.0.1', '--host=127.0.0.1', '--port=0']
  const suspended = await start('webhook', at)
  expect(await certificateOf(suspended)).toBe(first)
  process.kill(suspended.pid, 'SIGSTOP')
  const second = await bring()
  process.kill(suspended.pid, 'SIGCONT')
  await eventually('the second is served', async () => (await certificateOf(suspended)) === second)
  await suspended.stop()
})

test('one controller leads, and the other takes over when it ends', async () => {
  const first = await controller()
  const holder = async () => {
    const lease = await client.get(LEASES, { namespace, name: 'sluice-controller' })
    return lease.spec?.holderIdentity ?? ''
  }
  await eventually('somebody leads', async () => (await holder().catch(() => '')) !== '')
  const leader = await holder()
  const second = await controller()
  expect(await probe(second, 'readyz')).toEqual([200, 'ok\n'])
  await eventually('the first counts itself as the leader, with nothing to do', async () => {
    const [one, two] = (await Promise.all([first, second].map(scrape))) as [Numbers, Numbers]
    const leads = [one, two].map(({ only }) => only('sluice_controller_leader'))
    return leads.join() === '1,0' && one.only('sluice_controller_queue_depth') === 0
  })
  expect(await holder()).toBe(leader)

  await first.stop()
  expect(await first.ended).toBe(0)
  // Given back at a graceful end: nobody waits for it to run out.
  await eventually('the other leads', async () => !['', leader].includes(await holder()))
  await second.stop()
  expect(await second.ended).toBe(0)
  expect(await holder()).toBe('')
})

test('a controller whose holds the webhook does not take says so, and moves nothing', async () => {
  const { ready } = await webhook('--controller-user=system:serviceaccount:elsewhere:sluice')
  const url = `https://127.0.0.1:${String(ready['port'])}`
  const settings = { name: 'sluice', url, failurePolicy: 'Fail' } as const
  const caBundle = String(ready['caBundle'])
  const apply = { fieldManager: 'test', force: true }
  const manifest = mutatingConfiguration({ ...settings, caBundle })
  await client.apply(MUTATING_WEBHOOKS, manifest as KubeObject, apply)
  await controller()
  const steps = [{ replicas: 1, pause: { duration: 1 } }, { replicas: 2 }]
  const shop = { namespace: 'shop' }
  await client.create(NAMESPACES, { ...kindOf('Namespace'), metadata: { name: shop.namespace } })
  await client.create(DEPLOYMENTS, workloadOf(shop.namespace, { replicas: 4 }))
  await client.create(ROLLOUTS, rolloutOf(shop.namespace, { steps }))
  const ref = { ...shop, name: WORKLOAD }
  const annotation = async (key: string) =>
    (await client.get(DEPLOYMENTS, ref)).metadata.annotations?.[key]
  await eventually('it is guarded, and Ready', async () => {
    const { metadata, status } = await client.get(DEPLOYMENTS, ref)
    return metadata.labels?.[WORKLOAD_TYPE] !== undefined && status?.readyReplicas === 4
  })
  const image = { spec: { containers: [{ name: 'app', image: 'app:2' }] } }
  await client.strategicPatch(DEPLOYMENTS, ref, { spec: { template: image } })
  const hold = await annotation(HOLD)
  expect(hold).toBeDefined()
  await eventually('the refusal is told', async () => {
    const { items } = await client.listAll<KubeObject & { reason?: string }>(EVENTS as never, shop)
    return items.some(({ reason }) => reason === 'HoldRefused')
  })
  expect(await annotation(HOLD)).toBe(hold)
  expect((await client.get(DEPLOYMENTS, ref)).metadata.labels).not.toHaveProperty([WAVE])
  await eventually('its condition says so', async () => {
    const { status } = await client.get(rollouts, { ...shop, name: ROLLOUT })
    const { conditions = [] } = { ...status }
    return conditions.some(({ type, reason }) => type === 'Ready' && reason === 'HoldRefused')
  })
  await eventually('the log has it', async () =>
    lines.some(line => line.includes('does not take our holds')),
  )
})

const rollouts = ROLLOUTS as ResourceType<Rollout>
const kindOf = (kind: string) => ({ apiVersion: 'v1', kind })

async function webhook(...more: readonly string[]): Promise<Child> {
  return start('webhook', [
    '--certificate-secret=sluice-certificates',
    `--hosts=${hosts}`,
    '--host=127.0.0.1',
    '--port=0',
    ...more,
  ])
}

async function controller(): Promise<Child> {
  return start('controller', [])
}

async function start(program: ChildOptions['program'], args: readonly string[]): Promise<Child> {
  const shared = [`--kubeconfig=${cluster.kubeconfig}`, `--namespace=${namespace}`]
  const probes = ['--probes-host=127.0.0.1', '--probes-port=0']
  const child = await startChild({
    program,
    args: [...shared, ...probes, ...args],
    onLine: line => void lines.push(line),
  })
  children.push(child)
  return child
}

async function probe({ ready }: Child, path: string): Promise<readonly [number, string]> {
  const answer = await fetch(`http://127.0.0.1:${String(ready['probesPort'])}/${path}`)
  return [answer.status, await answer.text()]
}

function eventually(what: string, fact: () => Promise<boolean>): Promise<void> {
  return until(`expected that ${what}`, fact)
}

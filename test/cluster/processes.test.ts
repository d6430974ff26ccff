// The two processes as an installation runs them: certificates in a Secret, probes, metrics, a Lease.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { LEASES, MUTATING_WEBHOOKS, NAMESPACES, SECRETS } from '#kube/resources.ts'
import { startChild } from '../../dev/child.ts'
import type { Child, ChildOptions } from '../../dev/child.ts'
import { applyCustomResources } from '../../dev/sluice.ts'
import { until } from '../../dev/until.ts'
import { mutatingConfiguration } from '../../webhook/configuration.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { scrape } from './scrape.ts'

const namespace = 'sluice-system'
const hosts = 'sluice-webhook.sluice-system.svc,127.0.0.1'

let cluster: ControlPlane
let client: KubeClient
const children: Child[] = []
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
  await eventually('the caBundle is ours', async () => {
    const { webhooks = [] } = await client.get(MUTATING_WEBHOOKS, { name })
    return webhooks.every(({ clientConfig }) => clientConfig.caBundle === data['ca.crt'])
  })

  expect(await probe(replicas[0]!, 'healthz')).toEqual([200, 'ok\n'])
  expect(await probe(replicas[0]!, 'readyz')).toEqual([200, 'ok\n'])
  const { only } = await scrape(replicas[0]!)
  const end = only('sluice_webhook_certificate_expiry_timestamp_seconds')
  expect(end).toBeGreaterThan(Date.now() / 1000)

  await replicas[0]!.stop()
  expect(await replicas[0]!.ended).toBe(0)
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
  const numbers = await Promise.all([first, second].map(scrape))
  expect(numbers.map(({ only }) => only('sluice_controller_leader'))).toEqual([1, 0])
  expect(numbers[0]!.only('sluice_controller_queue_depth')).toBe(0)
  expect(await holder()).toBe(leader)

  await first.stop()
  expect(await first.ended).toBe(0)
  // Given back at a graceful end: nobody waits for it to run out.
  await eventually('the other leads', async () => !['', leader].includes(await holder()))
  await second.stop()
  expect(await second.ended).toBe(0)
  expect(await holder()).toBe('')
})

async function webhook(): Promise<Child> {
  return start('webhook', [
    '--certificate-secret=sluice-certificates',
    `--hosts=${hosts}`,
    '--host=127.0.0.1',
    '--port=0',
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
    onLine: () => {},
  })
  children.push(child)
  return child
}

async function probe({ ready }: Child, path: string): Promise<readonly [number, string]> {
  const answer = await fetch(`http://127.0.0.1:${String(ready['probesPort'])}/${path}`)
  return [answer.status, await answer.text()]
}

function eventually(what: string, fact: () => Promise<boolean>): Promise<void> {
  return until(`expected that ${what}`, fact, 30_000)
}

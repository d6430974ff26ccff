// `npm run dev` against a cluster that is there: how people try Sluice.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import {
  CUSTOM_RESOURCES,
  LEASES,
  MUTATING_WEBHOOKS,
  ROLLOUTS,
  ROLLOUTS_DEFINITION,
  VALIDATING_WEBHOOKS,
} from '#kube/resources.ts'
import { lease } from '../../dev/sluice.ts'
import { until } from '../../dev/until.ts'
import { mutatingConfiguration } from '../../webhook/configuration.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'

const main = fileURLToPath(new URL('../../dev/main.ts', import.meta.url))

const MICRO_TIME = '2026-01-31T12:00:00.000000Z'

let cluster: ControlPlane
let client: KubeClient
beforeAll(async () => {
  cluster = await startControlPlane({ progress: () => {} })
  client = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
})
afterAll(async () => {
  await client?.close()
  await cluster?.stop()
})

test('it guards the cluster until Ctrl-C takes the registration away', async () => {
  const { child, lines } = dev()
  await said(child, lines, 'Sluice guards')
  const { webhooks } = await client.get(MUTATING_WEBHOOKS, { name: 'sluice-dev' })
  expect(webhooks?.map(webhook => webhook.clientConfig.url)).toEqual([
    expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/admit$/),
    expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/admit$/),
    expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/admit$/),
    expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/admit$/),
  ])

  child.kill('SIGINT')
  const [code] = await ended(child)
  expect(code).toBe(0)
  expect(lines.at(-1)).toBe('the registration is gone; workloads that are held stay as they are')
  for (const type of [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS]) {
    await expect(client.get(type, { name: 'sluice-dev' })).rejects.toThrow(NotFound)
  }
  await expect(client.get(LEASES, lease)).rejects.toThrow(NotFound)
})

test('after a crash it says whose Lease it waits for, and guards when its controller leads', async () => {
  const spec = { holderIdentity: 'crashed', leaseDurationSeconds: 8, renewTime: MICRO_TIME }
  const kind = { apiVersion: LEASES.apiVersion, kind: LEASES.kind }
  await client.create(LEASES, { ...kind, metadata: lease, spec })
  const { child, lines } = dev()
  await said(child, lines, 'Sluice guards')
  const { spec: held } = await client.get(LEASES, lease)
  const pids = await childrenOf(child.pid!)
  expect(pids.filter(pid => held?.holderIdentity?.includes(`-${pid}-`))).toHaveLength(1)
  const words = lines.filter(line => line.startsWith('Sluice '))
  expect(words).toEqual([
    `Sluice starts beside ${cluster.url}`,
    'Sluice installs its CRD',
    'Sluice starts its webhook, and waits until the API server calls it',
    'Sluice starts its controller',
    expect.stringMatching(
      /^Sluice waits for the Lease default\/sluice-dev-controller, which crashed has held: it ends at \d\d:\d\d:\d\d$/,
    ),
    expect.stringContaining('Sluice guards'),
  ])
  child.kill('SIGINT')
  await once(child, 'exit')
})

test('a process of its own that dies ends it, with the registration', async () => {
  const { child, lines } = dev()
  await said(child, lines, 'Sluice guards')
  const [pid] = await childrenOf(child.pid!)
  process.kill(pid!, 'SIGKILL')
  const [code] = await ended(child)
  expect(code).toBe(1)
  expect(lines.join('\n')).toContain('a process of Sluice ended by itself')
  await expect(client.get(MUTATING_WEBHOOKS, { name: 'sluice-dev' })).rejects.toThrow(NotFound)
})

test('a terminal that is closed takes the registration away', async () => {
  const { child, lines } = dev()
  await said(child, lines, 'Sluice guards')
  // It takes no more lines.
  child.stdout.destroy()
  child.stderr.destroy()
  child.kill('SIGHUP')
  expect(await once(child, 'exit')).toEqual([0, null])
  for (const type of [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS]) {
    await expect(client.get(type, { name: 'sluice-dev' })).rejects.toThrow(NotFound)
  }
  await expect(client.get(LEASES, lease)).rejects.toThrow(NotFound)
})

test('where Sluice is installed it touches nothing', async () => {
  const settings = { name: 'sluice', url: 'https://127.0.0.1:1', failurePolicy: 'Ignore' } as const
  const manifest = mutatingConfiguration({ ...settings, caBundle: '' }) as KubeObject
  await client.apply(MUTATING_WEBHOOKS, manifest, { fieldManager: 'test', force: true })
  onTestFinished(() => client.remove(MUTATING_WEBHOOKS, { name: 'sluice' }))
  const { child, lines } = dev()
  const [code] = await ended(child)
  expect(code).toBe(1)
  expect(lines).toEqual([
    `Sluice starts beside ${cluster.url}`,
    'sluice dev: Sluice is installed in this cluster (mutatingwebhookconfiguration sluice): uninstall it, or take another cluster',
  ])
  await expect(client.get(MUTATING_WEBHOOKS, { name: 'sluice-dev' })).rejects.toThrow(NotFound)
})

test('it says what can be said to it', async () => {
  const { child, lines } = dev(['--help'])
  expect(await ended(child)).toEqual([0, null])
  const flags = ['kubeconfig', 'webhook-host', 'failure-policy', 'traffic', 'log-level']
  for (const flag of flags) expect(lines.join('\n')).toContain(`--${flag} `)
})

test('in a fresh cluster it warns of nothing, and requests can be moved', async () => {
  await client.remove(CUSTOM_RESOURCES, { name: ROLLOUTS_DEFINITION })
  await until('the definition is there', () => isGone(client))
  const { child, lines } = dev()
  await said(child, lines, 'Sluice guards')
  expect(lines.filter(line => line.includes('WARN'))).toEqual([])
  // What nobody asks for is nothing to tell.
  expect(lines.filter(line => line.includes('does not serve'))).toEqual([])
  const metadata = { namespace: 'default', name: 'routed' }
  const canary = {
    steps: [{ replicas: 1, traffic: '20%' }],
    trafficRoutings: [{ service: 'web', ingress: { name: 'web' } }],
  }
  const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
  const object = {
    apiVersion: ROLLOUTS.apiVersion,
    kind: ROLLOUTS.kind,
    metadata,
    spec: { workloadRef, strategy: { canary } },
  }
  await client.create(ROLLOUTS, object as KubeObject, { dryRun: true })
  child.kill('SIGINT')
  await once(child, 'exit')
})

const mistakes: readonly [string, readonly string[], string][] = [
  ['a switch that is none', ['--traffic=maybe'], '--traffic: expected one of yes, no'],
  [
    'a policy that is none',
    ['--failure-policy=Maybe'],
    '--failure-policy: expected one of Ignore, Fail',
  ],
  ['a level that is none', ['--log-level=loud'], '--log-level: expected one of trace, debug'],
  ['a kubeconfig that is not there', ['--kubeconfig=/nowhere'], '/nowhere'],
  ['a flag that is none', ['--webhok-host=x'], '--webhok-host'],
]

test.each(mistakes)('%s is one line', async (_, args, line) => {
  const { child, lines } = dev(args)
  const [code] = await ended(child)
  expect(code).toBe(1)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(line)
})

function dev(args: readonly string[] = []) {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', line => lines.push(line))
  }
  return { child, lines }
}

async function said(child: ChildProcess, lines: readonly string[], text: string): Promise<void> {
  while (!lines.some(line => line.includes(text))) {
    if (child.exitCode !== null) throw new Error(`it ended: ${lines.join('\n')}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** With what it ended, once all that it has said is read: its end may be told before. */
async function ended(child: ChildProcess): Promise<readonly unknown[]> {
  return once(child, 'close')
}

async function isGone(of: KubeClient): Promise<boolean> {
  try {
    await of.get(CUSTOM_RESOURCES, { name: ROLLOUTS_DEFINITION })
    return false
  } catch (error) {
    if (error instanceof NotFound) return true
    throw error
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const list = spawn('ps', ['-o', 'pid=', '--ppid', String(pid)])
  let text = ''
  for await (const chunk of list.stdout) text += String(chunk)
  return text
    .split('\n')
    .map(Number)
    .filter(each => each > 0 && each !== list.pid)
}

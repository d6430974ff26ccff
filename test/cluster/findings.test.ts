// What is wrong around the processes when they start, as a user sees it: one line that says what to do. A
// wrong setting ends a process; nothing else does.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'

import type { KubeObject } from '#api/kubernetes.ts'
import { KubeClient } from '#kube/client.ts'
import { Forbidden } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { MUTATING_WEBHOOKS, PODS, resource } from '#kube/resources.ts'
import { startChild } from '../../dev/child.ts'
import type { Child, ChildOptions } from '../../dev/child.ts'
import { listable } from '../../dev/listable.ts'
import { applyCustomResources } from '../../dev/sluice.ts'
import { until } from '../../dev/until.ts'
import { mutatingConfiguration } from '../../webhook/configuration.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { newNamespace } from './reflections.ts'
import { scrape } from './scrape.ts'

const name = `findings-${Math.random().toString(36).slice(2, 8)}`
const { kubeconfig } = inject('cluster')
const programs = ['webhook', 'controller'] as const
/** Nobody else's edits lead here. */
const calling = { name, failurePolicy: 'Ignore', namespaces: [name] } as const

let client: KubeClient
beforeAll(async () => {
  client = new KubeClient(await fromKubeconfig(kubeconfig))
  await applyCustomResources(client)
})
afterAll(() => client?.close())

/** A process that runs, and the messages of its log. */
interface Started {
  readonly child: Child
  readonly told: (level: number) => readonly string[]
}

async function start(
  program: ChildOptions['program'],
  ...more: readonly string[]
): Promise<Started> {
  const lines: string[] = []
  const listening = program === 'webhook' ? ['--host=127.0.0.1', '--port=0'] : []
  const child = await startChild({
    program,
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--configuration=${name}`,
      // Here others have workloads, with holds of their own: whoever leads would act on them.
      `--namespaces=${name}`,
      '--probes-host=127.0.0.1',
      '--probes-port=0',
      ...listening,
      ...more,
    ],
    onLine: line => void lines.push(line),
  })
  onTestFinished(() => child.stop())
  // What is found is told before it.
  await until('it is not ready', async () => lines.some(line => line.includes('"msg":"ready"')))
  const told = (level: number) =>
    lines
      .map(line => JSON.parse(line) as { readonly level: number; readonly msg: string })
      .filter(each => each.level === level)
      .map(({ msg }) => msg)
  return { child, told }
}

const ERROR = 50
const WARN = 40
const INFO = 30

describe('a wrong value', () => {
  test.each([
    ['webhook', '--port=http', '--port: expected a whole number from 0 to 65535, got http'],
    ['webhook', '--hosts=a b', '--hosts: expected DNS names or addresses with commas between'],
    ['webhook', '--certificate-dir=/nowhere', '--certificate-dir: cannot read /nowhere/tls.crt'],
    ['controller', '--log-level=loud', '--log-level: expected one of trace, debug, info'],
    ['controller', '--lease', "Unknown option '--lease'"],
  ] as const)('ends the %s: %s', async (program, flag, words) => {
    await expect(start(program, flag)).rejects.toThrow(`sluice-${program}: ${words}`)
  })
})

describe.each(programs)('the %s', program => {
  test('says that the API server is too old, and that the CRD is missing', async () => {
    const proxy = await startFaultProxy(kubeconfig)
    onTestFinished(() => proxy.stop())
    const old = { type: 'answer', status: 200, body: { major: '1', minor: '29+' } } as const
    const gone = { type: 'answer', status: 404, body: { kind: 'Status', code: 404 } } as const
    proxy.fault = ({ path }) => {
      if (path === '/version') return old
      return path === '/apis/rollouts.kruise.io/v1beta1' ? gone : undefined
    }
    const { told } = await start(program, `--kubeconfig=${proxy.kubeconfig}`)
    expect(told(ERROR)).toEqual([
      'the API server is Kubernetes 1.29, and 1.30 or later is needed: upgrade it',
      'the API server does not serve rollouts.kruise.io/v1beta1: install the CRD, see crds.install of the chart',
    ])
  })

  test('says which rights are missing, and goes on with those that it has', async () => {
    const namespace = await newNamespace(client)
    const allowed = [
      rule('rollouts.kruise.io', 'rollouts'),
      rule(
        'apps',
        'deployments',
        'replicasets',
        'statefulsets',
        'daemonsets',
        'controllerrevisions',
      ),
      rule('', 'pods'),
      rule('admissionregistration.k8s.io', 'mutatingwebhookconfigurations'),
    ]
    const poor = await account(namespace, allowed)
    const { told } = await start(program, `--kubeconfig=${poor}`, `--namespace=${namespace}`)
    const [finding, ...others] = told(ERROR)
    const missing = {
      webhook: ['get mutatingwebhookconfigurations.admissionregistration.k8s.io', 'patch'],
      controller: [
        `update rollouts/status.rollouts.kruise.io in ${name}; patch deployments.apps in ${name}`,
        `get leases.coordination.k8s.io sluice-controller in ${namespace}`,
      ],
    }
    expect(finding).toContain('rights are missing, give them back by helm upgrade: ')
    for (const words of missing[program]) expect(finding).toContain(words)
    expect(finding).not.toContain('list deployments')
    expect(others.filter(each => each.includes('rights'))).toEqual([])
  })

  test('has nothing to say where all is well', async () => {
    const namespace = await newNamespace(client)
    const { told } = await start(program, `--namespace=${namespace}`)
    expect(told(ERROR)).toEqual([])
  })
})

test('a webhook says that Rollouts are converted elsewhere, once it is registered', async () => {
  const namespace = await newNamespace(client)
  const { told } = await start('webhook', `--namespace=${namespace}`, '--hosts=127.0.0.1')
  expect(told(WARN)).toEqual([])
  expect(told(INFO)).toContainEqual(expect.stringContaining('nothing is registered yet'))
  const settings = { ...calling, url: 'https://127.0.0.1:1' }
  const manifest = mutatingConfiguration({ ...settings, ownNamespace: namespace }) as KubeObject
  await client.apply(MUTATING_WEBHOOKS, manifest, { fieldManager: 'test', force: true })
  onTestFinished(() => client.remove(MUTATING_WEBHOOKS, { name }))
  await until('it is not told', async () => told(WARN).length > 0)
  expect(told(WARN)).toEqual([
    expect.stringContaining('asks others for Rollouts of its older version'),
  ])
})

test('a webhook that the API server does not reach is told, and that it is reached again', async () => {
  const namespace = await newNamespace(client)
  const at = [`--namespace=${namespace}`]
  const register = async (url: string, caBundle: string) => {
    const settings = { ...calling, url, caBundle, ownNamespace: namespace }
    const manifest = mutatingConfiguration(settings) as KubeObject
    await client.apply(MUTATING_WEBHOOKS, manifest, { fieldManager: 'test', force: true })
  }
  const { child: webhook } = await start('webhook', ...at, '--hosts=127.0.0.1')
  const caBundle = String(webhook.ready['caBundle'])
  const [strange, cut] = await Promise.all([
    start('controller', ...at, '--lease-name=one', '--configuration=nobody'),
    (async () => {
      await register('https://127.0.0.1:1', caBundle)
      onTestFinished(() => client.remove(MUTATING_WEBHOOKS, { name }))
      return start('controller', ...at, '--lease-name=two')
    })(),
  ])
  const reached = async () => (await scrape(cut.child)).only('sluice_controller_webhook_reached')
  const findings = async ({ told }: Started) => {
    await until('nothing is told', async () => told(ERROR).length > 0)
    return told(ERROR)
  }
  expect(await findings(strange)).toEqual([
    'the API server does not reach the webhook: it does not call one: `kubectl get mutatingwebhookconfiguration nobody` must have the webhook probe.sluice.dev',
  ])
  const [finding, ...others] = await findings(cut)
  expect(finding).toMatch(
    /^the API server does not reach the webhook: .*connection refused: let it /,
  )
  expect(others).toEqual([])
  expect(await reached()).toBe(0)

  await register(`https://127.0.0.1:${String(webhook.ready['port'])}`, caBundle)
  await until('it is not reached', async () => (await reached()) === 1)
  await until('it is not told', async () => {
    return cut.told(INFO).includes('the API server reaches the webhook')
  })
})

function rule(group: string, ...resources: readonly string[]): object {
  return { apiGroups: [group], resources, verbs: ['list', 'watch'] }
}

/** A ServiceAccount that may do this everywhere; gives the path of its kubeconfig. */
async function account(namespace: string, rules: readonly object[]): Promise<string> {
  const rbac = 'rbac.authorization.k8s.io/v1'
  const roles = resource(rbac, 'clusterroles', 'ClusterRole', false)
  const bindings = resource(rbac, 'clusterrolebindings', 'ClusterRoleBinding', false)
  const accounts = resource('v1', 'serviceaccounts', 'ServiceAccount')
  const metadata = { name: namespace }
  await client.create(accounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'poor', namespace },
  })
  await client.create(roles, { apiVersion: rbac, kind: roles.kind, metadata, rules } as KubeObject)
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: namespace }
  const subjects = [{ kind: 'ServiceAccount', name: 'poor', namespace }]
  const binding = { apiVersion: rbac, kind: bindings.kind, metadata, roleRef, subjects }
  await client.create(bindings, binding as KubeObject)
  onTestFinished(async () => {
    await client.remove(bindings, metadata)
    await client.remove(roles, metadata)
  })
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name: 'poor', namespace },
    spec: {},
  }
  const answer = await client.create(accounts, request, { subresource: 'token' })
  const { token } = (answer as KubeObject & { readonly status: { readonly token: string } }).status
  const config = parse(await readFile(kubeconfig, 'utf8')) as { users: { user: object }[] }
  for (const each of config.users) each.user = { token }
  const dir = await mkdtemp(join(tmpdir(), 'sluice-poor-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const file = join(dir, 'kubeconfig')
  await writeFile(file, stringify(config), { mode: 0o600 })
  await granted(file)
  return file
}

/** The API server learns of roles a moment after it has stored them. */
async function granted(file: string): Promise<void> {
  const poor = new KubeClient(await fromKubeconfig(file))
  onTestFinished(() => poor.close())
  await listable(poor, PODS, Forbidden)
}

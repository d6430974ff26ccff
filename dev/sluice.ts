// Webhook and controller from this checkout against any cluster, out of cluster: the CRDs are
// installed, the policy and the webhooks (by URL) registered, and a dry run proves that the API server reaches them.

import { readdir, readFile } from 'node:fs/promises'

import { parse } from 'yaml'

import type { KubeObject } from '#api/kubernetes.ts'
import { HOLD } from '#api/names.ts'
import type { KindRef } from '#core/ref.ts'
import type { KubeClient } from '#kube/client.ts'
import { Conflict, NotFound } from '#kube/errors.ts'
import {
  CUSTOM_RESOURCES,
  DEPLOYMENTS,
  LEASES,
  MUTATING_WEBHOOKS,
  ROLLOUTS,
  ROLLOUTS_DEFINITION,
  VALIDATING_WEBHOOKS,
} from '#kube/resources.ts'
import { kindsInWords } from '#process/kinds.ts'
import { mutatingConfiguration, validatingConfiguration } from '../webhook/configuration.ts'
import { startChild } from './child.ts'
import type { Child, ChildOptions } from './child.ts'
import { listable } from './listable.ts'
import { registerPolicy, unregisterPolicy } from './policy.ts'
import { removed } from './removed.ts'
import { until } from './until.ts'

/** What a pod knows of its API server. */
export interface Pod {
  readonly server: URL
  /** The folder with token, ca.crt and namespace. */
  readonly serviceAccountDir: string
}

/** A pod for each process. */
export type Pods = Readonly<Record<ChildOptions['program'], Pod>>

/** How Sluice is started beside a cluster. */
export interface SluiceOptions {
  readonly client: KubeClient
  readonly kubeconfig: string
  /** The processes connect as in pods, instead of by the kubeconfig. */
  readonly pods?: Pods
  /** Added to the environment of both processes. */
  readonly env?: Readonly<Record<string, string>>
  /** Flags of Node itself, for both processes. */
  readonly nodeFlags?: readonly string[]
  /** Address of this machine as the API server reaches it. */
  readonly webhookHost: string
  /** What happens to an edit while the webhook does not answer. */
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** Kinds of a StatefulSet's shape beside those that Sluice knows. */
  readonly extraKinds?: readonly KindRef[]
  /** Kinds by which requests are moved beside those that we know. */
  readonly routeKinds?: readonly KindRef[]
  /** Requests are moved. */
  readonly traffic?: boolean
  /** Without the policy an edit that meets nobody under `Ignore` is not held. */
  readonly policy?: false
  /** The older version of the API is not converted: the CRD, and so who watches Rollouts, is left alone. */
  readonly conversion?: false
  readonly logLevel: string
  readonly onLine: (line: string) => void
  /** Gets what it does while it starts, in words for people. */
  readonly onProgress?: (line: string) => void
  /** Ends the start, and takes back what there is by then. */
  readonly stop?: AbortSignal
}

/** Sluice, running. */
export interface Sluice {
  readonly webhook: Child
  readonly controller: Child
  /** Starts a webhook, again, and returns when the API server is proven to call it. */
  readonly startWebhook: (flags?: readonly string[]) => Promise<Child>
  /** Starts a controller, again or beside another; flags that are given count. */
  readonly startController: (flags?: readonly string[]) => Promise<Child>
  /** Takes the registration away, then ends both processes. */
  readonly stop: () => Promise<void>
}

/** Name of all that is registered in the API server. */
export const configuration = 'sluice-dev'
const fieldManager = 'sluice-dev'
/** The Lease of the controllers, called as the chart's roles say. */
export const lease = { namespace: 'default', name: `${configuration}-controller` }

/** Starts Sluice and returns when the API server is proven to call it. */
export async function startSluice(options: SluiceOptions): Promise<Sluice> {
  const { client, onProgress = () => {} } = options
  onProgress('installs its CRD')
  await applyCustomResources(client)
  options.stop?.throwIfAborted()
  const children: Child[] = []
  const stop = async () => {
    await unregister(options)
    await Promise.all(children.map(child => child.stop()))
    await removed(client, LEASES, lease)
  }
  const startWebhook = async (given: readonly string[] = []) => {
    const child = await startWebhookProcess(options, given)
    children.push(child)
    options.stop?.throwIfAborted()
    await register(options, child)
    await prove(client)
    return child
  }
  const startController = async (given: readonly string[] = []) => {
    const child = await startChild({
      program: 'controller',
      args: [
        ...flags(options, 'controller'),
        `--namespace=${lease.namespace}`,
        `--lease-name=${lease.name}`,
        '--kruise-finalizers=take-off',
        '--probes-host=127.0.0.1',
        '--probes-port=0',
        ...given,
      ],
      ...surroundings(options, 'controller'),
    })
    children.push(child)
    return child
  }
  try {
    onProgress('starts its webhook, and waits until the API server calls it')
    const webhook = await startWebhook()
    onProgress('starts its controller')
    const controller = await startController()
    options.stop?.throwIfAborted()
    return { webhook, controller, startWebhook, startController, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startWebhookProcess(options: SluiceOptions, given: readonly string[]): Promise<Child> {
  return startChild({
    program: 'webhook',
    args: [
      ...flags(options, 'webhook'),
      ...given,
      `--host=${options.webhookHost === '127.0.0.1' ? '127.0.0.1' : '0.0.0.0'}`,
      '--port=0',
      `--hosts=${options.webhookHost}`,
      '--probes-host=127.0.0.1',
      '--probes-port=0',
    ],
    ...surroundings(options, 'webhook'),
  })
}

function surroundings({ pods, env, nodeFlags = [], onLine }: SluiceOptions, program: keyof Pods) {
  const pod = pods?.[program]
  const inPod = pod && {
    KUBECONFIG: '',
    KUBERNETES_SERVICE_HOST: pod.server.hostname,
    KUBERNETES_SERVICE_PORT: pod.server.port,
  }
  return { nodeFlags, onLine, env: { ...inPod, ...env } }
}

function flags(
  { kubeconfig, pods, logLevel, extraKinds = [], routeKinds = [], traffic }: SluiceOptions,
  program: keyof Pods,
): readonly string[] {
  const pod = pods?.[program]
  return [
    pod ? `--service-account-dir=${pod.serviceAccountDir}` : `--kubeconfig=${kubeconfig}`,
    `--configuration=${configuration}`,
    `--log-level=${logLevel}`,
    `--extra-kinds=${kindsInWords(extraKinds)}`,
    `--route-kinds=${kindsInWords(routeKinds)}`,
    `--traffic=${traffic ? 'yes' : 'no'}`,
  ]
}

/** Installs the CRDs of this checkout in place of what is there, and waits until they are served. */
export async function applyCustomResources(client: KubeClient): Promise<void> {
  const folder = new URL('../api/crds/', import.meta.url)
  for (const file of await readdir(folder)) {
    const crd = parse(await readFile(new URL(file, folder), 'utf8')) as KubeObject
    await put(client, crd)
  }
  await listable(client, ROLLOUTS)
}

async function register(options: SluiceOptions, webhook: Child): Promise<void> {
  const { client, webhookHost, failurePolicy, policy, conversion } = options
  const { extraKinds = [], routeKinds = [] } = options
  const host = webhookHost.includes(':') ? `[${webhookHost}]` : webhookHost
  const settings = {
    name: configuration,
    url: `https://${host}:${String(webhook.ready['port'])}`,
    failurePolicy,
    extraKinds,
    routeKinds,
    caBundle: String(webhook.ready['caBundle']),
  }
  const apply = { fieldManager, force: true }
  if (conversion !== false) await convertBy(client, settings)
  await client.apply(MUTATING_WEBHOOKS, mutatingConfiguration(settings) as KubeObject, apply)
  await client.apply(VALIDATING_WEBHOOKS, validatingConfiguration(settings) as KubeObject, apply)
  if (policy !== false) await registerPolicy(client, configuration, extraKinds)
}

/** Asks the webhook for Rollouts of the other version. */
async function convertBy(
  client: KubeClient,
  { url, caBundle }: { readonly url: string; readonly caBundle: string },
): Promise<void> {
  const bundle = Buffer.from(caBundle).toString('base64')
  const clientConfig = { url: `${url}/convert`, service: null, caBundle: bundle }
  const spec = { conversion: { webhook: { clientConfig } } }
  await client.mergePatch(CUSTOM_RESOURCES, { name: ROLLOUTS_DEFINITION }, { spec })
}

/** Replaced, not merged: of another's conversion a part would stay, and the API server takes one alone. */
async function put(client: KubeClient, crd: KubeObject): Promise<void> {
  const { name } = crd.metadata
  await until(`${name} is changed by others all the time`, async () => {
    try {
      const { metadata } = await client.get(CUSTOM_RESOURCES, { name })
      await client.replace(CUSTOM_RESOURCES, { ...crd, metadata }, { fieldManager })
    } catch (error) {
      if (error instanceof Conflict) return false
      if (!(error instanceof NotFound)) throw error
      await client.apply(CUSTOM_RESOURCES, crd, { fieldManager, force: true })
    }
    return true
  })
}

async function unregister({ client, extraKinds = [] }: SluiceOptions): Promise<void> {
  await unregisterPolicy(client, configuration, extraKinds)
  await removed(client, MUTATING_WEBHOOKS, { name: configuration })
  await removed(client, VALIDATING_WEBHOOKS, { name: configuration })
}

/** A hold that somebody brings with a new object is taken out: an answer without it came from us. */
async function prove(client: KubeClient): Promise<void> {
  const labels = { app: 'sluice-probe' }
  const probe = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'default', name: 'sluice-probe', annotations: { [HOLD]: 'probe' } },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'probe', image: 'none' }] } },
    },
  }
  await until('the API server does not reach the webhook: is --webhook-host right?', async () => {
    const answer = await client.create(DEPLOYMENTS, probe, { dryRun: true })
    return answer.metadata.annotations?.[HOLD] === undefined
  })
}

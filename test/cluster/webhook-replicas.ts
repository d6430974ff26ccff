// Several webhooks behind one address, as behind a Service, and workloads for which they are called.

import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { onTestFinished } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { WORKLOAD_TYPE } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { DEPLOYMENTS, MUTATING_WEBHOOKS, ROLLOUTS } from '#kube/resources.ts'
import { mutatingConfiguration } from '../../webhook/configuration.ts'
import { workloadOf, rolloutOf } from './manifests.ts'

/** Who listens where. */
export interface Endpoint {
  readonly port: number
}

/** One address; those behind it are chosen by turns, connection by connection. */
export interface Balancer<E extends Endpoint> {
  readonly port: number
  /** Who is chosen from now on: whoever is taken out keeps the connections that it has. */
  readonly replicas: E[]
}

/** Starts one with nobody behind it; it ends with the test. */
export async function startBalancer<E extends Endpoint>(): Promise<Balancer<E>> {
  const replicas: E[] = []
  let turn = 0
  const server = createServer(inner => {
    turn += 1
    const chosen = replicas[turn % replicas.length]
    if (!chosen) {
      inner.destroy()
      return
    }
    const outer = connect(chosen.port, '127.0.0.1')
    inner.pipe(outer).pipe(inner)
    inner.on('error', () => outer.destroy())
    outer.on('error', () => inner.destroy())
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, replicas }
}

/** How the webhook is registered for a test. */
export interface Registration {
  readonly name: string
  readonly url: string
  readonly caBundle: string
  /** It is called for no others. */
  readonly namespaces: readonly string[]
}

/** Registers the mutating webhook until the test ends. */
export async function register(client: KubeClient, options: Registration): Promise<void> {
  const { name, url, caBundle, namespaces } = options
  const manifest = mutatingConfiguration({ name, url, failurePolicy: 'Fail', caBundle })
  const key = 'kubernetes.io/metadata.name'
  const matchExpressions = [{ key, operator: 'In', values: namespaces }]
  const namespaceSelector = { matchExpressions }
  const webhooks = manifest.webhooks.map(webhook => ({ ...webhook, namespaceSelector }))
  await client.create(MUTATING_WEBHOOKS, { ...manifest, webhooks })
  onTestFinished(() => client.remove(MUTATING_WEBHOOKS, { name }))
}

/**
 * A Deployment whose Rollout is frozen: every edit is held before the first pod, so that the
 * controller-manager has nothing to do.
 */
export async function createFrozen(client: KubeClient, namespace: string): Promise<void> {
  const labels = { [WORKLOAD_TYPE]: 'deployment' }
  await client.create(ROLLOUTS, frozen(rolloutOf(namespace, {})))
  await client.create(DEPLOYMENTS, workloadOf(namespace, { replicas: 1, labels }))
}

function frozen(rollout: KubeObject): KubeObject {
  const { spec } = rollout as KubeObject & { readonly spec: { readonly strategy: object } }
  return {
    ...rollout,
    spec: { ...spec, strategy: { ...spec.strategy, paused: true } },
  } as KubeObject
}

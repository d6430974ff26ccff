// Where the chart is installed for real: Helm brings it, the API server stores its pods, and the test plays
// kubelet and kube-proxy for them. Everything of ours then runs from the tree of the image, under the
// chart's own roles, and the audit log has each of its requests.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { KubeObject } from '#api/kubernetes.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { NAMESPACES, PODS, resource } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { writeImageTree } from '../../build/image-tree.ts'
import type { Child } from '../../dev/child.ts'
import { startControlPlane } from './control-plane.ts'
import { startPod } from './kubelet.ts'
import type { Node, StoredPod } from './kubelet.ts'
import { auditPolicy } from './rights.ts'
import { startServiceRoute } from './service-route.ts'
import type { ServiceRoute } from './service-route.ts'

const root = join(import.meta.dirname, '..', '..')

/** The chart's folder, and where it is installed. */
export const CHART = join(root, 'charts', 'sluice')
export const namespace = 'sluice-system'
export const at = ['--namespace', namespace]

/** A cluster for the chart, and the pods that run in it. */
export interface ChartPlace extends Node {
  readonly route: ServiceRoute
  /** What the processes have said. */
  readonly log: string[]
  /** In the order in which they were started; `start` adds to it. */
  readonly running: Child[]
  /** The pods of one of the Deployments; Helm has waited until they are there. */
  readonly podsOf: (component: string) => Promise<readonly StoredPod[]>
  readonly start: (pod: StoredPod) => Promise<Child>
  /** Leads the API server's calls of the Service to these processes. */
  readonly lead: (...webhooks: readonly Child[]) => Promise<void>
  /** Ends what runs. */
  readonly stopAll: (signal?: NodeJS.Signals) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Starts the cluster, with a namespace of ours that refuses pods that are not "restricted". */
export async function startChartPlace(): Promise<ChartPlace> {
  const tree = await mkdtemp(join(tmpdir(), 'sluice-tree-'))
  await writeImageTree(root, tree)
  const route = await startServiceRoute()
  const policy = `${tree}-audit.yaml`
  await writeFile(policy, auditPolicy(namespace))
  const cluster = await startControlPlane({
    progress: () => {},
    apiServerFlags: [...route.apiServerFlags, `--audit-policy-file=${policy}`],
  })
  const client = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  const metadata = { name: namespace, labels }
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })

  const log: string[] = []
  const running: Child[] = []
  const node: Node = { cluster, client, tree, onLine: line => void log.push(line) }
  const stopAll = async (signal?: NodeJS.Signals) => {
    await Promise.all(running.splice(0).map(child => child.stop(signal)))
  }
  return {
    ...node,
    route,
    log,
    running,
    podsOf: component => podsOf(client, component),
    async start(pod) {
      const child = await startPod(node, pod)
      running.push(child)
      return child
    },
    lead: async (...webhooks) => {
      const ports = webhooks.map(({ ready }) => Number(ready['port']))
      route.lead(`${await serviceAddress(client)}:443`, ports)
    },
    stopAll,
    async stop() {
      await stopAll('SIGKILL')
      await client.close()
      await cluster.stop()
      await route.stop()
      await rm(tree, { recursive: true, force: true })
      await rm(policy, { force: true })
    },
  }
}

/** The pods of one of the chart's Deployments. */
export async function podsOf(client: KubeClient, component: string): Promise<readonly StoredPod[]> {
  const labelSelector = `app.kubernetes.io/component=${component}`
  const pods = PODS as ResourceType<StoredPod>
  const { items } = await client.listAll(pods, { namespace, labelSelector })
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

async function serviceAddress(client: KubeClient): Promise<string> {
  const services = resource('v1', 'services', 'Service')
  const service = await client.get(services, { namespace, name: 'sluice-webhook' })
  return (service as KubeObject & { readonly spec: { clusterIP: string } }).spec.clusterIP
}

// Runs in a network namespace of its own: a whole control plane, and the processes of those pods that have one,
// each at the address and at the ports of its pod. A socket in the file system, which namespaces do not part, leads
// to the API server. All of it ends with the channel of the parent.

import { once } from 'node:events'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { PODS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Child } from '../../../dev/child.ts'
import { until } from '../../../dev/until.ts'
import { startControlPlane } from '../control-plane.ts'
import type { ControlPlane } from '../control-plane.ts'
import { isReady, startPod } from '../kubelet.ts'
import type { Node, StoredPod } from '../kubelet.ts'
import type { Begin, Told } from './channel.ts'
import { lead } from './lead.ts'
import { playNode } from './node.ts'
import type { Processes } from './node.ts'

const ending = new AbortController()
process.once('disconnect', () => ending.abort(new Error('the test has ended')))

function tell(told: Told): void {
  if (process.connected) process.send?.(told)
}

async function run({ tree, socket, apiServerFlags }: Begin): Promise<void> {
  const { signal } = ending
  const cluster = await startControlPlane({ progress: () => {}, apiServerFlags, signal })
  const running = new Map<string, Promise<Child>>()
  try {
    await lead({ path: socket }, { port: Number(new URL(cluster.url).port), host: '127.0.0.1' })
    const client = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
    await playNode(client, processesOf(nodeOf(cluster, client, tree), running))
    tell({ cluster: cluster.dir })
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    const children = await Promise.allSettled(running.values())
    await Promise.all(
      children.map(async child => {
        if (child.status === 'fulfilled') await child.value.stop('SIGKILL')
      }),
    )
    await cluster.stop()
  }
}

function nodeOf(cluster: ControlPlane, client: KubeClient, tree: string): Node {
  return { cluster, client, tree, ownAddresses: true, onLine: line => tell({ line }) }
}

function processesOf(node: Node, running: Map<string, Promise<Child>>): Processes {
  const stored = ({ namespace = '', name }: StoredPod['metadata']) =>
    node.client.get(PODS as ResourceType<StoredPod>, { namespace, name })
  return {
    async begin({ metadata }) {
      const pod = stored(metadata)
      // Who is deleted before his process is up ends all the same.
      const child = pod.then(each => startPod(node, each))
      running.set(metadata.name, child)
      await child
      const begun = await pod
      await until(`${metadata.name} is not ready`, () => isReady(begun))
    },
    end({ metadata: { name } }) {
      const child = running.get(name)
      running.delete(name)
      const ended = () => tell({ ended: name })
      // As a kubelet does, it tells the process to end, and gives it time. One that never began is told of by `begin`.
      void child?.then(({ stop }) => stop()).then(ended, ended)
    },
  }
}

process.once('message', (begin: Begin) => {
  run(begin).then(
    () => process.exit(),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})

// A cluster in which the addresses of pods are real: its control plane and the processes of the product run inside
// a network namespace, where the API server finds a webhook as it does anywhere, by its Service. Tests reach that
// API server from outside.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { writeImageTree } from '../../../build/image-tree.ts'
import { until } from '../../../dev/until.ts'
import type { CommandTarget } from '../commands.ts'
import { openControlPlane } from '../control-plane.ts'
import type { ControlPlane } from '../control-plane.ts'
import { findPrograms } from '../programs.ts'
import type { Begin, Told } from './channel.ts'
import { lead } from './lead.ts'
import { startInside } from './namespace.ts'

/** Such a cluster; each pod whose image has `served` in it is a process of the product, Ready when that says so. */
export interface PodNetwork {
  readonly cluster: CommandTarget
  readonly client: KubeClient
  /** What the processes have said. */
  readonly log: readonly string[]
  /** Waits until the process of a deleted pod has ended. */
  readonly ended: (pod: string) => Promise<void>
  readonly stop: () => Promise<void>
}

const root = join(import.meta.dirname, '..', '..', '..')

/** Starts the cluster. */
export async function startPodNetwork(apiServerFlags: readonly string[]): Promise<PodNetwork> {
  // Inside nobody could build what is missing.
  await findPrograms()
  const dir = await mkdtemp(join(tmpdir(), 'sluice-pod-network-'))
  const tree = join(dir, 'tree')
  const socket = join(dir, 'api-server')
  const log: string[] = []
  const gone = new Set<string>()
  const started = Promise.withResolvers<string>()
  const inside = startInside<Begin, Told>(join(import.meta.dirname, 'inside.ts'), told => {
    if ('line' in told) log.push(told.line)
    else if ('ended' in told) gone.add(told.ended)
    else started.resolve(told.cluster)
  })
  const writing = writeImageTree(root, tree)
  let leading: Server | undefined
  const stop = async () => {
    leading?.close()
    await inside.stop()
    await writing.catch(() => {})
    await rm(dir, { recursive: true })
  }
  try {
    inside.ask({ tree, socket, apiServerFlags })
    const folder = Promise.race([started.promise, inside.ended])
    await Promise.all([folder, writing])
    leading = await lead({ port: 0, host: '127.0.0.1' }, { path: socket })
    const { port } = leading.address() as AddressInfo
    const cluster = await seenFrom(port, (await openControlPlane(await folder))!)
    const client = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
    return {
      cluster,
      client,
      log,
      ended: pod => until(`${pod} has not ended`, async () => gone.has(pod)),
      async stop() {
        await client.close()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The cluster for those who reach its API server at another port of loopback. */
async function seenFrom(
  port: number,
  { dir, bin, url, kubeconfig }: ControlPlane,
): Promise<CommandTarget> {
  const outside = join(dir, 'outside.kubeconfig')
  const text = await readFile(kubeconfig, 'utf8')
  await writeFile(outside, text.replace(url, `https://127.0.0.1:${port}`), { mode: 0o600 })
  return { bin, kubeconfig: outside }
}

// Where the bench measures: a control plane of its own, Sluice beside it as in a pod, and an HTTP
// client that edits and watches. What one row has measured, the others of its family use.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { startSluice } from '../dev/sluice.ts'
import type { Sluice, SluiceOptions } from '../dev/sluice.ts'
import { makeAccounts } from '../test/cluster/accounts.ts'
import { startControlPlane } from '../test/cluster/control-plane.ts'
import type { ControlPlane } from '../test/cluster/control-plane.ts'
import { watchEverything } from './sights.ts'
import type { Sights } from './sights.ts'

/** What is measured once for several rows. */
export type Family<F> = (place: Place) => Promise<F>

/** A family that is made of something: its figures are saved by that name. */
export function named<F>(name: string, family: Family<F>): Family<F> {
  return Object.defineProperty(family, 'name', { value: name })
}

/** A cluster that Sluice guards, and the means to measure it. */
export interface Place {
  readonly cluster: ControlPlane
  readonly client: KubeClient
  readonly sluice: Sluice
  readonly sights: Sights
  /** Says what is being done. */
  readonly progress: (line: string) => void
  /** Gives what a family has measured; it is measured when it is first asked for. */
  readonly shared: <F>(family: Family<F>) => Promise<F>
  /** Forgets what a family has measured. */
  readonly forget: (family: Family<unknown>) => void
  /** Lines of both processes' logs, the newest last. */
  readonly log: readonly string[]
  readonly stop: () => Promise<void>
}

/** Starts everything. */
export async function startPlace(
  progress: Place['progress'],
  options: Pick<SluiceOptions, 'traffic'> = {},
): Promise<Place> {
  const cluster = await startControlPlane({ progress })
  try {
    const compiled = await compile(cluster)
    // One client, not a crowd of them: a hundred handshakes at once would be a load of their own.
    const connection = await fromKubeconfig(cluster.kubeconfig)
    const client = new KubeClient(connection, { connections: 10 })
    const log: string[] = []
    const sluice = await startSluice({
      client,
      kubeconfig: cluster.kubeconfig,
      pods: await makeAccounts(cluster, client, options),
      env: { NODE_COMPILE_CACHE: compiled },
      // Where to debug is told when somebody asks for it by a signal.
      nodeFlags: ['--inspect-port=0'],
      webhookHost: '127.0.0.1',
      failurePolicy: 'Fail',
      ...options,
      logLevel: 'info',
      onLine: line => void log.push(line),
    })
    const { sights, close } = await watchEverything(client)
    const measured = new Map<Family<unknown>, Promise<unknown>>()
    const place: Place = {
      cluster,
      client,
      sluice,
      sights,
      progress,
      shared<F>(family: Family<F>) {
        const known = measured.get(family) ?? family(place)
        measured.set(family, known)
        return known as Promise<F>
      },
      forget: family => void measured.delete(family),
      log,
      async stop() {
        close()
        await sluice.stop()
        await client.close()
        await cluster.stop()
      },
    }
    return place
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/**
 * What is installed is packed without types. From source Node strips them as it loads, by a program that
 * stays in memory with some 34 MiB; so they are stripped before.
 */
async function compile({ dir }: ControlPlane): Promise<string> {
  const folder = join(dir, 'compiled')
  for (const program of ['controller', 'webhook']) {
    const main = fileURLToPath(new URL(`../${program}/main.ts`, import.meta.url))
    const env = { ...process.env, NODE_COMPILE_CACHE: folder }
    // It ends at the flag, when everything is loaded.
    const child = spawn(process.execPath, [main, '--only-load'], { env, stdio: 'ignore' })
    await once(child, 'exit')
  }
  return folder
}

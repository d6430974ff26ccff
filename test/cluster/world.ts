// A control plane with Sluice beside it, for tests that release workloads. Each file of tests has one
// of its own, so that it may stop what it likes; each test has a namespace in it.

import { inject } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { LEASES, NAMESPACES } from '#kube/resources.ts'
import { removed } from '../../dev/removed.ts'
import { lease, startSluice } from '../../dev/sluice.ts'
import type { Sluice, SluiceOptions } from '../../dev/sluice.ts'
import { makeAccounts, sluiceAccounts } from './accounts.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { rolloutOf, workloadOf } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import { settleRights } from './run-rights.ts'
import { createStory } from './story.ts'
import type { Story } from './story.ts'

/** A cluster that Sluice guards. */
export interface World {
  readonly cluster: ControlPlane
  readonly client: KubeClient
  readonly sluice: Sluice
  /** Starts Sluice with the same rights, after the one before has ended. */
  readonly startAgain: (options: WorldOptions) => Promise<Sluice>
  /** What webhook and controller have logged, a line each. */
  readonly log: readonly string[]
  /** A namespace with a workload and, unless told otherwise, a Rollout for it. */
  readonly story: (options?: StoryOptions) => Promise<Story>
  readonly stop: () => Promise<void>
}

/** What of a world may differ: by default nobody edits past the webhook, and there is the policy. */
export type WorldOptions = Partial<
  Pick<
    SluiceOptions,
    'failurePolicy' | 'policy' | 'conversion' | 'extraKinds' | 'routeKinds' | 'traffic'
  >
>

/** A person who knows that a controller is dead need not wait for its Lease to run out. */
export function unlock(client: KubeClient): Promise<void> {
  return removed(client, LEASES, lease)
}

/** Starts a control plane and Sluice beside it. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const cluster = await startControlPlane({ progress: () => {} })
  const client = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
  const log: string[] = []
  const started: Sluice[] = []
  try {
    const pods = await makeAccounts(cluster, client, options)
    const start = async (given: WorldOptions) => {
      const sluice = await startSluice({
        client,
        kubeconfig: cluster.kubeconfig,
        pods,
        webhookHost: '127.0.0.1',
        failurePolicy: 'Fail',
        ...given,
        logLevel: 'debug',
        onLine: line => void log.push(line),
      })
      started.push(sluice)
      return sluice
    }
    return {
      cluster,
      client,
      sluice: await start(options),
      async startAgain(given) {
        await unlock(client)
        return start(given)
      },
      log,
      story: storyOptions => begin({ cluster, client, log }, storyOptions ?? {}),
      async stop() {
        for (const each of started) await each.stop()
        const settled = { client, auditLog: cluster.auditLog, folder: inject('rights') }
        const lacking = sluiceAccounts.map(each => settleRights(settled, each))
        const refused = (await Promise.all(lacking)).flat()
        await client.close()
        await cluster.stop()
        if (refused.length > 0) throw new Error(`no role grants: ${refused.join(', ')}`)
      },
    }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

interface Place {
  readonly cluster: ControlPlane
  readonly client: KubeClient
  readonly log: readonly string[]
}

async function begin(place: Place, options: StoryOptions): Promise<Story> {
  const namespace = `story-${Math.random().toString(36).slice(2, 8)}`
  const metadata = { name: namespace }
  await place.client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
  const { rolloutFirst = false, steps, replicas = 10 } = options
  const story = await createStory({ ...place, namespace }, options.kind)
  if (rolloutFirst) {
    await story.create(rolloutOf(namespace, options))
    await story.phase('Initial')
  }
  if (options.install) await options.install(namespace)
  else await story.create(workloadOf(namespace, options))
  await story.until('all pods Ready', () => story.now().ready === replicas)
  story.forget()
  if (steps === false) return story
  if (!rolloutFirst) await story.create(rolloutOf(namespace, options))
  await story.phase('Healthy')
  return story
}

// The webhook is killed and started again, again and again, while histories go on: each write of anybody
// meets it or does not. How long it is away and there is counted in what happens to workloads, so that
// outages are as long as histories are quick.

import { CAUGHT, WORKLOAD_TYPE } from '#api/names.ts'
import { DEPLOYMENTS } from '#kube/resources.ts'
import type { Child } from '../../dev/child.ts'
import { until } from '../../dev/until.ts'
import { workloadOf, WORKLOAD } from './manifests.ts'
import type { World } from './world.ts'

/** From which resourceVersion on the webhook was away, and from which on it certainly was there. */
export interface Outage {
  readonly from: bigint
  readonly to: bigint
}

/** Outages that come and go. */
export interface Outages {
  /** Must be told of each thing that happens. */
  readonly acted: () => void
  /** Those that are over. */
  readonly over: readonly Outage[]
  /** Ends them, with the webhook there. Throws where it did not come back. */
  readonly stop: () => Promise<void>
}

/** How many things happen while the webhook is there, and then while it is away; by turns. */
const spells = [
  { there: 5, away: 2 },
  { there: 12, away: 30 },
  { there: 8, away: 5 },
  { there: 3, away: 40 },
  { there: 16, away: 10 },
] as const

/** It comes back where nothing happens any more, since everybody waits for it. */
const longestMs = 3000

/** Begins with this webhook, which must be there. */
export function startOutages({ client, sluice }: World, first: Child): Outages {
  const over: Outage[] = []
  const stopping = Promise.withResolvers<void>()
  let acts = 0
  let awaited: { readonly acts: number; readonly come: () => void } | undefined
  let stopped = false
  const happened = (count: number) =>
    new Promise<void>(come => (awaited = { acts: acts + count, come }))
  const version = async () => BigInt((await client.list(DEPLOYMENTS, { limit: 1 })).resourceVersion)

  const run = async () => {
    let webhook = first
    let awayMs = 0
    for (let turn = 0; ; turn += 1) {
      const { there, away } = spells[turn % spells.length]!
      // On a slow machine a start takes long: it stays for at least as long as it was away.
      await Promise.race([
        Promise.all([happened(there), within(awayMs, stopping.promise)]),
        stopping.promise,
      ])
      if (stopped) return
      const gone = performance.now()
      const from = await version()
      await webhook.stop('SIGKILL')
      await within(longestMs, Promise.race([happened(away), stopping.promise]))
      webhook = await sluice.startWebhook()
      over.push({ from, to: await version() })
      awayMs = performance.now() - gone
    }
  }
  const running = run()
  // Who waits for it comes later.
  running.catch(() => {})
  return {
    over,
    acted() {
      acts += 1
      if (awaited && acts >= awaited.acts) awaited.come()
    },
    async stop() {
      stopped = true
      stopping.resolve()
      await running
    },
  }
}

/**
 * Waits until the policy catches what meets no webhook: it takes effect a moment after it is stored.
 * Gives the webhook that is there afterwards.
 */
export async function proveCatch({ client, sluice }: World): Promise<Child> {
  const labels = { [WORKLOAD_TYPE]: 'deployment' }
  await client.create(DEPLOYMENTS, workloadOf('default', { replicas: 0, labels }))
  const at = { namespace: 'default', name: WORKLOAD }
  await sluice.webhook.stop('SIGKILL')
  await until('the policy does not catch', async () => {
    const edited = { spec: { template: { metadata: { annotations: { edited: 'yes' } } } } }
    const { metadata } = await client.mergePatch(DEPLOYMENTS, at, edited, { dryRun: true })
    return metadata.annotations?.[CAUGHT] !== undefined
  })
  await client.remove(DEPLOYMENTS, at)
  return sluice.startWebhook()
}

async function within(ms: number, awaited: Promise<void>): Promise<void> {
  let late: NodeJS.Timeout | undefined
  const patience = new Promise<void>(resolve => (late = setTimeout(resolve, ms)))
  await Promise.race([awaited, patience])
  clearTimeout(late)
}

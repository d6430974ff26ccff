// Sluice with nothing to do: what it asks of the API server, and the memory that it takes.

import { setTimeout as delay } from 'node:timers/promises'

import { LEASES } from '#kube/resources.ts'
import { lease } from '../dev/sluice.ts'
import { until } from '../dev/until.ts'
import { readAudit, tally } from './audit.ts'
import type { Entry } from './audit.ts'
import type { Place } from './place.ts'
import { residentMiB } from './usage.ts'

const seconds = 60

/** One idle minute. */
export interface Idle {
  readonly requestsPerHour: number
  readonly requestsByKind: Readonly<Record<string, number>>
  readonly controllerMiB: number
  readonly webhookMiB: number
}

/** Waits a minute, and looks. */
export async function idle(place: Place): Promise<Idle> {
  await until('no controller leads', async () => {
    const held = await place.client.listAll(LEASES, { namespace: lease.namespace })
    return held.items.some(({ metadata }) => metadata.name === lease.name)
  })
  // What a start asks for is over then.
  await delay(3000)
  place.progress(`idle for ${seconds} s`)
  const from = Date.now()
  await delay(seconds * 1000)
  const entries = (await readAudit(place.cluster.auditLog)).filter(
    ({ author }) => author === 'sluice',
  )
  const asked = entries.filter(({ verb, receivedAt }) => verb !== 'watch' && receivedAt >= from)
  const watches = entries.filter(({ verb }) => verb === 'watch')
  const { controller, webhook } = place.sluice
  return {
    requestsPerHour: (asked.length * 3600) / seconds + watchesPerHour(watches),
    requestsByKind: tally(asked.map(({ verb, resource }) => `${verb} ${resource}`)),
    controllerMiB: residentMiB(controller.pid),
    webhookMiB: residentMiB(webhook.pid),
  }
}

/** A watch is asked for again when its time is over: too seldom to be seen in a minute. */
function watchesPerHour(watches: readonly Entry[]): number {
  const rates = watches.map(({ uri }) => 3600 / Number(/timeoutSeconds=(\d+)/.exec(uri)?.[1]))
  return rates.reduce((sum, rate) => sum + rate, 0)
}

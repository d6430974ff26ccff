// How often the API server has called our webhooks and caught an edit by our policy, by its own metrics.

import { kubectl } from '../test/cluster/commands.ts'
import type { CommandTarget } from '../test/cluster/commands.ts'

/** Calls of all webhooks of Sluice since the API server started. */
export function webhookCalls(cluster: CommandTarget): Promise<number> {
  return sumOf(
    cluster,
    /^apiserver_admission_webhook_request_total\{.*name="[a-z]+\.sluice\.dev".*\} (\d+)$/gm,
  )
}

/** Requests that the policy has changed since the API server started. */
export function catches(cluster: CommandTarget): Promise<number> {
  return sumOf(
    cluster,
    /^apiserver_mutating_admission_policy_check_total\{.*policy="sluice[^"]*".*\} (\d+)$/gm,
  )
}

async function sumOf(cluster: CommandTarget, metric: RegExp): Promise<number> {
  const { stdout } = await kubectl(cluster, ['get', '--raw', '/metrics'])
  return [...stdout.matchAll(metric)].reduce((sum, [, count]) => sum + Number(count), 0)
}

// How often the API server has called our webhooks, by its own metrics.

import { kubectl } from '#cluster/commands.ts'
import type { CommandTarget } from '#cluster/commands.ts'

/** Calls of all webhooks of Sluice since the API server started. */
export async function webhookCalls(cluster: CommandTarget): Promise<number> {
  const { stdout } = await kubectl(cluster, ['get', '--raw', '/metrics'])
  const counts = stdout.matchAll(
    /^apiserver_admission_webhook_request_total\{.*name="[a-z]+\.sluice\.dev".*\} (\d+)$/gm,
  )
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

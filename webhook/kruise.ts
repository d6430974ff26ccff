// Whether Kruise Rollouts is registered with the API server, as it is for as long as it is installed.

import { KRUISE_WEBHOOKS } from '#api/names.ts'
import { KRUISE_GONE, KRUISE_RUNNING } from '#core/rollout/events.ts'
import { Cache } from '#kube/cache.ts'
import { Reflector } from '#kube/reflector.ts'
import { MUTATING_WEBHOOKS } from '#kube/resources.ts'
import type { WebhookConfiguration } from '#kube/resources.ts'
import type { WebhookOptions } from './webhook.ts'

/** Watches until the signal aborts; gives the question once the first answer is there. */
export async function watchKruise(
  { client, metrics, log }: Pick<WebhookOptions, 'client' | 'metrics' | 'log'>,
  stop: AbortSignal,
): Promise<() => boolean> {
  const cache = new Cache<WebhookConfiguration>()
  const reflector = new Reflector<WebhookConfiguration, WebhookConfiguration>({
    client,
    type: MUTATING_WEBHOOKS,
    cache,
    fieldSelector: `metadata.name=${KRUISE_WEBHOOKS}`,
    project: object => object,
    onNews: ({ what }) => metrics.watch(MUTATING_WEBHOOKS.plural, what),
  })
  cache.onChange((before, after) => {
    if (!before) log.warn(KRUISE_RUNNING)
    if (!after) log.info(KRUISE_GONE)
  })
  await Promise.race([cache.synced, reflector.run(stop)])
  stop.throwIfAborted()
  return () => cache.list().length > 0
}

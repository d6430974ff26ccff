// Whether Kruise Rollouts is registered with the API server, as it is for as long as it is installed.

import { KRUISE_WEBHOOKS } from '#api/names.ts'
import { Cache } from '#kube/cache.ts'
import { reflectNamed } from '#kube/reflector.ts'
import { MUTATING_WEBHOOKS } from '#kube/resources.ts'
import type { WebhookConfiguration } from '#kube/resources.ts'
import { tellOfKruise } from '#process/kruise.ts'
import { tellFailedWatch } from '#process/watches.ts'
import type { CertificateOptions } from './certificate.ts'

/**
 * Watches until the signal aborts; gives the question once the first answer is there, or cannot be had:
 * a webhook is not to be lost for want of that.
 */
export async function watchKruise(
  { client, metrics, log }: Pick<CertificateOptions, 'client' | 'metrics' | 'log'>,
  stop: AbortSignal,
): Promise<() => boolean> {
  const cache = new Cache<WebhookConfiguration>()
  const failed = Promise.withResolvers<void>()
  const reflection = reflectNamed({
    client,
    type: MUTATING_WEBHOOKS,
    cache,
    name: KRUISE_WEBHOOKS,
    onNews(news) {
      metrics.watch(MUTATING_WEBHOOKS.plural, news.what)
      if (news.what !== 'failed') return
      tellFailedWatch(log, MUTATING_WEBHOOKS.plural, news)
      failed.resolve()
    },
  })
  cache.onChange(tellOfKruise(log))
  await Promise.race([cache.synced, failed.promise, reflection.run(stop)])
  stop.throwIfAborted()
  return () => cache.size > 0
}

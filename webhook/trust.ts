// Keeps the API server's trust in step with the certificate: whenever the certificate, one of our webhook
// configurations or the definition of Rollouts changes, our CAs are put into their caBundle again.

import type { KubeObject } from '#api/kubernetes.ts'
import { expiry } from '#certs/authority.ts'
import { injectCaBundle, injectConversion } from '#certs/inject.ts'
import type { Serving } from '#certs/rotation.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { WorkQueue } from '#kube/queue.ts'
import { reflectNamed } from '#kube/reflector.ts'
import {
  CUSTOM_RESOURCES,
  MUTATING_WEBHOOKS,
  ROLLOUTS_DEFINITION,
  VALIDATING_WEBHOOKS,
} from '#kube/resources.ts'
import type { WebhookMetrics } from './metrics.ts'

/** Whose trust in what is kept. */
export interface TrustOptions {
  readonly client: KubeClient
  /** Name of both webhook configurations. */
  readonly configuration: string
  /** Names and addresses by which the API server calls us: a conversion by others is not ours. */
  readonly hosts: readonly string[]
  /** The certificate that is served at first. */
  readonly serving: Serving
  readonly metrics: WebhookMetrics
  /**
   * Somebody else converts Rollouts, or nobody, from now on. `called`: the API server has been told to call us;
   * before, whoever installs us may have that still to do.
   */
  readonly onConvertedElsewhere: (news: { readonly called: boolean }) => void
  readonly onError: (error: unknown) => void
}

/** The keeper of the API server's trust. */
export interface Trust {
  /** The API server has been told once whom to trust, or has nothing of ours to be told in. */
  readonly told: () => boolean
  /**
   * Another certificate is served, or known to come. Fulfilled when it is made known; it is tried again
   * all the same where that fails.
   */
  readonly keep: (serving: Serving) => Promise<void>
  /** Makes what is served at first known; a failure is told, and tried again while it runs. */
  readonly begin: () => Promise<void>
  /** Keeps it until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

const key = 'caBundle'

/** Makes the keeper; nothing is written before it runs. */
export function keepTrusted(options: TrustOptions): Trust {
  const { client, configuration, hosts, metrics, onError } = options
  let { serving } = options
  let told = false
  const tellElsewhere = tellingElsewhere(options)
  const inject = async () => {
    const names = { mutating: configuration, validating: configuration }
    const found = await injectCaBundle(client, { ...names, caBundle: serving.caBundle })
    told = true
    return Object.values(found).some(each => each !== 'not registered')
  }
  const injectAll = async () => {
    const called = await inject()
    // Last: nobody waits for it. An edit must not be refused because the older version is not served.
    const { caBundle } = serving
    const conversion = { definition: ROLLOUTS_DEFINITION, hosts, caBundle }
    const elsewhere = (await injectConversion(client, conversion)) === 'not ours'
    tellElsewhere(elsewhere ? { called } : undefined)
  }
  const queue = new WorkQueue({
    concurrency: 1,
    run: injectAll,
    onRun: ({ outcome, error }) => outcome !== 'ok' && onError(error),
  })
  return {
    told: () => told,
    async keep(next) {
      serving = next
      metrics.certificateEnds(expiry(next.cert))
      try {
        await inject()
      } finally {
        queue.add(key)
      }
    },
    begin: () => injectAll().catch(onError),
    async run(signal) {
      metrics.certificateEnds(expiry(serving.cert))
      queue.add(key)
      const watched = [
        { type: MUTATING_WEBHOOKS, name: configuration },
        { type: VALIDATING_WEBHOOKS, name: configuration },
        { type: CUSTOM_RESOURCES, name: ROLLOUTS_DEFINITION },
      ]
      const reflections = watched.map(({ type, name }) => {
        const cache = new Cache<KubeObject>()
        cache.onChange(() => queue.add(key))
        return reflectNamed({
          client,
          type,
          cache,
          name,
          onNews: ({ what }) => metrics.watch(type.plural, what),
        })
      })
      await Promise.all(reflections.map(reflection => reflection.run(signal)))
      await queue.stop()
    },
  }
}

type Elsewhere = Parameters<TrustOptions['onConvertedElsewhere']>[0]

/** Tells what is new, once. Undefined: nobody else converts Rollouts. */
function tellingElsewhere({ onConvertedElsewhere }: TrustOptions) {
  let last: Elsewhere | undefined
  return (news: Elsewhere | undefined) => {
    if (news && news.called !== last?.called) onConvertedElsewhere(news)
    last = news
  }
}

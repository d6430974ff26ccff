// One webhook: a cache of Rollouts, certificates that renew themselves, the API server's trust in
// them, and the server. It is not ready before the API server has been told whom to trust.

import type { Rollout } from '#api/rollout.generated.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { adaptersWith } from '#core/workload/registry.ts'
import { Cache } from '#kube/cache.ts'
import { reflectIn } from '#kube/reflector.ts'
import { ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { keepCertificates } from './certificate.ts'
import type { CertificateOptions, Certificates } from './certificate.ts'
import { createKindWarnings } from './kinds.ts'
import { createLookup } from './lookup.ts'
import { admit, answerToBug, validate } from './reviewers.ts'
import type { Known } from './reviewers.ts'
import { watchKruise } from './kruise.ts'
import { createWebhookServer } from './server.ts'
import type { Ports, WebhookServer } from './server.ts'

/** What a webhook is made of. */
export type WebhookOptions = CertificateOptions

/** A webhook that listens. */
export interface Webhook extends Ports {
  readonly certificates: Pick<Certificates, 'current' | 'check'>
  /** Answers what is in flight, and ends. */
  readonly close: () => Promise<void>
}

const rolloutType = ROLLOUTS as ResourceType<Rollout>

/** Starts a webhook. Throws where the signal aborts before it listens, and one line where it cannot. */
export async function startWebhook(options: WebhookOptions, stop: AbortSignal): Promise<Webhook> {
  const ending = new AbortController()
  const end = AbortSignal.any([stop, ending.signal])
  const [watch, kruiseRegistered] = await Promise.all([
    watchRollouts(options, end),
    watchKruise(options, end),
  ])
  const certificates = await keepCertificates(options, pair => server.setCertificate(pair))
  const server = createServer(options, { ...watch, kruiseRegistered }, certificates)
  await certificates.begin()
  const ports = await server.listen()
  const trusting = certificates.run(end)
  return {
    ...ports,
    certificates,
    async close() {
      await server.close()
      certificates.stop()
      ending.abort()
      await trusting
    },
  }
}

function createServer(
  { client, config, metrics, log }: WebhookOptions,
  { rollouts, watching, kruiseRegistered }: RolloutWatch & Pick<Known, 'kruiseRegistered'>,
  { current, told }: Certificates,
): WebhookServer {
  const { controllerUser, extraKinds } = config
  const known: Known = {
    rollouts,
    kruiseRegistered,
    adapters: adaptersWith(extraKinds),
    kindWarnings: createKindWarnings(client, extraKinds),
    lookup: createLookup({
      // Two, one after the other, are still below the API server's own patience with us.
      list: async namespace =>
        (await client.listAll(rolloutType, { namespace, timeoutMs: 1300 })).items,
      watching,
    }),
    ...(controllerUser && { controllerUser }),
  }
  return createWebhookServer({
    certificate: current(),
    admit: request => admit(known, request),
    validate: request => validate(known, request),
    onBug: request => answerToBug(known, request),
    metrics,
    log,
    listen: { host: config.host, port: config.port },
    probes: { host: config.probesHost, port: config.probesPort },
    unready: () => (told() ? undefined : 'the API server has not been told whom to trust'),
    drainMs: config.drainMs,
  })
}

interface RolloutWatch {
  readonly rollouts: Cache<Rollout>
  readonly watching: () => boolean
}

async function watchRollouts(
  { client, config, log, metrics }: WebhookOptions,
  stop: AbortSignal,
): Promise<RolloutWatch> {
  const { namespaces = [] } = config
  /** Namespaces whose watch is open; undefined stands for all. */
  const watching = new Set<string | undefined>()
  const cache = new Cache<Rollout>({
    namespaces,
    indexes: { workload: rollout => [workloadKey(rollout)] },
    onListenerError: error => log.error({ err: error }, 'a listener failed'),
  })
  const reflection = reflectIn<Rollout, Rollout>(namespaces, namespace => ({
    client,
    type: rolloutType,
    cache,
    project: rollout => rollout,
    onNews: news => {
      metrics.watch(rolloutType.plural, news.what)
      if (news.what === 'watching') watching.add(namespace)
      else if (news.what !== 'unreadable') watching.delete(namespace)
      if (news.what === 'failed') log.warn({ err: news.error }, 'the watch of Rollouts failed')
    },
  }))
  await Promise.race([cache.synced, reflection.run(stop)])
  // Without the Rollouts it must not serve: it would let every edit through.
  stop.throwIfAborted()
  return { rollouts: cache, watching: () => watching.size === Math.max(1, namespaces.length) }
}

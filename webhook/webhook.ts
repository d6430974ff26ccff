// One webhook: a cache of Rollouts, certificates that renew themselves, the API server's trust in
// them, and the server. It is not ready before the API server has been told whom to trust.

import { isIP } from 'node:net'

import type { Logger } from 'pino'

import type { Rollout } from '#api/rollout.generated.ts'
import { startRotation } from '#certs/rotation.ts'
import type { Rotation, RotationOptions } from '#certs/rotation.ts'
import { inMemory, inSecret } from '#certs/store.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Retryable } from '#kube/errors.ts'
import { reflectIn } from '#kube/reflector.ts'
import { ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { WebhookConfig } from './config.ts'
import type { WebhookMetrics } from './metrics.ts'
import { createLookup } from './lookup.ts'
import { admit, answerToBug, validate } from './reviewers.ts'
import type { Known } from './reviewers.ts'
import { createWebhookServer } from './server.ts'
import type { Ports, WebhookServer } from './server.ts'
import { keepTrusted } from './trust.ts'
import type { Trust } from './trust.ts'

/** What a webhook is made of. */
export interface WebhookOptions {
  readonly client: KubeClient
  readonly config: WebhookConfig
  readonly metrics: WebhookMetrics
  readonly log: Logger
  /** How certificates are kept, where that is not the product's way. */
  readonly certificates?: Pick<RotationOptions, 'now' | 'checkMs' | 'servingDays'>
}

/** A webhook that listens. */
export interface Webhook extends Ports {
  readonly certificates: Pick<Rotation, 'current' | 'check'>
  /** Answers what is in flight, and ends. */
  readonly close: () => Promise<void>
}

const rolloutType = ROLLOUTS as ResourceType<Rollout>

/** Starts a webhook. Throws where the signal aborts before it listens, and one line where it cannot. */
export async function startWebhook(options: WebhookOptions, stop: AbortSignal): Promise<Webhook> {
  const { client, config, metrics, log } = options
  const ending = new AbortController()
  const end = AbortSignal.any([stop, ending.signal])
  const watch = await watchRollouts(options, end)
  const onUntrusted = (error: unknown) => {
    const level = error instanceof Retryable ? 'warn' : 'error'
    log[level]({ err: error }, 'the API server could not be told whom to trust')
  }
  const rotation = await startRotation({
    ...options.certificates,
    store: config.certificateSecret
      ? inSecret(client, { namespace: config.namespace, name: config.certificateSecret })
      : inMemory(),
    names: namesOf(config),
    async onChange(serving, reasons) {
      const told = trust.keep(serving)
      // What is only to come waits until it is known; a certificate is served where it is needed.
      if (serving.cert === rotation.current().cert) await told
      else told.catch(onUntrusted)
      server.setCertificate(serving)
      log.info({ reasons }, 'the certificates changed')
    },
    onError: error => log.error({ err: error }, 'the certificates could not be renewed'),
  })
  const trust = keepTrusted({
    client,
    configuration: config.configuration,
    serving: rotation.current(),
    metrics,
    onError: onUntrusted,
  })
  const server = createServer(options, watch, rotation, trust)
  await trust.begin()
  const ports = await server.listen()
  const trusting = trust.run(end)
  return {
    ...ports,
    certificates: rotation,
    async close() {
      await server.close()
      rotation.stop()
      ending.abort()
      await trusting
    },
  }
}

function createServer(
  { client, config, metrics, log }: WebhookOptions,
  { rollouts, watching }: RolloutWatch,
  { current }: Rotation,
  { told }: Trust,
): WebhookServer {
  const { controllerUser } = config
  const known: Known = {
    rollouts,
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

function namesOf({ hosts }: WebhookConfig) {
  return {
    dnsNames: hosts.filter(host => isIP(host) === 0),
    ips: hosts.filter(host => isIP(host) !== 0),
  }
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
  const feeds = Math.max(1, namespaces.length)
  /** Namespaces whose watch is open; undefined stands for all. */
  const watching = new Set<string | undefined>()
  const cache = new Cache<Rollout>({
    namespaces: feeds,
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
  return { rollouts: cache, watching: () => watching.size === feeds }
}

// One webhook: a cache of Rollouts, certificates that renew themselves, the API server's trust in
// them, and the server. It is not ready before the API server has been told whom to trust, and reviews can
// be answered.

import { providersWith } from '#core/traffic/registry.ts'
import { adaptersWith } from '#core/workload/registry.ts'
import { keepCertificates } from './certificate.ts'
import type { CertificateOptions, Certificates } from './certificate.ts'
import { createLookup } from './lookup.ts'
import { createLookUpNamed } from './named.ts'
import { admit, answerToBug, validate } from './reviewers.ts'
import type { Known } from './reviewers.ts'
import { watchKruise } from './kruise.ts'
import { createRolloutWatch, rolloutType } from './rollouts.ts'
import type { RolloutWatch } from './rollouts.ts'
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

/**
 * Starts a webhook. Throws where the signal aborts before it is ready, and one line where it cannot listen.
 * What needs no Rollout, a conversion above all, is answered before any is read.
 */
export async function startWebhook(options: WebhookOptions, stop: AbortSignal): Promise<Webhook> {
  const ending = new AbortController()
  const end = AbortSignal.any([stop, ending.signal])
  const kruiseRegistered = await watchKruise(options, end)
  const certificates = await keepCertificates(options, pair => server.setCertificate(pair))
  const watch = createRolloutWatch(options)
  const server = createServer(options, { ...watch, kruiseRegistered }, certificates)
  const ports = await server.listen()
  await certificates.begin()
  const trusting = certificates.run(end)
  const close = async () => {
    await server.close()
    certificates.stop()
    ending.abort()
    await trusting
  }
  await watch.begin(end)
  if (stop.aborted) await close()
  stop.throwIfAborted()
  return { ...ports, certificates, close }
}

function createServer(
  { client, config, metrics, log }: WebhookOptions,
  watch: RolloutWatch & Pick<Known, 'kruiseRegistered'>,
  { current, told }: Certificates,
): WebhookServer {
  const { controllerUser, extraKinds, makeDeployments, routes, routeKinds } = config
  const { rollouts, allKnown, watching, answerable, kruiseRegistered } = watch
  const known: Known = {
    rollouts,
    allKnown,
    kruiseRegistered,
    makeDeployments,
    routes,
    providers: providersWith(routeKinds),
    adapters: adaptersWith(extraKinds),
    lookUpNamed: createLookUpNamed(client, config),
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
    unready() {
      if (!told()) return 'the API server has not been told whom to trust'
      return answerable() ? undefined : 'the Rollouts have not been read'
    },
    drainMs: config.drainMs,
  })
}

// The webhook process: a cache of Rollouts, certificates that renew themselves, and the server.

import { isIP } from 'node:net'

import type { Logger } from 'pino'

import type { Rollout } from '#api/rollout.generated.ts'
import { startRotation } from '#certs/rotation.ts'
import { inMemory, inSecret } from '#certs/store.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { Cache } from '#kube/cache.ts'
import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connection.ts'
import { Reflector } from '#kube/reflector.ts'
import { ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { announce, createLog, runProgram, untilAborted } from '#process/program.ts'
import { readConfig } from './config.ts'
import { createMetrics } from './metrics.ts'
import { admit, answerToBug, validate } from './reviewers.ts'
import type { Known } from './reviewers.ts'
import { createWebhookServer } from './server.ts'
import { keepTrusted } from './trust.ts'

const rolloutType = ROLLOUTS as ResourceType<Rollout>

await runProgram('sluice-webhook', async stop => {
  const config = readConfig(process.argv.slice(2), process.env)
  const { configuration, hosts, controllerUser } = config
  const log = createLog('webhook', config.logLevel)
  const connection = await connect({ env: process.env, ...config })
  const client = new KubeClient(connection)
  const metrics = createMetrics()

  const rollouts = await watchRollouts(client, log, stop)
  const rotation = await startRotation({
    store: config.certificateSecret
      ? inSecret(client, { namespace: config.namespace, name: config.certificateSecret })
      : inMemory(),
    names: {
      dnsNames: hosts.filter(host => isIP(host) === 0),
      ips: hosts.filter(host => isIP(host) !== 0),
    },
    onChange(serving, reasons) {
      server.setCertificate(serving)
      trust.keep(serving)
      log.info({ reasons }, 'the certificate changed')
    },
    onError: error => log.error({ err: error }, 'the certificates could not be renewed'),
  })
  const trust = keepTrusted({
    client,
    configuration,
    serving: rotation.current(),
    metrics,
    onError: error => log.error({ err: error }, 'the API server could not be told whom to trust'),
  })

  const known: Known = {
    rollouts,
    // Well below the API server's own patience with us.
    listRollouts: async namespace =>
      (await client.listAll(rolloutType, { namespace, timeoutMs: 2000 })).items,
    ...(controllerUser && { controllerUser }),
  }
  const server = createWebhookServer({
    certificate: rotation.current(),
    admit: request => admit(known, request),
    validate: request => validate(known, request),
    onBug: request => answerToBug(known, request),
    metrics,
    log,
    listen: { host: config.host, port: config.port },
    probes: { host: config.probesHost, port: config.probesPort },
    drainMs: config.drainMs,
  })
  const ports = await server.listen()
  const trusting = trust.run(stop)
  log.info({ ...ports, server: connection.server }, 'ready')
  announce({ ready: true, ...ports, caBundle: rotation.current().caBundle })

  await untilAborted(stop)
  await server.close()
  rotation.stop()
  await trusting
  log.info('stopped')
})

async function watchRollouts(
  client: KubeClient,
  log: Logger,
  stop: AbortSignal,
): Promise<Cache<Rollout>> {
  const cache = new Cache<Rollout>({
    indexes: { workload: rollout => [workloadKey(rollout)] },
    onListenerError: error => log.error({ err: error }, 'a listener failed'),
  })
  const reflector = new Reflector({
    client,
    type: rolloutType,
    cache,
    project: rollout => rollout,
    onNews: news => {
      if (news.what === 'failed') log.warn({ err: news.error }, 'the watch of Rollouts failed')
    },
  })
  await Promise.race([cache.synced, reflector.run(stop)])
  // Without the Rollouts it must not serve: it would let every edit through.
  stop.throwIfAborted()
  return cache
}

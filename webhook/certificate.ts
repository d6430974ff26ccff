// Whose certificate is served. Ours, from a Secret or from memory, of which the API server is told; or
// one in files, which somebody else keeps, and tells the API server of.

import { isIP } from 'node:net'

import type { Logger } from 'pino'

import { expiry } from '#certs/authority.ts'
import type { Pair } from '#certs/authority.ts'
import { followFiles } from '#certs/files.ts'
import { startRotation } from '#certs/rotation.ts'
import type { Rotation, RotationOptions } from '#certs/rotation.ts'
import { inMemory, inSecret } from '#certs/store.ts'
import type { KubeClient } from '#kube/client.ts'
import { Retryable } from '#kube/errors.ts'
import { ROLLOUTS_DEFINITION } from '#kube/resources.ts'
import { untilAborted } from '#process/program.ts'
import type { WebhookConfig } from './config.ts'
import type { WebhookMetrics } from './metrics.ts'
import { keepTrusted } from './trust.ts'
import type { Trust } from './trust.ts'

/** How certificates are kept. */
export interface CertificateOptions {
  readonly client: KubeClient
  readonly config: WebhookConfig
  readonly metrics: WebhookMetrics
  readonly log: Logger
  /** Where clock and looks are not the product's. */
  readonly certificates?: Pick<RotationOptions, 'now' | 'checkMs'>
}

/** The certificate that is served, and the API server's trust in it. */
export type Certificates = Omit<Trust, 'keep'> & Omit<Rotation, 'reasons'>

/** Gets the first certificate; each later one is given to `serve`. Throws one line where there is none. */
export function keepCertificates(
  options: CertificateOptions,
  serve: (pair: Pair) => void,
): Promise<Certificates> {
  const { certificateDir } = options.config
  return certificateDir === undefined ? own(options, serve) : given(certificateDir, options, serve)
}

async function own(
  { client, config, metrics, log, certificates }: CertificateOptions,
  serve: (pair: Pair) => void,
): Promise<Certificates> {
  const onUntrusted = (error: unknown) => {
    const level = error instanceof Retryable ? 'warn' : 'error'
    log[level]({ err: error }, 'the API server could not be told whom to trust')
  }
  const { caDays, servingDays } = config
  const rotation = await startRotation({
    ...certificates,
    caDays,
    servingDays,
    store: config.certificateSecret
      ? inSecret(client, { namespace: config.namespace, name: config.certificateSecret })
      : inMemory(),
    names: namesOf(config),
    async onChange(serving, reasons) {
      const told = trust.keep(serving)
      // What is only to come waits until it is known; a certificate is served where it is needed.
      if (serving.cert === rotation.current().cert) await told
      else told.catch(onUntrusted)
      serve(serving)
      log.info({ reasons }, 'the certificates changed')
    },
    onError: error => log.error({ err: error }, 'the certificates could not be renewed'),
  })
  const trust = keepTrusted({
    client,
    configuration: config.configuration,
    hosts: config.hosts,
    serving: rotation.current(),
    metrics,
    onConvertedElsewhere: ({ called }) =>
      called ? log.warn(CONVERTED_ELSEWHERE) : log.info(UNREGISTERED),
    onError: onUntrusted,
  })
  return { ...rotation, told: trust.told, begin: trust.begin, run: trust.run }
}

const CONVERTED_ELSEWHERE = `the CRD ${ROLLOUTS_DEFINITION} asks others for Rollouts of its older version, or nobody: those cannot be read or written as they should; see docs/reference/v1alpha1.md`

const UNREGISTERED =
  'nothing is registered yet by which the API server calls this webhook, for Rollouts of an older version either'

async function given(
  dir: string,
  { config, metrics, log, certificates }: CertificateOptions,
  serve: (pair: Pair) => void,
): Promise<Certificates> {
  const { check, stop, current } = await followFiles({
    ...certificates,
    dir,
    names: namesOf(config),
    onChange(pair) {
      metrics.certificateEnds(expiry(pair.cert))
      serve(pair)
      log.info({ dir }, 'the certificates changed')
    },
    onError: error => log.error({ err: error }, 'the certificate is not exchanged'),
  })
  return {
    check,
    stop,
    current: () => ({ ...current(), caBundle: '' }),
    told: () => true,
    begin: async () => {},
    async run(signal) {
      metrics.certificateEnds(expiry(current().cert))
      await untilAborted(signal)
    },
  }
}

function namesOf({ hosts }: WebhookConfig) {
  return {
    dnsNames: hosts.filter(host => isIP(host) === 0),
    ips: hosts.filter(host => isIP(host) !== 0),
  }
}

// What the webhook process is told: flags first, then the environment, then a default. Read once.

import { parseArgs } from 'node:util'

import { wholeNumber } from '#process/settings.ts'

/** The settings of one webhook process. */
export interface WebhookConfig {
  readonly kubeconfig?: string
  /** Our own namespace, where the Secret of the certificates lives. */
  readonly namespace: string
  /** Name of the Secret; undefined: certificates are kept in memory and end with the process. */
  readonly certificateSecret?: string
  /** Names and addresses by which the API server calls us. */
  readonly hosts: readonly string[]
  /** Name of both webhook configurations. */
  readonly configuration: string
  /** User name of our controller; undefined: its field manager alone tells its writes. */
  readonly controllerUser?: string
  readonly host: string
  readonly port: number
  readonly probesHost: string
  readonly probesPort: number
  readonly drainMs: number
  readonly logLevel: string
}

/** Reads the settings. Throws one line that names the flag. */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): WebhookConfig {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubeconfig: { type: 'string' },
      namespace: { type: 'string', default: env['POD_NAMESPACE'] ?? 'sluice-system' },
      'certificate-secret': { type: 'string' },
      hosts: { type: 'string', default: 'sluice-webhook' },
      configuration: { type: 'string', default: 'sluice' },
      'controller-user': { type: 'string' },
      host: { type: 'string', default: '0.0.0.0' },
      port: { type: 'string', default: '9443' },
      'probes-host': { type: 'string', default: '0.0.0.0' },
      'probes-port': { type: 'string', default: '8081' },
      'drain-seconds': { type: 'string', default: '0' },
      'log-level': { type: 'string', default: env['LOG_LEVEL'] ?? 'info' },
    },
  })
  const { kubeconfig, 'certificate-secret': secret, 'controller-user': user } = values
  return {
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(secret !== undefined && { certificateSecret: secret }),
    ...(user !== undefined && { controllerUser: user }),
    namespace: values.namespace,
    hosts: values.hosts.split(',').filter(host => host !== ''),
    configuration: values.configuration,
    host: values.host,
    port: wholeNumber('--port', values.port),
    probesHost: values['probes-host'],
    probesPort: wholeNumber('--probes-port', values['probes-port']),
    drainMs: wholeNumber('--drain-seconds', values['drain-seconds']) * 1000,
    logLevel: values['log-level'],
  }
}

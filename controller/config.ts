// What the controller process is told: flags first, then the environment, then a default. Read once.

import { hostname } from 'node:os'
import { parseArgs } from 'node:util'

import { wholeNumber } from '#process/settings.ts'

/** The settings of one controller process. */
export interface ControllerConfig {
  readonly kubeconfig?: string
  /** Where the Lease lives. */
  readonly namespace: string
  readonly leaseName: string
  readonly identity: string
  /** Name of the webhook configurations by which an edit reaches us. */
  readonly configuration: string
  readonly probesHost: string
  readonly probesPort: number
  readonly concurrency: number
  readonly logLevel: string
}

/** Reads the settings. Throws one line that names the flag. */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ControllerConfig {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubeconfig: { type: 'string' },
      namespace: { type: 'string', default: env['POD_NAMESPACE'] ?? 'sluice-system' },
      'lease-name': { type: 'string', default: 'sluice-controller' },
      configuration: { type: 'string', default: 'sluice' },
      'probes-host': { type: 'string', default: '0.0.0.0' },
      'probes-port': { type: 'string', default: '8081' },
      concurrency: { type: 'string', default: '8' },
      'log-level': { type: 'string', default: env['LOG_LEVEL'] ?? 'info' },
    },
  })
  const kubeconfig = values.kubeconfig
  return {
    ...(kubeconfig !== undefined && { kubeconfig }),
    namespace: values.namespace,
    leaseName: values['lease-name'],
    // A restart is another one: it must not take its own former lease for granted.
    identity: `${env['POD_NAME'] ?? hostname()}-${process.pid}-${Date.now().toString(36)}`,
    configuration: values.configuration,
    probesHost: values['probes-host'],
    probesPort: wholeNumber('--probes-port', values['probes-port']),
    concurrency: wholeNumber('--concurrency', values.concurrency, { least: 1, most: 1000 }),
    logLevel: values['log-level'],
  }
}

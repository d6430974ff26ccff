// What the webhook process is told: flags first, then the environment, then a default. Read once.

import { parseArgs } from 'node:util'

import { defined } from '#core/defined.ts'
import { processConfig, processFlags, wholeNumber } from '#process/settings.ts'
import type { Environment, ProcessConfig } from '#process/settings.ts'

/** The settings of one webhook process; the Secret of its certificates lives in the namespace. */
export interface WebhookConfig extends ProcessConfig {
  /** Name of the Secret; undefined: certificates are kept in memory and end with the process. */
  readonly certificateSecret?: string
  /** Names and addresses by which the API server calls us. */
  readonly hosts: readonly string[]
  /** User name of our controller; undefined: its field manager alone tells its writes. */
  readonly controllerUser?: string
  readonly host: string
  readonly port: number
  readonly drainMs: number
}

/** Reads the settings. Throws one line that names the flag. */
export function readConfig(args: readonly string[], env: Environment): WebhookConfig {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...processFlags(env),
      'certificate-secret': { type: 'string' },
      hosts: { type: 'string', default: 'sluice-webhook' },
      'controller-user': { type: 'string' },
      host: { type: 'string', default: '0.0.0.0' },
      port: { type: 'string', default: '9443' },
      'drain-seconds': { type: 'string', default: '0' },
    },
  })
  return {
    ...processConfig(values),
    ...defined({
      certificateSecret: values['certificate-secret'],
      controllerUser: values['controller-user'],
    }),
    hosts: values.hosts.split(',').filter(host => host !== ''),
    host: values.host,
    port: wholeNumber('--port', values.port),
    drainMs: wholeNumber('--drain-seconds', values['drain-seconds']) * 1000,
  }
}

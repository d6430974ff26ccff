// What the webhook process is told: flags first, then the environment, then a default. Read once.

import { isIP } from 'node:net'
import { parseArgs } from 'node:util'

import { defined } from '#core/defined.ts'
import type { Flags, Program } from '#process/flags.ts'
import { objectName, processConfig, processFlags, wholeNumber } from '#process/settings.ts'
import type { Environment, ProcessConfig } from '#process/settings.ts'

/** The settings of one webhook process; the Secret of its certificates lives in the namespace. */
export interface WebhookConfig extends ProcessConfig {
  /** Name of the Secret; undefined: certificates are kept in memory and end with the process. */
  readonly certificateSecret?: string
  /** Folder with the `tls.crt` and `tls.key` that somebody else keeps; undefined: we make our own. */
  readonly certificateDir?: string
  /** Life of a CA of ours, in days. */
  readonly caDays: number
  /** Life of a serving certificate of ours, in days; at most that of the CA. */
  readonly servingDays: number
  /** Names and addresses by which the API server calls us. */
  readonly hosts: readonly string[]
  /** User name of our controller; undefined: its field manager alone tells its writes. */
  readonly controllerUser?: string
  readonly host: string
  readonly port: number
  readonly drainMs: number
}

function webhookFlags(env: Environment) {
  return {
    ...processFlags(env),
    'certificate-secret': {
      type: 'string',
      value: 'NAME',
      help: 'the Secret of its certificates; without it they are kept in memory, and end with the process',
    },
    'certificate-dir': {
      type: 'string',
      value: 'DIR',
      help: 'a folder with the tls.crt and tls.key that somebody else keeps, instead of its own',
    },
    'ca-days': { type: 'string', default: '365', value: 'DAYS', help: 'life of a CA of its own' },
    'certificate-days': {
      type: 'string',
      default: '90',
      value: 'DAYS',
      help: 'life of a serving certificate of its own, at most that of the CA',
    },
    hosts: {
      type: 'string',
      default: 'sluice-webhook',
      value: 'HOSTS',
      help: 'names and addresses by which the API server calls it, with commas between',
    },
    'controller-user': {
      type: 'string',
      value: 'USER',
      help: 'who the controller is for the API server; without it its field manager alone tells its writes',
    },
    host: {
      type: 'string',
      default: '0.0.0.0',
      value: 'ADDRESS',
      help: 'where admission is served',
    },
    port: { type: 'string', default: '9443', value: 'PORT', help: 'and on which port' },
    'drain-seconds': {
      type: 'string',
      default: '0',
      value: 'SECONDS',
      help: 'how long it goes on answering after SIGTERM, while it says that it is not ready',
    },
  } as const satisfies Flags
}

/** The process, for who asks. */
export function webhookProgram(env: Environment): Program {
  return {
    name: 'sluice-webhook',
    about:
      'Holds each edit of a guarded workload, and judges Rollouts, where the API server asks it.',
    flags: webhookFlags(env),
  }
}

/** Reads the settings. Throws one line that names the flag. */
export function readConfig(args: readonly string[], env: Environment): WebhookConfig {
  const { values } = parseArgs({ args: [...args], options: webhookFlags(env) })
  return {
    ...processConfig(values),
    ...certificates(values),
    ...defined({ controllerUser: values['controller-user'] }),
    hosts: hostsOf(values.hosts),
    host: values.host,
    port: wholeNumber('--port', values.port),
    drainMs: wholeNumber('--drain-seconds', values['drain-seconds']) * 1000,
  }
}

interface CertificateValues {
  readonly 'certificate-secret'?: string | undefined
  readonly 'certificate-dir'?: string | undefined
  readonly 'ca-days': string
  readonly 'certificate-days': string
}

function certificates(values: CertificateValues) {
  const { 'certificate-secret': secret, 'certificate-dir': dir } = values
  if (secret !== undefined && dir !== undefined) {
    throw new Error(
      '--certificate-dir: with --certificate-secret we make our own, give one of them',
    )
  }
  if (dir === '') throw new Error('--certificate-dir: expected a folder, got ""')
  const caDays = wholeNumber('--ca-days', values['ca-days'], days)
  const most = { least: 1, most: caDays }
  return {
    ...defined({
      certificateSecret: secret === undefined ? secret : objectName('--certificate-secret', secret),
      certificateDir: dir,
    }),
    caDays,
    servingDays: wholeNumber('--certificate-days', values['certificate-days'], most),
  }
}

/** Ten years at most: what lives longer is not tried by anybody. */
const days = { least: 1, most: 3650 }

function hostsOf(text: string): readonly string[] {
  const hosts = text.split(',').filter(host => host !== '')
  const wrong = hosts.find(host => isIP(host) === 0 && !dnsName.test(host))
  if (hosts.length > 0 && wrong === undefined) return hosts
  const got = JSON.stringify(wrong ?? text)
  throw new Error(`--hosts: expected DNS names or addresses with commas between, got ${got}`)
}

const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i

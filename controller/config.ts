// What the controller process is told: flags first, then the environment, then a default. Read once.

import { hostname } from 'node:os'
import { parseArgs } from 'node:util'

import {
  objectName,
  oneOf,
  processConfig,
  processFlags,
  wholeNumber,
  yesOrNo,
} from '#process/settings.ts'
import type { Environment, ProcessConfig } from '#process/settings.ts'

/** The settings of one controller process; its Lease lives in the namespace. */
export interface ControllerConfig extends ProcessConfig {
  readonly leaseName: string
  /** After so long without a renewal another replica takes over. */
  readonly leaseMs: number
  readonly identity: string
  readonly concurrency: number
  readonly kruiseFinalizers: KruiseFinalizers
  /** False: we have no right to, and say which pods are to be deleted. */
  readonly deletePods: boolean
}

/** What happens to the finalizers of Kruise Rollouts: to take them off needs a right to all Rollouts. */
export type KruiseFinalizers = 'leave' | 'take-off'

/** Reads the settings. Throws one line that names the flag. */
export function readConfig(args: readonly string[], env: Environment): ControllerConfig {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...processFlags(env),
      'lease-name': { type: 'string', default: 'sluice-controller' },
      'lease-seconds': { type: 'string', default: '15' },
      concurrency: { type: 'string', default: '8' },
      'kruise-finalizers': { type: 'string', default: 'leave' },
      'delete-pods': { type: 'string', default: 'yes' },
    },
  })
  return {
    ...processConfig(values),
    leaseName: objectName('--lease-name', values['lease-name']),
    leaseMs:
      wholeNumber('--lease-seconds', values['lease-seconds'], { least: 2, most: 3600 }) * 1000,
    // A restart is another one: it must not take its own former lease for granted.
    identity: `${env['POD_NAME'] ?? hostname()}-${process.pid}-${Date.now().toString(36)}`,
    concurrency: wholeNumber('--concurrency', values.concurrency, { least: 1, most: 1000 }),
    kruiseFinalizers: oneOf('--kruise-finalizers', values['kruise-finalizers'], [
      'leave',
      'take-off',
    ]),
    deletePods: yesOrNo('--delete-pods', values['delete-pods']),
  }
}

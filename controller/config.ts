// What the controller process is told: flags first, then the environment, then a default. Read once.

import { hostname } from 'node:os'
import { parseArgs } from 'node:util'

import type { Flags, Program } from '#process/flags.ts'
import {
  LEASE_NAME,
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

const FINALIZERS = ['leave', 'take-off'] as const
/** What happens to the finalizers of Kruise Rollouts: to take them off needs a right to all Rollouts. */
export type KruiseFinalizers = (typeof FINALIZERS)[number]

function controllerFlags(env: Environment) {
  return {
    ...processFlags(env),
    'lease-name': {
      type: 'string',
      default: LEASE_NAME,
      value: 'NAME',
      help: 'the Lease by which one of the replicas leads',
    },
    'lease-seconds': {
      type: 'string',
      default: '15',
      value: 'SECONDS',
      help: 'after so long without a renewal another replica takes over',
    },
    concurrency: {
      type: 'string',
      default: '8',
      value: 'COUNT',
      help: 'how many workloads are decided upon at once',
    },
    'kruise-finalizers': {
      type: 'string',
      default: 'leave',
      value: FINALIZERS.join('|'),
      help: 'what happens to the finalizers of Kruise Rollouts',
    },
    'delete-pods': {
      type: 'string',
      default: 'yes',
      value: 'yes|no',
      help: 'whether it may delete pods; otherwise it says which ones are to be deleted',
    },
  } as const satisfies Flags
}

/** The process, for who asks. */
export function controllerProgram(env: Environment): Program {
  return {
    name: 'sluice-controller',
    about: 'Lets new pods out, step by step, as the Rollouts of the cluster say.',
    flags: controllerFlags(env),
  }
}

/** Reads the settings. Throws one line that names the flag. */
export function readConfig(args: readonly string[], env: Environment): ControllerConfig {
  const { values } = parseArgs({ args: [...args], options: controllerFlags(env) })
  return {
    ...processConfig(values),
    leaseName: objectName('--lease-name', values['lease-name']),
    leaseMs:
      wholeNumber('--lease-seconds', values['lease-seconds'], { least: 2, most: 3600 }) * 1000,
    // A restart is another one: it must not take its own former lease for granted.
    identity: `${env['POD_NAME'] ?? hostname()}-${process.pid}-${Date.now().toString(36)}`,
    concurrency: wholeNumber('--concurrency', values.concurrency, { least: 1, most: 1000 }),
    kruiseFinalizers: oneOf('--kruise-finalizers', values['kruise-finalizers'], FINALIZERS),
    deletePods: yesOrNo('--delete-pods', values['delete-pods']),
  }
}

// What the program that gives everything back is told, and needs to be allowed; the role of the chart
// says the same, and a test compares them.

import { parseArgs } from 'node:util'

import { GROUP } from '#api/names.ts'
import { groupOf } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { addedRouters, newestRouters } from '#core/traffic/registry.ts'
import { adaptersWith } from '#core/workload/registry.ts'
import { rightsOf } from '#process/rights.ts'
import type { Right, Rule } from '#process/rights.ts'
import type { Flags, Program } from '#process/flags.ts'
import {
  LEASE_NAME,
  objectName,
  placeConfig,
  placeFlags,
  routesIn,
  trafficFlags,
  wholeNumber,
} from '#process/settings.ts'
import type { Environment, PlaceConfig } from '#process/settings.ts'

/** The settings of one uninstallation; the Lease of the controllers lives in the namespace. */
export interface UninstallConfig extends PlaceConfig {
  readonly leaseName: string
  /** After so long it ends by itself, and can still say what is left. */
  readonly deadlineSeconds: number
  readonly identity: string
  /** Requests are moved in this installation. */
  readonly routes: boolean
  /** Kinds beside those that we know by which they are moved. */
  readonly routeKinds: readonly KindRef[]
}

function uninstallFlags(env: Environment) {
  return {
    ...placeFlags(env),
    'lease-name': {
      type: 'string',
      default: LEASE_NAME,
      value: 'NAME',
      help: 'the Lease of the controllers, which it takes so that none guards what is given back',
    },
    'deadline-seconds': {
      type: 'string',
      default: '240',
      value: 'SECONDS',
      help: 'after so long it ends by itself, and says what is left',
    },
    ...trafficFlags('no'),
  } as const satisfies Flags
}

/** The program, for who asks. */
export function uninstallProgram(env: Environment): Program {
  return {
    name: 'sluice-uninstall',
    about:
      'Gives every workload back to its owner, with no controller in its way: what `helm uninstall` runs first.',
    flags: uninstallFlags(env),
  }
}

/** Reads the settings. Throws one line that names the flag. */
export function readConfig(args: readonly string[], env: Environment): UninstallConfig {
  const { values } = parseArgs({ args: [...args], options: uninstallFlags(env) })
  return {
    ...placeConfig(values),
    leaseName: objectName('--lease-name', values['lease-name']),
    deadlineSeconds: wholeNumber('--deadline-seconds', values['deadline-seconds'], {
      least: 1,
      most: 3600,
    }),
    ...routesIn(values),
    identity: `uninstall-${process.pid}-${Date.now().toString(36)}`,
  }
}

const workloads = (extraKinds: readonly KindRef[]) => [
  { group: GROUP, resources: ['rollouts'], verbs: ['list'] },
  ...adaptersWith(extraKinds).map(({ apiVersion, plural }) => ({
    group: apiVersion.split('/')[0]!,
    resources: [plural],
    verbs: ['get', 'list', 'watch', 'patch'],
  })),
  { group: 'apps', resources: ['deployments'], verbs: ['delete'] },
  { group: 'apps', resources: ['replicasets'], verbs: ['list', 'watch', 'patch'] },
]

/** Only to give requests back. */
const routing = (kinds: readonly KindRef[]): readonly Rule[] => [
  { group: '', resources: ['services'], verbs: ['get', 'list', 'watch', 'patch', 'delete'] },
  { group: 'discovery.k8s.io', resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ...[...newestRouters, ...addedRouters(kinds)].map(({ apiVersion, plural, makes }) => ({
    group: groupOf({ apiVersion }),
    resources: [plural],
    verbs: ['get', 'list', 'watch', 'patch', ...(makes ? ['delete'] : [])],
  })),
]

/** The rights of an uninstallation. */
export function uninstallRights(config: UninstallConfig): readonly Right[] {
  const { namespace, namespaces, leaseName, extraKinds } = config
  const leases = { group: 'coordination.k8s.io', resources: ['leases'] }
  return [
    ...rightsOf(
      [...workloads(extraKinds), ...(config.routes ? routing(config.routeKinds) : [])],
      namespaces,
    ),
    ...rightsOf(
      [
        { ...leases, verbs: ['get', 'update'], name: leaseName },
        { ...leases, verbs: ['create'] },
      ],
      [namespace],
    ),
  ]
}

// Settings from flags: those that every process of ours has, and a wrong one is one line that names it.

import { defined } from '#core/defined.ts'
import type { KindRef } from '#core/ref.ts'
import type { Flags } from './flags.ts'
import { kindsOf, routeKindsOf } from './kinds.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
/** How a flag says kinds. */
const KINDS = 'GROUP/VERSION/KIND=PLURAL with commas between'

/** The Lease of the controllers, unless a flag says another. */
export const LEASE_NAME = 'sluice-controller'

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where a program of ours runs, and what it is for. */
export interface PlaceConfig {
  readonly kubeconfig?: string
  /** Where a pod finds its ServiceAccount, if that is not the usual place. */
  readonly serviceAccountDir?: string
  /** Our own namespace. */
  readonly namespace: string
  /** The namespaces whose workloads are guarded; undefined: all. */
  readonly namespaces?: readonly string[]
  /** Kinds of a StatefulSet's shape that are released beside those that we know. */
  readonly extraKinds: readonly KindRef[]
}

/** What every process is told. */
export interface ProcessConfig extends PlaceConfig {
  /** Name of both webhook configurations. */
  readonly configuration: string
  /** False: our controller has no right to make Deployments for new pods, nor to delete them. */
  readonly makeDeployments: boolean
  readonly probesHost: string
  readonly probesPort: number
  readonly logLevel: string
  /** Requests are moved. False: a Rollout that asks for it is refused. */
  readonly routes: boolean
  /** Kinds beside those that we know by which they are moved. */
  readonly routeKinds: readonly KindRef[]
}

/** The flags that say where. */
export function placeFlags(env: Environment) {
  return {
    kubeconfig: {
      type: 'string',
      value: 'FILE',
      help: 'that of the cluster; else KUBECONFIG, the ServiceAccount of a pod, ~/.kube/config',
    },
    'service-account-dir': {
      type: 'string',
      value: 'DIR',
      help: 'where the ServiceAccount of the pod is, if not where Kubernetes puts it',
    },
    namespace: {
      type: 'string',
      default: env['POD_NAMESPACE'] ?? 'sluice-system',
      value: 'NAME',
      help: 'where its own objects are; POD_NAMESPACE says the same',
    },
    namespaces: {
      type: 'string',
      default: '',
      value: 'NAMES',
      help: 'the namespaces whose workloads are guarded, with commas between; all unless given',
    },
    'extra-kinds': {
      type: 'string',
      default: '',
      value: 'KINDS',
      help: `kinds of a StatefulSet's shape that are released, too, as ${KINDS}`,
    },
  } as const satisfies Flags
}

/** The flags of every process. */
export function processFlags(env: Environment) {
  return {
    ...placeFlags(env),
    configuration: {
      type: 'string',
      default: 'sluice',
      value: 'NAME',
      help: 'both webhook configurations',
    },
    'make-deployments': {
      type: 'string',
      default: 'yes',
      value: 'yes|no',
      help: 'whether the controller may make the second Deployment of the style canary',
    },
    'probes-host': {
      type: 'string',
      default: '0.0.0.0',
      value: 'ADDRESS',
      help: 'where /healthz, /readyz and /metrics are served',
    },
    'probes-port': { type: 'string', default: '8081', value: 'PORT', help: 'and on which port' },
    'log-level': {
      type: 'string',
      default: env['LOG_LEVEL'] ?? 'info',
      value: 'WORD',
      help: `${LOG_LEVELS.join(', ')}; LOG_LEVEL says the same`,
    },
    ...trafficFlags('no'),
  } as const satisfies Flags
}

/** The flags that say whether requests are moved, and by what. */
export function trafficFlags(moved: 'yes' | 'no') {
  return {
    traffic: {
      type: 'string',
      default: moved,
      value: 'yes|no',
      help: 'whether requests are moved with the pods',
    },
    'route-kinds': {
      type: 'string',
      default: '',
      value: 'KINDS',
      help: `and by objects of these kinds, too, as ${KINDS}`,
    },
  } as const satisfies Flags
}

/** What `parseArgs` makes of those flags. */
interface PlaceValues {
  readonly kubeconfig?: string | undefined
  readonly 'service-account-dir'?: string | undefined
  readonly namespace: string
  readonly namespaces: string
  readonly 'extra-kinds': string
}

interface ProcessValues extends PlaceValues {
  readonly configuration: string
  readonly 'make-deployments': string
  readonly 'probes-host': string
  readonly 'probes-port': string
  readonly 'log-level': string
  readonly traffic: string
  readonly 'route-kinds': string
}

/** The settings that the flags of a place say. */
export function placeConfig(values: PlaceValues): PlaceConfig {
  return defined({
    kubeconfig: values.kubeconfig,
    serviceAccountDir: values['service-account-dir'],
    namespace: objectName('--namespace', values.namespace),
    namespaces: listOf(values.namespaces)?.map(each => objectName('--namespaces', each)),
    extraKinds: kindsOf('--extra-kinds', values['extra-kinds']),
  })
}

/** The settings that the flags of a process say. */
export function processConfig(values: ProcessValues): ProcessConfig {
  return {
    ...placeConfig(values),
    configuration: objectName('--configuration', values.configuration),
    makeDeployments: yesOrNo('--make-deployments', values['make-deployments']),
    probesHost: values['probes-host'],
    probesPort: wholeNumber('--probes-port', values['probes-port']),
    logLevel: logLevelIn(values),
    ...routesIn(values),
  }
}

/** What that flag says. */
export function logLevelIn({ 'log-level': level }: Pick<ProcessValues, 'log-level'>): string {
  return oneOf('--log-level', level, LOG_LEVELS)
}

/** What those flags say. */
export function routesIn(
  values: Pick<ProcessValues, 'traffic' | 'route-kinds'>,
): Pick<ProcessConfig, 'routes' | 'routeKinds'> {
  return {
    routes: yesOrNo('--traffic', values.traffic),
    routeKinds: routeKindsOf('--route-kinds', values['route-kinds']),
  }
}

/** One of a few words. */
export function oneOf<const W extends string>(flag: string, text: string, words: readonly W[]): W {
  const found = words.find(word => word === text)
  if (found !== undefined) return found
  throw new Error(`${flag}: expected one of ${words.join(', ')}, got ${JSON.stringify(text)}`)
}

/** Whether something is to be. */
export function yesOrNo(flag: string, text: string): boolean {
  return oneOf(flag, text, ['yes', 'no']) === 'yes'
}

/** A name that an object in the cluster may have. */
export function objectName(flag: string, text: string): string {
  if (/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(text)) return text
  const wanted = 'the name of an object: lower-case letters, digits, "-" and "."'
  throw new Error(`${flag}: expected ${wanted}, got ${JSON.stringify(text)}`)
}

/** What stands between commas, each once; undefined where there is nothing. */
function listOf(text: string): readonly string[] | undefined {
  const found = new Set(text.split(',').filter(part => part !== ''))
  return found.size === 0 ? undefined : [...found]
}

/** A whole number in a range. */
export function wholeNumber(
  flag: string,
  text: string,
  { least = 0, most = 65_535 }: { readonly least?: number; readonly most?: number } = {},
): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new Error(`${flag}: expected a whole number from ${least} to ${most}, got ${text}`)
}

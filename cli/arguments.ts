// What can be said on the command line. What is not understood is named.

import { parseArgs } from 'node:util'

import { kindName } from '#core/commands.ts'
import { defined } from '#core/defined.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { deployment } from '#core/workload/deployment.ts'
import { adapters, adaptersWith } from '#core/workload/registry.ts'
import { kindsOf } from '#process/kinds.ts'
import type { NamedWorkload } from './eject.ts'

/** The command line makes no sense; the message names the word. */
export class UsageError extends Error {}

/** What was asked for. */
export type Command =
  | { readonly name: 'help' }
  | (Target & { readonly name: 'adopt'; readonly workload: string })
  | (Target & {
      readonly name: 'eject'
      /** One workload; undefined: all of the namespace, or of all namespaces. */
      readonly workload?: NamedWorkload
      /** The kinds that are released. */
      readonly adapters: readonly WorkloadAdapter[]
      readonly everywhere: boolean
      readonly dryRun: boolean
      readonly keepRollouts: boolean
      readonly withAborted: boolean
    })

interface Target {
  readonly kubeconfig?: string
  /** Undefined: that of the kubeconfig's context. */
  readonly namespace?: string
}

/** The answer to `sluice --help`. */
export const usage = `sluice eject [KIND/NAME] [-n NAMESPACE] [-A] [--dry-run] [--keep-rollouts] [--with-aborted]
    Gives workloads back to their owners, with nobody of Sluice alive or with all of it: the
    owner's values return, labels and annotations go, also from ReplicaSets, and that nothing
    is left is read back. The workload's own strategy finishes a release that was on its way.
      sluice eject deployment/web -n shop    this one
      sluice eject statefulset/db -n shop    this one
      sluice eject -n shop                   all in a namespace
      sluice eject --all-namespaces          all
    A Rollout would have its workload guarded again at once: while one names it, it is refused.
    Delete the Rollout first, or disable it (spec.disabled: true).
      --dry-run        says the same, and writes nothing
      --keep-rollouts  also where a Rollout names it: for when no controller runs any more
      --with-aborted   also where a release was aborted: the aborted version goes out then
      --extra-kinds    also kinds of your own that Sluice releases, as GROUP/VERSION/KIND=PLURAL

sluice adopt deployment/NAME [-n NAMESPACE]
    Proposes a Rollout from the live Deployment, its autoscaler, disruption budgets and probes:
    YAML on the standard output, for kubectl apply. Beside it, what would happen at the next edit.
    Writes nothing.

Both take --kubeconfig FILE; without it KUBECONFIG and ~/.kube/config count, and without -n the
namespace of the current context.
Exit code: 0 done, 1 failed or refused, 2 not understood.`

/** Reads the command line. Throws `UsageError`. */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  const [name, ...rest] = positionals
  if (values.help || name === undefined || name === 'help') {
    if (values.help || name === 'help') return { name: 'help' }
    throw new UsageError('no command: expected eject or adopt')
  }
  const [named, ...surplus] = rest
  if (surplus.length > 0) throw new UsageError(`${surplus[0]}: one workload at a time`)
  const { kubeconfig, namespace } = values
  const target = defined({ kubeconfig, namespace })
  if (name === 'eject') return { name, ...target, ...ejectOf(values, named) }
  if (name === 'adopt') return { name, ...target, workload: adoptOf(values, named) }
  throw new UsageError(`${name}: no such command: expected eject or adopt`)
}

type Values = ReturnType<typeof parse>['values']

function ejectOf(values: Values, named: string | undefined) {
  const everywhere = values['all-namespaces']
  const { namespace } = values
  if (everywhere && (namespace !== undefined || named !== undefined)) {
    throw new UsageError(`--all-namespaces: not together with ${named ?? '--namespace'}`)
  }
  if (!everywhere && namespace === undefined && named === undefined) {
    throw new UsageError('eject: which? Give KIND/NAME, --namespace or --all-namespaces')
  }
  const released = adaptersWith(extraKinds(values['extra-kinds']))
  const workload = named === undefined ? undefined : workloadNamed(named, released)
  const { 'dry-run': dryRun, 'keep-rollouts': keepRollouts, 'with-aborted': withAborted } = values
  const how = { everywhere, dryRun, keepRollouts, withAborted }
  return { ...defined({ workload }), adapters: released, ...how }
}

function extraKinds(text: string) {
  try {
    return kindsOf('--extra-kinds', text)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

const flagsOfEject = [
  'all-namespaces',
  'dry-run',
  'keep-rollouts',
  'with-aborted',
  'extra-kinds',
] as const

function adoptOf(values: Values, named: string | undefined): string {
  const foreign = flagsOfEject.find(it => values[it])
  if (foreign) throw new UsageError(`--${foreign}: adopt does not know it`)
  if (named === undefined) throw new UsageError('adopt: which? Give deployment/NAME')
  const { adapter, name } = workloadNamed(named, adapters)
  if (adapter.kind === deployment.kind) return name
  throw new UsageError(`${named}: adopt proposes Rollouts for Deployments alone: deployment/NAME`)
}

/** As kubectl names it: `deploy/web`, `deployment.apps/web`, `statefulsets.v1.apps/db`. */
function workloadNamed(named: string, released: readonly WorkloadAdapter[]): NamedWorkload {
  const [, kind = '', name] = /^([^/]+)\/([^/]+)$/.exec(named) ?? []
  if (!name) throw new UsageError(`${named}: expected KIND/NAME`)
  const adapter = released.find(each => namesOf(each).includes(kind.toLowerCase()))
  if (adapter) return { adapter, name }
  const known = released.map(kindName)
  throw new UsageError(`${named}: no kind that Sluice releases: expected ${known.join(' or ')}`)
}

/** Beside these kubectl knows whatever short names the API server tells. */
const shortNames: Readonly<Record<string, string>> = {
  deployments: 'deploy',
  statefulsets: 'sts',
  daemonsets: 'ds',
}

function namesOf({ apiVersion, kind, plural }: WorkloadAdapter): readonly string[] {
  const [group, version] = apiVersion.split('/')
  const names = [plural, kind.toLowerCase(), shortNames[plural]].filter(name => name !== undefined)
  return names.flatMap(name => [name, `${name}.${group}`, `${name}.${version}.${group}`])
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        kubeconfig: { type: 'string' },
        namespace: { type: 'string', short: 'n' },
        'all-namespaces': { type: 'boolean', short: 'A', default: false },
        'dry-run': { type: 'boolean', default: false },
        'keep-rollouts': { type: 'boolean', default: false },
        'with-aborted': { type: 'boolean', default: false },
        'extra-kinds': { type: 'string', default: '' },
      },
    })
  } catch (error) {
    // The rest of Node's sentence speaks of dashes in general.
    const [first = ''] = (error as Error).message.split(/\. |\n/)
    throw new UsageError(first, { cause: error })
  }
}

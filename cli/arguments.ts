// What can be said on the command line. What is not understood is named.

import { parseArgs } from 'node:util'

import { defined } from '#core/defined.ts'

/** The command line makes no sense; the message names the word. */
export class UsageError extends Error {}

/** What was asked for. */
export type Command =
  | { readonly name: 'help' }
  | (Target & { readonly name: 'adopt'; readonly workload: string })
  | (Target & {
      readonly name: 'eject'
      /** One Deployment; undefined: all of the namespace, or of all namespaces. */
      readonly workload?: string
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
export const usage = `sluice eject [deployment/NAME] [-n NAMESPACE] [-A] [--dry-run] [--keep-rollouts] [--with-aborted]
    Gives Deployments back to their owners, with nobody of Sluice alive or with all of it: the
    owner's values return, labels and annotations go, also from the ReplicaSets, and that nothing
    is left is read back. The Deployment's own strategy finishes a release that was on its way.
      sluice eject deployment/web -n shop    this one
      sluice eject -n shop                   all in a namespace
      sluice eject --all-namespaces          all
    A Rollout would have its Deployment guarded again at once: while one names it, it is refused.
    Delete the Rollout first, or disable it (spec.disabled: true).
      --dry-run        says the same, and writes nothing
      --keep-rollouts  also where a Rollout names it: for when no controller runs any more
      --with-aborted   also where a release was aborted: the aborted version goes out then

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
  if (surplus.length > 0) throw new UsageError(`${surplus[0]}: one Deployment at a time`)
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
    throw new UsageError('eject: which? Give deployment/NAME, --namespace or --all-namespaces')
  }
  const workload = named === undefined ? undefined : deploymentName(named)
  const { 'dry-run': dryRun, 'keep-rollouts': keepRollouts, 'with-aborted': withAborted } = values
  return { ...defined({ workload }), everywhere, dryRun, keepRollouts, withAborted }
}

const flagsOfEject = ['all-namespaces', 'dry-run', 'keep-rollouts', 'with-aborted'] as const

function adoptOf(values: Values, named: string | undefined): string {
  const foreign = flagsOfEject.find(it => values[it])
  if (foreign) throw new UsageError(`--${foreign}: adopt does not know it`)
  if (named === undefined) throw new UsageError('adopt: which? Give deployment/NAME')
  return deploymentName(named)
}

/** As kubectl names it: `deploy/web`, `deployment.apps/web`. */
function deploymentName(named: string): string {
  const [, kind, name] = /^([^/]+)\/([^/]+)$/.exec(named) ?? []
  if (!kind || !name) throw new UsageError(`${named}: expected deployment/NAME`)
  const known = ['deploy', 'deployment', 'deployments', 'deployment.apps', 'deployments.apps']
  if (!known.includes(kind)) {
    throw new UsageError(`${named}: only Deployments can be named here: deployment/NAME`)
  }
  return name
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
      },
    })
  } catch (error) {
    // The rest of Node's sentence speaks of dashes in general.
    const [first = ''] = (error as Error).message.split(/\. |\n/)
    throw new UsageError(first, { cause: error })
  }
}

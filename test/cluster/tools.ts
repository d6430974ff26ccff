// The tools by which people bring a Deployment with a manifest or a chart. Each brings it, and brings
// it again, in its own way; all ways must come to the same.

import { fileURLToPath } from 'node:url'

import type { KubeObject } from '#api/kubernetes.ts'
import { helm, helm3, kubectl } from './commands.ts'
import type { CommandOptions, CommandResult, CommandTarget } from './commands.ts'
import { typeOf, WORKLOAD, workloadOf } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'

/** What is brought: the workload of the stories. */
export interface Brought extends Pick<StoryOptions, 'kind' | 'pod'> {
  readonly namespace: string
  readonly image: string
  readonly replicas: number
  /** Fields of the spec that the manifest names beside template and replicas. */
  readonly spec: Readonly<Record<string, unknown>>
}

/** One way to bring a Deployment. */
export interface Tool {
  readonly install: (what: Brought) => Promise<CommandResult>
  /** Brings it again, with whatever differs. */
  readonly bring: (what: Brought, options?: CommandOptions) => Promise<CommandResult>
  /** Goes back to what was installed. */
  readonly goBack: (what: Brought) => Promise<CommandResult>
}

/** What manifests name that name every field by which a Deployment is held. */
export const MANIFEST_SPEC = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '30%', maxSurge: 2 } },
  minReadySeconds: 1,
  // Longer than anything stands still in a test, and not the default.
  progressDeadlineSeconds: 590,
}

/** `kubectl <args> -f -`; `first`: the arguments that create. */
export function manifestTool(
  target: CommandTarget,
  args: readonly string[],
  first: readonly string[] = args,
): Tool {
  const write = async (
    how: readonly string[],
    what: Brought,
    options: CommandOptions = {},
  ): Promise<CommandResult> => {
    const input = JSON.stringify(manifestOf(what))
    try {
      return await kubectl(target, [...how, '-f', '-'], { ...options, input })
    } catch (error) {
      // `replace` reads, and writes what it has read: somebody may have written in between.
      if (how[0] !== 'replace' || !String(error).includes('has been modified')) throw error
      return write(how, what, options)
    }
  }
  return {
    install: what => write(first, what),
    bring: (what, options) => write(args, what, options),
    goBack: what => write(args, what),
  }
}

/** Helm with the chart of these tests; `flags`: of an upgrade. */
export function helmTool(
  target: CommandTarget,
  version: 3 | 4,
  flags: readonly string[] = [],
): Tool {
  const run = version === 4 ? helm : helm3
  const command = (what: Brought, args: readonly string[], options?: CommandOptions) =>
    run(target, ['--namespace', what.namespace, ...args], options)
  return {
    install: what => command(what, ['install', WORKLOAD, chart, ...values(what)]),
    bring: (what, options) =>
      command(what, ['upgrade', WORKLOAD, chart, ...values(what), ...flags], options),
    goBack: what => command(what, ['rollback', WORKLOAD, '1']),
  }
}

function manifestOf({ namespace, ...options }: Brought): KubeObject {
  return workloadOf(namespace, options)
}

function values({ image, replicas, spec, pod = {}, ...what }: Brought): readonly string[] {
  const { apiVersion, kind } = typeOf(what.kind)
  const set = `apiVersion=${apiVersion},kind=${kind},image=${image},replicas=${replicas}`
  const [podText, specText] = [pod, spec].map(each => JSON.stringify(each))
  return ['--set', set, '--set-json', `pod=${podText}`, '--set-json', `spec=${specText}`]
}

const chart = fileURLToPath(new URL('./charts/web', import.meta.url))

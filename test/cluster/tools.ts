// The tools by which people bring a Deployment whose manifest names every field by which it is held.
// Each brings it, and brings it again, in its own way; all ways must come to the same.

import { fileURLToPath } from 'node:url'

import { kubectl, helm, helm3 } from './commands.ts'
import type { CommandResult, CommandTarget } from './commands.ts'
import { WORKLOAD, deploymentOf } from './manifests.ts'

/** One way to bring a Deployment. */
export interface Tool {
  /** Brings the Deployment with image `app:1`. */
  readonly install: (namespace: string) => Promise<CommandResult>
  /** Brings the same manifest with this image. */
  readonly bring: (namespace: string, image: string) => Promise<CommandResult>
  /** Goes back to what was installed. */
  readonly goBack: (namespace: string) => Promise<CommandResult>
  /**
   * It takes away the annotations that its manifest does not name, the controller-manager's too:
   * that alone makes a new generation, of any Deployment.
   */
  readonly dropsAnnotations?: boolean
}

/** What the manifests of all tools name. */
export const MANIFEST_SPEC = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '30%', maxSurge: 2 } },
  minReadySeconds: 1,
  progressDeadlineSeconds: 120,
}

/** The manifest of the Deployment, as text for `-f -`. */
export function manifestOf(namespace: string, image: string): string {
  return JSON.stringify(deploymentOf(namespace, { image, spec: MANIFEST_SPEC }))
}

/** A tool that writes with `kubectl <args> -f -`; `first`: the arguments that create. */
export function manifestTool(
  target: CommandTarget,
  args: readonly string[],
  how: { readonly first?: readonly string[]; readonly dropsAnnotations?: boolean } = {},
): Tool {
  const write = (how: readonly string[], namespace: string, image: string) =>
    kubectl(target, [...how, '-f', '-'], { input: manifestOf(namespace, image) })
  return {
    ...(how.dropsAnnotations && { dropsAnnotations: true }),
    install: namespace => write(how.first ?? args, namespace, 'app:1'),
    bring: (namespace, image) => write(args, namespace, image),
    goBack: namespace => write(args, namespace, 'app:1'),
  }
}

/** Helm with the chart of these tests. */
export function helmTool(target: CommandTarget, version: 3 | 4): Tool {
  const run = version === 4 ? helm : helm3
  const command = (namespace: string, args: readonly string[]) =>
    run(target, ['--namespace', namespace, ...args])
  return {
    install: namespace => command(namespace, ['install', WORKLOAD, chart]),
    bring: (namespace, image) =>
      command(namespace, ['upgrade', WORKLOAD, chart, '--set', `image=${image}`]),
    goBack: namespace => command(namespace, ['rollback', WORKLOAD, '1']),
  }
}

const chart = fileURLToPath(new URL('./charts/web', import.meta.url))

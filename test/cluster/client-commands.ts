// The clients of the table: what each of them writes, and the very command by which it does.

import type { KubeObject } from '#api/kubernetes.ts'
import { resource } from '#kube/resources.ts'
import { FEWER, MORE } from './client-table.ts'
import type { Client, Version, Write } from './client-table.ts'
import { revisionOf, standing } from './client-stage.ts'
import type { Stage } from './client-stage.ts'
import type { CommandOptions, CommandResult } from './commands.ts'
import { WORKLOAD } from './manifests.ts'
import { helmTool, manifestTool } from './tools.ts'

/** A client, and how it writes. */
export interface Command extends Client {
  /** `version`: what the template is to be. Ends as `options` expect it to. */
  readonly run: (stage: Stage, version: Version, options: CommandOptions) => Promise<CommandResult>
}

const target = `deployment/${WORKLOAD}`
const strategy = {
  type: 'RollingUpdate',
  rollingUpdate: { maxUnavailable: '50%', maxSurge: '50%' },
}

/** The strategy that a client writes who writes one. */
export const OTHER_STRATEGY = strategy

type Args = (stage: Stage, version: Version) => readonly string[] | Promise<readonly string[]>

function kubectl(args: Args): Command['run'] {
  return async (stage, version, options) =>
    stage.story.kubectl(await args(stage, version), { ...longEnough, ...options })
}

const longEnough = { timeoutMs: 300_000 }

/** One client with each of the templates that it can write. */
function each(
  templates: readonly NonNullable<Write['template']>[],
  client: Omit<Command, 'writes'>,
): readonly Command[] {
  return templates.map(template => {
    const words = { new: 'a new version', same: 'again', stable: 'the stable version' }
    const what = words[template as keyof typeof words]
    return { ...client, name: `${client.name}, ${what}`, writes: { template } }
  })
}

const all = ['same', 'new', 'stable'] as const

const editors: readonly Command[] = [
  ...each(all, {
    name: 'kubectl patch',
    brings: 'nobody',
    manager: 'kubectl-patch',
    run: kubectl((stage, version) => ['patch', target, '-p', templatePatch(stage, version)]),
  }),
  ...each(all, {
    name: 'kubectl set image',
    brings: 'nobody',
    manager: 'kubectl-set',
    turn: 0,
    run: kubectl(({ image }, version) => ['set', 'image', target, `app=${image(version)}`]),
  }),
  ...each(all, {
    name: 'kubectl edit',
    brings: 'nobody',
    manager: 'kubectl-edit',
    turn: 1,
    run: (stage, version, options) => {
      const change = `s/${stage.image(standing(stage).live)}/${stage.image(version)}/`
      const env = { KUBE_EDITOR: `sed -i ${change}` }
      return stage.story.kubectl(['edit', target], { ...options, env })
    },
  }),
  {
    name: 'kubectl patch, another strategy',
    brings: 'nobody',
    manager: 'kubectl-patch',
    writes: { strategy: true },
    run: kubectl(() => ['patch', target, '-p', JSON.stringify({ spec: { strategy } })]),
  },
]

const owners: readonly Command[] = [
  ...each(all, { ...owner('replace', 'kubectl replace', 'kubectl-replace'), whole: true }),
  ...each(all, owner('apply', 'kubectl apply', 'kubectl-client-side-apply')),
  ...each(all, owner('serverSide', 'kubectl apply --server-side', 'kubectl')),
  {
    ...owner('serverSide', 'kubectl diff', 'kubectl'),
    writes: { template: 'same' },
    run: noDrift,
  },
  ...each(['same', 'new'], owner('helm3', 'Helm 3 upgrade', 'helm')),
  ...each(['same', 'new'], owner('helm4', 'Helm 4 upgrade', 'helm')),
  ...each(['stable'], rollback('helm3', 'Helm 3 rollback')),
  ...each(['stable'], rollback('helm4', 'Helm 4 rollback')),
  {
    ...owner('helm4', 'Helm 4 upgrade, another strategy', 'helm'),
    writes: { strategy: true },
    run: ({ tool, what }, version, options) => {
      const { spec, ...rest } = what(version)
      return tool.bring({ ...rest, spec: { ...spec, strategy } }, options)
    },
  },
]

const seconds: readonly Command[] = [
  ...each(['same', 'new'], {
    ...second('a second manager, server-side', []),
    second: true,
  }),
  ...each(
    ['same', 'new'],
    second('a second manager, server-side, by force', ['--force-conflicts']),
  ),
]

const rollouts: readonly Command[] = [
  {
    name: 'kubectl rollout restart',
    brings: 'nobody',
    manager: 'kubectl-rollout',
    writes: { template: 'new' },
    restarts: true,
    refusesPaused: true,
    run: kubectl(() => ['rollout', 'restart', target]),
  },
  {
    ...undo('kubectl rollout undo', () => []),
    writes: { template: 'previous' },
  },
  {
    ...undo('kubectl rollout undo, to the stable version', async stage => [
      `--to-revision=${await revisionOf(stage, 'stable')}`,
    ]),
    writes: { template: 'stable' },
  },
  {
    ...undo('kubectl rollout undo, to a version released earlier', async stage => [
      `--to-revision=${await revisionOf(stage, 'earlier')}`,
    ]),
    writes: { template: 'earlier' },
  },
  {
    name: 'kubectl rollout pause',
    brings: 'nobody',
    manager: 'kubectl-rollout',
    writes: { paused: true },
    run: kubectl(() => ['rollout', 'pause', target]),
  },
  {
    name: 'kubectl rollout resume',
    brings: 'nobody',
    manager: 'kubectl-rollout',
    writes: { paused: false },
    run: kubectl(() => ['rollout', 'resume', target]),
  },
]

const scalers: readonly Command[] = [
  {
    name: 'kubectl scale',
    brings: 'nobody',
    manager: 'kubectl-scale',
    writes: { replicas: MORE },
    run: kubectl(() => ['scale', target, `--replicas=${MORE}`]),
  },
  autoscaler('an autoscaler, by minReplicas', MORE, { minReplicas: MORE, maxReplicas: 2 * MORE }),
  autoscaler('an autoscaler, by maxReplicas', FEWER, { minReplicas: 1, maxReplicas: FEWER }),
]

const waiting: readonly Command[] = [
  waiter('helm4', 'Helm 4 upgrade --wait', ['--wait']),
  { ...waiter('helm3', 'Helm 3 upgrade --wait', ['--wait']), turn: 0 },
  // It cannot roll back what it never hears of: that an aborted release has failed.
  { ...waiter('helm3', 'Helm 3 upgrade --atomic', ['--atomic']), turn: 1 },
  {
    ...waiter('helm4', 'Helm 4 upgrade --rollback-on-failure', ['--rollback-on-failure']),
    waits: 'rollback',
  },
]

/** All of them. */
export const commands: readonly Command[] = [
  ...editors,
  ...owners,
  ...seconds,
  ...rollouts,
  ...scalers,
  ...waiting,
]

type Base = Omit<Command, 'writes'>

function owner(brings: Command['brings'], name: string, manager: string): Base {
  const run: Command['run'] = ({ tool, what }, version, options) =>
    tool.bring(what(version), options)
  return { name, brings, manager, run }
}

/** It prints what it would change, and the status of a moment ago, which comes to rest. */
async function noDrift({ story, world, what }: Stage, version: Version): Promise<CommandResult> {
  // A manager of its own asks: what others own is shown as taken, and that must be no change.
  const args = ['diff', '--server-side', '--force-conflicts', '--field-manager=reader']
  const asked = () =>
    manifestTool(world.cluster, args)
      .bring(what(version))
      .catch(() => undefined)
  let answer: CommandResult | undefined
  await story.until('kubectl diff to show nothing', async () => {
    answer = await asked()
    return answer?.stdout === ''
  })
  return answer!
}

function rollback(brings: 'helm3' | 'helm4', name: string): Base {
  const run: Command['run'] = ({ tool, what }) => tool.goBack(what('stable'))
  return { name, brings, manager: 'helm', run }
}

function second(name: string, flags: readonly string[]): Base {
  const manager = 'argocd-controller'
  const args = ['apply', '--server-side', `--field-manager=${manager}`, ...flags]
  const run: Command['run'] = ({ world, what }, version, options) =>
    manifestTool(world.cluster, args).bring(what(version), options)
  return { name, brings: 'serverSide', manager, run }
}

function undo(
  name: string,
  flags: (stage: Stage) => readonly string[] | Promise<readonly string[]>,
): Base {
  const run = kubectl(async stage => ['rollout', 'undo', target, ...(await flags(stage))])
  return { name, brings: 'history', manager: 'kubectl', refusesPaused: true, run }
}

function waiter(brings: 'helm3' | 'helm4', name: string, flags: readonly string[]): Command {
  const run: Command['run'] = ({ world, what }, version, options) => {
    const tool = helmTool(world.cluster, brings === 'helm3' ? 3 : 4, [...flags, '--timeout=280s'])
    return tool.bring(what(version), { ...longEnough, ...options })
  }
  return { name, brings, manager: 'helm', waits: brings, writes: { template: 'new' }, run }
}

function templatePatch({ image }: Stage, version: Version): string {
  const containers = [{ name: 'app', image: image(version) }]
  return JSON.stringify({ spec: { template: { spec: { containers } } } })
}

const AUTOSCALERS = resource(
  'autoscaling/v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
)

interface Bounds {
  readonly minReplicas: number
  readonly maxReplicas: number
}

/** Without metrics it keeps to its bounds, which is enough to scale. */
function autoscaler(name: string, replicas: number, bounds: Bounds): Command {
  const run: Command['run'] = async ({ story }) => {
    await story.client.create(AUTOSCALERS, autoscalerIn(story.namespace, bounds))
    const scaled = async () => (await story.deployment()).spec.replicas === replicas
    await story.until('the autoscaler to scale', scaled)
    return { code: 0, stdout: '', stderr: '' }
  }
  return { name, brings: 'nobody', manager: 'kube-controller-manager', writes: { replicas }, run }
}

function autoscalerIn(namespace: string, bounds: Bounds): KubeObject {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: WORKLOAD }
  const target = { type: 'Utilization', averageUtilization: 80 }
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  const spec = { scaleTargetRef, ...bounds, metrics }
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { namespace, name: WORKLOAD },
    spec,
  } as KubeObject
}

// The place of one history: a workload and its Rollout in a namespace of their own, all of it recorded.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { NAMESPACES, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { State } from './chronicle-facts.ts'
import type { Chronicle } from './chronicle.ts'
import type { CommandTarget } from './commands.ts'
import { plans } from './history-acts.ts'
import type { Scene } from './history-acts.ts'
import { isRight, lineOf } from './history-facts.ts'
import { deployments } from './history-kinds.ts'
import type { HistoryKind, Specified } from './history-kinds.ts'
import { nodesOf } from './history-nodes.ts'
import { workloadOf, rolloutOf } from './manifests.ts'

/** Where histories happen. */
export interface Stage {
  readonly cluster: CommandTarget
  readonly client: KubeClient
  readonly chronicle: Chronicle
  /** Hears of each thing that happens. */
  readonly acted?: () => void
  /** How long anything may take that is sure to come, in milliseconds; two minutes unless given. */
  readonly patienceMs?: number
}

/** What a history begins with; strategy and plan by their place in the lists. */
export interface Start {
  readonly replicas: number
  readonly strategy: number
  readonly minReadySeconds: number
  readonly plan: number
  readonly revisionHistoryLimit: number
  /** Deployments unless given. */
  readonly kind?: HistoryKind
}

/** Makes the namespace, and waits until the workload is there and guarded. */
export async function createScene(
  { cluster, client, chronicle, acted = () => {}, patienceMs = 120_000 }: Stage,
  namespace: string,
  start: Start,
): Promise<Scene> {
  const { replicas, minReadySeconds, revisionHistoryLimit, kind = deployments } = start
  const strategy = kind.strategies[start.strategy]!
  const metadata = { name: namespace }
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
  const nodes = kind.onNodes && (await nodesOf(client, replicas))
  const spec = { ...strategy, minReadySeconds, revisionHistoryLimit }
  const steps = plans[start.plan]!.map(step => ({ ...step }))
  const options = {
    kind: kind.type,
    replicas,
    image: 'app:v1',
    spec,
    steps,
    ...kind.released,
    ...(nodes && { pod: nodes.placement }),
  }
  const create = (type: ResourceType, object: KubeObject) =>
    client.create(type, object, { fieldManager: 'kubectl-create' })
  const workload = await create(kind.type, workloadOf(namespace, options))
  await create(ROLLOUTS as ResourceType, rolloutOf(namespace, options))
  const scene: Scene = {
    kind,
    cluster,
    client,
    namespace,
    chronicle: chronicle.place(namespace),
    log: [],
    wishes: [{ since: 0n, strategy }],
    wanted: (workload as KubeObject & Specified).spec,
    ...(nodes && { nodes }),
    killed: new Set(),
    acted,
    patienceMs,
  }
  await comes(scene, 'it begins', state => isRight(state) && state.workload!.guarded)
  return scene
}

/** Waits for the fact. Throws what was expected, and all states so far, where it does not come. */
export async function comes(
  { chronicle, patienceMs }: Scene,
  expected: string,
  fact: (state: State) => boolean,
): Promise<void> {
  if (await chronicle.comes(fact, patienceMs)) return
  const lines = chronicle.states().map(lineOf)
  throw new Error(`expected: ${expected}, which did not come\n${lines.join('\n')}`)
}

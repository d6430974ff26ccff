// The stage of the demo: commands are printed before they run, the cluster is watched while the story
// goes on, and what is claimed is read from the API server.

import { createInterface } from 'node:readline/promises'

import type { Deployment, Pod, ReplicaSet } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { seePod, seeReplicaSet } from '#core/workload/seen.ts'
import type { PodSeen, ReplicaSetSeen } from '#core/workload/seen.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import { DEPLOYMENTS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { commandEnvironment, kubectl } from '../test/cluster/commands.ts'
import type { CommandTarget } from '../test/cluster/commands.ts'

/** Pods of one Deployment at one moment. */
export interface Pods {
  readonly ready: number
  /** Ready pods of one version, by the variable `VERSION`. */
  readonly readyOf: (version: string) => number
}

/** What the story needs. */
export interface Stage {
  readonly say: (line?: string) => void
  /** Prints a command, runs it, prints what it says. */
  readonly run: (...args: readonly string[]) => Promise<void>
  /** Asks the reader to go on; answers itself where nobody can. */
  readonly ask: (question: string) => Promise<void>
  readonly rollout: () => Promise<Rollout>
  readonly deployment: () => Promise<Deployment>
  /** Waits until the fact is there. Throws what was expected when it does not come. */
  readonly until: (expected: string, fact: () => Promise<boolean>) => Promise<void>
  readonly pods: () => Pods
  /** The fewest Ready pods since the last call. */
  readonly fewestReady: () => number
  /** The most pods that each ReplicaSet has had, by its `VERSION`. */
  readonly mostPods: (version: string) => number
}

/** With what a stage is made. */
export interface StageOptions {
  readonly cluster: CommandTarget
  readonly client: KubeClient
  readonly interactive: boolean
  readonly stop: AbortSignal
}

const name = { namespace: 'default', name: 'workload-demo' }
const rolloutName = { namespace: 'default', name: 'rollouts-demo' }
const patienceMs = 120_000

/** Makes the stage and begins to watch. */
export async function createStage(options: StageOptions): Promise<Stage> {
  const { cluster, client, interactive, stop } = options
  const say = (line = '') => void process.stdout.write(`${line}\n`)
  const watched = await watch(client, stop)
  return {
    say,
    async run(...args) {
      say(`\n$ kubectl ${args.map(quoted).join(' ')}`)
      const env = commandEnvironment(cluster)
      const { stdout, stderr } = await kubectl(cluster, args, { env })
      process.stdout.write(indented(stderr) + indented(stdout))
    },
    async ask(question) {
      if (!interactive) return
      const lines = createInterface({ input: process.stdin, output: process.stdout })
      await lines.question(`\n${question} [Enter] `, { signal: stop })
      lines.close()
    },
    rollout: () => client.get(ROLLOUTS as ResourceType<Rollout>, rolloutName),
    deployment: () => client.get(DEPLOYMENTS, name),
    async until(expected, fact) {
      const end = Date.now() + patienceMs
      while (!(await fact())) {
        if (Date.now() > end) throw new Error(`expected ${expected}, which did not come`)
        stop.throwIfAborted()
        await watched.changed()
      }
    },
    ...watched,
  }
}

interface VersionedSet extends ReplicaSetSeen {
  readonly version: string
}

async function watch(client: KubeClient, stop: AbortSignal) {
  const sets = new Cache<VersionedSet>()
  const pods = new Cache<PodSeen>()
  const scope = { client, namespace: name.namespace, labelSelector: 'app=demo' }
  const projectSet = (set: ReplicaSet) => ({ ...seeReplicaSet(set), version: versionOf(set) })
  const reflectors = [
    new Reflector<ReplicaSet, VersionedSet>({
      ...scope,
      type: REPLICA_SETS,
      cache: sets,
      project: projectSet,
    }),
    new Reflector<Pod, PodSeen>({ ...scope, type: PODS, cache: pods, project: seePod }),
  ]
  for (const reflector of reflectors) void reflector.run(stop)
  await Promise.all([sets.synced, pods.synced])

  let fewest = Infinity
  const most = new Map<string, number>()
  const look = (): Pods => {
    const ready = pods.list().filter(pod => !pod.terminating && pod.readySince !== undefined)
    const versions = new Map(sets.list().map(set => [set.metadata.uid, set.version]))
    const readyOf = (version: string) =>
      ready.filter(pod => versions.get(pod.ownerUid) === version).length
    return { ready: ready.length, readyOf }
  }
  const note = () => {
    fewest = Math.min(fewest, look().ready)
    for (const { version, replicas } of sets.list()) {
      most.set(version, Math.max(most.get(version) ?? 0, replicas))
    }
  }
  pods.onChange(note)
  sets.onChange(note)
  return {
    pods: look,
    fewestReady: () => {
      const seen = fewest
      fewest = look().ready
      return seen
    },
    mostPods: (version: string) => most.get(version) ?? 0,
    // A change of anything that is watched, or a moment for what is not.
    changed: () => new Promise<void>(resolve => void setTimeout(resolve, 50)),
  }
}

function versionOf(set: ReplicaSet): string {
  const containers = (set.spec.template.spec?.['containers'] ?? []) as readonly {
    readonly env?: readonly { readonly name: string; readonly value: string }[]
  }[]
  const env = containers.flatMap(container => container.env ?? [])
  return env.find(variable => variable.name === 'VERSION')?.value ?? ''
}

function quoted(arg: string): string {
  return /^[\w./:=,-]+$/.test(arg) ? arg : `'${arg}'`
}

function indented(text: string): string {
  return text === '' ? '' : `${text.trimEnd().replaceAll(/^/gm, '  ')}\n`
}

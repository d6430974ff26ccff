// One workload of any kind, watched: which version each of its pods runs, and when its controller, real or
// a stand-in, has come to rest, which is a fact and not a while.

import type { KubeObject, PodTemplate } from '#api/kubernetes.ts'
import { equalJson } from '#core/equal.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import type { Page } from '#kube/requests.ts'
import { NAMESPACES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { knows, untilSeen } from '../cache-facts.ts'
import { kubectl } from '../commands.ts'
import type { CommandOptions, CommandResult, CommandTarget } from '../commands.ts'
import { isReady, isTerminating, revisionOfPod } from './pods.ts'
import { PLACED_PODS, REVISIONS } from './resources.ts'
import type { ControllerRevision, PlacedPod } from './resources.ts'

/** The name of the workload. */
export const NAME = 'web'

/** What a scene begins with. */
export interface SceneOptions {
  /** Merged into the workload's spec. */
  readonly spec?: Readonly<Record<string, unknown>>
  /** Merged into the spec of its pods. */
  readonly pod?: Readonly<Record<string, unknown>>
  /** The pods are told in the order of their nodes. */
  readonly byNode?: boolean
}

/** A workload, and what is done to it. */
export interface Scene {
  readonly namespace: string
  /** Sets the image: `app:2`; one with `broken` in it never gets Ready. */
  readonly edit: (image: string) => Promise<void>
  readonly patch: (spec: object) => Promise<void>
  /** By the scale subresource. */
  readonly scale: (replicas: number) => Promise<void>
  /** Deletes pods and waits until they are gone. */
  readonly kill: (...names: readonly string[]) => Promise<void>
  readonly kubectl: (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>
  /** Those that nobody has asked to go, in the order of `line`. */
  readonly pods: () => readonly PlacedPod[]
  /**
   * The version of each pod, as in `1 1 2 2!`; `!`: not Ready. In the order of ordinals, or of nodes where
   * that is asked for, else of versions.
   */
  readonly line: () => string
  /** Waits for that line, however the controller goes on from it. */
  readonly shows: (line: string) => Promise<void>
  /** Waits until the controller has nothing more to do, and gives the line. */
  readonly rest: () => Promise<string>
  readonly status: () => Readonly<Record<string, unknown>>
  /** The versions that `currentRevision` and `updateRevision` stand for, as in `1 2`. */
  readonly revisions: () => string
  /** The ControllerRevisions, oldest first. */
  readonly history: () => readonly ControllerRevision[]
  readonly until: (expected: string, fact: () => boolean) => Promise<void>
  /** The fewest Ready pods of any moment since `forget`. */
  readonly fewest: () => number
  /** The most pods of any moment since `forget`. */
  readonly most: () => number
  readonly forget: () => void
  readonly close: () => void
}

/** Where a scene plays. */
export interface Stage {
  readonly client: KubeClient
  readonly cluster: CommandTarget
  /** Waits until the controller knows the pods of a namespace as they were listed, or later. */
  readonly know: (namespace: string, listed: Page<KubeObject>) => Promise<void>
}

/** Any workload, as it is stored. */
interface Stored extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly template: PodTemplate
    readonly revisionHistoryLimit?: number
  }
  readonly status?: Readonly<Record<string, unknown>>
}

/** Makes a workload in a namespace of its own, and waits until it has its pods. */
export async function startScene(
  stage: Stage,
  kind: ResourceType,
  options: SceneOptions = {},
): Promise<Scene> {
  const { client, cluster } = stage
  const type = kind as ResourceType<Stored>
  const namespace = `scene-${Math.random().toString(36).slice(2, 8)}`
  const metadata = { name: namespace }
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
  await client.create(type, workloadOf(type, namespace, options))
  const watched = await watch(client, type, { namespace, byNode: options.byNode ?? false })
  const ref = { namespace, name: NAME }
  const patch: Scene['patch'] = async spec => {
    const { metadata: written } = await client.mergePatch(type, ref, { spec })
    const { generation = 0 } = written
    await watched.until(`generation ${generation}`, () => watched.generation() >= generation)
  }
  const scene: Scene = {
    namespace,
    edit: image => patch({ template: { spec: { containers: [{ name: 'app', image }] } } }),
    patch,
    async scale(replicas) {
      const scaled = { spec: { replicas } }
      await client.mergePatch(type, ref, scaled, { subresource: 'scale' })
      await watched.until(`size ${replicas}`, () => watched.workload().spec.replicas === replicas)
    },
    async kill(...names) {
      await Promise.all(
        names.map(async name => {
          const uid = watched.uidOf(name)
          await client.remove(PLACED_PODS, { namespace, name }, uid === undefined ? {} : { uid })
          await watched.until(`pod ${name} is gone`, () => watched.uidOf(name) !== uid)
        }),
      )
    },
    kubectl: (args, more) => kubectl(cluster, ['-n', namespace, ...args], more),
    ...watched,
    shows: line => watched.until(line, () => watched.line() === line),
    async rest() {
      for (;;) {
        await watched.until('rest', watched.isStill)
        const before = versionsOf(watched.all())
        await stage.know(namespace, await client.listAll(PLACED_PODS, { namespace }))
        // What is no business of pods, but a reason to look at them once more.
        const { revisionHistoryLimit = 10 } = watched.workload().spec
        await patch({ revisionHistoryLimit: revisionHistoryLimit + 1 })
        await watched.until('rest', watched.isStill)
        // A controller tells its status after its deeds, but each comes to us by a watch of its own.
        const { items } = await client.listAll(PLACED_PODS, { namespace })
        if (versionsOf(items) !== before) continue
        await watched.knowsRevisions()
        return watched.line()
      }
    },
  }
  const size = () => watched.workload().spec.replicas ?? watched.status()['desiredNumberScheduled']
  await watched.until('all pods', () => watched.isStill() && watched.pods().length === size())
  watched.forget()
  return scene
}

function workloadOf(
  { apiVersion, kind }: ResourceType,
  namespace: string,
  { spec = {}, pod = {} }: SceneOptions,
): KubeObject {
  const labels = { app: NAME }
  const containers = [{ name: 'app', image: 'app:1' }]
  return {
    apiVersion,
    kind,
    metadata: { namespace, name: NAME },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...pod, containers } },
      ...spec,
    },
  } as KubeObject
}

async function watch(
  client: KubeClient,
  type: ResourceType<Stored>,
  { namespace, byNode }: { readonly namespace: string; readonly byNode: boolean },
) {
  const workloads = new Cache<Stored>()
  const all = new Cache<PlacedPod>()
  const revisions = new Cache<ControllerRevision>()
  const whole = <T>(object: T) => object
  const scope = { client, namespace }
  const reflectors = [
    new Reflector({ ...scope, type, cache: workloads, project: whole }),
    new Reflector({ ...scope, type: PLACED_PODS, cache: all, project: whole }),
    new Reflector({ ...scope, type: REVISIONS, cache: revisions, project: whole }),
  ]
  const forever = new AbortController()
  for (const reflector of reflectors) void reflector.run(forever.signal)
  await Promise.all([workloads.synced, all.synced, revisions.synced])
  const workload = () => workloads.get(namespace, NAME)!
  const place = byNode ? nodeOf : placeOf
  const pods = () =>
    all
      .list()
      .filter(pod => !isTerminating(pod))
      .toSorted((a, b) => (place(a) < place(b) ? -1 : 1))
  const line = () => pods().map(wordOf).join(' ')
  const status = () => workload().status ?? {}
  const generation = () => workload().metadata.generation ?? 0
  const imageOf = (revision: unknown) =>
    tagOf(revisions.get(namespace, String(revision))?.data.spec.template.spec)
  const until: Scene['until'] = (expected, fact) => {
    const standing = () =>
      `${type.kind}: expected ${expected}; pods ${line()}; ${JSON.stringify(status())}`
    return untilSeen([workloads, all, revisions], fact, standing)
  }
  let moments: { readonly ready: number; readonly all: number }[] = []
  all.onChange(
    () => void moments.push({ ready: pods().filter(isReady).length, all: pods().length }),
  )
  return {
    workload,
    generation,
    pods,
    line,
    status,
    until,
    uidOf: (name: string) => all.get(namespace, name)?.metadata.uid,
    revisions: () =>
      [status()['currentRevision'], status()['updateRevision']].map(imageOf).join(' '),
    history: () => revisions.list().toSorted((a, b) => a.revision - b.revision),
    knowsRevisions: async () =>
      knows(revisions, namespace, await client.listAll(REVISIONS, { namespace })),
    all: () => all.list(),
    isStill: () => all.list().every(pod => !isTerminating(pod)) && isCounted(workload(), pods()),
    fewest: () => Math.min(...moments.map(({ ready }) => ready)),
    most: () => Math.max(...moments.map(each => each.all)),
    forget: () => void (moments = [{ ready: pods().filter(isReady).length, all: pods().length }]),
    close: () => forever.abort(),
  }
}

/** Which pods these are, and in which versions. */
function versionsOf(pods: readonly KubeObject[]): string {
  const versions = pods.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
  return versions.toSorted().join()
}

/** The controller has seen the workload and its pods as they are, and each pod is what it will be. */
function isCounted({ metadata, status = {} }: Stored, pods: readonly PlacedPod[]): boolean {
  if (status['observedGeneration'] !== metadata.generation) return false
  if (pods.some(pod => !isReady(pod) && !pod.spec?.containers[0]?.image.includes('broken')))
    return false
  const ready = pods.filter(isReady)
  if (status['desiredNumberScheduled'] === undefined) {
    const updated = pods.filter(pod => revisionOfPod(pod) === status['updateRevision'])
    const counts = ['replicas', 'readyReplicas', 'updatedReplicas'].map(name => status[name] ?? 0)
    return equalJson(counts, [pods.length, ready.length, updated.length])
  }
  const nodesOf = (some: readonly PlacedPod[]) => new Set(some.map(({ spec }) => spec?.nodeName))
  const waiting = nodesOf(pods.filter(pod => !isReady(pod)))
  const served = nodesOf(ready)
  const { currentNumberScheduled, numberReady = 0 } = status as Readonly<Record<string, number>>
  // Of two pods on a node the real controller counts one, and of two Ready ones one is about to go.
  return (
    currentNumberScheduled === nodesOf(pods).size &&
    numberReady <= served.size &&
    numberReady >= [...served].filter(node => !waiting.has(node)).length &&
    ready.length === served.size
  )
}

/** By ordinal where names have one, else by version. */
function placeOf(pod: PlacedPod): string {
  const { name } = pod.metadata
  // The five random characters of other names may all be digits.
  return /-\d{1,4}$/.test(name) ? name.padStart(20) : `${wordOf(pod)} ${name}`
}

function nodeOf({ spec, metadata }: PlacedPod): string {
  return `${spec?.nodeName} ${metadata.name}`
}

function wordOf(pod: PlacedPod): string {
  return `${tagOf(pod.spec)}${isReady(pod) ? '' : '!'}`
}

function tagOf(spec: unknown): string {
  const [container] = (spec as PlacedPod['spec'])?.containers ?? []
  return container?.image.split(':')[1] ?? '-'
}

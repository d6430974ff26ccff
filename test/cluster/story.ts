// One workload of a test: what people do to it, what is true of it now, and what has been true of it
// at every moment since the story began.

import type { Deployment, KubeObject, Pod, PodTemplate, ReplicaSet } from '#api/kubernetes.ts'
import { HOLD, RECORD } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { targetOf } from '#core/commands.ts'
import { isNative } from '#core/ref.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import { holdOf } from '#core/workload/hold.ts'
import { seePod } from '#core/workload/seen.ts'
import type { PodSeen } from '#core/workload/seen.ts'
import { Cache } from '#kube/cache.ts'
import type { Cached } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import { DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { knows } from './cache-facts.ts'
import { kubectl } from './commands.ts'
import type { CommandOptions, CommandResult, CommandTarget } from './commands.ts'
import { ROLLOUT, typeOf, WORKLOAD } from './manifests.ts'
import type { StoryKind } from './manifests.ts'

/** The pods at one moment, by the image that they run. */
export interface Moment {
  readonly total: number
  readonly ready: number
  /** As the ReplicaSets ask for, by image; without ReplicaSets those that are there. */
  readonly wanted: Readonly<Record<string, number>>
  readonly readyByImage: Readonly<Record<string, number>>
}

/** An event on the workload. */
export interface StoryEvent {
  readonly type: string
  readonly reason: string
  readonly message: string
}

/** One workload, its Rollout, and the means to act on them. */
export interface Story {
  readonly namespace: string
  readonly client: KubeClient
  /** The workload as kubectl names it. */
  readonly target: string
  readonly create: (object: KubeObject) => Promise<void>
  readonly kubectl: (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>
  /** `kubectl set image`, or a patch where kubectl does not know the kind: the ordinary edit. */
  readonly edit: (image: string) => Promise<CommandResult>
  /** A merge patch of the workload's spec, by kubectl. */
  readonly patch: (spec: object) => Promise<CommandResult>
  /** A merge patch of the Rollout, by kubectl. */
  readonly patchRollout: (patch: object) => Promise<CommandResult>
  readonly approve: () => Promise<void>
  readonly scale: (replicas: number) => Promise<void>
  readonly now: () => Moment
  /** Every moment since the story began, or since `forget`. */
  readonly history: () => readonly Moment[]
  readonly forget: () => void
  readonly deployment: () => Promise<Deployment>
  /** The workload, of whichever kind. */
  readonly workload: <T extends KubeObject>() => Promise<T>
  readonly rollout: () => Promise<Rollout>
  readonly replicaSets: () => readonly ReplicaSet[]
  readonly events: () => Promise<readonly StoryEvent[]>
  /** Waits for the fact. Throws what was expected, and how things stand, when it does not come. */
  readonly until: (expected: string, fact: () => boolean | Promise<boolean>) => Promise<void>
  /** Waits until `now` and `history` know the pods and ReplicaSets that there are, or later ones. */
  readonly caughtUp: () => Promise<void>
  /** Waits until the Rollout tells that phase, and all that has led to it is known. */
  readonly phase: (phase: string) => Promise<void>
  /** Waits until the step has reached its pause, and all that has led to it is known. */
  readonly reached: (step: number) => Promise<void>
  /** Neither hold nor record is on the workload. */
  readonly free: () => Promise<boolean>
  /** Ends the watches of a story that is told; `now` and `until` learn nothing more. */
  readonly close: () => void
}

interface Place {
  readonly cluster: CommandTarget
  readonly client: KubeClient
  readonly namespace: string
  readonly log: readonly string[]
}

const patienceMs = 120_000

/** Makes a story in a namespace that is there. */
export async function createStory(place: Place, kind?: StoryKind): Promise<Story> {
  const { client, namespace, cluster } = place
  const type = typeOf(kind)
  const target = targetOf({ ...type, name: WORKLOAD })
  const { sets, changed, ...watched } = await watch(place, type)
  const ref = { namespace, name: WORKLOAD }
  const rolloutRef = { namespace, name: ROLLOUT }
  const run = (args: readonly string[], options?: CommandOptions) =>
    kubectl(cluster, ['-n', namespace, ...args], options)
  const rollout = () => client.get(ROLLOUTS as ResourceType<Rollout>, rolloutRef)
  const deployment = () => client.get(DEPLOYMENTS, ref)
  const workload = <T extends KubeObject>() => client.get(type as ResourceType<T>, ref)
  const merge = (what: readonly string[], patch: object) =>
    run(['patch', ...what, '--type=merge', '-p', JSON.stringify(patch)])
  const until: Story['until'] = async (expected, fact) => {
    const end = Date.now() + patienceMs
    for (;;) {
      const change = changed()
      if (await fact()) return
      if (Date.now() > end) throw new Error(await notCome(expected, story, place))
      // Facts that no watch tells are asked for again.
      await Promise.race([change, new Promise(resolve => setTimeout(resolve, 250))])
    }
  }
  const story: Story = {
    namespace,
    client,
    async create(object) {
      const created = object.kind === 'Rollout' ? ROLLOUTS : type
      await client.create(created as ResourceType, object, { fieldManager: 'test' })
    },
    kubectl: run,
    target,
    edit: image =>
      isNative(type)
        ? run(['set', 'image', target, `app=${image}`])
        : merge([target], { spec: imagePatch(image) }),
    patch: spec => merge([target], { spec }),
    patchRollout: patch => merge(['rollout', ROLLOUT], patch),
    async approve() {
      const field = statusFieldIn(await rollout())
      const status = { [field]: { currentStepState: 'StepReady' } }
      await merge(['rollout', ROLLOUT, '--subresource=status'], { status })
    },
    async scale(replicas) {
      await run(['scale', target, `--replicas=${replicas}`])
    },
    ...watched,
    deployment,
    workload,
    rollout,
    replicaSets: () => sets.list().filter(set => (set.spec.replicas ?? 0) > 0),
    async events() {
      const fieldSelector = `involvedObject.name=${WORKLOAD}`
      const { items } = await client.listAll(EVENTS, { namespace, fieldSelector })
      return items as unknown as readonly StoryEvent[]
    },
    until,
    async phase(phase) {
      await until(`phase ${phase}`, async () => {
        const { metadata, status } = await rollout()
        return status?.phase === phase && status.observedGeneration === metadata.generation
      })
      await watched.caughtUp()
    },
    async reached(step) {
      await until(`step ${step} in its pause`, async () => {
        const release = releaseIn((await rollout()).status)
        const paused = release?.currentStepState === 'StepPaused'
        if (release?.currentStepIndex !== step || !paused) return false
        // Right after an edit the status still tells of the release before.
        return holdOf(await workload())?.rolloutId === release.observedRelease
      })
      await watched.caughtUp()
    },
    async free() {
      const { metadata } = await workload()
      const { [HOLD]: hold, [RECORD]: record } = metadata.annotations ?? {}
      return hold === undefined && record === undefined
    },
  }
  return story
}

function imagePatch(image: string) {
  return { template: { spec: { containers: [{ name: 'app', image }] } } }
}

/** Where people write an approval, or where to jump to. */
export function statusFieldIn({ status }: Rollout): 'canaryStatus' | 'blueGreenStatus' {
  return status?.blueGreenStatus ? 'blueGreenStatus' : 'canaryStatus'
}

interface StoryPod extends PodSeen {
  readonly image: string
}

async function watch({ client, namespace }: Place, type: ResourceType) {
  const sets = new Cache<ReplicaSet>()
  const pods = new Cache<StoryPod>({ indexes: { owner: pod => [pod.ownerUid] } })
  const owners = [new Cache<Cached>(), new Cache<Cached>()] as const
  const scope = { namespace }
  const from = { client, namespace }
  const metadataOf = ({ metadata }: KubeObject): Cached => ({ metadata })
  const reflectors = [
    new Reflector({ ...from, type: REPLICA_SETS, cache: sets, project: set => set }),
    new Reflector<Pod, StoryPod>({
      ...from,
      type: PODS,
      cache: pods,
      project: pod => ({ ...seePod(pod), image: imageOf(pod) }),
    }),
    new Reflector({ ...from, type, cache: owners[0], project: metadataOf }),
    new Reflector({ ...from, type: ROLLOUTS, cache: owners[1], project: metadataOf }),
  ]
  const forever = new AbortController()
  for (const reflector of reflectors) void reflector.run(forever.signal)
  let change = Promise.withResolvers<void>()
  for (const cache of [sets, pods, ...owners]) {
    cache.onChange(() => {
      change.resolve()
      change = Promise.withResolvers()
    })
  }
  await Promise.all([sets.synced, pods.synced])

  const now = (): Moment => {
    const alive = pods.list().filter(pod => !pod.terminating)
    const ready = alive.filter(pod => pod.readySince !== undefined)
    const wanted: Record<string, number> = {}
    const readyByImage: Record<string, number> = {}
    for (const set of sets.list()) {
      const image = imageOf(set.spec.template)
      const own = ready.filter(pod => pod.ownerUid === set.metadata.uid).length
      wanted[image] = (wanted[image] ?? 0) + (set.spec.replicas ?? 0)
      readyByImage[image] = (readyByImage[image] ?? 0) + own
    }
    if (type.kind !== 'Deployment') {
      for (const { image } of alive) wanted[image] = (wanted[image] ?? 0) + 1
      for (const { image } of ready) readyByImage[image] = (readyByImage[image] ?? 0) + 1
    }
    return { total: alive.length, ready: ready.length, wanted, readyByImage }
  }
  let moments: Moment[] = []
  for (const cache of [sets, pods]) cache.onChange(() => void moments.push(now()))
  return {
    sets,
    now,
    /** Fulfilled at the next change of anything that is watched. */
    changed: () => change.promise,
    async caughtUp() {
      const listed = [client.listAll(REPLICA_SETS, scope), client.listAll(PODS, scope)] as const
      const [listedSets, listedPods] = await Promise.all(listed)
      await Promise.all([knows(sets, namespace, listedSets), knows(pods, namespace, listedPods)])
    },
    close: () => forever.abort(),
    history: () => moments as readonly Moment[],
    forget: () => void (moments = [now()]),
  }
}

function imageOf(template: object): string {
  const { spec } = template as PodTemplate
  const containers = spec?.['containers'] as readonly { readonly image: string }[]
  return containers[0]?.image ?? ''
}

async function notCome(expected: string, story: Story, { log, namespace }: Place): Promise<string> {
  const lines = log.filter(line => line.includes(namespace)).slice(-12)
  const { metadata, spec } = await story.workload<Deployment>()
  const { template: _, ...rest } = spec
  const status = await story.rollout().then(
    rollout => rollout.status,
    () => undefined,
  )
  return [
    `expected ${expected}, which did not come`,
    `pods: ${JSON.stringify(story.now())}`,
    `workload: ${JSON.stringify({ annotations: metadata.annotations, ...rest })}`,
    `rollout: ${JSON.stringify(status)}`,
    ...lines,
  ].join('\n')
}

// What happens in a history on a real cluster: each act is the request that a person's client sends.
// One that is refused has not happened, and that is told in the history's log.

import type { KubeObject } from '#api/kubernetes.ts'
import { ABORT } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { MergePatch } from '#core/change.ts'
import { targetOf } from '#core/commands.ts'
import type { KubeClient } from '#kube/client.ts'
import { ApiError, Retryable } from '#kube/errors.ts'
import { PODS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { plansWith, versions } from '../properties/happenings.ts'
import type { Happened, Mix } from '../properties/happenings.ts'
import { merge } from '../world/controller.ts'
import type { State } from './chronicle-facts.ts'
import type { PlaceChronicle } from './chronicle.ts'
import { kubectl } from './commands.ts'
import type { CommandTarget } from './commands.ts'
import { isAtRest } from './history-facts.ts'
import type { HistoryKind } from './history-kinds.ts'
import type { NodesOf } from './history-nodes.ts'
import { PLACED_PODS } from './kinds/resources.ts'
import { ROLLOUT, WORKLOAD } from './manifests.ts'

/** The plans of the Rollout; what waits for time does so for a second. */
export const plans = plansWith(1)

/** Where a history happens, and what is kept of it. */
export interface Scene {
  readonly kind: HistoryKind
  readonly cluster: CommandTarget
  readonly client: KubeClient
  readonly namespace: string
  readonly chronicle: PlaceChronicle
  /** A line for each thing that happened. */
  readonly log: string[]
  /** What the owner asked for, each from that resourceVersion on. */
  readonly wishes: { readonly since: bigint; readonly strategy: object }[]
  /** What he wants of all that a hold touches, as the spec that he would have. */
  wanted: object
  /** Where its pods run, if they have nodes of their own. */
  readonly nodes?: NodesOf
  /** Pods that were killed, or whose node went. */
  readonly killed: Set<string>
  /** Is told of each thing that happens. */
  readonly acted: () => void
  readonly patienceMs: number
}

/** The name of something that happens. */
export type ActName = keyof typeof acts

/** How often what happens. */
export const mix: Mix<ActName> = {
  often: ['moment', 'moment', 'settle'],
  sometimes: ['edit', 'edit', 'approve', 'approve', 'scale'],
  seldom: ['jump', 'plan', 'freeze', 'abort', 'pauseWorkload', 'undo', 'strategy', 'kill'],
}

/** What was done, if it was: the resourceVersion of the object after it. */
type Act = (scene: Scene, which: number) => Promise<bigint | undefined>

const acts = {
  /** A few writes of anybody go by: what comes next meets the workload in the middle of something. */
  async moment({ chronicle }, which) {
    const before = chronicle.count()
    await chronicle.comes(() => chronicle.count() >= before + (which % 12), 300)
    return undefined
  },
  async settle({ chronicle }) {
    await chronicle.comes(isAtRest, 3000)
    return undefined
  },
  async edit(scene, which) {
    await caughtUp(scene)
    return edit(scene, versions[which % guardedVersions(scene)]!)
  },
  scale: (scene, which) => scale(scene, which % (scene.kind.most + 1)),
  async approve(scene, which) {
    const { chronicle } = scene
    if (which % 3 > 0) await chronicle.comes(isAtRest, 3000)
    return approve(scene)
  },
  jump: (scene, which) => patchStatus(scene, { nextStepIndex: 1 + (which % 3) }),
  plan: (scene, which) => plan(scene, { steps: plans[which % plans.length] }),
  freeze: (scene, which) => freeze(scene, which % 2 === 0),
  abort: (scene, which) => abort(scene, which % 2 === 0 ? `because ${which}` : null),
  pauseWorkload: (scene, which) => pause(scene, which % 2 === 0),
  async undo({ cluster, namespace, kind }) {
    const target = targetOf({ ...kind.type, name: WORKLOAD })
    const args = ['-n', namespace, 'rollout', 'undo', target]
    await kubectl(cluster, args).catch((error: Error) => {
      throw new Refused(error.message.split('\n')[1] ?? error.message)
    })
    return undefined
  },
  async strategy(scene, which) {
    const { strategies } = scene.kind
    const strategy = strategies[which % strategies.length]!
    const since = await patchWorkload(scene, strategy)
    scene.wishes.push({ since, strategy })
    scene.wanted = merge(scene.wanted, strategy as MergePatch)
    return since
  },
  kill,
} satisfies Record<string, Act>

/** Lets it happen, and tells it. Throws only where the API server could not be asked. */
export async function happen(scene: Scene, [name, which]: Happened<ActName>): Promise<void> {
  const said = `${name} ${which}`
  scene.acted()
  try {
    const version = await (acts[name] as Act)(scene, which)
    const at = version ?? scene.chronicle.now().version
    scene.log.push(`${said} @${at}`)
  } catch (error) {
    const refused = error instanceof Refused || isRefusal(error)
    if (!refused) throw error
    scene.log.push(`${said} refused: ${(error as Error).message.slice(0, 160)}`)
  }
}

class Refused extends Error {}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && !(error instanceof Retryable)
}

/** `kubectl set image`. */
export function edit(scene: Scene, version: string): Promise<bigint> {
  const containers = [{ name: 'app', image: `app:${version}` }]
  return patchWorkload(scene, { template: { spec: { containers } } })
}

/** `kubectl scale`, or an autoscaler; or nodes that come and go. */
export async function scale(scene: Scene, replicas: number): Promise<bigint> {
  const { client, namespace, kind, nodes } = scene
  if (nodes) return resize(scene, nodes, replicas)
  const options = { subresource: 'scale' }
  return versionOf(client.mergePatch(kind.type, at(namespace), { spec: { replicas } }, options))
}

/** Who is on a node that goes is missing before anybody knows that there are to be fewer. */
async function resize(scene: Scene, nodes: NodesOf, count: number): Promise<bigint> {
  const { client, namespace, chronicle, killed } = scene
  const going = nodes.beyond(count)
  const { items } = await client.listAll(PLACED_PODS, { namespace })
  for (const { metadata, spec } of items) {
    if (going.includes(spec?.nodeName ?? '')) killed.add(metadata.name)
  }
  await nodes.resize(count)
  return chronicle.now().version
}

/** Its owner pauses it, or resumes it. */
export function pause(scene: Scene, paused: boolean): Promise<bigint> {
  const said = scene.kind.paused?.(paused)
  if (!said) throw new Refused('its kind knows no pause')
  return patchWorkload(scene, said)
}

/** The step's pause is over. */
export function approve(scene: Scene): Promise<bigint> {
  return patchStatus(scene, { currentStepState: 'StepReady' })
}

function plan(scene: Scene, changed: object): Promise<bigint> {
  const style = scene.kind.released?.blueGreen ? 'blueGreen' : 'canary'
  return patchRollout(scene, { spec: { strategy: { [style]: changed } } })
}

/** `spec.strategy.paused` of the Rollout. */
export function freeze(scene: Scene, paused: boolean): Promise<bigint> {
  return patchRollout(scene, { spec: { strategy: { paused } } })
}

/** The abort annotation; null takes it away. */
export function abort(scene: Scene, value: string | null): Promise<bigint> {
  return patchRollout(scene, { metadata: { annotations: { [ABORT]: value } } })
}

/** A merge patch of the workload's spec, as kubectl sends it. */
function patchWorkload({ client, namespace, kind }: Scene, spec: object): Promise<bigint> {
  const options = { fieldManager: 'kubectl-patch' }
  return versionOf(client.mergePatch(kind.type, at(namespace), { spec }, options))
}

function patchRollout({ client, namespace }: Scene, patch: object): Promise<bigint> {
  const ref = { namespace, name: ROLLOUT }
  const options = { fieldManager: 'kubectl-patch' }
  return versionOf(client.mergePatch(ROLLOUTS as ResourceType<Rollout>, ref, patch, options))
}

function patchStatus({ client, namespace, kind }: Scene, told: object): Promise<bigint> {
  const field = kind.released?.blueGreen ? 'blueGreenStatus' : 'canaryStatus'
  const ref = { namespace, name: ROLLOUT }
  const options = { subresource: 'status', fieldManager: 'kubectl-patch' }
  const patch = { status: { [field]: told } }
  return versionOf(client.mergePatch(ROLLOUTS as ResourceType<Rollout>, ref, patch, options))
}

async function kill(scene: Scene, which: number): Promise<bigint | undefined> {
  const { client, namespace, chronicle, killed } = scene
  const ready = chronicle.now().pods.filter(pod => pod.ready && !pod.terminating)
  const pod = ready[which % Math.max(ready.length, 1)]
  if (!pod) throw new Refused('no pod is Ready')
  const { name } = pod.metadata
  killed.add(name)
  await client.remove(PODS, { namespace, name }, { gracePeriodSeconds: 0 })
  return undefined
}

/** What a native rollout cannot finish is another story: without pods nothing is held. */
function guardedVersions({ chronicle }: Scene): number {
  const { workload } = chronicle.now()
  return workload?.replicas === 0 ? 3 : 4
}

/** Waits until the recording knows the workload as it is stored, or later. */
export async function caughtUp(scene: Scene): Promise<void> {
  const { chronicle, client, kind, namespace, patienceMs } = scene
  const version = await versionOf(client.get(kind.type, at(namespace)))
  const known = ({ workload }: State) => BigInt(workload?.metadata.resourceVersion ?? 0) >= version
  if (await chronicle.comes(known, patienceMs)) return
  throw new Error(`the recording does not come to version ${version}`)
}

function at(namespace: string) {
  return { namespace, name: WORKLOAD }
}

async function versionOf(stored: Promise<KubeObject>): Promise<bigint> {
  const { metadata } = await stored
  return BigInt(metadata.resourceVersion!)
}

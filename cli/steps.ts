// Takes the steps of a return: each write is refused where somebody else was quicker, and each wait ends when
// something is seen, or without hope.

import type { KubeObject } from '#api/kubernetes.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { KubeClient } from '#kube/client.ts'
import { Conflict, NotFound } from '#kube/errors.ts'
import { pause } from '#kube/backoff.ts'
import { ENDPOINT_SLICES, REPLICA_SETS, SERVICES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { CLI_MANAGER } from './field-owners.ts'
import type { Step } from './next-step.ts'
import { routersFor, routeType } from './requests.ts'
import { resourceOf } from './stands.ts'

/** What became of a step. */
export type Taken =
  /** Something was written, or a time that was waited for is over. */
  | 'done'
  /** Somebody was quicker, or nothing was seen. */
  | 'nothing'

/** Takes one. */
export async function take(
  client: KubeClient,
  adapter: WorkloadAdapter | undefined,
  step: Step,
): Promise<Taken> {
  if (step.type === 'wait') {
    await firstChange(client, adapter, [step.object])
    return 'nothing'
  }
  if (step.type !== 'await') return write(client, await typeOf(client, adapter, step.object), step)
  const { objects, until } = step
  const begun = Date.now()
  await firstChange(client, adapter, objects, until && until - begun)
  return until !== undefined && Date.now() >= until ? 'done' : 'nothing'
}

/** As long as this passes without anything getting done, there is hope. */
const PATIENCE_MS = 30_000
/** Two are enough; some more for whoever writes at the same time. Then somebody guards it again. */
const MOST_WRITES = 8

/** Sees that it comes to an end, whatever others do. */
export class Progress {
  readonly #clock: () => number
  #since: number
  #podsLeft = 0
  readonly #writes = new Map<string, number>()

  constructor(clock = () => performance.now()) {
    this.#clock = clock
    this.#since = clock()
  }

  /** So often was the object written. */
  writes({ metadata: { uid = '' } }: KubeObject): number {
    return this.#writes.get(uid) ?? 0
  }

  /** Throws one line where there is no hope. `traces`: what is still there. */
  check(step: Step, traces: () => readonly string[]): void {
    if (this.#goesOn(step)) this.#since = this.#clock()
    const patienceMs = patienceFor(step)
    if (this.#clock() - this.#since > patienceMs) throw new Error(noProgress(step, patienceMs))
    if (step.type === 'write' && this.writes(step.object) > MOST_WRITES) {
      throw new Error(`${traces().join(', ')}: comes back; does a controller run that guards it?`)
    }
  }

  /** It waits for a time, which passes, or fewer pods are waited for than before. */
  #goesOn(step: Step): boolean {
    const { until, pods } = step.type === 'await' ? step : {}
    const before = this.#podsLeft
    this.#podsLeft = pods?.left ?? 0
    return until !== undefined || this.#podsLeft < before
  }

  /** The step is done. */
  note(step: Step): void {
    this.#since = this.#clock()
    if (step.type !== 'write') return
    const { uid = '' } = step.object.metadata
    this.#writes.set(uid, this.writes(step.object) + 1)
  }
}

function patienceFor(step: Step): number {
  return (step.type === 'await' && step.pods?.patienceMs) || PATIENCE_MS
}

function noProgress(step: Step, patienceMs: number): string {
  const time = `${patienceMs / 1000} s`
  if (step.type === 'await') return `for ${time}: ${step.why}; eject again then`
  const { kind, metadata } = step.object
  const what = `${kind} ${metadata.name}`
  if (step.type !== 'wait') return `others have written to ${what} all the time for ${time}`
  return `the controller-manager has not looked at ${what} for ${time}: is it running? Eject again then`
}

/** What is read next says what is left to do. */
async function write(
  client: KubeClient,
  type: ResourceType,
  step: Extract<Step, { readonly type: 'write' | 'delete' }>,
): Promise<Taken> {
  try {
    await (step.type === 'delete' ? remove(client, type, step.object) : patch(client, type, step))
    return 'done'
  } catch (error) {
    if (error instanceof Conflict || error instanceof NotFound) return 'nothing'
    throw error
  }
}

async function remove(client: KubeClient, type: ResourceType, object: KubeObject): Promise<void> {
  const { namespace = '', name, uid = '', resourceVersion = '' } = object.metadata
  await client.remove(type, { namespace, name }, { uid, resourceVersion })
}

async function patch(
  client: KubeClient,
  type: ResourceType,
  step: Step & { readonly type: 'write' },
): Promise<void> {
  const { namespace = '', name, resourceVersion } = step.object.metadata
  const metadata = { ...(step.patch['metadata'] as object), resourceVersion }
  const body = { ...step.patch, metadata }
  const options = { fieldManager: CLI_MANAGER }
  await client.mergePatch(type, { namespace, name }, body, options)
}

/** What is not there yet is not watched: so nothing waits longer than this. */
const LOOK_AGAIN_MS = 5000

/** Waits until something happens to one of the objects, some seconds at most. */
async function firstChange(
  client: KubeClient,
  adapter: WorkloadAdapter | undefined,
  objects: readonly KubeObject[],
  ms = LOOK_AGAIN_MS,
): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  const changes = objects.map(async each =>
    nextChange(client, await typeOf(client, adapter, each), each, signal),
  )
  try {
    await Promise.race([...changes, pause(Math.min(ms, LOOK_AGAIN_MS), signal)])
  } finally {
    over.abort()
    await Promise.allSettled(changes)
  }
}

/** Fulfilled when something happens to the object, or the signal aborts. */
async function nextChange(
  client: KubeClient,
  type: ResourceType,
  { metadata }: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name, resourceVersion = '' } = metadata
  const scope = { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion, signal }
  try {
    for await (const event of client.watch(type, scope)) {
      if (event.type !== 'BOOKMARK') return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** What is no workload of ours is owned by one, or leads requests to it. */
async function typeOf(
  client: KubeClient,
  adapter: WorkloadAdapter | undefined,
  { apiVersion, kind }: KubeObject,
): Promise<ResourceType> {
  const others = [REPLICA_SETS, SERVICES, ENDPOINT_SLICES]
  const known = others.find(each => each.kind === kind)
  if (known) return known
  if (adapter?.kind === kind) return resourceOf(adapter)
  const routers = await routersFor(client, { apiVersion, kind })
  return routeType(routers.find(each => each.apiVersion === apiVersion)!)
}

// Reads workloads of every kind with what they own, and the Rollouts that name them.

import type { KubeObject } from '#api/kubernetes.ts'
import { CANARY_DEPLOYMENT } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { targetOf } from '#core/commands.ts'
import { defined } from '#core/defined.ts'
import { keyOf } from '#core/ref.ts'
import type { WorkloadRef } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { isAlive } from '#core/rollout/parse.ts'
import { controllerUid } from '#core/seen.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { Routing } from '#core/traffic/model.ts'
import { holdOf } from '#core/workload/hold.ts'
import { recordOf } from '#core/workload/record.ts'
import { heldBy } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { Forbidden, NotFound } from '#kube/errors.ts'
import { REPLICA_SETS, ROLLOUTS, resource } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { grouped } from './grouped.ts'
import type { Stand } from './ejection.ts'
import type { Observed } from './next-step.ts'
import { readRequests } from './requests.ts'

/** Where the API server serves workloads of the kind. */
export function resourceOf({ apiVersion, plural, kind }: WorkloadAdapter): ResourceType<Observed> {
  return resource<Observed>(apiVersion, plural, kind)
}

/** A workload as a Rollout names it. */
export function refOf({ apiVersion, kind, metadata }: KubeObject): WorkloadRef {
  const { namespace = '', name } = metadata
  return { apiVersion, kind, namespace, name }
}

/** Which workloads are read. */
interface Place {
  /** Undefined: all. */
  readonly namespace?: string
  readonly adapters: readonly WorkloadAdapter[]
}

/** Every workload of these kinds, in the order of namespaces; `left`: see `readLeft`. */
export async function readStands(
  client: KubeClient,
  { namespace, adapters }: Place,
  left: ReadonlyMap<string, Routing>,
): Promise<readonly Stand[]> {
  const sets = await client.listAll(REPLICA_SETS, defined({ namespace }))
  const owned = grouped(sets.items, controllerUid)
  const stands = adapters.map(async kind => {
    const workloads = (await listServed(client, resourceOf(kind), namespace)) ?? []
    const made = grouped(workloads.filter(isMade), controllerUid)
    const read = workloads.map(async workload => {
      const adapter = heldBy(kind, holdOf(workload))
      const { uid = '' } = workload.metadata
      const routing = left.get(keyOf(refOf(workload)))
      const requests = await requestsOf(client, workload, routing).catch(unreadWhere)
      const owning = { sets: owned.get(uid) ?? [], beside: made.get(uid) ?? [] }
      return { adapter, workload, ...owning, ...requests }
    })
    return Promise.all(read)
  })
  return (await Promise.all(stands)).flat().toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
}

function placeOf({ workload }: Stand): string {
  const { namespace, kind, name } = refOf(workload)
  return [namespace, kind, name].join('|')
}

/** By what requests come, as its record says; else what is `left` of it. */
async function requestsOf(
  client: KubeClient,
  workload: KubeObject,
  left: Routing | undefined,
): Promise<Pick<Stand, 'requests'>> {
  const routing = recordOf(workload)?.traffic ?? left
  if (!routing) return {}
  const { namespace = '' } = workload.metadata
  return { requests: await readRequests(client, namespace, routing) }
}

/** One that may not be read keeps none of the others. */
function unreadWhere(error: unknown): Pick<Stand, 'unread'> {
  if (error instanceof Forbidden) return { unread: error.message }
  throw error
}

/** What is read of a workload that somebody has named. Throws one line where it is not there. */
export async function named<T>(ref: WorkloadRef, read: Promise<T>): Promise<T> {
  try {
    return await read
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    throw new Error(`there is no ${targetOf(ref)} in namespace ${ref.namespace}`, { cause: error })
  }
}

/** One workload; `routing`: what is left of it. Throws `NotFound`. */
export async function readStand(
  client: KubeClient,
  adapter: WorkloadAdapter,
  { routing, ...ref }: { readonly namespace: string; readonly name: string; routing?: Routing },
): Promise<Stand> {
  const workload = await client.get(resourceOf(adapter), ref)
  const { namespace } = ref
  const scope = { namespace, labelSelector: selectorOf(workload) }
  const { items } = await client.listAll(REPLICA_SETS, scope)
  const made = await client.listAll(resourceOf(adapter), {
    namespace,
    labelSelector: CANARY_DEPLOYMENT,
  })
  const isOwn = (each: KubeObject) => controllerUid(each) === workload.metadata.uid
  return {
    adapter: heldBy(adapter, holdOf(workload)),
    workload,
    sets: items.filter(isOwn),
    beside: made.items.filter(isOwn),
    ...(await requestsOf(client, workload, routing).catch(unreadWhere)),
  }
}

/** We have made it for the release of another one. */
function isMade({ metadata }: KubeObject): boolean {
  return metadata.labels?.[CANARY_DEPLOYMENT] !== undefined
}

/** Labels that its ReplicaSets carry. */
function selectorOf(workload: KubeObject): string {
  const { spec } = workload as { readonly spec?: { readonly selector?: Selector } }
  const pairs = Object.entries({ ...spec?.selector?.matchLabels })
  return pairs.map(pair => pair.join('=')).join(',')
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
}

/** The Rollouts of a namespace, or of all, that are not being deleted; undefined: no such kind. */
export async function readRollouts(
  client: KubeClient,
  namespace: string | undefined,
): Promise<readonly Rollout[] | undefined> {
  const rollouts = await listServed(client, ROLLOUTS as ResourceType<Rollout>, namespace)
  return rollouts?.filter(isAlive)
}

/** Undefined: the API server serves no such kind. */
async function listServed<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  namespace: string | undefined,
): Promise<readonly T[] | undefined> {
  try {
    return (await client.listAll(type, defined({ namespace }))).items
  } catch (error) {
    if (error instanceof NotFound) return undefined
    throw error
  }
}

/** The Rollout that names the workload; an enabled one goes first, since it guards. */
export function rolloutFor(
  workload: KubeObject,
  rollouts: readonly Rollout[] = [],
): Rollout | undefined {
  const key = keyOf(refOf(workload))
  const naming = rollouts.filter(rollout => workloadKey(rollout) === key)
  return naming.find(({ spec }) => spec.disabled !== true) ?? naming[0]
}

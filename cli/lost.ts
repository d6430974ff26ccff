// Requests that are given back by themselves: those of workloads that are gone, and whoever remembered them, and
// those that are moved for a TrafficRouting.

import type { Rollout } from '#api/rollout.generated.ts'
import { targetOf } from '#core/commands.ts'
import { defined } from '#core/defined.ts'
import { keyOf, refOf } from '#core/ref.ts'
import type { WorkloadRef } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { seen } from '#core/seen.ts'
import { routingsIn, routingsOn } from '#core/traffic-routing/keys.ts'
import { isRoutingRef, routingAsked } from '#core/traffic-routing/parse.ts'
import type { Routing } from '#core/traffic/model.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { recordOf } from '#core/workload/record.ts'
import { adapterFor } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { Forbidden, NotFound } from '#kube/errors.ts'
import { TRAFFIC_ROUTINGS } from '#kube/resources.ts'
import { abreast } from '#process/abreast.ts'
import type { Stand } from './ejection.ts'
import type { Step } from './next-step.ts'
import {
  escapeOff,
  homeward,
  readRequests,
  returning,
  routesAlone,
  tracesOf,
  underWay,
} from './requests.ts'
import type { Requests } from './requests.ts'
import { refOf as refOfObject } from './stands.ts'
import { Progress, take } from './steps.ts'
import type { Saying } from './surroundings.ts'
import { movedAgainRefusal } from './words.ts'

/** By what requests came to a workload that is gone, or are moved for a TrafficRouting. */
export interface Lost {
  readonly ref: WorkloadRef
  readonly routing: Routing
}

/** Those whose workload is none of these, where all of its kind were read. */
export function lostAmong(
  left: ReadonlyMap<string, Routing>,
  stands: readonly Stand[],
  adapters: readonly WorkloadAdapter[],
): readonly Lost[] {
  const there = new Set(stands.map(({ workload }) => keyOf(refOfObject(workload))))
  return entriesOf(left).filter(
    ({ ref }) => !there.has(keyOf(ref)) && adapterFor(ref, adapters) !== undefined,
  )
}

/** Those that are moved for a TrafficRouting. */
export function routingsAmong(left: ReadonlyMap<string, Routing>): readonly Lost[] {
  return entriesOf(left).filter(({ ref }) => isRoutingRef(ref))
}

/** The key of the TrafficRouting with which the release of a workload has begun, if it has. */
export function routingsOf({ workload }: Stand): readonly string[] {
  const { metadata } = seen(workload)
  return routingsOn({ metadata, ...defined({ record: recordOf(workload) }) })
}

/** By the key of a TrafficRouting, a Rollout for which a controller would move its routes again. */
export function guardsAmong(
  stands: readonly Stand[],
  rollouts: readonly Rollout[] = [],
): ReadonlyMap<string, Rollout> {
  const held = new Map(stands.map(stand => [keyOf(refOfObject(stand.workload)), stand]))
  const enabled = rollouts.filter(({ spec }) => spec.disabled !== true)
  const guards = enabled.flatMap(rollout => {
    const stand = held.get(workloadKey(rollout))
    // A release goes on with the one with which it has begun, whatever its Rollout names by now.
    const begun = stand && recordOf(stand.workload) !== undefined
    const keys = begun ? routingsOf(stand) : routingsIn(rollout)
    return keys.map(key => [key, rollout] as const)
  })
  return new Map(guards)
}

function entriesOf(left: ReadonlyMap<string, Routing>): readonly Lost[] {
  return [...left].map(([key, routing]) => ({ ref: refOf(key), routing }))
}

/** How they are given back. */
interface Freeing extends Saying {
  readonly dryRun: boolean
  /** In whose way nobody may be; see `guardsAmong`. */
  readonly guards?: ReadonlyMap<string, Rollout> | undefined
}

/** Gives all of them back, one line each; gives the keys of those that were not. */
export async function freeAll(
  client: KubeClient,
  all: readonly Lost[],
  { print, complain, stop, dryRun, guards }: Freeing,
): Promise<ReadonlySet<string>> {
  const outcomes = abreast(all, async lost => {
    if (stop?.aborted) return 'later'
    const guard = guards?.get(keyOf(lost.ref))
    if (guard) return movedAgainRefusal(guard)
    return dryRun ? undefined : free(client, lost).catch(wordsOf)
  })
  const kept = new Set<string>()
  let later = 0
  for (const [index, lost] of all.entries()) {
    const refusal = await outcomes[index]
    if (refusal !== undefined) kept.add(keyOf(lost.ref))
    if (refusal === 'later') later += 1
    else if (refusal === undefined)
      print(`${nameOf(lost)}: ${story(lost)}${dryRun ? ' (dry run)' : ''}`)
    else complain(`${nameOf(lost)}: not given back: ${refusal}`)
  }
  if (later > 0) complain(`ended before ${later} of ${all.length} ${manyOf(all[0]!)}`)
  return kept
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function nameOf({ ref, routing }: Lost): string {
  const { namespace } = ref
  return isRoutingRef(ref)
    ? `${namespace}/trafficrouting/${ref.name}`
    : `${namespace}/service/${routing.service}`
}

function story({ ref }: Lost): string {
  if (isRoutingRef(ref)) return 'its routes are given back'
  return `${targetOf(ref)} is gone, and its requests are given back`
}

function manyOf({ ref }: Lost): string {
  return isRoutingRef(ref) ? 'TrafficRoutings' : 'Services of workloads that are gone'
}

async function free(client: KubeClient, lost: Lost): Promise<undefined> {
  const progress = new Progress()
  const read = readerOf(client, lost, await routingNow(client, lost))
  const { touched: before } = await read()
  // Nobody says since when those are home that an earlier run has freed.
  let away = Date.now()
  for (;;) {
    const now = await read()
    const back = returned(lost, now)
    const next = back ?? rested(lost, now, away) ?? escapeOff(now, before)
    if (!next) return
    progress.check(next, () => tracesOf(now))
    if ((await take(client, undefined, next)) === 'done') {
      progress.note(next)
      if (back) away = Date.now()
    }
  }
}

/** The Service of a TrafficRouting is somebody else's. */
function readerOf(client: KubeClient, { ref }: Lost, routing: Routing): () => Promise<Requests> {
  return async () => {
    const requests = await readRequests(client, ref.namespace, routing)
    return isRoutingRef(ref) ? routesAlone(requests) : requests
  }
}

function returned({ ref }: Lost, requests: Requests): Step | undefined {
  const now = Date.now()
  return isRoutingRef(ref) ? homeward(requests, now) : returning(requests, { to: 'all', now })
}

/** Pods of a workload that is gone have no requests under way. */
function rested({ ref }: Lost, requests: Requests, away: number): Step | undefined {
  return isRoutingRef(ref) ? underWay(requests, { away, now: Date.now() }) : undefined
}

/** With the grace period of a TrafficRouting; that of one that is gone, or may not be read, is the default. */
async function routingNow(client: KubeClient, { ref, routing }: Lost): Promise<Routing> {
  if (!isRoutingRef(ref)) return routing
  const { namespace, name } = ref
  const object = await client.get(TRAFFIC_ROUTINGS, { namespace, name }).catch(unlessUnknown)
  const asked = object && routingAsked(object)
  if (!asked || 'refused' in asked) return routing
  return { ...routing, graceSeconds: asked.routing.graceSeconds }
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof NotFound || error instanceof Forbidden) return undefined
  throw error
}

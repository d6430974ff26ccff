// Requests that are given back by themselves: those of workloads that are gone, and whoever remembered them, and
// those that are moved for a TrafficRouting.

import type { Rollout } from '#api/rollout.generated.ts'
import type { WorkloadRef } from '#core/rollout/model.ts'
import { targetOf } from '#core/rollout/commands.ts'
import { keyOf, refOf } from '#core/rollout/key.ts'
import { routingsIn } from '#core/traffic-routing/keys.ts'
import { isRoutingRef } from '#core/traffic-routing/parse.ts'
import type { Routing } from '#core/traffic/model.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { adapterFor } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { abreast } from './abreast.ts'
import type { Stand } from './ejection.ts'
import { escapeOff, homeward, readRequests, returning } from './requests.ts'
import type { Saying } from './run.ts'
import { refOf as refOfObject } from './stands.ts'
import { Progress, take } from './steps.ts'
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

function entriesOf(left: ReadonlyMap<string, Routing>): readonly Lost[] {
  return [...left].map(([key, routing]) => ({ ref: refOf(key), routing }))
}

/** How they are given back. */
interface Freeing extends Saying {
  readonly dryRun: boolean
  /** Of those in whose way nobody may be: a controller would move their routes again. */
  readonly rollouts?: readonly Rollout[] | undefined
}

/** Gives all of them back, one line each; gives the keys of those that were not. */
export async function freeAll(
  client: KubeClient,
  all: readonly Lost[],
  { print, complain, stop, dryRun, rollouts = [] }: Freeing,
): Promise<ReadonlySet<string>> {
  const outcomes = abreast(all, async lost => {
    if (stop?.aborted) return 'later'
    const guard = guardOf(lost, rollouts)
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

function guardOf({ ref }: Lost, rollouts: readonly Rollout[]): Rollout | undefined {
  const key = keyOf(ref)
  return rollouts.find(each => each.spec.disabled !== true && routingsIn(each).includes(key))
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

async function free(client: KubeClient, { ref, routing }: Lost): Promise<undefined> {
  const progress = new Progress()
  const before = await readRequests(client, ref.namespace, routing)
  let now = before
  let written: number | undefined
  for (;;) {
    const next = isRoutingRef(ref)
      ? homeward(now, { before: before.touched, written, now: Date.now() })
      : (returning(now, { to: 'all', now: Date.now() }) ?? escapeOff(now, before.touched))
    if (!next) return
    progress.check(next, () => [`Service ${routing.service}`])
    if ((await take(client, undefined, next)) === 'done') {
      progress.note(next)
      if (next.type !== 'await') written = Date.now()
    }
    now = await readRequests(client, ref.namespace, routing)
  }
}

// Services and routes whose workload is gone, and whoever remembered it: they are given back by themselves.

import type { WorkloadRef } from '#core/rollout/model.ts'
import { targetOf } from '#core/rollout/commands.ts'
import { keyOf, refOf } from '#core/rollout/key.ts'
import type { Routing } from '#core/traffic/model.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { adapterFor } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import type { Stand } from './ejection.ts'
import { escapeOff, readRequests, returning } from './requests.ts'
import type { Saying } from './run.ts'
import { refOf as refOfObject } from './stands.ts'
import { Progress, take } from './steps.ts'

/** By what requests came to a workload that is gone. */
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
  return [...left]
    .filter(([key]) => !there.has(key))
    .map(([key, routing]) => ({ ref: refOf(key), routing }))
    .filter(({ ref }) => adapterFor(ref, adapters) !== undefined)
}

/** Gives all of them back, one line each; false where one was not. */
export async function freeAll(
  client: KubeClient,
  all: readonly Lost[],
  { print, complain, stop, dryRun }: Saying & { readonly dryRun: boolean },
): Promise<boolean> {
  let done = true
  for (const [index, lost] of all.entries()) {
    if (stop?.aborted) {
      complain(
        `ended before ${all.length - index} of ${all.length} Services of workloads that are gone`,
      )
      return false
    }
    const { ref, routing } = lost
    const name = `${ref.namespace}/service/${routing.service}`
    try {
      if (!dryRun) await free(client, lost)
      const aside = dryRun ? ' (dry run)' : ''
      print(`${name}: ${targetOf(ref)} is gone, and its requests are given back${aside}`)
    } catch (error) {
      done = false
      complain(`${name}: not given back: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return done
}

async function free(client: KubeClient, { ref, routing }: Lost): Promise<void> {
  const progress = new Progress()
  const before = await readRequests(client, ref.namespace, routing)
  let now = before
  for (;;) {
    const step = returning(now, { to: 'all', now: Date.now() }) ?? escapeOff(now, before.touched)
    if (!step) return
    progress.check(step, () => [`Service ${routing.service}`])
    if ((await take(client, undefined, step)) === 'done') progress.note(step)
    now = await readRequests(client, ref.namespace, routing)
  }
}

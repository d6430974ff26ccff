// Which Rollouts name a workload, asked of the API server: for a workload whose label says that there
// is one, which the cache has not heard of. A label that somebody left behind must not cost a list at
// each edit, so "none" is remembered for as long as the watch would tell of a new one.

import type { Rollout } from '#api/rollout.generated.ts'
import { workloadKey } from '#core/rollout/key.ts'

/** Gives the Rollouts that name a workload of the namespace. Throws the API server's errors. */
export type Lookup = (namespace: string, workload: string) => Promise<readonly Rollout[]>

/** How a lookup is made. */
export interface LookupOptions {
  /** Reads the Rollouts of a namespace. */
  readonly list: (namespace: string) => Promise<readonly Rollout[]>
  /** The watch of Rollouts is open: a new one would be heard of. */
  readonly watching: () => boolean
  /** Milliseconds that only go forward; those of the process unless given. */
  readonly now?: () => number
}

/** A watch may be dead for a while before that is noticed. */
const REMEMBERED_MS = 10_000

/** Makes a lookup that knows nothing yet. */
export function createLookup({
  list,
  watching,
  now = () => performance.now(),
}: LookupOptions): Lookup {
  const none = new Map<string, number>()
  const ask = createAsking(list)
  return async (namespace, workload) => {
    const at = now()
    // The oldest are at the front.
    for (const [each, since] of none) {
      if (at - since < REMEMBERED_MS) break
      none.delete(each)
    }
    if (none.has(workload) && watching()) return []
    const rollouts = await ask(namespace)
    const found = rollouts.filter(rollout => workloadKey(rollout) === workload)
    none.delete(workload)
    if (found.length === 0) none.set(workload, at)
    return found
  }
}

/**
 * Who asks together shares a list, but only one that begins after the question: one under way may have
 * been read before the Rollout was there.
 */
function createAsking(list: LookupOptions['list']): LookupOptions['list'] {
  const running = new Map<string, Promise<unknown>>()
  const next = new Map<string, Promise<readonly Rollout[]>>()
  const begin = (namespace: string) => {
    next.delete(namespace)
    const listing = list(namespace).finally(() => {
      if (running.get(namespace) === listing) running.delete(namespace)
    })
    running.set(namespace, listing)
    return listing
  }
  return namespace => {
    const shared = next.get(namespace)
    if (shared) return shared
    const asked = Promise.allSettled([running.get(namespace)]).then(() => begin(namespace))
    next.set(namespace, asked)
    return asked
  }
}

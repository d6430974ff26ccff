// Arriving where Kruise Rollouts was: whether its manager is gone, and its finalizers off the Rollouts.
// It is registered for as long as it is installed. One that runs without that shows itself: it puts its
// finalizer back as soon as we take it off. So the finalizer goes first, then it is quiet for a moment,
// and only a Rollout on which it stays away is followed.

import type { Logger } from 'pino'

import { CONTROLLER_MANAGER, KRUISE_FINALIZER } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { KRUISE_RUNNING, finalizerInWords } from '#core/rollout/events.ts'
import { isAlive } from '#core/rollout/parse.ts'
import type { Instant } from '#core/time.ts'
import type { KubeClient } from '#kube/client.ts'
import { Forbidden, NotFound } from '#kube/errors.ts'
import { ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { KruiseFinalizers } from './config.ts'
import type { OwnWrites } from './own-writes.ts'
import { createRepeats } from './repeats.ts'
import type { Repeats } from './repeats.ts'

/** Whoever runs answers a change of its Rollout at once. */
const QUIET_MS = 3000

/** What to do about one workload's Rollouts. */
export type Arrival =
  /** They are ours. */
  | { readonly is: 'ours'; readonly lookAt?: undefined }
  /** Another controller leads them; `lookAt`: it may be gone by then. */
  | { readonly is: 'its'; readonly lookAt?: Instant }
  /** Whose they are is not known: we may not take the finalizer off. */
  | { readonly is: 'kept'; readonly lookAt?: Instant }
  /** Not known before then. */
  | { readonly is: 'open'; readonly lookAt: Instant }

/** With what finalizers are taken off. */
export interface ArrivalEffects {
  readonly client: KubeClient
  readonly ownWrites: OwnWrites
  readonly onWrite: (kind: 'rollout') => void
  readonly now: () => Instant
}

/** Says whose the Rollouts of a workload are, and makes them ours. Throws the API server's errors. */
export type Arrivals = (
  effects: ArrivalEffects,
  rollouts: readonly Rollout[],
  registered: boolean,
) => Promise<Arrival>

const rolloutType = ROLLOUTS as ResourceType<Rollout>

/** What is known of one Rollout that had the finalizer. */
interface Taken {
  /** The version that had it. */
  readonly from: string
  /** Undefined: it is still there, and somebody else has to take it off. */
  readonly at?: Instant
  /** It has come back before. */
  readonly returned: boolean
}

/** Nothing is known yet. What is found is logged when it is found, and not again. */
export function createArrivals(log: Logger, finalizers: KruiseFinalizers): Arrivals {
  const allowed = finalizers === 'take-off'
  const memory: Memory = { mayTry: createRepeats(), taken: new Map(), allowed, log }
  return async (effects, rollouts, registered) => {
    if (registered) return { is: 'its' }
    let arrival: Arrival = { is: 'ours' }
    for (const rollout of rollouts) {
      arrival = graver(arrival, await arrivalOf(memory, effects, rollout))
    }
    return arrival
  }
}

interface Memory {
  readonly mayTry: Repeats
  readonly taken: Map<string, Taken>
  /** What we are told; the API server may say otherwise. */
  readonly allowed: boolean
  readonly log: Logger
}

async function arrivalOf(
  memory: Memory,
  effects: ArrivalEffects,
  rollout: Rollout,
): Promise<Arrival> {
  if (!carries(rollout)) return freed(memory, rollout, effects.now())
  // It cannot come back where the Rollout is being deleted.
  if (isAlive(rollout)) return freeing(memory, effects, rollout)
  if (!memory.allowed || !(await takeOff(effects, rollout))) keep(memory, rollout)
  return { is: 'ours' }
}

/** It is off, or was never there; it may still come back. */
function freed({ taken }: Memory, { metadata: { uid = '' } }: Rollout, now: Instant): Arrival {
  const before = taken.get(uid)
  if (!before) return { is: 'ours' }
  const at = before.at ?? now
  const lookAt = at + QUIET_MS
  // A clock that was set back keeps nobody waiting.
  const quiet = now >= at && now < lookAt
  if (quiet) {
    taken.set(uid, { ...before, at })
    return { is: before.returned ? 'its' : 'open', lookAt }
  }
  taken.delete(uid)
  return { is: 'ours' }
}

async function freeing(
  memory: Memory,
  effects: ArrivalEffects,
  rollout: Rollout,
): Promise<Arrival> {
  const { mayTry, taken, allowed, log } = memory
  if (!allowed) return keep(memory, rollout)
  const { namespace, name, uid = '', resourceVersion = '' } = rollout.metadata
  const now = effects.now()
  const before = taken.get(uid)
  const returned = hasReturned(before, resourceVersion)
  if (returned && !before.returned) {
    log.warn({ rollout: `${namespace}/${name}`, finalizer: KRUISE_FINALIZER }, KRUISE_RUNNING)
    taken.set(uid, { ...before, returned })
  }
  const is = returned ? 'its' : 'open'
  const later = mayTry(uid, now)
  if (later !== undefined) return { is: isKept(before) ? 'kept' : is, lookAt: later }
  if (!(await takeOff(effects, rollout))) {
    return { ...keep(memory, rollout), lookAt: now + QUIET_MS }
  }
  taken.set(uid, { from: resourceVersion, at: now, returned })
  return { is, lookAt: now + QUIET_MS }
}

/** The version that had it may be all that the cache knows yet. */
function hasReturned(before: Taken | undefined, resourceVersion: string): before is Taken {
  return before?.at !== undefined && before.from !== resourceVersion
}

function isKept(taken: Taken | undefined): boolean {
  return taken !== undefined && taken.at === undefined
}

/** Somebody else has to take it off; what is told of it is logged once. */
function keep({ taken, log }: Memory, { metadata }: Rollout): Arrival & { readonly is: 'kept' } {
  const { namespace = '', name, uid = '', resourceVersion = '' } = metadata
  if (!taken.has(uid)) {
    const rollout = `${namespace}/${name}`
    log.warn({ rollout, finalizer: KRUISE_FINALIZER }, finalizerInWords({ namespace, name }))
  }
  taken.set(uid, { from: resourceVersion, returned: false })
  return { is: 'kept' }
}

function carries({ metadata }: Rollout): boolean {
  return metadata.finalizers?.includes(KRUISE_FINALIZER) === true
}

/** Gives false where we may not. */
async function takeOff(
  { client, ownWrites, onWrite, now }: ArrivalEffects,
  rollout: Rollout,
): Promise<boolean> {
  const { namespace = '', name, resourceVersion, finalizers = [] } = rollout.metadata
  const rest = finalizers.filter(each => each !== KRUISE_FINALIZER)
  const patch = { metadata: { resourceVersion, finalizers: rest } }
  const options = { fieldManager: CONTROLLER_MANAGER }
  try {
    const stored = await client.mergePatch(rolloutType, { namespace, name }, patch, options)
    ownWrites.note(rollout.metadata, stored.metadata, now())
    onWrite('rollout')
  } catch (error) {
    if (error instanceof Forbidden) return false
    if (!(error instanceof NotFound)) throw error
  }
  return true
}

const gravity: Readonly<Record<Arrival['is'], number>> = { ours: 0, open: 1, kept: 2, its: 3 }

function graver(a: Arrival, b: Arrival): Arrival {
  return gravity[b.is] > gravity[a.is] ? b : a
}

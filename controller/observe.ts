// Reads the caches once and puts together all that a decision may look at.

import type { Rollout as RolloutObject } from '#api/rollout.generated.ts'
import type { Snapshot } from '#core/rollout/model.ts'
import { newPodsIn } from '#core/rollout/moves.ts'
import { firstOf, isAlive, refusedFor, rolloutOf } from '#core/rollout/parse.ts'
import { isBehind, isReleasing } from '#core/rollout/phases.ts'
import { withoutSecond } from '#core/rollout/release-style.ts'
import { memoryOf } from '#core/rollout/status.ts'
import { defined } from '#core/defined.ts'
import type { Instant } from '#core/time.ts'
import { namedRouting } from '#core/traffic-routing/decide.ts'
import type { RoutingSnapshot } from '#core/traffic-routing/decide.ts'
import { isAnswered } from '#core/traffic-routing/users.ts'
import type { RoutingUser } from '#core/traffic-routing/users.ts'
import type { Traffic } from '#core/traffic/routed.ts'
import { isOn } from '#core/workload/hold.ts'
import type { Homes } from './homes.ts'
import type { RefusedWrites } from './refused-writes.ts'
import type { Refusals } from './refusals.ts'
import type { Watches } from './watches.ts'

/** A snapshot, and the stored Rollout that its decision is written to. */
export interface Observation {
  /** Key of the workload. */
  readonly key: string
  readonly snapshot: Snapshot
  /** Undefined: the workload's Rollout is gone. */
  readonly object?: RolloutObject
}

/** What else is known when a decision is made. */
export interface Known {
  readonly now: Instant
  readonly refusals: Pick<Refusals, 'stands'>
  readonly refusedWrites: Pick<RefusedWrites, 'of'>
  readonly homes: Homes
  /** Another controller leads the Rollouts of this workload. */
  readonly kruiseRuns: boolean
  /** That is not known, since its finalizer cannot be taken off. */
  readonly finalizerKept?: true
  /** Requests are moved in this installation. */
  readonly routes?: true
  /** We have no right to delete pods. */
  readonly podsLeft?: true
  /** We have no right to make and delete Deployments. */
  readonly deploymentsLeft?: true
}

/**
 * The same, with what is known of the TrafficRouting that the release or the Rollout names; `open`: that is not known
 * yet.
 */
export function observe(
  watches: Watches,
  key: string,
  known: Known,
): readonly Observation[] | 'open' {
  const alone = observeAlone(watches, key, known)
  const named = watches.routings.of(key)
  if (named === undefined || alone.length === 0) return alone
  const found = observeRouting(watches, named, known)
  if (found === 'open') return 'open'
  return alone.map(each => {
    const self = each.object?.metadata.name ?? ''
    const trafficRouting = namedRouting(found, self)
    return { ...each, snapshot: { ...each.snapshot, trafficRouting } }
  })
}

/** All that a decision about a TrafficRouting looks at. `open`: something of it is not known yet. */
export function observeRouting(
  watches: Watches,
  key: string,
  known: Known,
): RoutingSnapshot | 'open' {
  const found = watches.routings.find(key)
  if (found === 'open') return 'open'
  const { now } = known
  // Whether a route is moved is not known: nothing is remembered of that.
  if (found.unread !== undefined)
    return { ...found, now, users: [], home: { since: now, seen: false } }
  const users: RoutingUser[] = []
  for (const workload of watches.routings.users(key)) {
    if (watches.routings.of(workload) !== key) continue
    const observations = observeAlone(watches, workload, known)
    const isNamed = watches.rollouts.byIndex('workload', workload).some(isAlive)
    // Whether it is in a release is not known.
    if (isNamed && observations.length === 0) return 'open'
    const podUids = watches.podUids(workload)
    users.push(...observations.flatMap(each => userIn(each.snapshot, podUids, found.traffic)))
  }
  const refusedWrite = known.refusedWrites.of(key)
  const home = known.homes.look(key, found.moved !== undefined, now)
  return defined({ ...found, now, users, home, refusedWrite })
}

function userIn(
  s: Snapshot,
  podUids: readonly string[],
  traffic: Traffic | undefined,
): readonly RoutingUser[] {
  const { rollout, workload } = s
  const speaks = rollout !== undefined && rollout.refused?.reason !== 'Conflict'
  if (!speaks || !isReleasing(s)) return []
  const updatePods = workload ? newPodsIn(workload) : []
  return [{ rollout: rollout.name, answers: isAnswered({ updatePods, podUids }, traffic) }]
}

/**
 * One observation for the Rollout that guards the workload, one for each that came too late, one for what is
 * left of a Rollout that is gone; none by what is older than a status, since its news are on their way, nor
 * while nothing is known of its kind.
 */
function observeAlone(
  watches: Watches,
  key: string,
  { now, refusals, refusedWrites, routes, ...known }: Known,
): readonly Observation[] {
  const objects = watches.rollouts.byIndex('workload', key).filter(isAlive)
  const found = find(watches, key, now)
  if (found === 'open') return []
  const { workload } = found
  const holdRefused = workload !== undefined && refusals.stands(workload.uid)
  const first = firstOf(objects, workload?.record?.rolloutUid)
  const registered = isRegistered(watches)
  const refusedWrite = refusedWrites.of(key)
  const base = defined({ now, ...known, registered, holdRefused, refusedWrite, ...found })
  if (!first)
    return (workload || found.traffic) && !known.kruiseRuns
      ? [{ key, snapshot: { ...base, memory: memoryOf(undefined) } }]
      : []
  const observations = objects.map(object => {
    const asked =
      object === first ? rolloutOf(object, workload?.hold, routes) : refusedFor(object, first)
    // A release that has begun in a second one goes on, as far as it may.
    const rollout = known.deploymentsLeft && !isOn(workload?.hold) ? withoutSecond(asked) : asked
    return { key, object, snapshot: { ...base, rollout, memory: memoryOf(object.status) } }
  })
  return observations.filter(({ snapshot }) => !isBehind(snapshot))
}

type Found = Partial<Pick<Snapshot, 'workload' | 'adapter' | 'unseen' | 'traffic'>>

/** The workload, and by what its requests come; or why it is not known. */
function find(watches: Watches, key: string, now: Instant): Found | 'open' {
  const sight = watches.sight(key)
  const traffic = watches.traffic(key)
  if (sight === 'open' || traffic === 'open') return 'open'
  const seen = sight === 'watched' ? watches.workload(key, now) : { unseen: sight }
  return { ...seen, ...(traffic && { traffic }) }
}

/** The API server knows where to call, and whom to trust there. */
function isRegistered({ configurations }: Watches): boolean {
  const webhooks = configurations.list().flatMap(({ webhooks: each = [] }) => each)
  return webhooks.length > 0 && webhooks.every(({ clientConfig }) => clientConfig.caBundle)
}

// One run of one key: an observation, a decision, its writes. One line of log for each decision that did something.

import type { Logger } from 'pino'

import { refOf } from '#core/ref.ts'
import { decide } from '#core/rollout/decide.ts'
import type { Instant } from '#core/time.ts'
import { decideRouting, isOver, newsOf } from '#core/traffic-routing/decide.ts'
import type { RoutingSnapshot } from '#core/traffic-routing/decide.ts'
import { isRoutingRef } from '#core/traffic-routing/parse.ts'
import type { WorkQueue } from '#kube/queue.ts'
import { applyRouting } from './apply-routing.ts'
import { apply } from './apply.ts'
import type { Effects } from './apply.ts'
import type { Homes } from './homes.ts'
import type { Arrival, Arrivals } from './kruise.ts'
import { observe, observeRouting } from './observe.ts'
import type { Known, Observation } from './observe.ts'
import { waitOf } from './waits.ts'
import type { Waits } from './waits.ts'
import type { Watches } from './watches.ts'

/** What each run is told. */
export interface ReconcileOptions {
  /** Whether pods may be deleted. */
  readonly deletePods: boolean
  /** Whether Deployments may be made and deleted. */
  readonly makeDeployments: boolean
  /** Whether requests may be moved. */
  readonly routes: boolean
  readonly log: Logger
  readonly now: () => Instant
}

/** With what the runs of one term are made. */
export interface Running {
  readonly watches: Watches
  readonly effects: Effects
  readonly waits: Waits
  readonly arrivals: Arrivals
  readonly queue: Pick<WorkQueue, 'add' | 'addAt'>
  readonly homes: Homes
  /** What was last known of each TrafficRouting by those who name it. */
  readonly routingNews: Map<string, string>
}

/** Runs one key. Throws the API server's errors. */
export async function reconcile(
  options: ReconcileOptions,
  running: Running,
  key: string,
): Promise<void> {
  const { watches, effects, queue } = running
  const awaited = effects.ownWrites.awaited(watches.versions(key), options.now())
  if (awaited !== undefined) queue.addAt(key, awaited)
  else if (isRoutingRef(refOf(key))) await reconcileRouting(options, running, key)
  else await reconcileWorkload(options, running, key)
}

/** Who needs its TrafficRouting is computed from what this run was woken for, also where nothing can be written. */
async function reconcileWorkload(
  options: ReconcileOptions,
  running: Running,
  key: string,
): Promise<void> {
  const { watches, queue } = running
  try {
    await reconcileRollouts(options, running, key)
  } finally {
    const routing = watches.routings.of(key)
    if (routing !== undefined) queue.add(routing)
  }
}

async function reconcileRollouts(
  options: ReconcileOptions,
  running: Running,
  key: string,
): Promise<void> {
  const { log } = options
  const { watches, effects, waits, arrivals, queue } = running
  const base = knownIn(options, running)
  const rollouts = watches.rollouts.byIndex('workload', key)
  const { is, lookAt } = await arrivals(effects, rollouts, watches.kruise.size > 0)
  if (lookAt !== undefined) queue.addAt(key, lookAt)
  if (is === 'open') return
  const known = { ...base, ...kruiseIn(is) }
  const decided = observed(running, key, known).map(observation => ({
    observation,
    decision: decide(observation.snapshot),
  }))
  waits.see(
    key,
    decided.flatMap(({ decision }) => waitOf(decision) ?? []),
  )
  for (const { observation, decision } of decided) {
    const { wrote, refused, requeueAt } = await apply(effects, observation, decision)
    if (requeueAt !== undefined) queue.addAt(key, requeueAt)
    if (!wrote) continue
    const { kind, namespace, name } = refOf(key)
    const { actions, standing, message } = decision
    const workload = `${namespace}/${kind}/${name}`
    if (refused)
      log.warn({ workload }, 'the webhook does not take our holds: see --controller-user')
    const rollout = observation.object?.metadata.name
    const did = actions.map(({ type }) => type).join(', ')
    log.info({ workload, rollout, did, ...standing }, message)
  }
}

/** Whoever could not know its TrafficRouting is told what is known next, also where that was known before. */
function observed(
  { watches, routingNews }: Running,
  key: string,
  known: Known,
): readonly Observation[] {
  const found = observe(watches, key, known)
  if (found !== 'open') return found
  routingNews.set(watches.routings.of(key)!, found)
  return []
}

/** One TrafficRouting. */
async function reconcileRouting(
  options: ReconcileOptions,
  running: Running,
  key: string,
): Promise<void> {
  const { log } = options
  const { watches, effects, queue, homes } = running
  // The controller of Kruise Rollouts moves its routes.
  if (watches.kruise.size > 0) return
  const snapshot = observeRouting(watches, key, {
    ...knownIn(options, running),
    kruiseRuns: false,
  })
  wakeUsers(running, key, snapshot)
  if (snapshot === 'open' || snapshot.unread !== undefined) return
  const decision = decideRouting(snapshot)
  if (isOver(snapshot, decision) && watches.routings.users(key).length === 0) homes.forget(key)
  const { wrote, requeueAt } = await applyRouting(effects, key, snapshot, decision)
  if (requeueAt !== undefined) queue.addAt(key, requeueAt)
  if (!wrote) return
  const { namespace, name } = refOf(key)
  const { phase, reason, message } = decision
  log.info({ trafficRouting: `${namespace}/${name}`, phase, reason }, message)
}

/** Those who wait for it look at the same; nothing else tells them where it is gone, or was not known. */
function wakeUsers(
  { watches, queue, routingNews }: Running,
  key: string,
  snapshot: RoutingSnapshot | 'open',
): void {
  const users = watches.routings.users(key)
  if (users.length === 0) return void routingNews.delete(key)
  const news = snapshot === 'open' ? snapshot : newsOf(snapshot)
  if (routingNews.get(key) === news) return
  routingNews.set(key, news)
  for (const user of users) queue.add(user)
}

function knownIn(
  options: ReconcileOptions,
  { effects: { refusals, refusedWrites }, homes }: Running,
): Omit<Known, 'kruiseRuns'> {
  return { now: options.now(), refusals, refusedWrites, homes, ...settingsIn(options) }
}

function kruiseIn(is: Arrival['is']): Pick<Known, 'kruiseRuns' | 'finalizerKept'> {
  return { kruiseRuns: is !== 'ours', ...(is === 'kept' && { finalizerKept: true }) }
}

function settingsIn({
  deletePods,
  makeDeployments,
  routes,
}: ReconcileOptions): Pick<Known, 'podsLeft' | 'deploymentsLeft' | 'routes'> {
  return {
    ...(!deletePods && { podsLeft: true }),
    ...(!makeDeployments && { deploymentsLeft: true }),
    ...(routes && { routes }),
  }
}

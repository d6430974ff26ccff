// The loop: a key from the queue, an observation, a decision, its writes. One line of log for each
// decision that did something.

import type { Logger } from 'pino'

import { refOf } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { decide } from '#core/rollout/decide.ts'
import type { NamedKind } from '#core/rollout/unseen.ts'
import type { ScriptRunner } from '#core/script.ts'
import type { Instant } from '#core/time.ts'
import { decideRouting, newsOf } from '#core/traffic-routing/decide.ts'
import type { RoutingSnapshot } from '#core/traffic-routing/decide.ts'
import { isRoutingRef } from '#core/traffic-routing/parse.ts'
import { routersWith } from '#core/traffic/registry.ts'
import { adaptersWith } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { Conflict, Retryable } from '#kube/errors.ts'
import type { LeaderWork, Term } from '#kube/lease.ts'
import { WorkQueue } from '#kube/queue.ts'
import type { RunReport } from '#kube/queue.ts'
import { tellOfKruise } from '#process/kruise.ts'
import { untilAborted } from '#process/program.ts'
import { tellFailedWatch } from '#process/watches.ts'
import { applyRouting } from './apply-routing.ts'
import { apply } from './apply.ts'
import type { Effects } from './apply.ts'
import type { ControllerMetrics } from './metrics.ts'
import { createArrivals } from './kruise.ts'
import type { Arrival, Arrivals } from './kruise.ts'
import type { KruiseFinalizers } from './config.ts'
import type { Sight } from './kinds.ts'
import { createScripts } from './scripts.ts'
import { createHomes } from './homes.ts'
import type { Homes } from './homes.ts'
import { createNews } from './news.ts'
import { observe, observeRouting } from './observe.ts'
import type { Known } from './observe.ts'
import { createOwnWrites } from './own-writes.ts'
import type { ReflectOptions } from './reflections.ts'
import { createRefusals } from './refusals.ts'
import { createRefusedWrites } from './refused-writes.ts'
import { createRepeats } from './repeats.ts'
import type { Repeats } from './repeats.ts'
import { createWatches } from './watches.ts'
import { createWaits, waitOf } from './waits.ts'
import type { Waits } from './waits.ts'
import type { Watches } from './watches.ts'

/**
 * After news of pods and ReplicaSets the workload's own controller writes its status, within a few
 * milliseconds. To write at once would be to conflict with it; so that is waited for, but not longer.
 */
const SOON_MS = 100

/** What a controller is made of. */
export interface ControllerOptions {
  /** Reads and watches. */
  readonly client: KubeClient
  /** Makes the client of all writes of one term: none leaves after it. */
  readonly writing: (term: Term) => KubeClient
  /** Name of the webhook configurations. */
  readonly configuration: string
  /** Our own namespace. */
  readonly namespace: string
  /** Runs traffic scripts. */
  readonly scripts: ScriptRunner
  /** What is watched; none: all. */
  readonly namespaces: readonly string[]
  readonly concurrency: number
  /** Whether finalizers of Kruise Rollouts may be taken off Rollouts. */
  readonly kruiseFinalizers: KruiseFinalizers
  /** Whether pods may be deleted. */
  readonly deletePods: boolean
  /** Whether Deployments may be made and deleted. */
  readonly makeDeployments: boolean
  /** Whether requests may be moved. */
  readonly routes: boolean
  /** Kinds of a StatefulSet's shape beside those that we know. */
  readonly extraKinds: readonly KindRef[]
  /** Kinds beside those that we know by which requests are moved. */
  readonly routeKinds: readonly KindRef[]
  readonly metrics: ControllerMetrics
  readonly log: Logger
  readonly now: () => Instant
  /** Called when a write of ours has met no webhook. */
  readonly onUnanswered: () => void
}

/** A controller that has not started. */
export interface Controller {
  readonly watches: Watches
  /** Decides and writes until the signal aborts; the caches must be running and synced. */
  readonly lead: LeaderWork
  /** The webhook answers again: whatever waits for it to be tried once more is tried now. */
  readonly tryAgain: () => void
}

/** Makes a controller. */
export function createController(options: ControllerOptions): Controller {
  const { log, metrics } = options
  let queue: WorkQueue | undefined
  let repeats = createRepeats()
  const scripts = createScripts(options.scripts, options.now)
  const watches = createWatches({
    ...options,
    answers: scripts.answers,
    adapters: adaptersWith(options.extraKinds),
    onSight: tellSight(log),
    wake: (key, when) =>
      when === 'now' ? queue?.add(key) : queue?.addAt(key, options.now() + SOON_MS),
    onNews: tellNews(options),
    onListenerError: error => log.error({ err: error }, 'a listener failed'),
  })
  watches.kruise.onChange(tellOfKruise(log))
  const lookAtAll = () => {
    for (const key of watches.keys()) queue?.add(key)
  }

  return {
    watches,
    tryAgain() {
      repeats = createRepeats()
      lookAtAll()
    },
    async lead(signal, term) {
      repeats = createRepeats()
      const writer = options.writing(term)
      const waits = createWaits(metrics.waited)
      const arrivals = createArrivals(log, options.kruiseFinalizers)
      const effects: Effects = {
        ...createEffects(options, writer, (uid, now) => repeats(uid, now)),
        routers: routersWith(options.routeKinds),
        runScript: (key, call) => scripts.run(call, () => queue?.add(key)),
      }
      const routingNews = new Map<string, string>()
      const parts = { watches, effects, waits, arrivals, homes: createHomes(), routingNews }
      const running = new WorkQueue({
        concurrency: options.concurrency,
        run: key => reconcile(options, { ...parts, queue: running }, key),
        onRun: report => reportRun(options, report),
      })
      metrics.observe({
        queue: () => running.stats(),
        leading: () => term.remainingMs() > 0,
        settleWaits: waits.settle,
      })
      queue = running
      lookAtAll()
      void watches.search()
      await untilAborted(signal)
      queue = undefined
      await running.stop()
      await writer.close()
      waits.settle()
      metrics.observe({ settleWaits: () => {} })
    },
  }
}

function tellNews({ log, metrics }: ControllerOptions): ReflectOptions['onNews'] {
  return (resource, news) => {
    metrics.watch(resource, news.what)
    if (news.what === 'failed') tellFailedWatch(log, resource, news)
    else log.debug({ resource, ...news }, 'watch')
  }
}

/** What keeps a Rollout from its work is an error; that a cluster lacks what nobody asks for is none. */
function tellSight(log: Logger) {
  return ({ apiVersion, kind }: NamedKind, sight: Sight, named: boolean) => {
    const workloads = `${apiVersion} ${kind}`
    if (typeof sight === 'string') log.info({ workloads }, `the kind is ${sight}`)
    else if (named) log.error({ workloads }, sight.sentences.join('; '))
    else log.info({ workloads }, sight.sentences.join('; '))
  }
}

function createEffects(
  { metrics, log, now, onUnanswered }: ControllerOptions,
  client: KubeClient,
  repeats: Repeats,
): Omit<Effects, 'runScript' | 'routers'> {
  return {
    client,
    mayRepeat(uid, at) {
      onUnanswered()
      return repeats(uid, at)
    },
    onWrite: kind => metrics.wrote(kind),
    onTold: metrics.told,
    onUntold(reason, error) {
      metrics.untold()
      log.warn({ reason, err: error }, 'an event could not be told')
    },
    now,
    refusals: createRefusals(),
    refusedWrites: createRefusedWrites(),
    ownWrites: createOwnWrites(),
    news: createNews(),
  }
}

interface Running {
  readonly watches: Watches
  readonly effects: Effects
  readonly waits: Waits
  readonly arrivals: Arrivals
  readonly queue: WorkQueue
  readonly homes: Homes
  /** What was last known of each TrafficRouting by those who name it. */
  readonly routingNews: Map<string, string>
}

async function reconcile(options: ControllerOptions, running: Running, key: string): Promise<void> {
  const { watches, effects, queue } = running
  const awaited = effects.ownWrites.awaited(watches.versions(key), options.now())
  if (awaited !== undefined) queue.addAt(key, awaited)
  else if (isRoutingRef(refOf(key))) await reconcileRouting(options, running, key)
  else await reconcileWorkload(options, running, key)
}

async function reconcileWorkload(
  options: ControllerOptions,
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
  const decided = observe(watches, key, known).map(observation => ({
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
  // Who needs it is computed from what was just looked at.
  const routing = watches.routings.of(key)
  if (routing !== undefined) queue.add(routing)
}

/** One TrafficRouting. */
async function reconcileRouting(
  options: ControllerOptions,
  running: Running,
  key: string,
): Promise<void> {
  const { log } = options
  const { watches, effects, queue } = running
  // The controller of Kruise Rollouts moves its routes.
  if (watches.kruise.size > 0) return
  const snapshot = observeRouting(watches, key, {
    ...knownIn(options, running),
    kruiseRuns: false,
  })
  wakeUsers(running, key, snapshot)
  if (snapshot === 'open' || snapshot.unread !== undefined) return
  const decision = decideRouting(snapshot)
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
  const news = snapshot === 'open' ? snapshot : newsOf(snapshot)
  if (routingNews.get(key) === news) return
  routingNews.set(key, news)
  for (const user of watches.routings.users(key)) queue.add(user)
}

function knownIn(
  options: ControllerOptions,
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
}: ControllerOptions): Pick<Known, 'podsLeft' | 'deploymentsLeft' | 'routes'> {
  return {
    ...(!deletePods && { podsLeft: true }),
    ...(!makeDeployments && { deploymentsLeft: true }),
    ...(routes && { routes }),
  }
}

function reportRun(options: ControllerOptions, report: RunReport): void {
  const { log, metrics, onUnanswered } = options
  const { key, outcome, seconds, error } = report
  metrics.ran(outcome, seconds)
  if (error instanceof Conflict) metrics.conflicted()
  if (error instanceof Retryable && /failed calling webhook/.test(error.message)) onUnanswered()
  if (outcome === 'error') log.error({ key, err: error }, 'a decision failed')
  else if (outcome === 'retry') log.debug({ key, err: error }, 'deciding again')
}

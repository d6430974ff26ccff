// The loop: what is watched wakes keys, and whoever leads runs them.

import type { Logger } from 'pino'

import type { KindRef } from '#core/ref.ts'
import type { NamedKind } from '#core/rollout/unseen.ts'
import type { ScriptRunner } from '#core/script.ts'
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
import type { Effects } from './apply.ts'
import type { ControllerMetrics } from './metrics.ts'
import { createArrivals } from './kruise.ts'
import type { KruiseFinalizers } from './config.ts'
import type { Sight } from './kinds.ts'
import { createScripts } from './scripts.ts'
import { createHomes } from './homes.ts'
import { createNews } from './news.ts'
import { createOwnWrites } from './own-writes.ts'
import { reconcile } from './reconcile.ts'
import type { ReconcileOptions } from './reconcile.ts'
import type { ReflectOptions } from './reflections.ts'
import { createRefusals } from './refusals.ts'
import { createRefusedWrites } from './refused-writes.ts'
import { createRepeats } from './repeats.ts'
import type { Repeats } from './repeats.ts'
import { createWatches } from './watches.ts'
import { createWaits } from './waits.ts'
import type { Watches } from './watches.ts'

/**
 * After news of pods and ReplicaSets the workload's own controller writes its status, within a few
 * milliseconds. To write at once would be to conflict with it; so that is waited for, but not longer.
 */
const SOON_MS = 100

/** What a controller is made of. */
export interface ControllerOptions extends ReconcileOptions {
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
  /** Kinds of a StatefulSet's shape beside those that we know. */
  readonly extraKinds: readonly KindRef[]
  /** Kinds beside those that we know by which requests are moved. */
  readonly routeKinds: readonly KindRef[]
  readonly metrics: ControllerMetrics
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
    else log.debug({ workloads }, sight.sentences.join('; '))
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

function reportRun(options: ControllerOptions, report: RunReport): void {
  const { log, metrics, onUnanswered } = options
  const { key, outcome, seconds, error } = report
  metrics.ran(outcome, seconds)
  if (error instanceof Conflict) metrics.conflicted()
  if (error instanceof Retryable && /failed calling webhook/.test(error.message)) onUnanswered()
  if (outcome === 'error') log.error({ key, err: error }, 'a decision failed')
  else if (outcome === 'retry') log.debug({ key, err: error }, 'deciding again')
}

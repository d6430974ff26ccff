// The numbers of the controller process, in a registry of their own. docs/reference/metrics.md says
// what they mean and when to worry.

import { Registry, collectDefaultMetrics } from 'prom-client'

import type { EventReason } from '#api/names.ts'
import { isNative } from '#core/ref.ts'
import { newestRouters } from '#core/traffic/registry.ts'
import { adapters } from '#core/workload/registry.ts'
import type { QueueStats, RunReport } from '#kube/queue.ts'
import { reflectorNews } from '#kube/reflector.ts'
import type { ReflectorNews } from '#kube/reflector.ts'
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  ENDPOINT_SLICES,
  MUTATING_WEBHOOKS,
  PODS,
  REPLICA_SETS,
  ROLLOUTS,
  SERVICES,
} from '#kube/resources.ts'
import { counter, gauge, histogram } from '#process/metrics.ts'
import { writeKinds } from './apply.ts'
import type { WriteKind } from './apply.ts'
import { optionalName } from './reflections.ts'
import { waitReasons } from './waits.ts'
import type { Waited } from './waits.ts'

/** What the controller counts. */
export interface ControllerMetrics {
  readonly registry: Registry
  /** Counts one decision and its writes. */
  readonly ran: (outcome: RunReport['outcome'], seconds: number) => void
  readonly wrote: (kind: WriteKind) => void
  /** Counts a write that met a newer version. */
  readonly conflicted: () => void
  /** Counts an event that was told: the end of a release is one. */
  readonly told: (reason: EventReason) => void
  /** Counts an event that could not be told. */
  readonly untold: () => void
  /** Adds the time that a Rollout waited. */
  readonly waited: Waited
  /** Counts what a watch went through. */
  readonly watch: (resource: string, what: ReflectorNews['what']) => void
  /** Where gauges are read from, and whom to ask for waits that are not over. */
  readonly observe: (sources: Partial<MetricSources>) => void
}

/** What gauges are read from. */
export interface MetricSources {
  readonly queue: () => QueueStats
  readonly leading: () => boolean
  readonly settleWaits: () => void
  /** Undefined: it is not known. */
  readonly webhookReached: () => boolean | undefined
}

const own = [
  ROLLOUTS,
  REPLICA_SETS,
  CONTROLLER_REVISIONS,
  PODS,
  SERVICES,
  ENDPOINT_SLICES,
  MUTATING_WEBHOOKS,
]
const resources = [
  ...own.map(({ plural }) => plural),
  CONFIG_MAPS.plural,
  ...newestRouters.map(optionalName),
  ...adapters.map(adapter => (isNative(adapter) ? adapter.plural : optionalName(adapter))),
]
const outcomes = ['ok', 'retry', 'error'] as const satisfies readonly RunReport['outcome'][]

/** How a release ends, by the event that tells it. */
const endings = {
  ReleaseCompleted: 'completed',
  ReleaseTakenOver: 'takenOver',
  ReleaseOvertaken: 'overtaken',
  ReleaseRolledBack: 'canceled',
  ReleaseAborted: 'aborted',
  Released: 'released',
} as const satisfies Partial<Record<EventReason, string>>

/** Makes the metrics of one process, with Node's own among them. */
export function createMetrics(): ControllerMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  let sources: MetricSources = {
    queue: () => ({ depth: 0, waiting: 0, running: 0, retries: 0, errors: 0 }),
    leading: () => false,
    settleWaits: () => {},
    webhookReached: () => undefined,
  }
  for (const state of ['depth', 'waiting', 'running'] as const) {
    const name = `sluice_controller_queue_${state}`
    gauge(
      registry,
      { name, help: `Workloads in the queue: ${state}.` },
      () => sources.queue()[state],
    )
  }
  gauge(
    registry,
    { name: 'sluice_controller_leader', help: '1 while this replica leads, else 0.' },
    () => Number(sources.leading()),
  )
  gauge(
    registry,
    {
      name: 'sluice_controller_webhook_reached',
      help: '1 while the API server reaches the webhook, 0 while it does not, NaN while it is not known.',
    },
    () => Number(sources.webhookReached()),
  )
  const settleWaits = () => sources.settleWaits()
  return {
    registry,
    ...decisionMetrics(registry),
    ...releaseMetrics(registry, settleWaits),
    observe: given => void (sources = { ...sources, ...given }),
  }
}

function decisionMetrics(registry: Registry) {
  const decisions = histogram(registry, {
    name: 'sluice_controller_decision_seconds',
    help: 'Time of one decision and its writes, by outcome.',
    labels: { outcome: outcomes },
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  })
  const writes = counter(registry, {
    name: 'sluice_controller_writes_total',
    help: 'Writes that the API server accepted, by kind.',
    labels: { kind: writeKinds },
  })
  const conflicts = counter(registry, {
    name: 'sluice_controller_conflicts_total',
    help: 'Writes that met a newer version, and were decided again.',
    labels: {},
  })
  const untold = counter(registry, {
    name: 'sluice_controller_untold_events_total',
    help: 'Events that the API server did not take, and that are told by the log alone.',
    labels: {},
  })
  const watches = counter(registry, {
    name: 'sluice_controller_watch_events_total',
    help: 'What the watches went through, by resource.',
    labels: { resource: resources, what: reflectorNews },
  })
  return {
    ran: (outcome: RunReport['outcome'], seconds: number) => decisions({ outcome }, seconds),
    wrote: (kind: WriteKind) => writes({ kind }),
    conflicted: () => conflicts({}),
    untold: () => untold({}),
    watch: (resource: string, what: ReflectorNews['what']) => watches({ resource, what }),
  }
}

function releaseMetrics(registry: Registry, settleWaits: () => void) {
  const releases = counter(registry, {
    name: 'sluice_controller_releases_total',
    help: 'Releases that ended, by outcome.',
    labels: { outcome: Object.values(endings) },
  })
  const waits = counter(
    registry,
    {
      name: 'sluice_controller_wait_seconds_total',
      help: 'Time that Rollouts waited, by reason.',
      labels: { reason: waitReasons },
    },
    settleWaits,
  )
  const byReason: Readonly<Partial<Record<EventReason, (typeof endings)[keyof typeof endings]>>> =
    endings
  return {
    told(reason: EventReason) {
      const outcome = byReason[reason]
      if (outcome !== undefined) releases({ outcome })
    },
    waited: ((reason, seconds) => waits({ reason }, seconds)) satisfies Waited as Waited,
  }
}

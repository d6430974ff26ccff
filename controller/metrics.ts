// The numbers of the controller process, in a registry of their own.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

import type { QueueStats, RunReport } from '#kube/queue.ts'
import type { WriteKind } from './apply.ts'

/** What the controller counts. */
export interface ControllerMetrics {
  readonly registry: Registry
  /** Counts one decision and its writes. */
  readonly ran: (outcome: RunReport['outcome'], seconds: number) => void
  readonly wrote: (kind: WriteKind) => void
  /** Counts what a watch went through. */
  readonly watch: (resource: string, what: string) => void
  /** Where the gauges of the queue are read from. */
  readonly watchQueue: (stats: () => QueueStats) => void
}

/** Makes the metrics of one process, with Node's own among them. */
export function createMetrics(): ControllerMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  let stats: (() => QueueStats) | undefined

  const decisions = new Histogram({
    name: 'sluice_controller_decision_seconds',
    help: 'Time of one decision and its writes, by outcome.',
    labelNames: ['outcome'] as const,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  })
  const writes = new Counter({
    name: 'sluice_controller_writes_total',
    help: 'Writes that the API server accepted, by kind.',
    labelNames: ['kind'] as const,
    registers,
  })
  const watches = new Counter({
    name: 'sluice_controller_watch_events_total',
    help: 'What the watches went through: listed, watching, expired, failed, unreadable.',
    labelNames: ['resource', 'what'] as const,
    registers,
  })
  for (const state of ['depth', 'waiting', 'running'] as const) {
    const gauge: Gauge = new Gauge({
      name: `sluice_controller_queue_${state}`,
      help: `Workloads in the queue: ${state}.`,
      registers,
      collect: (): void => gauge.set(stats?.()[state] ?? 0),
    })
  }

  return {
    registry,
    ran: (outcome, seconds) => decisions.observe({ outcome }, seconds),
    wrote: kind => writes.inc({ kind }),
    watch: (resource, what) => watches.inc({ resource, what }),
    watchQueue: source => {
      stats = source
    },
  }
}

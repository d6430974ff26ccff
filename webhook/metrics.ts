// The numbers of the webhook process, in a registry of their own.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** How a request ended: `bug` where the reviewer threw, `malformed` where it was no review. */
export type Outcome = 'allowed' | 'patched' | 'denied' | 'bug' | 'malformed'

/** What the webhook counts. */
export interface WebhookMetrics {
  readonly registry: Registry
  /** Counts one answer; `operation` is `unknown` for what was no review. */
  readonly reviewed: (operation: string, outcome: Outcome, seconds: number) => void
  /** Counts an edit that was held; dry runs are not edits. */
  readonly held: () => void
  /** Says when the certificate that is served ends, in epoch milliseconds. */
  readonly certificateEnds: (at: number) => void
}

/** Makes the metrics of one process, with Node's own among them. */
export function createMetrics(): WebhookMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const reviews = new Counter({
    name: 'sluice_webhook_reviews_total',
    help: 'Answers to admission reviews, by operation and outcome.',
    labelNames: ['operation', 'outcome'] as const,
    registers,
  })
  const seconds = new Histogram({
    name: 'sluice_webhook_review_seconds',
    help: 'Time from a parsed request to its answer.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  })
  const held = new Counter({
    name: 'sluice_webhook_held_edits_total',
    help: 'Edits that were stored with a hold.',
    registers,
  })
  const bugs = new Counter({
    name: 'sluice_webhook_bugs_total',
    help: 'Reviews that failed inside and were answered without a decision.',
    registers,
  })
  const ends = new Gauge({
    name: 'sluice_webhook_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate ends, in seconds since 1970.',
    registers,
  })

  return {
    registry,
    reviewed(operation, outcome, elapsed) {
      reviews.inc({ operation, outcome })
      seconds.observe(elapsed)
      if (outcome === 'bug') bugs.inc()
    },
    held: () => held.inc(),
    certificateEnds: at => ends.set(at / 1000),
  }
}

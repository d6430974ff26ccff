// The numbers of the webhook process, in a registry of their own. docs/reference/metrics.md says what
// they mean and when to worry.

import { Registry, collectDefaultMetrics } from 'prom-client'

import { reflectorNews } from '#kube/reflector.ts'
import type { ReflectorNews } from '#kube/reflector.ts'
import {
  CUSTOM_RESOURCES,
  MUTATING_WEBHOOKS,
  ROLLOUTS,
  VALIDATING_WEBHOOKS,
} from '#kube/resources.ts'
import { counter, gauge, histogram } from '#process/metrics.ts'
import type { ConversionOutcome } from './conversion.ts'
import type { Operation } from './review.ts'

const operations = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'CONNECT',
  'unknown',
] as const satisfies readonly (Operation | 'unknown')[]
const outcomes = ['allowed', 'patched', 'denied', 'bug', 'malformed'] as const
const conversionOutcomes = [
  'converted',
  'failed',
  'bug',
] as const satisfies readonly ConversionOutcome[]
const watched = [ROLLOUTS, MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, CUSTOM_RESOURCES]
const resources = watched.map(({ plural }) => plural)

/** How a request ended: `bug` where the reviewer threw, `malformed` where it was no review. */
export type Outcome = (typeof outcomes)[number]

/** What the webhook counts. */
export interface WebhookMetrics {
  readonly registry: Registry
  /** Counts one answer; `operation` is `unknown` for what was no review. */
  readonly reviewed: (operation: Operation | 'unknown', outcome: Outcome, seconds: number) => void
  /** Counts one answer to a review of objects to be converted. */
  readonly converted: (outcome: ConversionOutcome) => void
  /** Counts an edit that was held; dry runs are not edits. */
  readonly held: () => void
  /** Counts what a watch went through. */
  readonly watch: (resource: string, what: ReflectorNews['what']) => void
  /** Says when the certificate that is served ends, in epoch milliseconds. */
  readonly certificateEnds: (at: number) => void
}

/** Makes the metrics of one process, with Node's own among them. */
export function createMetrics(): WebhookMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  const reviews = counter(registry, {
    name: 'sluice_webhook_reviews_total',
    help: 'Answers to admission reviews, by operation and outcome.',
    labels: { operation: operations, outcome: outcomes },
  })
  const seconds = histogram(registry, {
    name: 'sluice_webhook_review_seconds',
    help: 'Time from a parsed request to its answer.',
    labels: {},
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  })
  const conversions = counter(registry, {
    name: 'sluice_webhook_conversions_total',
    help: 'Answers to reviews of Rollouts to be converted, by outcome.',
    labels: { outcome: conversionOutcomes },
  })
  const held = counter(registry, {
    name: 'sluice_webhook_held_edits_total',
    help: 'Edits that were stored with a hold.',
    labels: {},
  })
  const bugs = counter(registry, {
    name: 'sluice_webhook_bugs_total',
    help: 'Reviews that failed inside and were answered without a decision.',
    labels: {},
  })
  const watches = counter(registry, {
    name: 'sluice_webhook_watch_events_total',
    help: 'What the watches went through, by resource.',
    labels: { resource: resources, what: reflectorNews },
  })
  let certificateEnd = 0
  gauge(
    registry,
    {
      name: 'sluice_webhook_certificate_expiry_timestamp_seconds',
      help: 'When the serving certificate ends, in seconds since 1970; 0 before there is one.',
    },
    () => certificateEnd / 1000,
  )

  return {
    registry,
    reviewed(operation, outcome, elapsed) {
      reviews({ operation, outcome })
      seconds({}, elapsed)
      if (outcome === 'bug') bugs({})
    },
    converted(outcome) {
      conversions({ outcome })
      if (outcome === 'bug') bugs({})
    },
    held: () => held({}),
    watch: (resource, what) => watches({ resource, what }),
    certificateEnds: at => void (certificateEnd = at),
  }
}

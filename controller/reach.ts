// Whether the API server reaches the webhook: it is asked to create a Lease of which nothing is stored (a
// dry run), and for which it calls our webhook alone. The mark on its answer can only come from there.

import type { Logger } from 'pino'

import { PROBE } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { pause } from '#kube/backoff.ts'
import type { KubeClient } from '#kube/client.ts'
import { ApiError } from '#kube/errors.ts'
import { LEASES } from '#kube/resources.ts'

/** Whom to ask, and where it is told. */
export interface ReachOptions {
  readonly client: KubeClient
  /** Our own namespace. */
  readonly namespace: string
  /** Name of the mutating webhook configuration. */
  readonly configuration: string
  readonly log: Logger
  /** Told of every answer. */
  readonly onReach: (reached: boolean) => void
  /** After how many milliseconds one that is reached is asked for again; 5 minutes unless given. */
  readonly calmMs?: number
  /** The same for one that is not reached; 2 s unless given. */
  readonly soonMs?: number
}

const CALM_MS = 300_000
const SOON_MS = 2_000
/** In an installation all start at once: the webhook may be the last. */
const PATIENCE = 6

/** Asks until the signal aborts; a webhook that is not reached is told once, and again when it is. */
export async function watchReach(options: ReachOptions, signal: AbortSignal): Promise<void> {
  const { onReach, calmMs = CALM_MS, soonMs = SOON_MS } = options
  let failures = 0
  while (!signal.aborted) {
    const trouble = await troubleOf(options, signal)
    if (signal.aborted) return
    if (trouble !== 'unknown') {
      onReach(trouble === undefined)
      failures = tell(options, failures, trouble)
    }
    await pause(trouble === undefined ? calmMs : soonMs, signal)
  }
}

/** Gives how often in a row it was not reached, with this answer. */
function tell({ log }: ReachOptions, before: number, trouble: string | undefined): number {
  if (trouble === undefined) {
    if (before >= PATIENCE) log.info('the API server reaches the webhook')
    return 0
  }
  const failures = before + 1
  if (failures === PATIENCE) log.error(`the API server does not reach the webhook: ${trouble}`)
  return failures
}

/** Why it is not reached and what to do, in one line; `unknown`: the API server itself did not answer. */
async function troubleOf(
  { client, namespace, configuration }: ReachOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const lease = probeOf(namespace, configuration)
    const answer = await client.create(LEASES, lease, { dryRun: true, timeoutMs: 10_000, signal })
    if (answer.metadata.annotations?.[PROBE] !== undefined) return undefined
    const found = `kubectl get mutatingwebhookconfiguration ${configuration}`
    return `it does not call one: \`${found}\` must have the webhook probe.sluice.dev`
  } catch (error) {
    const [, why] = /failed calling webhook "[^"]*": ([^]*)/.exec(messageOf(error)) ?? []
    if (why === undefined) return 'unknown'
    return `${why}: let it reach the pods of the webhook on port 9443, and look at their log`
  }
}

function messageOf(error: unknown): string {
  return error instanceof ApiError ? error.message.replaceAll(/\s+/g, ' ').trim() : ''
}

function probeOf(namespace: string, configuration: string): KubeObject {
  const metadata = { name: 'sluice-probe', namespace, labels: { [PROBE]: configuration } }
  return { apiVersion: LEASES.apiVersion, kind: LEASES.kind, metadata }
}

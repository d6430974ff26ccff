// Whether the API server reaches the webhook: it is asked to create a Lease of which nothing is stored (a
// dry run), and for which it calls no other webhook of ours. The mark on its answer can only come from there.

import type { Logger } from 'pino'

import { PROBE } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { pause } from '#kube/backoff.ts'
import type { KubeClient } from '#kube/client.ts'
import { LEASES } from '#kube/resources.ts'

/** Whom to ask, and where it is told. */
export interface ReachOptions {
  readonly client: KubeClient
  /** Our own namespace. */
  readonly namespace: string
  /** Name of the mutating webhook configuration. */
  readonly configuration: string
  readonly log: Logger
  /** Told of every answer; undefined: it is not known. */
  readonly onReach: (reached: boolean | undefined) => void
  /** Told when it is reached again, also where it was not known in between. */
  readonly onBack: () => void
  /** After how many milliseconds one that is reached is asked for again; 5 minutes unless given. */
  readonly calmMs?: number
  /** The same for one that is not reached; 2 s unless given. */
  readonly soonMs?: number
}

const CALM_MS = 300_000
const SOON_MS = 2_000
/** In an installation all start at once: the webhook may be the last. */
const PATIENCE = 6

/** The question, asked again and again. */
export interface Reach {
  /** Asks until the signal aborts; a webhook that is not reached is told once, and again when it is. */
  readonly watch: (signal: AbortSignal) => Promise<void>
  /** A write has met nobody: one that was reached is asked for now, instead of in its time. */
  readonly doubt: () => void
}

/** Nothing is asked before it watches. */
export function createReach(options: ReachOptions): Reach {
  const doubts = { now: new AbortController() }
  let lost = false
  const onReach: ReachOptions['onReach'] = reached => {
    options.onReach(reached)
    if (reached && lost) options.onBack()
    lost = reached === undefined ? lost : !reached
  }
  return {
    watch: signal => watchReach({ ...options, onReach }, doubts, signal),
    doubt: () => doubts.now.abort(),
  }
}

async function watchReach(
  options: ReachOptions,
  doubts: { now: AbortController },
  signal: AbortSignal,
): Promise<void> {
  const { log, onReach, calmMs = CALM_MS, soonMs = SOON_MS } = options
  let [unreached, unknown] = [0, 0]
  while (!signal.aborted) {
    doubts.now = new AbortController()
    const trouble = await troubleOf(options, signal)
    if (signal.aborted) return
    if (trouble?.known === false) {
      unknown += 1
      if (unknown === PATIENCE) {
        onReach(undefined)
        log.warn(trouble.why)
      }
    } else {
      onReach(trouble === undefined)
      unknown = 0
      unreached = tell(options, unreached, trouble)
    }
    // One that is not reached may be the next moment; who refuses to say will not say it soon.
    const calm = trouble === undefined || unknown >= PATIENCE
    await pause(soonMs, signal)
    if (calm) await pause(calmMs - soonMs, AbortSignal.any([signal, doubts.now.signal]))
  }
}

/** Why the webhook is not known to be reached, and what to do, in one line. */
interface Trouble {
  /** False: the API server does not say whether it is reached. */
  readonly known: boolean
  readonly why: string
}

/** Gives how often in a row it was not reached, with this answer. */
function tell({ log }: ReachOptions, before: number, trouble: Trouble | undefined): number {
  if (trouble === undefined) {
    if (before >= PATIENCE) log.info('the API server reaches the webhook')
    return 0
  }
  const failures = before + 1
  if (failures === PATIENCE) log.error(trouble.why)
  return failures
}

async function troubleOf(
  { client, namespace, configuration }: ReachOptions,
  signal: AbortSignal,
): Promise<Trouble | undefined> {
  try {
    const lease = probeOf(namespace, configuration)
    const answer = await client.create(LEASES, lease, { dryRun: true, timeoutMs: 10_000, signal })
    if (answer.metadata.annotations?.[PROBE] !== undefined) return undefined
    const found = `kubectl get mutatingwebhookconfiguration ${configuration}`
    return notReached(`it does not call one: \`${found}\` must have the webhook probe.sluice.dev`)
  } catch (error) {
    const message = messageOf(error)
    // Somebody else's webhook may be asked about Leases, too, and not answer.
    const [, why] = /failed calling webhook "probe\.sluice\.dev": (.*)/.exec(message) ?? []
    if (why !== undefined) {
      const advice = 'let it reach the pods of the webhook on port 9443, and look at their log'
      return notReached(`${why}: ${advice}`)
    }
    const unknown = 'whether the API server reaches the webhook is not known, it does not say'
    return { known: false, why: `${unknown}: ${message}` }
  }
}

function notReached(why: string): Trouble {
  return { known: true, why: `the API server does not reach the webhook: ${why}` }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').trim() : String(error)
}

function probeOf(namespace: string, configuration: string): KubeObject {
  const metadata = { name: 'sluice-probe', namespace, labels: { [PROBE]: configuration } }
  return { apiVersion: LEASES.apiVersion, kind: LEASES.kind, metadata }
}

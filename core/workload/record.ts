// The record: what a held workload's owner wants, kept on the workload. It is the very merge patch
// that gives the workload back, so that one kubectl command frees it when nobody of ours is alive:
//   kubectl patch deployment web --type merge \
//     -p "$(kubectl get deployment web -o jsonpath='{.metadata.annotations.sluice\.dev/record}')"

import {
  CAUGHT,
  ESCAPE,
  HOLD,
  KRUISE_ORIGINAL,
  OWN_ROLLOUT_ID,
  RECORD,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import type { RouteRef, Routing } from '../traffic/model.ts'
import { parsePairs } from './hold.ts'

/** The owner's values of the hold fields, as a merge patch of `spec`. Its shape is the adapter's. */
export type OwnerValues = Readonly<Record<string, unknown>>

/** What must be known to give a workload back, or to tell a rollback from a new release. */
export interface HoldRecord {
  readonly owner: OwnerValues
  /** Fingerprint of the template that everybody ran when the release began. */
  readonly stable: string
  /** Name of the Rollout that holds the workload. */
  readonly rollout: string
  /** Its uid: a Rollout of the same name made later is another one. */
  readonly rolloutUid: string
  /** By what requests come that are moved, where they are: it must be undone whatever becomes of the Rollout. */
  readonly traffic?: Routing
  /** Name of the TrafficRouting by which requests come to new pods, where there is one. */
  readonly trafficRouting?: string
}

/** Requests are to leave new pods before these leave. */
export function movesRequests({ traffic, trafficRouting }: HoldRecord): boolean {
  return traffic !== undefined || trafficRouting !== undefined
}

/** The annotation's value. */
export function formatRecord(record: HoldRecord): string {
  const { rollout, rolloutUid, stable, traffic, trafficRouting } = record
  const named = trafficRouting === undefined ? '' : `routing=${encodeURIComponent(trafficRouting)};`
  const routed = (traffic ? formatRouting(traffic) : '') + named
  const remembered = `rollout=${rollout};uid=${rolloutUid};stable=${stable};${routed}`
  return escapePatch(remembered, record.owner)
}

/**
 * The patch that takes a workload out of our hands, as text. Without the label nobody of ours is asked
 * afterwards, whatever is written: `rollout undo` would not keep the annotation.
 */
export function escapePatch(escape: string, spec: OwnerValues): string {
  const marks = [HOLD, OWN_ROLLOUT_ID, RECORD, CAUGHT, KRUISE_ORIGINAL]
  const none = Object.fromEntries(marks.map(key => [key, null]))
  const annotations = { [ESCAPE]: escape, ...none }
  const labels = { [WORKLOAD_TYPE]: null, [WAVE]: null }
  return JSON.stringify({ metadata: { labels, annotations }, spec })
}

/** The record that a workload carries; undefined where it carries none that can be used. */
export function recordOf(object: KubeObject): HoldRecord | undefined {
  return parseRecord(object.metadata.annotations?.[RECORD])
}

/** The record of an annotation's value. */
function parseRecord(text: string | undefined): HoldRecord | undefined {
  const { metadata, spec: owner } = parsePatch(text ?? '{}')
  const remembered = metadata?.annotations?.[ESCAPE]
  if (typeof remembered !== 'string' || typeof owner !== 'object' || owner === null)
    return undefined
  const pairs = parsePairs(remembered)
  const [rollout, rolloutUid, stable] = ['rollout', 'uid', 'stable'].map(key => pairs.get(key))
  if (!rollout || !rolloutUid || !stable) return undefined
  return { owner, stable, rollout, rolloutUid, ...requestsIn(pairs) }
}

function formatRouting({ service, routes, oneService, graceSeconds }: Routing): string {
  const refs = routes.map(({ apiVersion, kind, name, className = '' }) =>
    [apiVersion, kind, name, className].map(encodeURIComponent).join('/'),
  )
  const shared = oneService ? 'services=one;' : ''
  return `service=${service};routes=${refs.join()};${shared}grace=${graceSeconds};`
}

function requestsIn(
  pairs: ReadonlyMap<string, string>,
): Pick<HoldRecord, 'traffic' | 'trafficRouting'> {
  const trafficRouting = decoded(pairs.get('routing') ?? '') || undefined
  return defined({ traffic: routingIn(pairs), trafficRouting })
}

function routingIn(pairs: ReadonlyMap<string, string>): Routing | undefined {
  const service = pairs.get('service')
  const routes = (pairs.get('routes') ?? '').split(',').flatMap(routeIn)
  const graceSeconds = Number(pairs.get('grace'))
  if (!service || routes.length === 0) return undefined
  const oneService = pairs.get('services') === 'one' || undefined
  return defined({ service, routes, oneService, graceSeconds })
}

function routeIn(text: string): readonly RouteRef[] {
  const [apiVersion, kind, name, className = ''] = text.split('/').map(decoded)
  if (!apiVersion || !kind || !name) return []
  return [{ apiVersion, kind, name, ...(className && { className }) }]
}

/** Of what somebody has damaged nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

interface EscapePatch {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> }
  readonly spec?: OwnerValues | null
}

function parsePatch(text: string): EscapePatch {
  try {
    return { ...(JSON.parse(text) as EscapePatch | null) }
  } catch {
    return {}
  }
}

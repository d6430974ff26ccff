// From a Rollout as the API server stores it to what the core speaks of. The API server and admission
// have checked it; whatever slipped past them is `refused` with the field's name, never guessed.

import { ABORT, API_VERSION, ROLLBACK_IN_BATCH } from '#api/names.ts'
import type { Step as StepObject, Rollout as RolloutObject } from '#api/rollout.generated.ts'
import { defined } from '../defined.ts'
import { digest } from '../digest.ts'
import { formatProblems } from '../problem.ts'
import { parseIntOrPercent } from '../replicas.ts'
import { GRACE_SECONDS } from '../traffic/model.ts'
import { routesIn } from '../traffic/registry.ts'
import type { Routing, Split } from '../traffic/model.ts'
import type { Hold } from '../workload/hold.ts'
import { trafficRoutingOf } from './named-routing.ts'
import { strategyOf, styleNow, styleOf } from './release-style.ts'
import type { Strategy } from './release-style.ts'
import type { Rollout, Step } from './model.ts'
import { isDropped } from './status.ts'
import { hasRoutes, unsupported } from './unsupported.ts'

/**
 * What a stored Rollout asks for; `hold`: that of its workload, which says how the release goes that runs;
 * `routes`: requests are moved in this installation.
 */
export function rolloutOf(object: RolloutObject, hold?: Hold, routes = false): Rollout {
  const { metadata, spec } = object
  const { paused } = spec.strategy
  const plan = strategyOf(spec)
  const namespace = metadata.namespace ?? ''
  const traffic = routes ? routingOf(spec) : undefined
  return defined({
    name: metadata.name,
    namespace,
    uid: metadata.uid ?? '',
    ref: { ...spec.workloadRef, namespace },
    style: styleNow(hold, styleOf(spec)),
    steps: stepsOf(plan, traffic !== undefined),
    podMetadata: plan.patchPodTemplateMetadata,
    traffic,
    trafficRouting: routes ? trafficRoutingOf(object) : undefined,
    failureThreshold: plan.failureThreshold ?? 0,
    paused: paused === true,
    disabled: spec.disabled === true,
    planHash: planHashOf(plan),
    abort: abortOf(object),
    rollbackInSteps: rollsBackInSteps(object) || undefined,
    refused: refusalOf(object, routes),
  })
}

function stepsOf({ steps = [] }: Strategy, routed: boolean): readonly Step[] {
  return steps.map(step => {
    const { replicas = '100%', pause } = step
    const split = routed ? splitOf(step) : undefined
    return defined({ replicas, pauseSeconds: pause?.duration, split })
  })
}

/** By what requests come that the Rollout moves; undefined: it moves none. */
export function routingOf(spec: RolloutObject['spec']): Routing | undefined {
  const { trafficRoutings = [], disableGenerateCanaryService: one } = strategyOf(spec)
  const [routing] = trafficRoutings
  const routes = routing ? routesIn(routing) : []
  if (!routing || routes.length === 0) return undefined
  const { service, gracePeriodSeconds: graceSeconds = GRACE_SECONDS } = routing
  return { service, routes, ...(one === true && { oneService: true }), graceSeconds }
}

function splitOf({ traffic, matches = [], requestHeaderModifier }: StepObject): Split | undefined {
  if (traffic === undefined && matches.length === 0) return undefined
  return defined({
    percent: parseIntOrPercent(traffic)?.value,
    matches: matches.length > 0 ? matches : undefined,
    headers: requestHeaderModifier,
  })
}

function abortOf({ metadata }: RolloutObject): string | undefined {
  const abort = metadata.annotations?.[ABORT]
  return abort === undefined ? undefined : digest(abort)
}

/** Not where requests are routed: those leave the version at once. */
function rollsBackInSteps(object: RolloutObject): boolean {
  if (hasRoutes(object) || trafficRoutingOf(object) !== undefined) return false
  return object.metadata.annotations?.[ROLLBACK_IN_BATCH] === 'true'
}

const FIELDS_DROPPED =
  'the CRD rollouts.rollouts.kruise.io is not that of Sluice, and drops observedRelease from the status of a release: a release could not go on; replace it: docs/coming-from-kruise-rollouts.md'

function refusalOf(object: RolloutObject, routes: boolean): Rollout['refused'] | undefined {
  if (isDropped(object.status)) return { reason: 'FieldsDropped', message: FIELDS_DROPPED }
  const problems = unsupported(object, { routes })
  if (problems.length === 0) return undefined
  return { reason: 'Unsupported', message: formatProblems(problems) }
}

/** A Rollout that is being deleted guards nobody any more. */
export function isAlive({ metadata }: RolloutObject): boolean {
  return metadata.deletionTimestamp === undefined
}

/**
 * Whose workload it is: the Rollout's that holds it (`holder`, a uid), else the one's that was there
 * first; of two of one age the first by name.
 */
export function firstOf(
  objects: readonly RolloutObject[],
  holder?: string,
): RolloutObject | undefined {
  return objects.toSorted(
    (a, b) =>
      Number(b.metadata.uid === holder) - Number(a.metadata.uid === holder) ||
      compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
      compare(a.metadata.name, b.metadata.name),
  )[0]
}

/** A later Rollout of the same workload, as one that cannot be followed. */
export function refusedFor(object: RolloutObject, first: RolloutObject): Rollout {
  const { name } = first.metadata
  const { kind, name: workload } = object.spec.workloadRef
  const message = `spec.workloadRef: ${API_VERSION} Rollout ${name} was first for ${kind} ${workload}; delete one of the two`
  return { ...rolloutOf(object), refused: { reason: 'Conflict', message } }
}

/** Pauses and failureThreshold may change without changing the plan: they are read as they are. */
function planHashOf(strategy: Strategy): string {
  // The name of a TrafficRouting may stand in an annotation as well, and says nothing of steps.
  const { failureThreshold: _, trafficRoutingRef: __, steps, ...others } = strategy
  // A write through the older version of the API takes away what says nothing.
  const said = Object.entries(others).filter(([, value]: [string, unknown]) => {
    return value !== false && value !== ''
  })
  const plan = Object.fromEntries(said)
  return digest({ ...plan, steps: steps?.map(({ pause: ___, ...step }) => step) })
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

// What is wrong with a Rollout that somebody creates or edits. Rules on single values live in the
// CRD, as schema and CEL, and hold while the webhook is away. Here are the rules that compare:
// steps with each other, an edit with what was there, a Rollout with others and with this version.

import type { Rollout, RolloutSpec, Step } from '#api/rollout.generated.ts'
import { equalJson } from '../equal.ts'
import type { Problem } from '../problem.ts'
import { isSameKind } from '../ref.ts'
import { parseIntOrPercent } from '../replicas.ts'
import { strategyField, strategyOf, styleOf } from '../rollout/release-style.ts'
import { asksForTraffic, hasRoutes, unsupported } from '../rollout/unsupported.ts'
import { frozen } from './frozen.ts'
import { withoutRoom } from './room.ts'

/** What a Rollout is compared with. */
export interface Surroundings {
  /** The object before the edit; absent when it is created. */
  readonly previous?: Rollout
  /** Rollouts of the namespace. Those of other namespaces, and the Rollout itself, do not count. */
  readonly others: readonly Rollout[]
  /** The request is in the older version of the API. */
  readonly older?: boolean
  /** Requests are moved in this installation. */
  readonly routes?: boolean
}

/** Above this share of the pods, too few old ones are left for the requests that stay with them. */
const routedPercentLimit = 50

const routedMessage =
  'a step with `traffic` or `matches` leaves half of the pods to the other requests; ' +
  `write ${routedPercentLimit}% or less, or a number of pods`

/**
 * Everything that is wrong with the Rollout, all at once; nothing where the edit touches only
 * metadata, status, `disabled` or `strategy.paused`, so that a Rollout which was invalid before can
 * still be labelled, reported on, paused and ended.
 */
export function validateRollout(rollout: Rollout, surroundings: Surroundings): readonly Problem[] {
  const { previous, others, routes: moved = false } = surroundings
  if (previous && equalJson(planOf(previous.spec), planOf(rollout.spec))) return []
  const shares = asksForShares(rollout, surroundings)
  return [
    ...unsupported(rollout, { shares, routes: moved }),
    ...stepsDecrease(rollout),
    ...routedSteps(rollout, shares),
    ...(moved && stepsOf(rollout).steps.some(step => routes(step, shares))
      ? withoutRoom(rollout)
      : []),
    ...conflict(rollout, others),
    ...(previous ? frozen(rollout, previous) : []),
  ]
}

/** The spec without its two brakes. */
function planOf(spec: RolloutSpec) {
  return { ...spec, disabled: undefined, strategy: { ...spec.strategy, paused: undefined } }
}

function stepsDecrease(rollout: Rollout): readonly Problem[] {
  const { path, steps } = stepsOf(rollout)
  return steps.flatMap(({ replicas }, index) => {
    const before = steps[index - 1]?.replicas
    const [low, high] = [parseIntOrPercent(replicas), parseIntOrPercent(before)]
    // A number and a percent compare only once the number of pods is known.
    if (!low || !high || low.unit !== high.unit || low.value >= high.value) return []
    const message = `${replicas} is less than in the step before; write ${before} or more`
    return [{ field: `${path}[${index}].replicas`, message }]
  })
}

/**
 * Whether `traffic` asks for a share of the requests. What is stored tells it only of what was there
 * before, at whichever step: a read and a write through the older version leave its annotation in any Rollout.
 */
function asksForShares(rollout: Rollout, { previous, older = false }: Surroundings): boolean {
  if (older) return hasRoutes(rollout)
  const before = previous ? stepsOf(previous).steps : []
  const { steps } = stepsOf(rollout)
  const added = ({ traffic }: Step) =>
    traffic !== undefined && times(steps, traffic) > times(before, traffic)
  return asksForTraffic(rollout) || steps.some(added)
}

/** So many steps ask for that share: one that is put before them asks for none. */
function times(steps: readonly Step[], share: Step['traffic']): number {
  return steps.filter(({ traffic }) => traffic === share).length
}

/** Where new pods replace old ones, routing needs enough of both. */
function routedSteps(rollout: Rollout, shares: boolean): readonly Problem[] {
  if (styleOf(rollout.spec) !== 'partition') return []
  const { path, steps } = stepsOf(rollout)
  return steps.flatMap((step, index) => {
    const amount = parseIntOrPercent(step.replicas)
    if (!routes(step, shares) || amount?.unit !== 'percent' || amount.value <= routedPercentLimit)
      return []
    const field = `${path}[${index}].replicas`
    return [{ field, message: routedMessage }]
  })
}

function routes({ traffic, matches }: Step, shares: boolean): boolean {
  return (shares && traffic !== undefined) || (matches ?? []).length > 0
}

function conflict(rollout: Rollout, others: readonly Rollout[]): readonly Problem[] {
  const { name, namespace } = rollout.metadata
  const other = others.find(
    candidate =>
      candidate.metadata.namespace === namespace &&
      candidate.metadata.name !== name &&
      sameWorkload(candidate, rollout),
  )
  if (!other) return []
  const { kind, name: workload } = rollout.spec.workloadRef
  const message =
    `Rollout ${namespace}/${other.metadata.name} releases ${kind} ${workload} already; ` +
    'change that one, or delete it first'
  return [{ field: 'spec.workloadRef', message }]
}

/** Two versions of one group name the same object. */
function sameWorkload(a: Rollout, b: Rollout): boolean {
  const [left, right] = [a.spec.workloadRef, b.spec.workloadRef]
  return isSameKind(left, right) && left.name === right.name
}

function stepsOf({ spec }: Rollout): { path: string; steps: readonly Step[] } {
  return { path: `spec.strategy.${strategyField(spec)}.steps`, steps: strategyOf(spec).steps ?? [] }
}

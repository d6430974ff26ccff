// The five fields of a Deployment by which it is held, and whose they are. What its owner wants is in
// the record; what stands in the fields is computed from record and hold, again at every write.

import { ARMED_MIN_READY_SECONDS, NO_PROGRESS_DEADLINE } from '#api/names.ts'
import type { Deployment, DeploymentSpec, IntOrPercent } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { parseIntOrPercent } from '../replicas.ts'
import { isInForce } from './hold.ts'
import type { Hold } from './hold.ts'
import { mark, marked } from './percent.ts'
import type { HoldRecord, OwnerValues } from './record.ts'

/** What the owner of a Deployment wants in the hold fields. Also a merge patch of `spec`. */
export interface DeploymentOwner extends OwnerValues {
  readonly strategy: {
    readonly type: string
    readonly rollingUpdate: {
      readonly maxUnavailable: IntOrPercent
      readonly maxSurge: IntOrPercent
    } | null
  }
  readonly minReadySeconds: number
  readonly progressDeadlineSeconds: number
  readonly paused: boolean
}

/** The fields, flat. */
export interface HoldFields {
  readonly type: string
  readonly maxUnavailable: IntOrPercent
  readonly maxSurge: IntOrPercent
  readonly minReadySeconds: number
  readonly progressDeadlineSeconds: number
  readonly paused: boolean
}

/** What stands in the fields while a hold holds, and the owner wants `own` in them. */
export type Projection = (hold: Hold, own: HoldFields) => HoldFields

/** What the API server sets where a manifest is silent. */
const defaults: HoldFields = {
  type: 'RollingUpdate',
  maxUnavailable: '25%',
  maxSurge: '25%',
  minReadySeconds: 0,
  progressDeadlineSeconds: 600,
  paused: false,
}

/** What the owner of a recorded workload wants; the API's default where somebody has damaged it. */
export function recordedOwner(record: HoldRecord): DeploymentOwner {
  const values = valuesOf(record.owner as Partial<DeploymentSpec>)
  return asOwner(mapFields(key => (isSane[key](values[key]) ? values[key] : defaults[key])))
}

const isAmount = (value: unknown) => parseIntOrPercent(value) !== undefined
const isCount = (value: unknown) => parseIntOrPercent(value)?.unit === 'pods'

const isSane: Readonly<Record<keyof HoldFields, (value: unknown) => boolean>> = {
  type: value => value === 'RollingUpdate' || value === 'Recreate',
  maxUnavailable: isAmount,
  maxSurge: isAmount,
  minReadySeconds: isCount,
  progressDeadlineSeconds: isCount,
  paused: value => typeof value === 'boolean',
}

/**
 * What the owner wants by a write to a workload that is not held. Fields that came from a hold (a
 * dump that is put back) are no wish of his: then `before`, the object so far, says what he wants.
 */
export function ownerOfFree(incoming: Deployment, before?: Deployment): DeploymentOwner {
  const sources = [incoming, before].flatMap(object => (object ? [valuesOf(object.spec)] : []))
  return asOwner(
    mapFields(key => sources.find(values => isWish(values, key))?.[key] ?? defaults[key]),
  )
}

/**
 * What the owner wants by a write to a held workload: every value that is not the projection of the
 * hold. A plain number that equals the projected one cannot be told from it and counts as ours.
 */
export function ownerOfHeld(
  incoming: Deployment,
  hold: Hold,
  record: HoldRecord,
  by: Projection = byBudget,
): DeploymentOwner {
  const recorded = recordedOwner(record)
  const ours = projection(hold, recorded, by)
  const was = flat(recorded)
  const is = valuesOf(incoming.spec)
  const isUnchanged = (key: keyof HoldFields) =>
    isOurs(is[key], ours[key]) || (key === 'paused' && is.paused === hold.paused)
  const edited = mapFields(key => (isUnchanged(key) ? was[key] : is[key]))
  const wanted = withBothAmounts(edited, is)
  const rolls = wanted.maxUnavailable !== was.maxUnavailable || wanted.maxSurge !== was.maxSurge
  return asOwner({ ...wanted, type: is.type === ours.type && !rolls ? was.type : is.type })
}

/** One amount edited to 0 beside a recorded 0: then the other one of the request was meant, too. */
function withBothAmounts(edited: HoldFields, is: HoldFields): HoldFields {
  const { maxUnavailable, maxSurge } = is
  if (isMarked(maxUnavailable) || isMarked(maxSurge)) return edited
  return invalidRollingUpdate(edited) === undefined
    ? edited
    : { ...edited, maxUnavailable, maxSurge }
}

/**
 * The hold with the one value of its projection that is not marked as ours: a hold that is written while the
 * webhook is away leaves the value of the one before it.
 */
export function notedIn(hold: Hold, owner: DeploymentOwner, by: Projection = byBudget): Hold {
  return { ...hold, paused: projection(hold, owner, by).paused }
}

/** The Deployment with the hold's fields. Pure and idempotent; touches nothing else. */
export function projectDeployment(
  object: Deployment,
  hold: Hold,
  owner: DeploymentOwner,
  by: Projection = byBudget,
): Deployment {
  return withFields(object, projection(hold, owner, by))
}

/** The Deployment with its owner's fields. */
export function restoreDeployment(object: Deployment, owner: DeploymentOwner): Deployment {
  return withFields(object, flat(owner))
}

/** The owner's maxUnavailable and maxSurge; the API's defaults where the strategy has none. */
export function ownAmounts(
  owner: DeploymentOwner,
): Pick<HoldFields, 'maxUnavailable' | 'maxSurge'> {
  return flat(owner)
}

/** Why a Deployment cannot be held as its owner wants it; undefined if it can. */
export function unholdable({ strategy }: DeploymentOwner): string | undefined {
  if (strategy.type === 'RollingUpdate') return undefined
  return `its strategy is ${strategy.type}, which has no steps`
}

/** Some of the fields are those of a hold. */
export function hasHoldFields(spec: DeploymentSpec): boolean {
  const values = valuesOf(spec)
  return fields.some(key => !isWish(values, key))
}

/** Why the API server would refuse the owner's values; undefined if it would not. */
export function invalidOwner(owner: DeploymentOwner): string | undefined {
  const { type, minReadySeconds, progressDeadlineSeconds } = flat(owner)
  if (type !== 'RollingUpdate' && type !== 'Recreate') return 'strategy.type: not known'
  if (minReadySeconds < 0) return 'minReadySeconds: below 0'
  if (progressDeadlineSeconds <= minReadySeconds) {
    return 'progressDeadlineSeconds: not above minReadySeconds'
  }
  return type === 'RollingUpdate' ? invalidRollingUpdate(flat(owner)) : undefined
}

function invalidRollingUpdate({ maxUnavailable, maxSurge }: HoldFields): string | undefined {
  const out = parseIntOrPercent(maxUnavailable)
  const beside = parseIntOrPercent(maxSurge)
  if (!out || (out.unit === 'percent' && out.value > 100))
    return 'maxUnavailable: no amount of pods'
  if (!beside) return 'maxSurge: no amount of pods'
  return out.value + beside.value === 0 ? 'maxUnavailable and maxSurge: both are 0' : undefined
}

/** The hold fields stand as the hold says. */
export function isProjected(
  spec: DeploymentSpec,
  hold: Hold,
  owner: DeploymentOwner,
  by: Projection = byBudget,
): boolean {
  const is = valuesOf(spec)
  const wanted = projection(hold, owner, by)
  return fields.every(key => is[key] === wanted[key])
}

function projection(hold: Hold, owner: DeploymentOwner, by: Projection): HoldFields {
  const own = flat(owner)
  return isInForce(hold) ? by(hold, own) : own
}

/** New pods take the place of old ones, as many as the budget says. */
export function byBudget(hold: Hold, own: HoldFields): HoldFields {
  const aborted = hold.mode === 'aborted'
  return {
    type: 'RollingUpdate',
    maxUnavailable: mark(hold.budget),
    maxSurge: mark(hold.surge),
    // After an abort the stable pods must count as available, or waiting clients see no failure.
    minReadySeconds: aborted ? own.minReadySeconds : ARMED_MIN_READY_SECONDS,
    progressDeadlineSeconds: aborted ? own.progressDeadlineSeconds : NO_PROGRESS_DEADLINE,
    paused: hold.mode === 'wave' ? own.paused : hold.mode !== 'back',
  }
}

const fields = Object.keys(defaults) as (keyof HoldFields)[]

function mapFields(value: <K extends keyof HoldFields>(key: K) => HoldFields[K]): HoldFields {
  return Object.fromEntries(fields.map(key => [key, value(key)])) as unknown as HoldFields
}

/** A hold that has no deadline is armed as well; without that it is the owner who wants none. */
function isWish(values: HoldFields, key: keyof HoldFields): boolean {
  const armed = values.minReadySeconds === ARMED_MIN_READY_SECONDS
  return !isMarked(values[key]) || (key === 'progressDeadlineSeconds' && !armed)
}

function isOurs(value: unknown, projected: unknown): boolean {
  return isMarked(value) || value === projected
}

function isMarked(value: unknown): boolean {
  return marked(value) || value === ARMED_MIN_READY_SECONDS || value === NO_PROGRESS_DEADLINE
}

function valuesOf(spec: Partial<DeploymentSpec>): HoldFields {
  const { strategy, minReadySeconds, progressDeadlineSeconds, paused } = spec
  const { maxUnavailable, maxSurge } = { ...strategy?.rollingUpdate }
  const type = strategy?.type
  const present = {
    type,
    maxUnavailable,
    maxSurge,
    minReadySeconds,
    progressDeadlineSeconds,
    paused,
  }
  return { ...defaults, ...defined(present) }
}

function flat(owner: DeploymentOwner): HoldFields {
  return valuesOf(owner)
}

function asOwner(values: HoldFields): DeploymentOwner {
  const { type, maxUnavailable, maxSurge, ...rest } = values
  const rollingUpdate = type === 'RollingUpdate' ? { maxUnavailable, maxSurge } : null
  return { strategy: { type, rollingUpdate }, ...rest }
}

function withFields(object: Deployment, values: HoldFields): Deployment {
  const { minReadySeconds: _, paused: __, ...spec } = object.spec
  const { type, maxUnavailable, maxSurge } = values
  const rolling = type === 'RollingUpdate' && { rollingUpdate: { maxUnavailable, maxSurge } }
  return {
    ...object,
    spec: {
      ...spec,
      strategy: { type, ...rolling },
      progressDeadlineSeconds: values.progressDeadlineSeconds,
      // The API server leaves zero values out: a restored object must not gain them.
      ...(values.minReadySeconds !== 0 && { minReadySeconds: values.minReadySeconds }),
      ...(values.paused && { paused: true }),
    },
  }
}

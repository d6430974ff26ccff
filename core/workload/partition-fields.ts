// How a kind with a partition is held: so many of its pods stay at the old version, whatever its own
// controller does. The partition is the only field of the hold; what its owner wants there is recorded.

import type { IntOrPercent, KubeObject, PodTemplate } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { parseIntOrPercent, podCount } from '../replicas.ts'
import type { WorkloadFields } from './adapter.ts'
import { holdOf } from './hold.ts'
import type { Hold } from './hold.ts'
import type { HoldRecord, OwnerValues } from './record.ts'
import { replicatedFields } from './replicated-fields.ts'

/** Where the strategy of a kind has its partition, and what else is there that the core reads. */
interface Block {
  readonly partition?: IntOrPercent
  readonly maxUnavailable?: IntOrPercent
}

/** A workload with a partition, as far as the core reads it. */
export interface Partitioned extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly template: PodTemplate
    readonly minReadySeconds?: number
    readonly podManagementPolicy?: string
    readonly ordinals?: { readonly start?: number }
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: Block | null
    } | null
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly currentRevision?: string
    readonly updateRevision?: string
  }
}

/** What the owner wants. Also a merge patch of `spec`: null where there was nothing. */
export interface PartitionOwner extends OwnerValues {
  readonly updateStrategy: {
    readonly type?: string
    readonly rollingUpdate: { readonly partition: number | null } | null
  } | null
}

/**
 * Nobody is new, however many pods there will be: a scaling of the workload carries no partition. No
 * owner writes it, so it marks itself as ours.
 */
export const NOBODY = 2147483647

/** The admission half of the adapter of a kind with `updateStrategy.rollingUpdate.partition`. */
export const partitionFields: WorkloadFields<Partitioned> = {
  deceived: 'kubectl rollout status and helm --wait',
  ...replicatedFields,
  armed(object) {
    const hold = holdOf(object)
    const holds = hold && hold.mode !== 'finishing' && hold.mode !== 'released'
    const partition = partitionOf(object)
    return isOurs(partition) || (holds === true && partition === hold.partition)
  },
  unholdable(owner) {
    const { type = 'RollingUpdate' } = { ...asPartitionOwner(owner).updateStrategy }
    if (type === 'RollingUpdate') return undefined
    return `its updateStrategy is ${type}, by which nobody is replaced step by step`
  },
  // The API server judges the owner's values in its own words: none of them is hidden from it.
  invalid: () => undefined,
  ownerOfFree(incoming, before) {
    const wished = isOurs(partitionOf(incoming)) && before ? before : incoming
    return ownerIn(incoming, isOurs(partitionOf(wished)) ? undefined : partitionOf(wished))
  },
  ownerOfHeld(incoming, hold, record) {
    const recorded = recordedOwner(record)
    const is = partitionOf(incoming)
    const ours = [hold.partition, projection(incoming, hold, recorded)]
    if (!isOurs(is) && !ours.includes(is)) return ownerIn(incoming, is)
    return ownerIn(incoming, ownPartition(recorded) ?? undefined)
  },
  recordedOwner,
  firstWave: (_, __, ___, { pods }) => ({ mode: 'wave', budget: pods, surge: '0%' }),
  noted(hold, object, owner) {
    const { partition: _, size: __, ...others } = hold
    const partition = projection(object, hold, asPartitionOwner(owner))
    const { replicas: size = 1 } = object.spec
    return { ...others, ...(partition !== undefined && { partition, size }) }
  },
  most: ({ spec }, hold) => podCount(hold.budget, spec.replicas ?? 1),
  keepingAll: hold => hold,
  peak: ({ spec }) => spec.replicas ?? 1,
  project(object, hold, owner) {
    // Beside a strategy that replaces nobody the API server takes no partition.
    if (!rolls(object)) return object
    return withPartition(object, projection(object, hold, asPartitionOwner(owner)), owner)
  },
  restore: (object, owner) => withPartition(object, ownPartition(asPartitionOwner(owner)), owner),
  projected: (object, hold, owner) =>
    !rolls(object) ||
    // Where it is left out the API server may say 0.
    (partitionOf(object) ?? 0) === (projection(object, hold, asPartitionOwner(owner)) ?? 0),
  paused: () => false,
  unpaused: owner => owner,
  caught: object => withPartition(object, NOBODY, nothing),
  carries: object => String(partitionOf(object) ?? NONE),
  asCarried(object, word) {
    if (!isOurs(partitionOf(object))) return object
    return withPartition(object, word === NONE ? undefined : Number(word), nothing)
  },
  carriedSpec(word) {
    const partition = word === NONE ? null : Number(word)
    return { updateStrategy: { rollingUpdate: { partition } } }
  },
}

/** The word of a request that carries no partition. */
export const NONE = 'none'

const nothing: PartitionOwner = { updateStrategy: null }

/** The partition that the object has; undefined where it has none. */
export function partitionOf({ spec }: Partitioned): number | undefined {
  const partition = spec.updateStrategy?.rollingUpdate?.partition
  return typeof partition === 'number' ? partition : undefined
}

/** How many pods the owner himself keeps at an older version; undefined or null where he says nothing. */
export function ownPartition({ updateStrategy }: PartitionOwner): number | null | undefined {
  return updateStrategy?.rollingUpdate?.partition
}

/** A record is written by admission alone, so its owner's values have the kind's own shape. */
export function asPartitionOwner(owner: OwnerValues): PartitionOwner {
  return owner as PartitionOwner
}

function recordedOwner({ owner }: HoldRecord): PartitionOwner {
  const { updateStrategy } = owner as Partial<PartitionOwner>
  const partition = updateStrategy?.rollingUpdate?.partition
  const sane = partition === null || parseIntOrPercent(partition)?.unit === 'pods'
  if (partition === undefined || sane) return { updateStrategy: updateStrategy ?? null }
  return { updateStrategy: { ...updateStrategy, rollingUpdate: { partition: null } } }
}

/** Its own controller replaces pods. */
function rolls({ spec }: Pick<Partitioned, 'spec'>): boolean {
  return (spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate'
}

function isOurs(partition: number | undefined): boolean {
  return partition === NOBODY
}

/** What the owner wants who gave the object that partition. What he left out is to be left out again. */
function ownerIn(
  { spec }: Pick<Partitioned, 'spec'>,
  partition: number | undefined,
): PartitionOwner {
  const { updateStrategy } = spec
  const { type, rollingUpdate } = { ...updateStrategy }
  const others = Object.keys({ ...rollingUpdate }).some(key => key !== 'partition')
  const said = (partition !== undefined && rolls({ spec })) || others
  const block = said ? { partition: partition ?? null } : null
  if (type === undefined && block === null) return { updateStrategy: null }
  return { updateStrategy: { ...defined({ type }), rollingUpdate: block } }
}

/** The partition by which the hold is kept; the owner's own is never undercut. */
function projection(object: Partitioned, hold: Hold, owner: PartitionOwner): number | undefined {
  const own = ownPartition(owner) ?? undefined
  if (hold.mode === 'finishing' || hold.mode === 'released' || !rolls(object)) return own
  if (hold.mode !== 'wave') return NOBODY
  const { replicas = 1 } = object.spec
  const old = replicas - podCount(hold.budget, replicas)
  return Math.max(old, own ?? 0)
}

/** The object with that partition; what its owner had not is not left behind empty. */
function withPartition(
  object: Partitioned,
  partition: number | null | undefined,
  owner: OwnerValues,
): Partitioned {
  const { updateStrategy: own } = asPartitionOwner(owner)
  const { updateStrategy, ...spec } = object.spec
  const { partition: _, ...block } = { ...updateStrategy?.rollingUpdate }
  const rollingUpdate = { ...block, ...(typeof partition === 'number' && { partition }) }
  const kept = Object.keys(rollingUpdate).length > 0 || (own?.rollingUpdate ?? null) !== null
  const { rollingUpdate: __, ...strategy } = { ...updateStrategy }
  const next = { ...strategy, ...(kept && { rollingUpdate }) }
  const said = Object.keys(next).length > 0 || own !== null
  return { ...object, spec: { ...spec, ...(said && { updateStrategy: next }) } }
}

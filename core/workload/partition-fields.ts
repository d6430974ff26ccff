// How a kind with a partition is held: so many of its pods stay at the old version, whatever its own
// controller does. The partition is the only field of the hold; what its owner wants there is recorded.

import type { IntOrPercent } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { parseIntOrPercent, podCount } from '../replicas.ts'
import type { WorkloadFields } from './adapter.ts'
import { holdOf, isInForce } from './hold.ts'
import type { Hold } from './hold.ts'
import type { PartitionKind } from './partition-kind.ts'
import type { Partitioned, Strategy } from './partition-object.ts'
import type { OwnerStrategy, PartitionOwner } from './partition-places.ts'
import { marked } from './percent.ts'
import type { HoldRecord, OwnerValues } from './record.ts'
import { templateFingerprint } from './template.ts'

/**
 * Nobody is new, however many pods there will be: a scaling of the workload carries no partition. No
 * owner writes it, so it marks itself as ours.
 */
export const NOBODY = 2147483647

/** The word of a request that carries no partition. */
export const NONE = 'none'

/** The admission half of the adapter of a kind with a partition. */
export function partitionFields(kind: PartitionKind): WorkloadFields<Partitioned> {
  return {
    ...defined({ deceived: kind.deceived, noAbort: kind.noAbort }),
    caveats: owner => [...(kind.caveats ?? []), ...keptInWords(kind, owner)],
    ...versionOf(kind),
    ...wishOf(kind),
    ...holdOn(kind),
    ...pauseOf(kind),
    ...catchOf(kind),
  }
}

type Fields<T extends keyof WorkloadFields> = Pick<WorkloadFields<Partitioned>, T>

/** How many pods, and of which version. */
function versionOf({
  size,
  counts,
}: PartitionKind): Fields<'replicas' | 'fingerprint' | 'settled'> {
  return {
    replicas: object => size(object),
    fingerprint: ({ spec }) => templateFingerprint(spec.template),
    settled(object) {
      const { observedGeneration = 0 } = { ...object.status }
      const { updated, replicas } = counts({ ...object.status })
      const seen = observedGeneration >= (object.metadata.generation ?? 0)
      return seen && updated === replicas && replicas === size(object)
    },
  }
}

/** What its owner wants. */
function wishOf(
  kind: PartitionKind,
): Fields<'unholdable' | 'restsBy' | 'invalid' | 'ownerOfFree' | 'ownerOfHeld' | 'recordedOwner'> {
  const ownerIn = ownerReader(kind)
  const restsBy = (owner: OwnerValues) => {
    const type = restingBy(kind, owner)
    return type && `its updateStrategy is ${type}, by which nobody is replaced step by step`
  }
  return {
    unholdable: (owner, { spec }) => restsBy(owner) ?? kind.unholdable?.(spec),
    restsBy,
    // The API server judges the owner's values in its own words: none of them is hidden from it.
    invalid: () => undefined,
    ownerOfFree(incoming, before) {
      const wished = isOurs(partitionOf(kind, incoming)) && before ? before : incoming
      const partition = partitionOf(kind, wished)
      return ownerIn(incoming, isOurs(partition) ? undefined : partition)
    },
    ownerOfHeld(incoming, hold, record) {
      const recorded = recordedOwner(kind, record)
      const is = partitionOf(kind, incoming)
      // Asked again, by what it has answered: that stands beside the value.
      const ours = [hold.partition, holdOf(incoming)?.partition]
      if (!isOurs(is) && (is === undefined || !ours.includes(is))) return ownerIn(incoming, is)
      return ownerIn(incoming, ownPartition(kind, recorded), recorded.updateStrategy)
    },
    recordedOwner: record => recordedOwner(kind, record),
  }
}

/** How it is held, and given back. */
function holdOn(
  kind: PartitionKind,
): Fields<
  | 'armed'
  | 'firstWave'
  | 'noted'
  | 'most'
  | 'keepingAll'
  | 'peak'
  | 'project'
  | 'restore'
  | 'projected'
> {
  const { place, size } = kind
  const by = (object: Partitioned, hold: Hold, owner: OwnerValues) =>
    projection(kind, object, { hold, owner: asPartitionOwner(owner) })
  return {
    armed(object) {
      const hold = holdOf(object)
      const holds = hold && isInForce(hold)
      const partition = partitionOf(kind, object)
      return isOurs(partition) || (holds === true && partition === hold.partition)
    },
    firstWave: (_, __, ___, { pods }) => ({ mode: 'wave', budget: pods, surge: '0%' }),
    noted(hold, object, owner) {
      const { partition: _, size: __, ...others } = hold
      const partition = by(object, hold, owner)
      return { ...others, ...(partition !== undefined && { partition, size: size(object) }) }
    },
    most: (object, hold) => podCount(hold.budget, size(object)),
    keepingAll: hold => hold,
    peak(object, _, n) {
      const block = { ...place.blockOf(object.spec.updateStrategy) }
      return size(object) + Math.min(kind.limits(block, size(object)).maxSurge, n)
    },
    project(object, hold, owner) {
      // Beside a strategy that replaces nobody the API server takes no partition.
      if (!rolls(kind, object)) return object
      return withPartition(kind, object, by(object, hold, owner), owner)
    },
    restore(object, owner) {
      const restored = withPartition(kind, object, ownPartition(kind, owner), owner)
      return withPause(kind, restored, owner)
    },
    projected: (object, hold, owner) =>
      !rolls(kind, object) ||
      // Where it is left out the API server may say 0.
      (partitionOf(kind, object) ?? 0) === (by(object, hold, owner) ?? 0),
  }
}

/** The owner's own pause. */
function pauseOf(kind: PartitionKind): Fields<'paused' | 'unpaused'> {
  const { place } = kind
  return {
    paused: owner => ownBlock(kind, owner)?.paused === true,
    unpaused(owner) {
      const { updateStrategy } = asPartitionOwner(owner)
      const block = { partition: null, ...place.ownBlockOf(updateStrategy), paused: false }
      return { updateStrategy: place.ownerStrategy({ ...updateStrategy }, block) }
    },
  }
}

/** How the policy holds it, and leaves word. */
function catchOf(kind: PartitionKind): Fields<'caught' | 'carries' | 'asCarried' | 'carriedSpec'> {
  return {
    caught: object => withPartition(kind, object, NOBODY, nothing),
    carries: object => String(partitionOf(kind, object) ?? NONE),
    asCarried(object, word) {
      if (partitionOf(kind, object) !== NOBODY) return object
      return withPartition(kind, object, said(word), nothing)
    },
    carriedSpec: word => kind.place.patch({ partition: said(word) ?? null }),
  }
}

const nothing: PartitionOwner = { updateStrategy: null }

/** The partition that the object has; undefined where it has none. */
export function partitionOf(
  { place }: Pick<PartitionKind, 'place'>,
  { spec }: Partitioned,
): IntOrPercent | undefined {
  const partition = place.blockOf(spec.updateStrategy)?.partition
  return parseIntOrPercent(partition) === undefined ? undefined : partition
}

/** How many pods of `size` the owner himself keeps at an older version. */
export function keptBy(kind: PartitionKind, owner: OwnerValues, size: number): number {
  return Math.min(kind.old(ownPartition(kind, owner) ?? 0, size), size)
}

/** Whoever keeps pods back himself gets fewer new ones than the steps say. */
function keptInWords(kind: PartitionKind, owner: OwnerValues): readonly string[] {
  const own = ownPartition(kind, owner)
  // Of a hundred pods or more: any partition but 0 keeps somebody.
  if (own === undefined || kind.old(own, 100) === 0) return []
  return [
    `its own partition ${own} is kept: those pods stay at the old version, whatever the steps say, and after the end as well`,
  ]
}

/** The type of update strategy by which the owner has nobody replaced; undefined: some are. */
export function restingBy({ restsBy }: PartitionKind, owner: OwnerValues): string | undefined {
  const { type } = { ...asPartitionOwner(owner).updateStrategy }
  return type !== undefined && restsBy.includes(type) ? type : undefined
}

/** A record is written by admission alone, so its owner's values have the kind's own shape. */
function asPartitionOwner(owner: OwnerValues): PartitionOwner {
  return owner as PartitionOwner
}

/** The partition of the owner's own; undefined where he says nothing. */
export function ownPartition(kind: PartitionKind, owner: OwnerValues): IntOrPercent | undefined {
  return ownBlock(kind, owner)?.partition ?? undefined
}

function ownBlock({ place }: PartitionKind, owner: OwnerValues) {
  return place.ownBlockOf(asPartitionOwner(owner).updateStrategy)
}

function recordedOwner(kind: PartitionKind, { owner }: HoldRecord): PartitionOwner {
  const { updateStrategy = null } = owner as Partial<PartitionOwner>
  const block = kind.place.ownBlockOf(updateStrategy)
  const partition = block?.partition ?? null
  if (partition === null || parseIntOrPercent(partition) !== undefined) return { updateStrategy }
  const sane = { ...block, partition: null }
  return { updateStrategy: kind.place.ownerStrategy({ ...updateStrategy }, sane) }
}

/** Its own controller replaces pods. */
function rolls({ restsBy }: PartitionKind, { spec }: Pick<Partitioned, 'spec'>): boolean {
  return !restsBy.includes(spec.updateStrategy?.type ?? 'RollingUpdate')
}

/** A hold has set it: nobody writes such a value. */
function isOurs(partition: IntOrPercent | undefined): boolean {
  return partition === NOBODY || marked(partition)
}

/**
 * Reads what the owner wants who gave the object that partition. What he left out is to be left out again,
 * and what he left empty is to be empty: where a hold stands in it, his record says which it was.
 */
function ownerReader(kind: PartitionKind) {
  const { blockOf, ownerStrategy } = kind.place
  return (
    { spec }: Pick<Partitioned, 'spec'>,
    partition?: IntOrPercent,
    had: Strategy | OwnerStrategy | null | undefined = spec.updateStrategy,
  ): PartitionOwner => {
    const strategy = { ...spec.updateStrategy }
    const { partition: _, ...others } = { ...blockOf(spec.updateStrategy) }
    const hadBlock = isThere(blockOf(had as Strategy | null | undefined))
    const saysPartition = rolls(kind, { spec }) && (partition !== undefined || hadBlock)
    const says = saysPartition || Object.keys(others).length > 0
    if (!says && strategy.type === undefined && !isThere(had)) return nothing
    const { paused } = others
    const own = { partition: partition ?? null, ...defined({ paused }) }
    return { updateStrategy: ownerStrategy(strategy, says ? own : undefined) }
  }
}

function isThere(part: object | null | undefined): boolean {
  return part !== undefined && part !== null
}

/** The partition by which a hold is kept; the owner's own is never undercut. */
function projection(
  kind: PartitionKind,
  object: Partitioned,
  { hold, owner }: { readonly hold: Hold; readonly owner: PartitionOwner },
): IntOrPercent | undefined {
  const own = ownPartition(kind, owner)
  if (!isInForce(hold) || !rolls(kind, object)) return own
  if (hold.mode !== 'wave') return NOBODY
  const size = kind.size(object)
  const old = size - podCount(hold.budget, size)
  const keepsMore = own !== undefined && kind.old(own, size) >= old
  return keepsMore ? own : kind.partitionFor(old, size)
}

/** The object with that partition; what its owner had not is not left behind empty. */
function withPartition(
  { place }: PartitionKind,
  object: Partitioned,
  partition: IntOrPercent | undefined,
  owner: OwnerValues,
): Partitioned {
  const { updateStrategy, ...spec } = object.spec
  const { partition: _, ...others } = { ...place.blockOf(updateStrategy) }
  const block = { ...others, ...defined({ partition }) }
  const next = place.withBlock({ ...updateStrategy }, block, asPartitionOwner(owner).updateStrategy)
  return { ...object, spec: { ...spec, ...defined({ updateStrategy: next }) } }
}

/** The object as its owner wants it paused, or not. */
function withPause(kind: PartitionKind, object: Partitioned, owner: OwnerValues): Partitioned {
  const { paused } = { ...ownBlock(kind, owner) }
  const block = { ...kind.place.blockOf(object.spec.updateStrategy) }
  if (paused === undefined || paused === block.paused) return object
  const own: OwnerStrategy | null = asPartitionOwner(owner).updateStrategy
  const next = kind.place.withBlock({ ...object.spec.updateStrategy }, { ...block, paused }, own)
  return { ...object, spec: { ...object.spec, ...defined({ updateStrategy: next }) } }
}

/** The partition of a word; undefined: none. */
function said(word: string): IntOrPercent | undefined {
  if (word === NONE) return undefined
  return word.endsWith('%') ? word : Number(word)
}

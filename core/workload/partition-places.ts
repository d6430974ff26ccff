// The two places in which a strategy has its partition, and how each is written: what its owner has not
// said is not left behind empty, nor `null` where he has; what he has left empty stays.

import type { IntOrPercent } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
import { defined } from '../defined.ts'
import type { Block, Strategy } from './partition-object.ts'
import type { OwnerValues } from './record.ts'

/** What its owner wants in the block. */
export interface OwnerBlock {
  /** Null: nothing. */
  readonly partition: IntOrPercent | null
  readonly paused?: boolean
}

/** What the owner wants. Also a merge patch of `spec`: null where there was nothing. */
export interface PartitionOwner extends OwnerValues {
  readonly updateStrategy: OwnerStrategy | null
}

/** Of the place decides whether the block is in it, or is itself. */
export type OwnerStrategy = Partial<OwnerBlock> & {
  readonly type?: string
  readonly rollingUpdate?: OwnerBlock | null
}

/** Where a kind has its partition. */
export interface Place {
  /** The fields on the way to the block, below `updateStrategy`. */
  readonly path: readonly string[]
  /** Values of the block, as a merge patch of `spec`. */
  readonly patch: (block: MergePatch) => MergePatch
  readonly blockOf: (strategy: Strategy | null | undefined) => Block | null | undefined
  readonly ownBlockOf: (strategy: OwnerStrategy | null) => Partial<OwnerBlock> | null | undefined
  /** What an owner wants who has that strategy; `block`: undefined where he says nothing in it. */
  readonly ownerStrategy: (
    strategy: Pick<Strategy, 'type'>,
    block: OwnerBlock | undefined,
  ) => OwnerStrategy | null
  /** A strategy with another block; `own`: what its owner wants. */
  readonly withBlock: (
    strategy: Strategy,
    block: Block,
    own: OwnerStrategy | null,
  ) => Strategy | undefined
}

/** `updateStrategy.rollingUpdate.partition` */
export const inRollingUpdate: Place = {
  path: ['rollingUpdate'],
  patch: rollingUpdate => ({ updateStrategy: { rollingUpdate } }),
  blockOf: strategy => strategy?.rollingUpdate,
  ownBlockOf: strategy => strategy?.rollingUpdate,
  ownerStrategy: ({ type }, block) => ({ ...defined({ type }), rollingUpdate: block ?? null }),
  withBlock(strategy, block, own) {
    const { rollingUpdate: _, ...others } = strategy
    const kept = isSaid(block) || (own?.rollingUpdate ?? null) !== null
    return saidOrOwn({ ...others, ...(kept && { rollingUpdate: block }) }, own)
  },
}

/** `updateStrategy.partition` */
export const inStrategy: Place = {
  path: [],
  patch: updateStrategy => ({ updateStrategy }),
  blockOf: strategy => strategy,
  ownBlockOf: strategy => strategy,
  ownerStrategy: (_, block) => block ?? null,
  withBlock: (_, block, own) => saidOrOwn(block, own),
}

function saidOrOwn(strategy: Strategy, own: OwnerStrategy | null): Strategy | undefined {
  return isSaid(strategy) || own !== null ? strategy : undefined
}

function isSaid(block: object): boolean {
  return Object.keys(block).length > 0
}

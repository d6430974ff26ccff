// How a DaemonSet is held: by its strategy OnDelete, under which its own controller replaces nobody. The
// word is the only field of the hold; what else its owner says of his strategy stays as it is, and is
// recorded beside it.

import type { DaemonSet, RollingUpdate } from '#api/kubernetes.ts'
import { parseIntOrPercent, podCount } from '../replicas.ts'
import type { WorkloadFields } from './adapter.ts'
import { isCaught } from './caught.ts'
import { nobodyReturns, newNodesAreNew } from './daemon-words.ts'
import { holdOf, isInForce } from './hold.ts'
import type { Hold } from './hold.ts'
import type { HoldRecord, OwnerValues } from './record.ts'
import { templateFingerprint } from './template.ts'

/** What the owner of a DaemonSet wants. Also a merge patch of `spec`. */
export interface DaemonOwner extends OwnerValues {
  readonly updateStrategy: {
    readonly type: string
    readonly rollingUpdate: RollingUpdate | null
  }
}

/** The strategy under which nobody is replaced: ours while it is held, else its owner's own. */
export const ON_DELETE = 'OnDelete'
const ROLLING = 'RollingUpdate'

/** The admission half of the adapter. */
export const daemonFields: WorkloadFields<DaemonSet> = {
  deceived: 'kubectl rollout status fails while it is held, and Helm 3 does not wait',
  noAbort: nobodyReturns,
  caveats(owner) {
    const joins = `${newNodesAreNew}, and counts`
    const { maxSurge = 0 } = { ...asDaemonOwner(owner).updateStrategy.rollingUpdate }
    if (isNone(maxSurge)) return [joins]
    const gap = 'each pod is missing until the new one is there'
    return [joins, `maxSurge has no effect while it is held: ${gap}`]
  },
  replicas: wanted,
  fingerprint: ({ spec }) => templateFingerprint(spec.template),
  settled({ metadata, status }) {
    const { observedGeneration = 0, desiredNumberScheduled: all = 0 } = { ...status }
    const { updatedNumberScheduled = 0 } = { ...status }
    return observedGeneration >= (metadata.generation ?? 0) && updatedNumberScheduled === all
  },
  armed: isArmed,
  unholdable: owner => unholdable(asDaemonOwner(owner)),
  invalid: owner => invalid(asDaemonOwner(owner)),
  ownerOfFree(incoming, before) {
    const wished = isArmed(incoming) && before ? before : incoming
    return ownerIn(incoming, isArmed(wished) ? ROLLING : typeOf(wished))
  },
  ownerOfHeld(incoming, _, record) {
    const { type, rollingUpdate } = { ...incoming.spec.updateStrategy }
    // The API server stores no such word without its values but where somebody has taken them away.
    const ours = type === ON_DELETE && (rollingUpdate ?? null) !== null
    return ownerIn(incoming, ours ? recordedOwner(record).updateStrategy.type : typeOf(incoming))
  },
  recordedOwner,
  // Nobody is new before our controller deletes one.
  firstWave: (_, __, ___, { pods }) => ({ mode: 'wave', budget: pods, surge: '0%' }),
  noted: hold => hold,
  most: (object, hold) => podCount(hold.budget, wanted(object)),
  keepingAll: hold => hold,
  peak: wanted,
  project: (object, hold, owner) => withType(object, projection(hold, asDaemonOwner(owner))),
  restore: (object, owner) => withType(object, asDaemonOwner(owner).updateStrategy.type),
  projected: (object, hold, owner) => typeOf(object) === projection(hold, asDaemonOwner(owner)),
  paused: () => false,
  unpaused: owner => owner,
  caught: object => withType(object, ON_DELETE),
  carries: typeOf,
  asCarried: (object, word) => (typeOf(object) === ON_DELETE ? withType(object, word) : object),
  carriedSpec: word => ({ updateStrategy: { type: word } }),
}

/** Why a DaemonSet cannot be held as its owner wants it; undefined if it can. */
export function unholdable({ updateStrategy: { type } }: DaemonOwner): string | undefined {
  if (type === ROLLING) return undefined
  return `its updateStrategy is ${type}, by which nobody is replaced step by step`
}

/** A record is written by admission alone, so its owner's values have the kind's own shape. */
export function asDaemonOwner(owner: OwnerValues): DaemonOwner {
  return owner as DaemonOwner
}

/** The strategy that applies to the object. */
export function typeOf({ spec }: Pick<DaemonSet, 'spec'>): string {
  return spec.updateStrategy?.type ?? ROLLING
}

/** Its nodes say how many pods it is to have, and its own controller counts them. */
function wanted({ status }: DaemonSet): number {
  return status?.desiredNumberScheduled ?? 0
}

/** A word cannot be marked as ours: only with a hold, or a catch, beside it is it no wish of the owner's. */
function isArmed(object: DaemonSet): boolean {
  const hold = holdOf(object)
  const holds = hold !== undefined && isInForce(hold)
  return typeOf(object) === ON_DELETE && (holds || isCaught(object))
}

function projection(hold: Hold, { updateStrategy }: DaemonOwner): string {
  return isInForce(hold) ? ON_DELETE : updateStrategy.type
}

function withType(object: DaemonSet, type: string): DaemonSet {
  const updateStrategy = { ...object.spec.updateStrategy, type }
  return { ...object, spec: { ...object.spec, updateStrategy } }
}

/** What the owner wants whose strategy has that word. */
function ownerIn({ spec }: DaemonSet, type: string): DaemonOwner {
  return { updateStrategy: { type, rollingUpdate: spec.updateStrategy?.rollingUpdate ?? null } }
}

function recordedOwner({ owner }: HoldRecord): DaemonOwner {
  const { type = ROLLING, rollingUpdate = null } = {
    ...(owner as Partial<DaemonOwner>).updateStrategy,
  }
  const said = { updateStrategy: { type, rollingUpdate } }
  return invalid(said) === undefined ? said : defaults
}

/** What the API server sets where a manifest is silent. */
const defaults: DaemonOwner = {
  updateStrategy: { type: ROLLING, rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
}

/** Why the API server would refuse the owner's values: under a hold it does not look at them. */
function invalid({ updateStrategy: { type, rollingUpdate } }: DaemonOwner): string | undefined {
  if (type === ON_DELETE) return undefined
  if (type !== ROLLING) return 'updateStrategy.type: not known'
  const { maxUnavailable = 1, maxSurge = 0 } = { ...rollingUpdate }
  const amounts = [maxUnavailable, maxSurge].map(parseIntOrPercent)
  const known = amounts.every(it => it && (it.unit === 'pods' || it.value <= 100))
  if (!known) return 'updateStrategy.rollingUpdate: no amount of pods'
  const some = [maxUnavailable, maxSurge].filter(it => !isNone(it))
  return some.length === 1 ? undefined : 'one of maxUnavailable and maxSurge must be 0'
}

function isNone(amount: unknown): boolean {
  return parseIntOrPercent(amount)?.value === 0
}

// How the Deployment is named that runs the new pods of another one's release.

import { isInForce } from './hold.ts'
import type { WorkloadSeen } from './seen.ts'

/** Leaves room for what ReplicaSets and pods add to it. */
const NAME_LENGTH = 200

/** Its name, of the one that it is for. A release has one, so whoever makes it again after a crash finds it there. */
export function canaryName(name: string, release: string): string {
  return `${cut(name, NAME_LENGTH)}-${release}`
}

/** That of the running release; undefined where none runs. */
export function canaryNameOf({ metadata, hold }: Pick<WorkloadSeen, 'metadata' | 'hold'>) {
  return hold && isInForce(hold) ? canaryName(metadata.name, hold.rolloutId) : undefined
}

/** The beginning of a name, which ends as a name may. */
export function cut(name: string, length: number): string {
  return name.slice(0, length).replace(/[^a-z0-9]+$/, '')
}

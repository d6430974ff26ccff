// What a release is called: after its version, and the generation that the edit makes of the workload. So
// a name tells which version is held, and whether this very request began it.

import type { KubeObject } from '#api/kubernetes.ts'
import { holdOf } from '../workload/hold.ts'
import type { Hold } from '../workload/hold.ts'

interface Edit {
  /** Fingerprint of the version. */
  readonly version: string
  /** The object so far; undefined when it is being created. */
  readonly before?: KubeObject
}

/** The name of a release that begins with this edit. */
export function releaseId({ version, before }: Edit): string {
  return `${namePart(version)}-${generationAfter(before)}`
}

/** The short name of a version. */
export function namePart(version: string): string {
  return version.slice(0, 10)
}

/** The short name of the version that is held. */
export function heldName({ rolloutId }: Hold): string {
  return rolloutId.split('-')[0]!
}

/** The hold began in this request: an earlier look of ours has put it there. */
export function isOfThisRequest({ before }: Pick<Edit, 'before'>, hold?: Hold): boolean {
  const generation = hold?.rolloutId.split('-').at(-1)
  return generation === String(generationAfter(before))
}

function generationAfter(before: KubeObject | undefined): number {
  return (before?.metadata.generation ?? 0) + 1
}

/** The number of the next hold. */
export function seqAfter(before: KubeObject): number {
  return (holdOf(before)?.seq ?? 0) + 1
}

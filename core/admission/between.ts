// Versions that edits have replaced in the middle of a release: pods of them may still stand.

import { isCaught } from '../workload/caught.ts'
import { holdOf } from '../workload/hold.ts'
import type { Review } from './model.ts'
import { heldName, namePart } from './release-name.ts'

/** More are not remembered: an annotation has room for so many. */
const mostBetween = 20

/** Whichever: a native rollout ran when the release began, and nobody knows from where. */
const ANY = '*'

/** The versions that edits have replaced since the stable one, each by its short name; undefined: none. */
export function versionsBetween(
  { adapter, before, versionBefore }: Review,
  stable: string,
): readonly string[] | undefined {
  const hold = holdOf(before!)
  if (stable === versionBefore) return adapter.settled(before!) ? undefined : [ANY]
  // A caught edit hides the version that was held before it.
  const hidden = hold && isCaught(before!) ? [heldName(hold)] : []
  const all = [...(hold?.between ?? []), ...hidden, namePart(versionBefore)]
  return [...new Set(all)].slice(-mostBetween)
}

/** Pods of the version may run already: how many, our controller counts. */
export function mayRun({ version }: Review, between: readonly string[] = []): boolean {
  const unknown = between.length === mostBetween || between.includes(ANY)
  return unknown || between.includes(namePart(version))
}

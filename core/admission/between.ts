// Versions that edits have replaced in the middle of a release: pods of them may still stand.

import { isCaught } from '../workload/caught.ts'
import { holdOf } from '../workload/hold.ts'
import { heldName, namePart } from './release-name.ts'
import type { Review } from './review.ts'

/** More are not remembered: an annotation has room for so many. */
const mostBetween = 20

/** The versions that edits have replaced since the stable one, each by its short name. */
export function versionsBetween({ before, versionBefore }: Review): readonly string[] {
  const hold = holdOf(before!)
  // A caught edit hides the version that was held before it.
  const hidden = hold && isCaught(before!) ? [heldName(hold)] : []
  const all = [...(hold?.between ?? []), ...hidden, namePart(versionBefore)]
  return [...new Set(all)].slice(-mostBetween)
}

/** Pods of the version may run already: how many, our controller counts. */
export function mayRun({ version }: Review, between: readonly string[] = []): boolean {
  return between.length === mostBetween || between.includes(namePart(version))
}

// Where in a Rollout's status a release stands: each style of the API has a field of its own, with other
// names for the same. The core knows one of them.

import type { CanaryStatus, RolloutStatus } from '#api/rollout.generated.ts'
import { statusField } from '../style.ts'
import type { Style } from '../style.ts'

type Field = (typeof statusField)[Style]

/** What a status tells of a release, whichever its style; undefined: nothing. */
export function releaseIn(status: RolloutStatus | undefined): CanaryStatus | undefined {
  const { canaryStatus, blueGreenStatus } = { ...status }
  if (canaryStatus || !blueGreenStatus) return canaryStatus
  const { updatedRevision, updatedReplicas, updatedReadyReplicas, ...common } = blueGreenStatus
  return {
    ...common,
    canaryRevision: updatedRevision,
    canaryReplicas: updatedReplicas,
    canaryReadyReplicas: updatedReadyReplicas,
  }
}

/** The part of a status that tells it, for the style. */
export function toldIn(style: Style, release: CanaryStatus): Pick<RolloutStatus, Field> {
  const { canaryRevision, canaryReplicas, canaryReadyReplicas, ...common } = release
  if (statusField[style] === 'canaryStatus') return { canaryStatus: release }
  const updated = {
    updatedRevision: canaryRevision,
    updatedReplicas: canaryReplicas,
    updatedReadyReplicas: canaryReadyReplicas,
  }
  return { blueGreenStatus: { ...common, ...updated } }
}

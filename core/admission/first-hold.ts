// The hold with which an edit begins: how far it may go in the very admission.

import { defined } from '../defined.ts'
import type { Rollout } from '../rollout/model.ts'
import { isCaught } from '../workload/caught.ts'
import { still } from '../workload/hold.ts'
import type { Hold } from '../workload/hold.ts'
import type { OwnerValues } from '../workload/record.ts'
import { mayRun, versionsBetween } from './between.ts'
import type { Review } from './model.ts'
import { releaseId, seqAfter } from './release-name.ts'
import { waitsForRequests } from './requests.ts'

/** No new pod starts, and none leaves. */
export const stopped = { mode: 'stop', ...still } as const

/** How far the edit may go. Of a way back the controller counts who runs the version anyway. */
export function firstHold(
  review: Review,
  rollout: Rollout,
  owner: OwnerValues,
  stable: string,
): Hold {
  const { adapter, before, object, version } = review
  const { replicas: pods } = rollout.steps[0]!
  const between = versionsBetween(review, stable)
  const ran = stable === version ? 0 : undefined
  const paused = rollout.paused || adapter.paused(owner)
  const rests = paused || isHeldBack(review) || ran !== undefined
  return {
    style: adapter.style,
    pods,
    ...(rests
      ? adapter.keepingAll(stopped, before!, object)
      : adapter.firstWave(before!, object, owner, { pods, mayRun: mayRun(review, between) })),
    rolloutId: releaseId(review),
    seq: seqAfter(before!),
    ...defined({ abortSeen: rollout.abort, ran, between }),
  }
}

/** Nobody of ours saw what came before, or requests move first: the controller begins. */
function isHeldBack(review: Review): boolean {
  const { before } = review
  return (before !== undefined && isCaught(before)) || waitsForRequests(review)
}

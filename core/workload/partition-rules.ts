// How a workload with a partition gets to where a release wants it. Forward goes by the partition alone:
// its own controller replaces pods as its owner's strategy says. Backward goes by deleting pods, of which
// the kind knows as what they come again. Only what comes again as something else is deleted.

import { defined } from '../defined.ts'
import { firstMove } from '../move.ts'
import type { Move, Rule } from '../move.ts'
import type { Instant } from '../time.ts'
import { holdChange, podDeletion } from './changes.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
import type { PartitionWorkload } from './partition-view.ts'
import { nextReady } from './ready.ts'
import {
  deletions,
  grown,
  rolling,
  seenByItsController,
  sentAgain,
  someRun,
  standStill,
  wantedBy,
  wave,
} from './rules.ts'
import type { Target } from './rules.ts'
import type { PodSeen } from './seen.ts'

type Rules = readonly Rule<PartitionWorkload, Target>[]

const observed: Rules = [heldAgain, seenByItsController]
const forward: Rules = [someRun, rolling, ...observed, unblock, wave, withdrawn, grown]
const keeping: Rules = [...observed, unblock, withdrawn]

/** As many pods as the step wants run the update revision. */
export function advance(w: PartitionWorkload, step: Hold['pods'], now: Instant): Move | undefined {
  return firstMove(forward, w, targetOf(w, step, now))
}

/** No more pods than the hold is for, which stays as it is. */
export function keep(w: PartitionWorkload, now: Instant): Move | undefined {
  if (w.hold?.mode !== 'wave') return firstMove(observed, w, targetOf(w, 0, now))
  return firstMove(keeping, w, targetOf(w, w.hold.pods, now))
}

/** Everybody runs the stable revision again, and the template is left as it is. */
export function abort(w: PartitionWorkload, now: Instant): Move | undefined {
  const why = whyNoWayBack(w)
  if (why !== undefined) return standStill(w, `it cannot be aborted: ${why}; apply its template`)
  return firstMove(observed, w, { n: 0, pods: 0, now }) ?? goingBack(w, now)
}

function whyNoWayBack(w: PartitionWorkload): string | undefined {
  if (w.unheldBecause !== undefined) return w.unheldBecause
  const known = w.stable?.hash === currentOf(w)
  return known ? undefined : 'a pod would not come back at the stable revision'
}

function goingBack(w: PartitionWorkload, now: Instant): Move | undefined {
  const strangers = w.pods.filter(({ revision }) => revision !== currentOf(w))
  const home = strangers.length === 0 && w.total === w.replicas
  if (w.hold?.mode === 'aborted' && home) return undefined
  const mode = home ? 'aborted' : 'back'
  const why = home
    ? 'all pods are back on the stable revision'
    : `${strangers.length} of ${w.replicas} pods are still to go back`
  if (w.hold!.mode !== mode)
    return { changes: [holdChange(w, { ...w.hold!, mode, pods: 0, ...still })], why }
  return leaving(w, strangers.toReversed(), { why, now })
}

/**
 * A broken pod of a version that nobody wants any more keeps an ordered workload from everything, its way
 * back too: its own controller waits for that pod, which will never be Ready.
 */
export function unblock({ blocking }: PartitionWorkload): Move | undefined {
  if (blocking.length === 0) return undefined
  return { changes: blocking.map(podDeletion), why: 'taking broken pods out of the way' }
}

function targetOf(w: PartitionWorkload, step: Hold['pods'], now: Instant): Target {
  const wanted = wantedBy(w, step)
  // Nobody is kept as what nobody wants: the old ones would never be Ready, and be waited for.
  if (w.adrift) return { n: w.most, pods: wanted.pods, budget: '100%', now }
  const n = Math.min(wanted.n, w.most)
  const { passed = 0, next = 0 } = { ...w.goingBack }
  const budget = w.goingBack && Math.max(n - passed, w.updated < n ? next : 0)
  return { n, pods: wanted.pods, now, ...defined({ budget }) }
}

/** A scaling carries no partition; or the webhook was away when the hold was written. */
function heldAgain(w: PartitionWorkload): Move | undefined {
  if (w.projected || !w.hold) return undefined
  if (w.hold.size !== w.replicas) {
    const why = `keeping the step's share of ${w.replicas} pods`
    return { changes: [holdChange(w, { ...w.hold, size: w.replicas })], why }
  }
  return sentAgain(w)
}

/** Pods that a scaling has brought up new too early come again as old ones. */
function withdrawn(w: PartitionWorkload, { now }: Target): Move | undefined {
  const { early } = w
  if (early.length === 0) return undefined
  const why = `taking ${early.length} of ${w.updated} new pods back`
  return leaving(w, early, { why, now })
}

/** They leave, as many at a time as may be missing. */
function leaving(
  w: PartitionWorkload,
  pods: readonly PodSeen[],
  { why, now }: { readonly why: string; readonly now: Instant },
): Move {
  const changes = deletions(w, pods, now)
  const stuck = w.maxUnavailable === 0 && changes.length === 0
  const room = stuck ? '; its maxUnavailable of 0 lets none be missing: apply the old template' : ''
  return { changes, why: `${why}${room}`, ...nextReady(w.pods, w.seen.minReadySeconds, now) }
}

/** What its own controller makes of a pod that is to be old. */
function currentOf({ seen }: PartitionWorkload): string {
  return seen.status.currentRevision
}

// How a DaemonSet gets to where a release wants it: under OnDelete its own controller replaces nobody, so
// we delete old pods, and it makes new ones. Only forward: a pod that is deleted comes back new, whatever
// it was before.

import { firstMove } from '../move.ts'
import type { Move, Rule } from '../move.ts'
import type { Instant } from '../time.ts'
import type { DaemonWorkload } from './daemon-view.ts'
import type { Hold } from './hold.ts'
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

type Rules = readonly Rule<DaemonWorkload, Target>[]

const observed: Rules = [sentAgain, seenByItsController, versionSeen]
const forward: Rules = [someRun, rolling, ...observed, wave, replaced, grown]

/** As many pods as the step wants run the update revision. */
export function advance(w: DaemonWorkload, step: Hold['pods'], now: Instant): Move | undefined {
  return firstMove(forward, w, { ...wantedBy(w, step), now })
}

/** No more pods than are new already. */
export function keep(w: DaemonWorkload, now: Instant): Move | undefined {
  return firstMove(observed, w, { n: 0, pods: 0, now })
}

/** Nobody can be brought back, and nobody more is let out. */
export function abort(w: DaemonWorkload): Move {
  return standStill(w, `it cannot be aborted: ${w.noAbort}; apply the old template`)
}

/** Else every pod would count as old. */
function versionSeen({ update }: DaemonWorkload): Move | undefined {
  if (update) return undefined
  return { changes: [], why: 'waiting for its own controller to make the version' }
}

/**
 * As many old pods leave as the step wants more new ones, no more at a time than may be missing; broken
 * ones at once. A node whose pod is missing gets a new one in any case.
 */
function replaced(w: DaemonWorkload, { n, now }: Target): Move | undefined {
  const coming = Math.max(w.replicas - w.total, 0)
  const wanted = n - w.updated - coming
  if (wanted <= 0) return undefined
  const changes = deletions(w, w.old.toSorted(byTurn).slice(0, wanted), now)
  const why = `${w.updatedReady} of ${n} new pods are ready`
  return { changes, why, ...nextReady(w.pods, w.seen.minReadySeconds, now) }
}

/** Who goes first: who has not started, who is not Ready, whose end costs least, who is younger. */
function byTurn(a: PodSeen, b: PodSeen): number {
  return (
    Number(b.pending ?? false) - Number(a.pending ?? false) ||
    Number(a.readySince !== undefined) - Number(b.readySince !== undefined) ||
    (a.deletionCost ?? 0) - (b.deletionCost ?? 0) ||
    b.created - a.created ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  )
}

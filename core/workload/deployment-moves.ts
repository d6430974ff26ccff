// The moves of a Deployment that are one write: labels, the end of a hold, a word to waiting clients.

import {
  CAUGHT,
  ESCAPE,
  HOLD,
  RECORD,
  STABLE_REVISION,
  STABLE_TEMPLATE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { Change } from '../change.ts'
import type { Instant, Move } from '../rollout/model.ts'
import { timeOf } from '../time.ts'
import { noCopies } from './copies.ts'
import { change, holdChange } from './deployment-changes.ts'
import type { DeploymentWorkload } from './deployment-view.ts'
import { formatHold } from './hold.ts'
import type { Hold } from './hold.ts'
import { formatRecord } from './record.ts'

/** Everybody may be new, as fast as the owner's strategy says; the way back stays open. */
export function finish(w: DeploymentWorkload): Move | undefined {
  if (!w.hold || w.hold.mode === 'released') return undefined
  const sent = w.hold.mode === 'finishing'
  if (sent && w.projected) return undefined
  return {
    changes: [holdChange(w, { ...w.hold, mode: 'finishing' })],
    why: "giving the owner's values back",
    ...(sent && { again: true }),
  }
}

/** The hold is over: nothing of it is left. */
export function release(w: DeploymentWorkload, promote: boolean): Move | undefined {
  if (!w.hold) return undefined
  const labels = promote && w.updateRevision ? { [STABLE_REVISION]: w.updateRevision } : {}
  const annotations = promote ? nothingStable(w) : stillStable(w)
  return {
    changes: [holdChange(w, { ...w.hold, mode: 'released' }, { labels, annotations })],
    why: "giving the owner's values back",
    ...(w.hold.mode === 'released' && { again: true }),
  }
}

/** What a catch was judged by is the stable template no more. */
function nothingStable({ seen }: DeploymentWorkload) {
  return seen.stableFingerprint === undefined ? {} : { [STABLE_TEMPLATE]: null }
}

/** The way back stays known while the rest rolls out. */
function stillStable({ record, seen }: DeploymentWorkload) {
  const stable = record?.stable
  return stable && stable !== seen.fingerprint ? { [STABLE_TEMPLATE]: stable } : {}
}

/**
 * Waiting stock clients fail at once. The controller-manager keeps this reason while a Deployment is
 * paused, and no other would do: kubectl, Helm and kstatus all look for it.
 */
export function tellAborted(
  w: DeploymentWorkload,
  message: string,
  now: Instant,
): Move | undefined {
  const { progressing } = w.seen
  const reason = 'ProgressDeadlineExceeded'
  if (progressing?.reason === reason && progressing.message === message) return undefined
  const time = timeOf(now)
  const condition = { type: 'Progressing', status: 'False', reason, message }
  const conditions = [{ ...condition, lastUpdateTime: time, lastTransitionTime: time }]
  const told: Change = {
    ...change(w, { status: { conditions } }),
    subresource: 'status',
    strategic: true,
  }
  return { changes: [told], why: 'telling waiting clients' }
}

/** Admission is called for the Deployment, and its stable revision is named. */
export function guard(w: DeploymentWorkload): Move | undefined {
  // Its owner has taken it back: until all are where he wants them, whatever he writes is let through.
  return w.escaped && !w.rolledOut ? undefined : label(w)
}

function label(w: DeploymentWorkload): Move | undefined {
  const { stableLabel, stableFingerprint } = w.seen
  const settled = !w.hold && w.rolledOut
  const named = !settled || stableLabel === w.updateRevision
  const template = settled ? undefined : (stableFingerprint ?? goneFrom(w))
  if (w.guarded && named && stableFingerprint === template) return undefined
  const labels = { [WORKLOAD_TYPE]: 'deployment', ...stableName(w, settled) }
  const annotations = { ...copiesOn(w), [STABLE_TEMPLATE]: template ?? null }
  const metadata = { labels, annotations }
  return { changes: [change(w, { metadata })], why: 'labelling the Deployment' }
}

/** With the label they would count. */
function copiesOn({ guarded, hold }: DeploymentWorkload) {
  return guarded || hold ? {} : noCopies
}

/** The label keeps its name until everybody is new: what runs in between is no stable revision. */
function stableName({ guarded, seen, stableRevision }: DeploymentWorkload, settled: boolean) {
  const name = (guarded && !settled && seen.stableLabel) || stableRevision
  return name && { [STABLE_REVISION]: name }
}

/** The stable template, where a native rollout to another one runs that is not on its way back. */
function goneFrom({ hold, seen, stable, update }: DeploymentWorkload): string | undefined {
  const isBack = update !== undefined && update.hash === seen.stableLabel
  return hold || isBack || stable === update ? undefined : stable?.fingerprint
}

/** No trace of ours is left. */
export function unguard(w: DeploymentWorkload): Move | undefined {
  // A label that somebody else put there comes without the other one.
  if (w.seen.stableLabel === undefined) return undefined
  const labels = { [WORKLOAD_TYPE]: null, [STABLE_REVISION]: null }
  const metadata = { labels, annotations: { ...noCopies, [ESCAPE]: null } }
  return { changes: [change(w, { metadata })], why: 'taking the labels away' }
}

/** An abort annotation counts again. */
export function forgetAbort(w: DeploymentWorkload): Move | undefined {
  if (w.hold?.abortSeen === undefined) return undefined
  const { abortSeen: _, ...hold } = w.hold
  return { changes: [holdChange(w, hold)], why: 'forgetting an older abort' }
}

/**
 * Fields of a hold were left without one. They are put back as every hold ends: by a word to
 * admission, and with what a ReplicaSet remembers of the owner's values.
 */
export function restore(w: DeploymentWorkload): Move | undefined {
  if (!w.armed) return undefined
  const over: Hold = {
    mode: 'released',
    pods: '100%',
    budget: '100%',
    surge: '0%',
    rolloutId: 'restored',
    seq: 1,
  }
  const record = w.remembered && { [RECORD]: formatRecord(w.remembered) }
  const annotations = { [HOLD]: formatHold(over), ...record }
  const changes = [change(w, { metadata: { annotations } })]
  return { changes, why: "putting the owner's values back", again: true }
}

/** A native rollout is over: where it began is no way back any more. */
export function forgetNative(w: DeploymentWorkload): Move | undefined {
  if (w.seen.stableFingerprint === undefined || !w.rolledOut) return undefined
  const metadata = { annotations: { [STABLE_TEMPLATE]: null } }
  return { changes: [change(w, { metadata })], why: 'forgetting where a native rollout began' }
}

/** The escape is over. */
export function forgetEscape(w: DeploymentWorkload): Move | undefined {
  if (!w.escaped) return undefined
  const annotations = { [ESCAPE]: null, [CAUGHT]: null }
  return { changes: [change(w, { metadata: { annotations } })], why: 'ending the escape' }
}

/**
 * The policy knows no ReplicaSets, nor does admission: with the word what was stable, admission judges
 * the caught edit as if it came now.
 */
export function takeOver(w: DeploymentWorkload): Move | undefined {
  if (w.caught === undefined) return undefined
  const annotations = { [STABLE_TEMPLATE]: stableOfCaught(w) }
  const why = 'taking over an edit that the policy caught: the webhook must answer first'
  return { changes: [change(w, { metadata: { annotations } })], why, again: true }
}

function stableOfCaught({ hold, record, seen, stable, active }: DeploymentWorkload): string {
  // A release that was over before the edit: the label names what everybody runs.
  const over = hold?.mode === 'released' && active.find(set => set.hash === seen.stableLabel)
  if (over) return over.fingerprint
  const found = stable?.fingerprint ?? seen.fingerprint
  return record ? (stable?.fingerprint ?? record.stable) : (seen.stableFingerprint ?? found)
}

// The moves that are one write, and the same for every kind of workload: its labels, what is remembered
// of it, and the end of a hold.

import {
  CAUGHT,
  ESCAPE,
  HOLD,
  RECORD,
  STABLE_REVISION,
  STABLE_TEMPLATE,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { Move } from '../move.ts'
import type { Instant } from '../time.ts'
import { change, holdChange } from './changes.ts'
import { noCopies } from './copies.ts'
import { formatHold } from './hold.ts'
import type { Hold } from './hold.ts'
import { labelPods } from './labels.ts'
import type { Workload, WorkloadAction } from './model.ts'
import { formatRecord } from './record.ts'

type ActionOf<T> = Extract<WorkloadAction, { readonly type: T }>

/** One move for each action. */
type Moves<W extends Workload, T extends WorkloadAction['type'] = WorkloadAction['type']> = {
  readonly [Type in T]: (w: W, action: ActionOf<Type>, now: Instant) => Move | undefined
}

/** The moves in which kinds differ, and what some do otherwise. */
type OwnMoves<W extends Workload> = Moves<W, Own> & Partial<Moves<W, 'release'>>

type Own = 'advance' | 'keep' | 'abort' | 'tellAborted' | 'rest' | 'unblock'

/** Carries every action out: by what a kind does in its own way, and by what all do alike. */
export function movesWith<W extends Workload>(
  own: OwnMoves<W>,
): (w: W, action: WorkloadAction, now: Instant) => Move | undefined {
  const moves: Moves<W> = { ...shared, ...own }
  return <T extends WorkloadAction['type']>(w: W, action: ActionOf<T>, now: Instant) =>
    moves[action.type as T](w, action, now)
}

const shared: Omit<Moves<Workload>, Own> = {
  guard,
  unguard,
  finish,
  release: (w, { promote }) => release(w, promote),
  labelPods: (w, { batches }) => labelPods(w, batches),
  forgetAbort,
  forgetEscape,
  forgetNative,
  takeOver,
}

/** Everybody may be new, as fast as the owner's strategy says; the way back stays open. */
function finish(w: Workload): Move | undefined {
  if (!w.hold) return undefined
  const over = w.hold.mode === 'released'
  const sent = over || w.hold.mode === 'finishing'
  // What is over is sent again, too: armed, nobody would ever count as available.
  if (sent && w.projected) return undefined
  return {
    changes: [holdChange(w, { ...w.hold, mode: over ? 'released' : 'finishing' })],
    why: "giving the owner's values back",
    ...(sent && { again: true }),
  }
}

/** The hold is over: nothing of it is left. */
export function release(w: Workload, promote: boolean): Move | undefined {
  if (!w.hold) return undefined
  const labels = promote && w.updateRevision ? { [STABLE_REVISION]: w.updateRevision } : {}
  const annotations = promote ? stableFrom(w) : stillStable(w)
  return {
    changes: [holdChange(w, { ...w.hold, mode: 'released' }, { labels, annotations })],
    why: "giving the owner's values back",
    ...(w.hold.mode === 'released' && { again: true }),
  }
}

/** What a catch was judged by is the stable template no more. */
function stableFrom(w: Workload) {
  const noted = notedAtRest(w)
  return w.seen.stableFingerprint === noted ? {} : { [STABLE_TEMPLATE]: noted ?? null }
}

/** What everybody runs is noted where no older template is seen: by it an edit is judged. */
function notedAtRest({ templatesSeen, seen }: Workload): string | undefined {
  return templatesSeen ? undefined : seen.fingerprint
}

/** The way back stays known while the rest rolls out. */
function stillStable({ record, seen }: Workload) {
  const stable = record?.stable
  return stable && stable !== seen.fingerprint ? { [STABLE_TEMPLATE]: stable } : {}
}

/** Admission is called for the workload, and its stable revision is named. */
function guard(w: Workload): Move | undefined {
  // Its owner has taken it back: until all are where he wants them, whatever he writes is let through.
  return w.escaped && !w.rolledOut ? undefined : label(w)
}

function label(w: Workload): Move | undefined {
  const { stableLabel, stableFingerprint } = w.seen
  const settled = !w.hold && w.rolledOut
  const named = !settled || stableLabel === w.updateRevision
  const template = settled ? notedAtRest(w) : (stableFingerprint ?? goneFrom(w))
  if (w.guarded && named && stableFingerprint === template) return undefined
  const copies = copiesOn(w)
  const type = w.ref.kind.toLowerCase()
  const labels = { ...copies.labels, [WORKLOAD_TYPE]: type, ...stableName(w, settled) }
  const annotations = { ...copies.annotations, [STABLE_TEMPLATE]: template ?? null }
  const metadata = { labels, annotations }
  return { changes: [change(w, { metadata })], why: `labelling the ${w.ref.kind}` }
}

/** With the label they would count. */
function copiesOn({ guarded, hold }: Workload) {
  return guarded || hold ? { labels: {}, annotations: {} } : noCopies
}

/** The label keeps its name until everybody is new: what runs in between is no stable revision. */
function stableName({ guarded, seen, stableRevision }: Workload, settled: boolean) {
  const name = (guarded && !settled && seen.stableLabel) || stableRevision
  return name && { [STABLE_REVISION]: name }
}

/** The stable template, where a native rollout to another one runs that is not on its way back. */
function goneFrom({ hold, seen, stable, update }: Workload): string | undefined {
  const isBack = update !== undefined && update.hash === seen.stableLabel
  return hold || isBack || stable?.hash === update?.hash ? undefined : stable?.fingerprint
}

/** No trace of ours is left. */
function unguard(w: Workload): Move | undefined {
  // A label that somebody else put there comes without the other one.
  if (w.seen.stableLabel === undefined) return undefined
  const labels = { ...noCopies.labels, [WORKLOAD_TYPE]: null, [STABLE_REVISION]: null }
  const metadata = { labels, annotations: { ...noCopies.annotations, [ESCAPE]: null } }
  return { changes: [change(w, { metadata })], why: 'taking the labels away' }
}

/** An abort annotation counts again. */
function forgetAbort(w: Workload): Move | undefined {
  if (w.hold?.abortSeen === undefined) return undefined
  const { abortSeen: _, ...hold } = w.hold
  return { changes: [holdChange(w, hold)], why: 'forgetting an older abort' }
}

/**
 * Fields of a hold were left without one. They are put back as every hold ends: by a word to
 * admission, and with what a ReplicaSet remembers of the owner's values.
 */
export function restore(w: Workload): Move | undefined {
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
  const changes = [change(w, { metadata: { labels: { [WAVE]: null }, annotations } })]
  return { changes, why: "putting the owner's values back", again: true }
}

/** A native rollout is over: where it began is no way back any more. */
function forgetNative(w: Workload): Move | undefined {
  const { stableFingerprint } = w.seen
  if (stableFingerprint === undefined || !w.rolledOut) return undefined
  const metadata = { annotations: { [STABLE_TEMPLATE]: null } }
  return { changes: [change(w, { metadata })], why: 'forgetting where a native rollout began' }
}

/** The escape is over. */
function forgetEscape(w: Workload): Move | undefined {
  if (!w.escaped) return undefined
  const annotations = { [ESCAPE]: null, [CAUGHT]: null }
  return { changes: [change(w, { metadata: { annotations } })], why: 'ending the escape' }
}

/**
 * The policy knows no ReplicaSets, nor does admission: with the word what was stable, admission judges
 * the caught edit as if it came now.
 */
function takeOver(w: Workload): Move | undefined {
  if (w.caught === undefined) return undefined
  const annotations = { [STABLE_TEMPLATE]: stableOfCaught(w) }
  const why = 'taking over an edit that the policy caught: the webhook must answer first'
  return { changes: [change(w, { metadata: { annotations } })], why, again: true }
}

function stableOfCaught({ hold, record, seen, stable, active }: Workload): string {
  // A release that was over before the edit: the label names what everybody runs.
  const running = active.find(({ hash }) => hash === seen.stableLabel)?.fingerprint
  if (hold?.mode === 'released' && running !== undefined) return running
  const { fingerprint = seen.fingerprint } = { ...stable }
  return record ? (stable?.fingerprint ?? record.stable) : (seen.stableFingerprint ?? fingerprint)
}

// What admission makes of a write to a workload. The old object's annotations are the truth: a hold
// that comes with the request counts only from our controller, and only as the next one of the same
// release. So a stale copy, an `undo` that brings old annotations back, or a replayed write do nothing.

import { HOLD, RECORD, STABLE_REVISION, STABLE_TEMPLATE } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import { inStyleOf } from '../rollout/release-style.ts'
import { podCount } from '../replicas.ts'
import { isCaught } from '../workload/caught.ts'
import { holdOf, still } from '../workload/hold.ts'
import type { Hold } from '../workload/hold.ts'
import { movesRequests, recordOf } from '../workload/record.ts'
import type { HoldRecord, OwnerValues } from '../workload/record.ts'
import { inStyle } from '../workload/registry.ts'
import { mayRun } from './between.ts'
import { asRequested, stillCaught } from './caught.ts'
import { firstHold, stopped } from './first-hold.ts'
import { withHoldMarks, withMarks, withoutHoldMarks } from './marks.ts'
import type { WorkloadReview, Review, Held } from './model.ts'
import { heldName, isOfThisRequest, namePart, releaseId, seqAfter } from './release-name.ts'
import { requestsIn } from './requests.ts'
import { asksToGoOn, freeOwner, heldOwner } from './wishes.ts'
import {
  abortedWarnings,
  caughtWarnings,
  holdWarnings,
  lostWarnings,
  nativeWarnings,
  notHeldWarnings,
  ownerWarnings,
  requestsFirstWarnings,
  rollbackWarnings,
  takenBackWarnings,
} from './warnings.ts'

/** What came of a write. */
export type Outcome = 'untouched' | 'held' | 'projected' | 'restored' | 'cleaned' | 'notHeld'

/** The object as it is to be stored, and what to tell. */
export interface Answer {
  readonly outcome: Outcome
  readonly object: KubeObject
  readonly warnings: readonly string[]
}

/** Holds, projects, restores or leaves alone. Pure, and idempotent: a second review changes nothing. */
export function reviewWorkload(request: WorkloadReview): Answer {
  const review = withVersions(asRequested(request))
  const { outcome, object, warnings, stable } = verdictOf(review)
  const lines = saidTooEarly(review, outcome) ? [...takenBackWarnings(), ...warnings] : warnings
  return { outcome, object: withMarks(review, object, stable), warnings: lines }
}

/** A webhook behind us has changed the template after we told of a release, which there is not. */
function saidTooEarly({ before, object }: WorkloadReview, outcome: Outcome): boolean {
  const said = holdOf(object)
  if (!before || !said || outcome === 'held') return false
  return isOfThisRequest({ before }, said) && said.rolloutId !== holdOf(before)?.rolloutId
}

/** `stable`: an edit rolls out natively, and a return to this version is no release. */
type Verdict = Answer & { readonly stable?: string }

function withVersions(review: WorkloadReview): Review {
  const { adapter, object, before } = review
  const version = adapter.fingerprint(object)
  return { ...review, version, versionBefore: before ? adapter.fingerprint(before) : version }
}

function verdictOf(review: Review): Verdict {
  const { before } = review
  return before && isCaught(before) ? overtaken(review, before) : answerOf(review)
}

function answerOf(review: Review): Verdict {
  const { before } = review
  if (!before) return cleaned(review)
  const hold = holdOf(before)
  const record = recordOf(before)
  const edited = review.versionBefore !== review.version
  if (!hold || !record) return edited ? freeEdit(review) : cleaned(review)
  const held = { ...review, before, hold, record }
  if (!edited) return projected(held)
  const over = hold.mode === 'released' && review.adapter.settled(before)
  if (over) return begun(review, heldOwner(held))
  if (review.version === record.stable) return backToStable(held)
  if (isOfThisRelease(held)) return projected(held)
  return begun(review, heldOwner(held), record.stable)
}

/**
 * Our controller changes no template: a webhook before us makes of every write the version that this
 * release began with, and one behind us undoes it. To begin it again would never end.
 */
function isOfThisRelease(held: Held): boolean {
  return held.fromController && isHeldVersion(held)
}

function isHeldVersion({ hold, version }: Held): boolean {
  return heldName(hold) === namePart(version)
}

/**
 * Nobody of ours answered the edit. What was stable before it our controller knows: everybody else's
 * write leaves it caught, and with the word of our controller it is judged as if it came now.
 */
function overtaken(review: Review, before: KubeObject): Verdict {
  const { fromController, version } = review
  const stable = review.object.metadata.annotations?.[STABLE_TEMPLATE]
  if (!fromController || stable === undefined) {
    return { outcome: 'held', object: stillCaught(review, before), warnings: caughtWarnings() }
  }
  const hold = holdOf(before)
  const record = recordOf(before)
  const held = hold && record && { ...review, before, hold, record }
  if (!held) {
    const owner = freeOwner(review)
    if (stable !== version) return begun(review, owner, stable)
    return { outcome: 'restored', object: restored(review, owner), warnings: [] }
  }
  if (stable === version) return backToStable({ ...held, record: { ...held.record, stable } })
  return isHeldVersion(held) ? projected(held) : begun(review, heldOwner(held), stable)
}

/** An edit of a workload that is not held. */
function freeEdit(review: Review): Verdict {
  const { adapter, before } = review
  const owner = freeOwner(review)
  const rolling = before && !adapter.settled(before)
  const stable = rolling ? before.metadata.annotations?.[STABLE_TEMPLATE] : undefined
  // A native rollout is running: going back to where it began is no release.
  if (stable === review.version) {
    return { outcome: 'restored', object: restored(review, owner), warnings: nativeWarnings() }
  }
  const verdict = begun(review, owner, stable)
  const lost = before && adapter.armed(before) ? lostWarnings() : []
  return { ...verdict, warnings: [...verdict.warnings, ...lost] }
}

/** A version that nobody runs yet: held at the first step, or let through with the reason. */
function begun(edit: Review, owner: OwnerValues, stable = edit.versionBefore): Verdict {
  const review = inItsStyle(edit)
  const { adapter, before, object, rollout } = review
  const refusal = reasonNotHeld(review, owner)
  if (refusal !== undefined || !rollout) {
    const free = restored(review, owner)
    const warnings = notHeldWarnings(refusal ?? noRollout)
    return { outcome: 'notHeld', object: free, warnings, stable }
  }
  // The API server refuses them in its own words, which a projection would hide from it.
  if (adapter.invalid(owner)) return asItIs(review, owner)
  const replicas = adapter.replicas(object)
  const first = rollout.steps[0]!
  // He who keeps pods at the old version himself gets no more than the others.
  const n = Math.min(podCount(first.replicas, replicas), replicas - adapter.kept(object, owner))
  const paused = adapter.paused(owner)
  const hold = firstHold(review, rollout, owner, stable)
  const record: HoldRecord = {
    owner,
    stable,
    rollout: rollout.name,
    rolloutUid: rollout.uid,
    ...requestsIn(review),
  }
  const peak = adapter.peak(object, owner, n)
  const mayStand = mayRun(review, hold.between)
  const again = holdOf(before!) !== undefined
  return {
    outcome: 'held',
    object: withHold(review, hold, record),
    warnings: holdWarnings({
      rollout,
      release: hold.rolloutId,
      replicas,
      n,
      peak,
      paused,
      again,
      goesBack: hold.ran !== undefined,
      noSide: adapter.noSide?.(before!, hold, mayStand) === true,
      caveats: adapter.caveats(owner, mayStand && hold.mode === 'wave'),
      ...defined({ blocked: review.blocked }),
      ...defined({ stable: hold.between && before!.metadata.labels?.[STABLE_REVISION] }),
      adapter,
    }),
  }
}

/** What a release begins in the middle of another one is released and told of in the style of that. */
function inItsStyle<T extends WorkloadReview>(review: T): T {
  const { adapter, before, rollout } = review
  if (!rollout) return review
  const now = inStyleOf(before && holdOf(before), rollout)
  return { ...review, adapter: inStyle(adapter, now.style) ?? adapter, rollout: now }
}

const noRollout = 'no Rollout names it'

/** The hold that needs no plan: no new pod starts, none leaves, and the owner's values are on record. */
export function plainestHold(request: WorkloadReview): Answer {
  const review = inItsStyle(withVersions(asRequested(request)))
  const { adapter, before, rollout } = review
  if (!before || !rollout) return { outcome: 'untouched', object: request.object, warnings: [] }
  if (isCaught(before)) {
    return { outcome: 'held', object: stillCaught(review, before), warnings: caughtWarnings() }
  }
  const known = recordOf(before)
  const hold: Hold = {
    ...adapter.keepingAll(stopped, before, review.object),
    style: adapter.style,
    pods: rollout.steps[0]?.replicas ?? 1,
    rolloutId: releaseId(review),
    seq: seqAfter(before),
  }
  const record: HoldRecord = {
    owner: known?.owner ?? adapter.ownerOfFree(review.object, before),
    stable: known?.stable ?? review.versionBefore,
    rollout: rollout.name,
    rolloutUid: rollout.uid,
    ...requestsIn(review),
  }
  const why = 'held at 0 new pods: the plan could not be computed; see the log of the webhook'
  return { outcome: 'held', object: withHold(review, hold, record), warnings: [why] }
}

/** The template that everybody ran is back: at once, or by the steps where its Rollout asks for that. */
function backToStable(held: Held): Verdict {
  const review = inItsStyle(held)
  const owner = heldOwner(held)
  const { rollbackInSteps } = { ...review.rollout }
  const asked = rollbackInSteps && review.adapter.rollsBackInSteps && !movesRequests(held.record)
  // After an abort all are back already, or on their way.
  const isOut = !['back', 'aborted', 'released'].includes(held.hold.mode)
  const bySteps = asked && isOut && reasonNotHeld(review, owner) === undefined
  return bySteps ? begun(held, owner, held.record.stable) : rolledBack(held)
}

/** The template that everybody ran is back: the owner's own strategy takes it from here. */
function rolledBack(held: Held): Answer {
  const owner = heldOwner(held)
  const { adapter, hold } = held
  const paused = adapter.paused(owner)
  const wanted = paused ? adapter.unpaused(owner) : owner
  if (movesRequests(held.record) && hold.mode !== 'released') return requestsFirst(held, wanted)
  const free = restored(held, wanted)
  return { outcome: 'restored', object: free, warnings: rollbackWarnings(hold, paused) }
}

/** New pods leave when no request is sent to them any more: until our controller says so all stand still. */
function requestsFirst(held: Held, wanted: OwnerValues): Answer {
  const { adapter, before, hold, object, record } = held
  const stands = adapter.keepingAll({ ...hold, ...still, mode: 'aborted' as const }, before, object)
  return {
    outcome: 'projected',
    object: withHold(held, { ...stands, seq: hold.seq + 1 }, { ...record, owner: wanted }),
    warnings: requestsFirstWarnings(hold),
  }
}

/** The same version: the fields are computed again, whoever wrote. */
function projected(held: Held): Answer {
  const { adapter, record } = held
  const owner = heldOwner(held)
  if (adapter.invalid(owner)) return asItIs(held, owner)
  const hold = nextHold(held)
  if (hold.mode === 'released') {
    return { outcome: 'restored', object: restored(held, owner), warnings: [] }
  }
  if (equalJson(owner, record.owner)) {
    const warnings = abortedWarnings(held.rollout, hold, asksToGoOn(held))
    return { outcome: 'projected', object: withHold(held, hold, record), warnings }
  }
  const pauses = adapter.paused(owner)
  const resting = adapter.restsBy?.(owner)
  const { rollout } = held
  const warnings = ownerWarnings(adapter.paused(record.owner), pauses, { rollout, resting })
  const kept = pauses ? adapter.keepingAll(hold, held.before, held.object) : resumed(held, hold)
  const next = { ...kept, seq: held.hold.seq + 1 }
  return { outcome: 'projected', object: withHold(held, next, { ...record, owner }), warnings }
}

/** What stood still may be more than the step lets out now: then the controller begins the wave anew. */
function resumed({ adapter, before, object }: Held, hold: Hold): Hold {
  const { ran = 0 } = hold
  const most = ran + podCount(hold.pods, adapter.replicas(object) - ran)
  const fits = hold.mode !== 'wave' || adapter.most(object, hold) <= most
  return fits ? hold : adapter.keepingAll({ ...hold, ...stopped }, before, object)
}

/** The owner's own values, for the API server to judge. */
function asItIs({ adapter, object }: WorkloadReview, owner: OwnerValues): Answer {
  return { outcome: 'untouched', object: adapter.restore(object, owner), warnings: [] }
}

/** A write to a workload that is not held: what a hold left in it elsewhere is taken out. */
function cleaned(review: WorkloadReview): Answer {
  const { object } = review
  const annotations = object.metadata.annotations ?? {}
  const carries = annotations[HOLD] !== undefined || annotations[RECORD] !== undefined
  if (!carries) return { outcome: 'untouched', object, warnings: [] }
  return { outcome: 'cleaned', object: restored(review, freeOwner(review)), warnings: [] }
}

function reasonNotHeld(review: WorkloadReview, owner: OwnerValues): string | undefined {
  const { adapter, before, object, rollout } = review
  if (!rollout) return noRollout
  if (rollout.disabled) return `Rollout ${rollout.name} is disabled (spec.disabled)`
  if (rollout.refused) return `Rollout ${rollout.name} is not followed: ${rollout.refused.message}`
  if (adapter.replicas(object) === 0) return 'no pod runs'
  // From nobody the controller-manager brings everybody up new, whatever a hold says.
  if (before && adapter.replicas(before) === 0) return 'no pod runs'
  return adapter.unholdable(owner, object)
}

/** The hold of our controller's write, if it follows on the one that stands; else that one. */
function nextHold({ object, hold, fromController }: Held): Hold {
  // It never takes the annotation away: this is a second look at a hold that the first one ended.
  const ended = object.metadata.annotations?.[HOLD] === undefined
  if (fromController && ended) return { ...hold, mode: 'released' }
  const asked = holdOf(object)
  if (!fromController || !asked) return hold
  const follows = asked.rolloutId === hold.rolloutId && asked.seq === hold.seq + 1
  return follows ? asked : hold
}

function withHold(review: WorkloadReview, asked: Hold, record: HoldRecord): KubeObject {
  const hold = review.adapter.noted(asked, review.object, record.owner)
  const object = review.adapter.project(review.object, hold, record.owner)
  return withHoldMarks(object, { hold, record }, review.before)
}

function restored({ adapter, object }: WorkloadReview, owner: OwnerValues): KubeObject {
  return withoutHoldMarks(adapter.restore(object, owner))
}

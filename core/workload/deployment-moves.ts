// How a Deployment gets to where a release wants it. Each list below is an order: the first rule with
// something to do, or to wait for, acts. Forward goes by budget, backward by ReplicaSets, since the
// controller-manager never scales an old ReplicaSet up.

import {
  ARMED_MIN_READY_SECONDS,
  DESIRED_REPLICAS,
  ESCAPE,
  HOLD,
  MAX_REPLICAS,
  STABLE_REVISION,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { Change, MergePatch } from '../change.ts'
import type { Instant, Move } from '../rollout/model.ts'
import { podCount } from '../replicas.ts'
import { timeOf } from '../time.ts'
import type { Seen } from './deployment-seen.ts'
import type { DeploymentWorkload, Revision } from './deployment-view.ts'
import { nextReadyAt, readyFor } from './deployment-view.ts'
import { formatHold } from './hold.ts'
import type { Hold } from './hold.ts'
import { budgetFor, budgetPods, surgeFor, surgePods } from './percent.ts'

/** A target on which the rules agree: `n` new pods, in the words `pods`. */
interface Target {
  readonly n: number
  readonly pods: Hold['pods']
  readonly now: Instant
}

type Rule = (w: DeploymentWorkload, target: Target) => Move | undefined

const observed: readonly Rule[] = [heldAgain, mended, seenByManager]
const forward: readonly Rule[] = [someRun, ...observed, disarmed, withdrawn, wave]
const backward: readonly Rule[] = [...observed, disarmed, withdrawn, stopped, lastOneLeft, parted]
const resting: readonly Rule[] = [mended, disarmed]

/** Exactly as many pods as the step wants run the update revision. */
export function advance(w: DeploymentWorkload, step: Hold['pods'], now: Instant): Move | undefined {
  return first(forward, w, targetOf(w, step, now))
}

/** Everybody runs the stable revision again, and the template is left as it is. */
export function abort(w: DeploymentWorkload, now: Instant): Move | undefined {
  if (w.hold?.mode === 'aborted') return first(observed, w, { n: 0, pods: 0, now })
  return first(backward, w, { n: 1, pods: 0, now })
}

/** The owner's values apply again. */
export function release(w: DeploymentWorkload, promote: boolean): Move | undefined {
  if (!w.hold) return undefined
  const labels = promote && w.updateRevision ? { [STABLE_REVISION]: w.updateRevision } : {}
  return {
    changes: [holdChange(w, { ...w.hold, mode: 'released' }, labels)],
    why: 'giving the owner’s values back',
    ...(w.hold.mode === 'released' && { again: true }),
  }
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

/** The controller-manager can finish on its own. */
export function rest(w: DeploymentWorkload, now: Instant): Move | undefined {
  return first(resting, w, { n: w.replicas, pods: w.replicas, now })
}

/** Admission is called for the Deployment, and its stable revision is named. */
export function guard(w: DeploymentWorkload): Move | undefined {
  const stale = !w.hold && w.rolledOut && w.seen.stableLabel !== w.updateRevision
  if (w.guarded && !stale) return undefined
  const stable = w.stableRevision && { [STABLE_REVISION]: w.stableRevision }
  const labels = { [WORKLOAD_TYPE]: 'deployment', ...stable }
  return { changes: [change(w, { metadata: { labels } })], why: 'labelling the Deployment' }
}

/** No trace of ours is left. */
export function unguard(w: DeploymentWorkload): Move | undefined {
  // A label that somebody else put there comes without the other one.
  if (w.seen.stableLabel === undefined) return undefined
  const labels = { [WORKLOAD_TYPE]: null, [STABLE_REVISION]: null }
  return { changes: [change(w, { metadata: { labels } })], why: 'taking the labels away' }
}

/** An abort annotation counts again. */
export function forgetAbort(w: DeploymentWorkload): Move | undefined {
  if (w.hold?.abortSeen === undefined) return undefined
  const { abortSeen: _, ...hold } = w.hold
  return { changes: [holdChange(w, hold)], why: 'forgetting an older abort' }
}

/** The escape is over. */
export function forgetEscape(w: DeploymentWorkload): Move | undefined {
  if (!w.escaped) return undefined
  const annotations = { [ESCAPE]: null }
  return { changes: [change(w, { metadata: { annotations } })], why: 'ending the escape' }
}

function targetOf(w: DeploymentWorkload, step: Hold['pods'], now: Instant): Target {
  const n = podCount(step, w.replicas)
  const before = w.hold?.mode === 'wave' ? podCount(w.hold.pods, w.replicas) : 0
  // Jumping back, or a smaller plan, does not take pods away that were let out.
  const pods = before > n ? w.hold!.pods : step
  // Nothing is left to go back to: the stable ReplicaSet was cleaned up while nobody ran.
  const alone = w.stable === undefined && w.total === w.updated && w.total > 0
  return { n: alone ? w.replicas : Math.max(n, before), pods, now }
}

function someRun(w: DeploymentWorkload): Move | undefined {
  return w.replicas > 0 ? undefined : { changes: [], why: 'no pod runs: scale up to go on' }
}

/** The webhook was away when the hold was written: annotation and fields differ. */
function heldAgain(w: DeploymentWorkload): Move | undefined {
  if (w.projected || !w.hold) return undefined
  const why = 'sending the hold again: the webhook did not answer'
  return { changes: [holdChange(w, w.hold)], why, again: true }
}

/**
 * A lone ReplicaSet of the right size that was scaled for another one never rolls again
 * (kubernetes/kubernetes pull request 138036).
 */
function mended(w: DeploymentWorkload): Move | undefined {
  const [set, ...others] = w.active
  if (!set || others.length > 0 || !isObserved(w)) return undefined
  if (set.replicas !== w.replicas || set.desiredReplicas === w.replicas) return undefined
  return { changes: [scale(w, set, set.replicas)], why: 'mending a stuck ReplicaSet' }
}

/** All rules below count ReplicaSets: they hold only for those that the manager has caught up with. */
function seenByManager(w: DeploymentWorkload): Move | undefined {
  const scaling = w.active.some(set => set.desiredReplicas !== w.replicas)
  if (isObserved(w) && !scaling) return undefined
  return { changes: [], why: 'waiting for the controller-manager to see the latest change' }
}

/**
 * Pods of an armed ReplicaSet never count as available. Once it is not the newest, the
 * controller-manager would take them first, Ready or not.
 */
function disarmed(w: DeploymentWorkload): Move | undefined {
  const armed = w.active.filter(
    set => set !== w.update && set.minReadySeconds === ARMED_MIN_READY_SECONDS,
  )
  if (armed.length === 0 || !w.update) return undefined
  const patch = { spec: { minReadySeconds: w.seen.owner.minReadySeconds } }
  return { changes: armed.map(set => setChange(set, patch)), why: 'disarming an older revision' }
}

/** No more than `n` new pods: what the controller-manager's rounding added goes back. */
function withdrawn(w: DeploymentWorkload, target: Target): Move | undefined {
  const { n } = target
  if (!w.update || !w.hold || w.updated <= n) return undefined
  const why = `taking ${w.updated - n} of ${w.updated} new pods back`
  const still = quiet(w, target)
  if (!stands(w, still)) return { changes: [holdChange(w, waveHold(w, still))], why }

  const room = w.replicas + Math.max(w.promised.maxSurge, 1) - w.total
  const up = Math.min(w.replicas - n - (w.total - w.updated), room)
  // Stable up first: in the other order the controller-manager would refill the new one.
  if (up > 0 && w.stable) return { changes: [scale(w, w.stable, w.stable.replicas + up)], why }

  const spare = w.ready - (w.replicas - w.promised.maxUnavailable)
  const notReady = w.updated - w.update.ready
  const down = Math.min(w.updated - n, w.total - w.replicas, notReady + Math.max(spare, 0))
  const changes = down > 0 ? [scale(w, w.update, w.updated - down)] : []
  return { changes, why }
}

/** As many new pods as the step wants, in waves that keep the owner's promises. */
function wave(w: DeploymentWorkload, target: Target): Move | undefined {
  const { minReadySeconds } = w.seen.owner
  const ready = readyFor(w.update, minReadySeconds, target.now)
  const next = waveFor(w, target, ready)
  const why = `${Math.min(ready, target.n)} of ${target.n} new pods are ready`
  if (stands(w, next)) return ready >= target.n ? undefined : waiting(w, target, why)

  const settled = readyFor(w.update, minReadySeconds + 1, target.now)
  const now = ready >= target.n || ready >= allowed(w, target.n) || w.hold?.mode !== 'wave'
  const worth = growth(w, waveFor(w, target, settled))
  const quarter = Math.ceil((w.promised.maxUnavailable + w.promised.maxSurge) / 4)
  // Pods that get Ready one by one must not cost a write each.
  if (!now && worth >= 0 && worth < quarter) return waiting(w, target, why)
  return { changes: [holdChange(w, waveHold(w, next))], why }
}

/** Paused, with room for the last stable pod beside the last new one. */
function stopped(w: DeploymentWorkload): Move | undefined {
  if (w.hold?.mode === 'stop' || w.updated === 0) return undefined
  const stop: Hold = { ...w.hold!, mode: 'stop', pods: 0, budget: '1%', surge: 1 }
  return { changes: [holdChange(w, stop)], why: 'making room for the last stable pod' }
}

/** One by one the last pods that are not stable go, each when a stable one stands in for it. */
function lastOneLeft(w: DeploymentWorkload): Move | undefined {
  const leaving = w.active.find(set => set !== w.stable)
  if (!leaving || !w.stable) return undefined
  const why = 'waiting for the last stable pod'
  const room = w.replicas + 1 - w.total
  if (room > 0) return { changes: [scale(w, w.stable, w.stable.replicas + room)], why }

  const spare = w.ready - (w.replicas - w.promised.maxUnavailable)
  const down = Math.min(1, leaving.replicas - leaving.ready + Math.max(spare, 0))
  return { changes: down > 0 ? [scale(w, leaving, leaving.replicas - down)] : [], why }
}

/** Still, disarmed and paused: nobody moves, and waiting clients can be told. */
function parted(w: DeploymentWorkload): Move | undefined {
  const aborted: Hold = { ...w.hold!, mode: 'aborted', pods: 0, budget: '1%', surge: '0%' }
  return { changes: [holdChange(w, aborted)], why: 'all pods are back on the stable revision' }
}

type Wave = Pick<Hold, 'pods' | 'budget' | 'surge'>

function waveFor(w: DeploymentWorkload, { n, pods }: Target, ready: number): Wave {
  const { maxUnavailable, maxSurge } = w.promised
  const old = w.total - w.updated
  const done = ready >= n
  const budget = done ? n : Math.min(n, Math.max(ready + maxUnavailable, w.replicas - old))
  const surge = done ? 0 : Math.min(maxSurge, n - budget)
  return waveOf(w, pods, budget, budget + surge === 0 ? 1 : surge)
}

/** The wave at which the controller-manager leaves both sides alone while ours move. */
function quiet(w: DeploymentWorkload, { n, pods }: Target): Wave {
  const { maxUnavailable, maxSurge } = w.promised
  const old = w.total - w.updated
  const ready = Math.min(w.update?.ready ?? 0, n)
  const budget = Math.min(n, Math.max(ready + maxUnavailable, w.replicas - old))
  return waveOf(w, pods, budget, Math.min(Math.max(maxSurge, 1), n - budget))
}

function waveOf(w: DeploymentWorkload, pods: Hold['pods'], budget: number, surge: number): Wave {
  const owner = w.seen.owner.strategy.rollingUpdate?.maxSurge ?? '25%'
  return {
    pods,
    budget: budgetFor(budget, w.replicas),
    surge: surgeFor(surge, w.replicas, owner),
  }
}

function waveHold(w: DeploymentWorkload, { pods, budget, surge }: Wave): Hold {
  return { ...w.hold!, mode: 'wave', pods, budget, surge }
}

function stands(w: DeploymentWorkload, next: Wave): boolean {
  const { hold } = w
  return (
    hold?.mode === 'wave' &&
    hold.pods === next.pods &&
    hold.budget === next.budget &&
    hold.surge === next.surge
  )
}

function allowed(w: DeploymentWorkload, n: number): number {
  const { budget, surge } = w.hold!
  return Math.min(n, budgetPods(budget, w.replicas) + surgePods(surge, w.replicas))
}

function growth(w: DeploymentWorkload, next: Wave): number {
  const more = budgetPods(next.budget, w.replicas) + surgePods(next.surge, w.replicas)
  return more - budgetPods(w.hold!.budget, w.replicas) - surgePods(w.hold!.surge, w.replicas)
}

function waiting(w: DeploymentWorkload, { now }: Target, why: string): Move {
  const { minReadySeconds } = w.seen.owner
  const due =
    nextReadyAt(w.update, minReadySeconds, now) ?? nextReadyAt(w.update, minReadySeconds + 1, now)
  return { changes: [], why, ...(due !== undefined && { requeueAt: due }) }
}

function isObserved(w: DeploymentWorkload): boolean {
  return w.seen.observedGeneration >= w.generation
}

function first(rules: readonly Rule[], w: DeploymentWorkload, target: Target): Move | undefined {
  for (const rule of rules) {
    const move = rule(w, target)
    if (move) return move
  }
  return undefined
}

function holdChange(
  w: DeploymentWorkload,
  hold: Hold,
  labels: Readonly<Record<string, string>> = {},
): Change {
  const annotations = { [HOLD]: formatHold({ ...hold, seq: w.hold!.seq + 1 }) }
  return change(w, { metadata: { annotations, ...(Object.keys(labels).length > 0 && { labels }) } })
}

function change(w: DeploymentWorkload, patch: MergePatch): Change {
  return { target: targetObject('Deployment', w.seen), patch }
}

function setChange(set: Revision, patch: MergePatch): Change {
  return { target: targetObject('ReplicaSet', set), patch }
}

/** Without the annotations the controller-manager would take the write for a scaling of its own. */
function scale(w: DeploymentWorkload, set: Revision, replicas: number): Change {
  const surge = w.hold ? surgePods(w.hold.surge, w.replicas) : w.promised.maxSurge
  const annotations = {
    [DESIRED_REPLICAS]: String(w.replicas),
    [MAX_REPLICAS]: String(w.replicas + surge),
  }
  return setChange(set, { metadata: { annotations }, spec: { replicas } })
}

function targetObject(kind: string, { metadata }: Seen): Change['target'] {
  const { namespace, name, resourceVersion } = metadata
  return { apiVersion: 'apps/v1', kind, namespace, name, resourceVersion }
}

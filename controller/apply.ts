// Carries a decision out: its changes in order, then the status. Every write is refused by the API
// server if the object has changed since it was read; then the queue decides again.

import { CONTROLLER_MANAGER } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { wordsOf } from '#core/change.ts'
import type { Change, Creation, Deletion, Patch, Target } from '#core/change.ts'
import type { Move } from '#core/move.ts'
import { isSameVersion, keyOf } from '#core/ref.ts'
import { holdRefused, notCreated, requestsRefused } from '#core/rollout/events.ts'
import type { Action, Decision, Snapshot } from '#core/rollout/model.ts'
import { moveFor } from '#core/rollout/moves.ts'
import { isPassing, statusDue, statusOf } from '#core/rollout/status.ts'
import type { ScriptCall } from '#core/script.ts'
import type { Instant } from '#core/time.ts'
import type { Router } from '#core/traffic/router.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { Forbidden, Invalid } from '#kube/errors.ts'
import { PODS, REPLICA_SETS, resource, ROLLOUTS, SERVICES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Observation } from './observe.ts'
import type { OwnWrites } from './own-writes.ts'
import { holdTaken, sendsHold } from './refusals.ts'
import type { Marks, Refusals } from './refusals.ts'
import type { RefusedWrites } from './refused-writes.ts'
import type { Repeats } from './repeats.ts'
import { tell } from './tell.ts'
import type { About, Telling } from './tell.ts'

/** A write, for counters and the log. */
export type WriteKind = (typeof writeKinds)[number]

/** Each of them. */
export const writeKinds = [
  'workload',
  'workloadStatus',
  'replicaSet',
  'pod',
  'service',
  'route',
  'status',
  'rollout',
  'event',
] as const

/** With what a decision is carried out. */
export interface Effects extends Telling {
  readonly now: () => Instant
  readonly onWrite: (kind: WriteKind) => void
  readonly ownWrites: OwnWrites
  readonly refusals: Refusals
  readonly refusedWrites: RefusedWrites
  /** Holds back a write that did not take the last time; gives when it may be tried again. */
  readonly mayRepeat: Repeats
  /** By what requests are moved in this installation. */
  readonly routers: readonly Router[]
  /** Runs a traffic script; the workload of the key is looked at again when it has answered. */
  readonly runScript: (key: string, call: ScriptCall) => void
}

/** What became of a decision. */
export interface Applied {
  /** Something was written. */
  readonly wrote: boolean
  /** Admission stored the workload without the hold that was sent. */
  readonly refused: boolean
  readonly requeueAt?: Instant
}

/** Applies one decision. Throws the API server's errors. */
export async function apply(
  effects: Effects,
  observation: Observation,
  decision: Decision,
): Promise<Applied> {
  const { object, snapshot } = observation
  let applied: Applied = { wrote: false, refused: false, ...requeue(decision.requeueAt) }
  for (const action of decision.actions) {
    applied = together(applied, await act(effects, observation, action))
  }
  if (!object) return applied
  const later = await writeStatus(effects, object, snapshot, decision)
  const wrote = later === 'written'
  return together(applied, { wrote, refused: false, ...requeue(wrote ? undefined : later) })
}

async function act(
  effects: Effects,
  { key, snapshot }: Observation,
  action: Action,
): Promise<Applied> {
  if (action.type === 'event') {
    return { wrote: await tell(effects, snapshot, action.event), refused: false }
  }
  const due = changesOf(effects, snapshot, action)
  if (action.type === 'route') return moveRequests(effects, { key, about: snapshot }, due)
  const { changes, later } = due
  const { workload, now } = snapshot
  let applied: Applied = { wrote: false, refused: false, ...requeue(later) }
  for (const change of changes) {
    applied = together(applied, await carryOut(effects, snapshot, change))
  }
  if (!applied.refused) {
    if (changes.some(sendsHold)) effects.refusals.over(workload!.uid)
    return applied
  }
  await tell(effects, snapshot, holdRefused(workload!.hold!.rolloutId))
  return { ...applied, ...requeue(effects.refusals.note(workload!.uid, now)) }
}

/** What is to be written, or when. */
export interface Due {
  readonly changes: readonly Change[]
  readonly later?: Instant
}

/** Whose requests are moved, by the key under which what was refused is known. */
export interface Moved {
  readonly key: string
  readonly about: Scene
}

/** About what something is written. */
type Scene = About & Pick<Snapshot, 'adapter'>

/** What is refused here is refused again, until somebody changes a setting: it is told, and waits. */
export async function moveRequests(
  effects: Effects,
  { key, about }: Moved,
  { changes, later }: Due,
): Promise<Applied> {
  const { now } = about
  let applied: Applied = { wrote: false, refused: false, ...requeue(later) }
  for (const change of changes) {
    const write = wordsOf(change)
    const waits = effects.refusedWrites.until(key, write, now)
    if (waits !== undefined) return together(applied, { ...nothing, ...requeue(waits) })
    try {
      applied = together(applied, await carryOut(effects, about, change))
    } catch (error) {
      if (!(error instanceof Forbidden) && !(error instanceof Invalid)) throw error
      await tell(effects, about, requestsRefused(change, error.message))
      effects.refusedWrites.note(key, { write, why: error.message }, now)
      // The next decision says so.
      return together(applied, { ...nothing, ...requeue(now) })
    }
    effects.refusedWrites.over(key)
  }
  return applied
}

const nothing: Applied = { wrote: false, refused: false }

async function carryOut(effects: Effects, about: Scene, change: Change): Promise<Applied> {
  if (change.type === 'create') return create(effects, about, change)
  const type = typeOf(effects, about.adapter, change.target)
  return { wrote: true, refused: !(await write(effects, type, change)) }
}

/** What became of both. */
export function together(a: Applied, b: Applied): Applied {
  return {
    wrote: a.wrote || b.wrote,
    refused: a.refused || b.refused,
    ...requeue(earlier(a.requeueAt, b.requeueAt)),
  }
}

function requeue(at: Instant | undefined): Pick<Applied, 'requeueAt'> {
  return at === undefined ? {} : { requeueAt: at }
}

function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

function changesOf(
  effects: Effects,
  snapshot: Snapshot,
  action: Exclude<Action, { type: 'event' }>,
): Due {
  const { workload, now } = snapshot
  // Of a workload that is gone there may be something left to undo.
  const uid = workload?.uid ?? snapshot.memory.workloadUid
  const key = workload ? keyOf(workload.ref) : ''
  return dueOf(effects, { key, uid, now }, moveFor(snapshot, action))
}

/** Whose move it is: the key under which it is looked at again, and the uid by which its repeats are known. */
interface Mover {
  readonly key: string
  readonly uid: string
  readonly now: Instant
}

/** What of a move is to be written now. */
export function dueOf(
  { mayRepeat, refusals, runScript }: Effects,
  { key, uid, now }: Mover,
  move: Move | undefined,
): Due {
  if (!move) return { changes: [] }
  if (move.run) runScript(key, move.run)
  const held = move.changes.some(sendsHold) ? refusals.until(uid, now) : undefined
  const later = held ?? (move.again && mayRepeat(uid, now))
  return later ? { changes: [], later } : { changes: move.changes }
}

/** A status that the API server drops is sent again after this time. */
const DROPPED_MS = 10_000

const rollouts = ROLLOUTS as ResourceType<Rollout>

const kinds: Readonly<Record<string, WriteKind>> = {
  ReplicaSet: 'replicaSet',
  Pod: 'pod',
  Service: 'service',
}

function writeKindOf({ routers }: Effects, { kind }: Pick<Target, 'kind'>): WriteKind {
  return kinds[kind] ?? (routers.some(each => each.kind === kind) ? 'route' : 'workload')
}

/** By what requests come, the workload itself, another one of its kind, or what it owns. */
function typeOf(
  { routers }: Effects,
  adapter: WorkloadAdapter | undefined,
  target: Pick<Target, 'apiVersion' | 'kind'>,
): ResourceType {
  if (isSameVersion(SERVICES, target)) return SERVICES
  const { apiVersion, kind } = target
  const known = [adapter, ...routers].find(each => each && isSameVersion(each, target))
  if (known) return resource(apiVersion, known.plural, kind)
  return kind === REPLICA_SETS.kind ? REPLICA_SETS : PODS
}

/** Gives false where the object was stored, but not with the hold that was sent. */
async function write(
  effects: Effects,
  type: ResourceType,
  change: Patch | Deletion,
): Promise<boolean> {
  if (change.type === 'delete') return remove(effects, type, change)
  const { client, onWrite, ownWrites } = effects
  const { target, patch, subresource, strategic } = change
  const { namespace, name, resourceVersion } = target
  const marks = patch['metadata'] as Marks | undefined
  const metadata = { ...marks, resourceVersion }
  const options = { fieldManager: CONTROLLER_MANAGER, ...(subresource && { subresource }) }
  const body = { ...patch, metadata }
  const stored = strategic
    ? await client.strategicPatch(type, { namespace, name }, body, options)
    : await client.mergePatch(type, { namespace, name }, body, options)
  ownWrites.note(
    { uid: stored.metadata.uid ?? '', resourceVersion },
    stored.metadata,
    effects.now(),
  )
  onWrite(subresource ? 'workloadStatus' : writeKindOf(effects, target))
  return holdTaken(marks, stored.metadata)
}

/** What the API server refuses it refuses again, until somebody changes a setting. */
const REFUSED_MS = 30_000

/**
 * Throws `AlreadyExists`: the watch is about to tell of it. Where it is refused for what it is, as by a
 * right that we have not, or by somebody's policy, that is told, and it is tried again.
 */
async function create(effects: Effects, about: Scene, { object }: Creation): Promise<Applied> {
  const { client, onWrite, now } = effects
  const type = typeOf(effects, about.adapter, object)
  const kind = writeKindOf(effects, object)
  try {
    await client.create(type, object, { fieldManager: CONTROLLER_MANAGER })
  } catch (error) {
    const theirs = error instanceof Forbidden || error instanceof Invalid
    if (!theirs || kind !== 'workload') throw error
    await tell(effects, about, notCreated(object, error.message))
    return { wrote: false, refused: false, requeueAt: now() + REFUSED_MS }
  }
  onWrite(kind)
  return { wrote: true, refused: false }
}

async function remove(
  effects: Effects,
  type: ResourceType,
  { target, uid }: Deletion,
): Promise<true> {
  const { client, onWrite, ownWrites, now } = effects
  const { namespace, name, resourceVersion } = target
  await client.remove(type, { namespace, name }, { uid, resourceVersion })
  // Until its watch tells of it, it would count as one that stays.
  ownWrites.note({ uid, resourceVersion }, { uid }, now())
  onWrite(writeKindOf(effects, target))
  return true
}

/** Gives when the status is to be written, if that is later. */
async function writeStatus(
  { client, onWrite, ownWrites, news, now: clock }: Effects,
  object: Rollout,
  { rollout, workload, now }: Snapshot,
  decision: Decision,
): Promise<Instant | 'written' | undefined> {
  const generation = object.metadata.generation ?? 0
  const { style } = rollout!
  const status = statusOf({ generation, before: object.status, style, decision, workload, now })
  const due = statusDue(object.status, status, now)
  if (due === undefined || due > now) return due
  const { uid = '' } = object.metadata
  const worthwhile = isPassing(object.status, status) ? news.worthwhileAt(uid, now) : now
  if (worthwhile > now) return worthwhile
  const options = { subresource: 'status', fieldManager: CONTROLLER_MANAGER }
  const written = await client.replace(rollouts, { ...object, status }, options)
  ownWrites.note(object.metadata, written.metadata, clock())
  news.written(uid)
  onWrite('status')
  // The API server drops what the CRD does not have: nothing was written, and nobody tells when that ends.
  const { resourceVersion } = written.metadata
  return resourceVersion === object.metadata.resourceVersion ? now + DROPPED_MS : 'written'
}

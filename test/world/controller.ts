// The product's controller in this world: it knows what its caches know, decides by the core, and
// writes guarded by what it read. It may die before or after any write.

import type { Deployment, KubeObject, Pod } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { Change, MergePatch, Patch } from '#core/change.ts'
import { decide } from '#core/rollout/decide.ts'
import type { Action, Decision, Snapshot } from '#core/rollout/model.ts'
import { moveFor } from '#core/rollout/moves.ts'
import { rolloutOf } from '#core/rollout/parse.ts'
import { isBehind } from '#core/rollout/phases.ts'
import { memoryOf, statusDue, statusOf } from '#core/rollout/status.ts'
import type { Instant } from '#core/time.ts'
import { holdOf } from '#core/workload/hold.ts'
import { heldBy } from '#core/workload/registry.ts'
import { seePod, seeReplicaSet, seeRevision } from '#core/workload/seen.ts'
import type { Owned } from '#core/workload/seen.ts'
import { assertFresh, deleteWorkload, store, writeWorkload } from './api-server.ts'
import { Conflict, besideIn, kubeTime, podsOf, rolloutIn, setsIn, workloadIn } from './world.ts'
import type { Kind, Objects, Workload, World } from './world.ts'
import { inWords } from './words.ts'

/** When the controller dies: before its n-th write, or with its answer lost. */
export interface Crash {
  readonly writes: number
}

/** One look and what came of it. */
export interface Turn {
  readonly snapshot?: Snapshot
  readonly decision?: Decision
  /** Writes that were stored. */
  readonly written: readonly Change[]
  readonly outcome: 'done' | 'conflict' | 'crashed'
}

/** The caches learn what is stored: all of it, or one kind. */
export function catchUp(world: World, kinds: readonly Kind[] = allKinds): void {
  const { workloads, sets, revisions, pods, rollouts } = world
  const now: Objects = { workloads, sets, revisions, pods, rollouts }
  for (const kind of kinds) Object.assign(world.cache, { [kind]: now[kind] })
}

/** The kinds of which there is a cache. */
export const allKinds: readonly Kind[] = ['workloads', 'sets', 'pods', 'rollouts', 'revisions']

/** What a decision looks at. */
function observe(world: World): Snapshot | undefined {
  const { kind, cache, kruiseRuns, registered, holdRefused } = world
  const now = world.now + world.skew
  const object = rolloutIn(cache)
  const stored = workloadIn(cache)
  if (!object && !stored) return undefined
  const adapter = heldBy(kind.adapter, stored && holdOf(stored))
  const workload = stored && adapter.observe(adapter.see(stored), ownedIn(world), now)
  const snapshot = {
    now,
    kruiseRuns,
    registered,
    holdRefused,
    memory: memoryOf(object?.status),
    ...(object && { rollout: rolloutOf(object, workload?.hold) }),
    ...(workload && { workload, adapter }),
  }
  return isBehind(snapshot) ? undefined : snapshot
}

/** What the workload owns, and what was made beside it, as far as the caches know. */
function ownedIn({ kind, cache }: World): Owned {
  const names = [...cache.workloads.keys()]
  const sets = names.flatMap(name => setsIn(cache, name))
  const owners = [...cache.workloads.values(), ...sets]
  return {
    replicaSets: sets.map(set => seeReplicaSet(set)),
    revisions: [...cache.revisions.values()].map(each => seeRevision(each)),
    pods: owners.flatMap(owner => podsOf(cache, owner)).map(seePod),
    beside: besideIn(cache).map(each => kind.adapter.see(each)),
  }
}

/** The watch has not yet told of a deletion of its own: the pod would count as one that stays. */
function isUntold({ cache, deleted }: World): boolean {
  const gone = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined
  return [...cache.pods.values()].some(pod => deleted.has(pod.metadata.uid ?? '') && !gone(pod))
}

/** Decides once and writes. */
export function reconcile(world: World, crash: Crash = { writes: Infinity }): Turn {
  const snapshot = isUntold(world) ? undefined : observe(world)
  if (!snapshot) return { written: [], outcome: 'done' }
  const decision = decide(snapshot)
  const written: Change[] = []
  try {
    const due = apply(world, { snapshot, decision, written, crash })
    world.dueAt = due && due - world.skew
    return { snapshot, decision, written, outcome: 'done' }
  } catch (error) {
    if (error instanceof Crashed) return { snapshot, decision, written, outcome: 'crashed' }
    if (error instanceof Conflict) return { snapshot, decision, written, outcome: 'conflict' }
    throw error
  }
}

class Crashed extends Error {}

interface Applying {
  readonly snapshot: Snapshot
  readonly decision: Decision
  readonly written: Change[]
  readonly crash: Crash
}

/** Gives when to look again. */
function apply(world: World, applying: Applying): Instant | undefined {
  const { snapshot, decision, written, crash } = applying
  const dues: (Instant | undefined)[] = [decision.requeueAt]
  let made = 0
  const alive = () => {
    if (made >= crash.writes) throw new Crashed()
  }
  for (const action of decision.actions) {
    if (action.type === 'event') {
      tell(world, action)
      continue
    }
    const { changes, later } = changesOf(world, snapshot, action)
    dues.push(later)
    for (const change of changes) {
      alive()
      write(world, change)
      made += 1
      written.push(change)
      world.did.push(inWords(change))
      alive()
      if (change.type === 'delete') world.deleted = new Set([...world.deleted, change.uid])
    }
  }
  alive()
  const { version } = world
  dues.push(writeStatus(world, snapshot, decision))
  made += world.version - version
  alive()
  const next = Math.min(...dues.filter(due => due !== undefined))
  return Number.isFinite(next) ? next : undefined
}

function changesOf(
  world: World,
  snapshot: Snapshot,
  action: Exclude<Action, { type: 'event' }>,
): { readonly changes: readonly Change[]; readonly later?: Instant } {
  const { now } = snapshot
  const move = moveFor(snapshot, action)
  if (!move) return { changes: [] }
  if (move.again) {
    const { times, next } = world.repeats
    if (now < next) return { changes: [], later: next }
    const again = now - next > 600_000 ? 0 : times
    world.repeats = { times: again + 1, next: now + Math.min(1000 * 2 ** again, 60_000) }
  }
  return { changes: move.changes }
}

const kinds: Readonly<Record<string, 'sets' | 'pods'>> = {
  ReplicaSet: 'sets',
  Pod: 'pods',
}

function write(world: World, change: Change): void {
  if (change.type === 'create') {
    const { name } = change.object.metadata
    if (world.workloads.has(name)) throw new Conflict(`workloads/${name}`)
    writeWorkload(world, change.object as Workload, true)
    return
  }
  const { target } = change
  const kind = kinds[target.kind] ?? 'workloads'
  assertFresh(world, kind, target)
  const object = world[kind].get(target.name)!
  if (change.type === 'patch') writePatch(world, object, change)
  else if (kind === 'pods') endPod(world, object as Pod)
  else deleteWorkload(world, target.name)
}

function writePatch(world: World, object: KubeObject, { target, patch, subresource }: Patch): void {
  if (subresource) {
    writeCondition(world, object as Deployment, patch)
    return
  }
  const patched = merge(object, patch) as unknown as Workload
  const kind = kinds[target.kind]
  if (kind) store(world, kind, patched, 'spec' in patch)
  else writeWorkload(world, patched, true)
}

/** Somebody asks for the end of a pod, and its node will see to it. */
export function endPod(world: World, pod: Pod): void {
  const { metadata } = pod
  if (metadata.deletionTimestamp !== undefined) return
  const going = { ...metadata, deletionTimestamp: kubeTime(world.now) }
  store(world, 'pods', { ...pod, metadata: going }, false)
}

/** The one strategic patch that there is: conditions are merged by their type. */
function writeCondition(world: World, object: Deployment, patch: MergePatch): void {
  const { conditions } = patch['status'] as {
    conditions: NonNullable<Deployment['status']>['conditions']
  }
  const types = new Set(conditions?.map(({ type }) => type))
  const others = object.status?.conditions?.filter(({ type }) => !types.has(type)) ?? []
  const status = { ...object.status, conditions: [...others, ...(conditions ?? [])] }
  store(world, 'workloads', { ...object, status }, false)
}

/** A JSON merge patch (RFC 7386), applied. */
export function merge(object: object, patch: MergePatch): object {
  const merged: Record<string, unknown> = { ...object }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else if (typeof value === 'object' && !Array.isArray(value)) {
      merged[key] = merge((merged[key] ?? {}) as object, value as MergePatch)
    } else merged[key] = value
  }
  return merged
}

function writeStatus(world: World, snapshot: Snapshot, decision: Decision): Instant | undefined {
  const object = rolloutIn(world.cache)
  if (!object) return undefined
  const { workload, now } = snapshot
  const generation = object.metadata.generation ?? 0
  const { style } = snapshot.rollout!
  const status = statusOf({ generation, before: object.status, style, decision, workload, now })
  const due = statusDue(object.status, status, now)
  if (due === undefined || due > now) return due
  assertFresh(world, 'rollouts', object.metadata)
  store<Rollout>(world, 'rollouts', { ...object, status }, false)
  return undefined
}

function tell(world: World, { event }: Extract<Action, { type: 'event' }>): void {
  const { key, reason, message } = event
  const uid = workloadIn(world.cache)?.metadata.uid
  const name = `${uid}/${key}`
  if (uid === undefined || world.events.has(name)) return
  world.events = new Map(world.events).set(name, { reason, message })
  world.did.push(reason)
}

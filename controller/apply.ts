// Carries a decision out: its changes in order, then the status. Every write is refused by the API
// server if the object has changed since it was read; then the queue decides again.

import type { KubeObject } from '#api/kubernetes.ts'
import { CONTROLLER_MANAGER, HOLD } from '#api/names.ts'
import type { EventReason } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { Change } from '#core/change.ts'
import { digest } from '#core/digest.ts'
import { holdRefused } from '#core/rollout/events.ts'
import type { Action, Decision, Instant, Snapshot, WorkloadEvent } from '#core/rollout/model.ts'
import { isPassing, statusDue, statusOf } from '#core/rollout/status.ts'
import { timeOf } from '#core/time.ts'
import { moveOf } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { AlreadyExists } from '#kube/errors.ts'
import { DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { News } from './news.ts'
import type { Observation } from './observe.ts'
import type { OwnWrites } from './own-writes.ts'
import type { Repeats } from './repeats.ts'

/** A write, for counters and the log. */
export type WriteKind = (typeof writeKinds)[number]

/** Each of them. */
export const writeKinds = [
  'workload',
  'workloadStatus',
  'replicaSet',
  'pod',
  'status',
  'event',
] as const

/** With what a decision is carried out. */
export interface Effects {
  readonly client: KubeClient
  readonly onWrite: (kind: WriteKind) => void
  /** Called for an event that nobody has told before. */
  readonly onTold: (reason: EventReason) => void
  readonly ownWrites: OwnWrites
  readonly news: News
  /** Holds back a write that did not take the last time; gives when it may be tried again. */
  readonly mayRepeat: Repeats
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
  { object, snapshot }: Observation,
  decision: Decision,
): Promise<Applied> {
  let applied: Applied = { wrote: false, refused: false, ...requeue(decision.requeueAt) }
  for (const action of decision.actions) {
    applied = together(applied, await act(effects, snapshot, action))
  }
  if (!object) return applied
  const later = await writeStatus(effects, object, snapshot, decision)
  const wrote = later === 'written'
  return together(applied, { wrote, refused: false, ...requeue(wrote ? undefined : later) })
}

async function act(effects: Effects, snapshot: Snapshot, action: Action): Promise<Applied> {
  if (action.type === 'event') {
    return { wrote: await tell(effects, snapshot, action.event), refused: false }
  }
  const { changes, later } = changesOf(effects, snapshot, action)
  let refused = false
  for (const change of changes) refused = !(await write(effects, change)) || refused
  const wrote = changes.length > 0
  if (!refused) return { wrote, refused, ...requeue(later) }
  const { workload, now } = snapshot
  await tell(effects, snapshot, holdRefused(workload!.hold!.rolloutId))
  return { wrote, refused, ...requeue(now + REFUSED_MS) }
}

function together(a: Applied, b: Applied): Applied {
  return {
    wrote: a.wrote || b.wrote,
    refused: a.refused || b.refused,
    ...requeue(earlier(a.requeueAt, b.requeueAt)),
  }
}

function requeue(at: Instant | undefined): Pick<Applied, 'requeueAt'> {
  return at === undefined ? {} : { requeueAt: at }
}

/** What is refused stays refused until somebody changes a setting. */
const REFUSED_MS = 30_000

function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

function changesOf(
  { mayRepeat }: Effects,
  { workload, now }: Snapshot,
  action: Exclude<Action, { type: 'event' }>,
): { readonly changes: readonly Change[]; readonly later?: Instant } {
  if (!workload) return { changes: [] }
  const move = moveOf(workload, action, now)
  if (!move) return { changes: [] }
  const later = move.again && mayRepeat(workload.uid, now)
  return later ? { changes: [], later } : { changes: move.changes }
}

const rollouts = ROLLOUTS as ResourceType<Rollout>

const types: Readonly<Record<string, ResourceType>> = {
  Deployment: DEPLOYMENTS,
  ReplicaSet: REPLICA_SETS,
  Pod: PODS,
}

const kinds: Readonly<Record<string, WriteKind>> = {
  Deployment: 'workload',
  ReplicaSet: 'replicaSet',
  Pod: 'pod',
}

/** Gives false where the object was stored, but not with the hold that was sent. */
async function write(effects: Effects, change: Change): Promise<boolean> {
  const { client, onWrite, ownWrites } = effects
  const { target, patch, subresource, strategic } = change
  const { namespace, name, resourceVersion, kind } = target
  const marks = patch['metadata'] as Annotated | undefined
  const metadata = { ...marks, resourceVersion }
  const options = { fieldManager: CONTROLLER_MANAGER, ...(subresource && { subresource }) }
  const body = { ...patch, metadata }
  const type = types[kind]!
  const stored = strategic
    ? await client.strategicPatch(type, { namespace, name }, body, options)
    : await client.mergePatch(type, { namespace, name }, body, options)
  ownWrites.note(resourceVersion, stored.metadata.resourceVersion)
  onWrite(subresource ? 'workloadStatus' : kinds[kind]!)
  return holdTaken(marks, stored.metadata)
}

/** Admission leaves the hold before in place of one that it does not take; the last one it removes. */
function holdTaken(sent: Annotated | undefined, { annotations }: Annotated): boolean {
  const hold = sent?.annotations?.[HOLD]
  const stored = annotations?.[HOLD]
  return hold === undefined || stored === undefined || stored === hold
}

interface Annotated {
  readonly annotations?: Readonly<Record<string, unknown>>
}

/** Gives when the status is to be written, if that is later. */
async function writeStatus(
  { client, onWrite, ownWrites, news }: Effects,
  object: Rollout,
  { workload, now }: Snapshot,
  decision: Decision,
): Promise<Instant | 'written' | undefined> {
  const generation = object.metadata.generation ?? 0
  const status = statusOf({ generation, before: object.status, decision, workload, now })
  const due = statusDue(object.status, status, now)
  if (due === undefined || due > now) return due
  const { uid = '' } = object.metadata
  const worthwhile = isPassing(object.status, status, workload) ? news.worthwhileAt(uid, now) : now
  if (worthwhile > now) return worthwhile
  const options = { subresource: 'status', fieldManager: CONTROLLER_MANAGER }
  const written = await client.replace(rollouts, { ...object, status }, options)
  ownWrites.note(object.metadata.resourceVersion ?? '', written.metadata.resourceVersion)
  news.written(uid)
  onWrite('status')
  return 'written'
}

/**
 * Its name follows from what it tells: told twice, after a crash or a conflict, it is still one. Gives
 * whether it was told now.
 */
async function tell(
  { client, onWrite, onTold, news }: Effects,
  { workload, rollout, now }: Snapshot,
  { type, reason, message, key }: WorkloadEvent,
): Promise<boolean> {
  if (!workload) return false
  const { apiVersion, kind, namespace, name } = workload.ref
  const eventName = `${name.slice(0, 200)}.${digest([workload.uid, key])}`
  if (news.wasTold(eventName)) return false
  const time = timeOf(now)
  const event: KubeObject & Readonly<Record<string, unknown>> = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: eventName },
    involvedObject: { apiVersion, kind, namespace, name, uid: workload.uid },
    type,
    reason,
    message: `${rollout ? `rollout ${rollout.name}: ` : ''}${message}`.slice(0, 1024),
    source: { component: 'sluice' },
    reportingComponent: 'sluice.dev/controller',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  }
  try {
    await client.create(EVENTS, event)
    onWrite('event')
    onTold(reason)
  } catch (error) {
    if (!(error instanceof AlreadyExists)) throw error
  }
  news.told(eventName)
  return true
}

// Tells what happened as an event of the workload. An event is never worth more than what it tells of:
// where it cannot be created, the release goes on without it.

import type { KubeObject } from '#api/kubernetes.ts'
import type { EventReason } from '#api/names.ts'
import { digest } from '#core/digest.ts'
import type { WorkloadRef } from '#core/ref.ts'
import type { Snapshot, WorkloadEvent } from '#core/rollout/model.ts'
import { timeOf } from '#core/time.ts'
import type { KubeClient } from '#kube/client.ts'
import { AlreadyExists, ApiError, Retryable } from '#kube/errors.ts'
import { LeadLost } from '#kube/fence.ts'
import { EVENTS, SERVICES } from '#kube/resources.ts'
import type { News } from './news.ts'

/** With what events are told. */
export interface Telling {
  readonly client: KubeClient
  readonly news: News
  readonly onWrite: (kind: 'event') => void
  /** Called for what nobody has told before, also where it could not be told. */
  readonly onTold: (reason: EventReason) => void
  /** Called for an event that is given up. */
  readonly onUntold: (reason: EventReason, error: ApiError) => void
}

/** About what it is told, and when. */
export interface About extends Pick<Snapshot, 'now' | 'rollout' | 'workload' | 'traffic'> {
  /** The TrafficRouting whose routes are moved. */
  readonly routing?: WorkloadRef & { readonly uid: string }
}

/**
 * Its name follows from what it tells: told twice, after a crash or a conflict, it is still one. Gives
 * whether it was told now. Throws where the API server does not answer, or asks for a second try: that
 * one is the last.
 */
export async function tell(
  { client, onWrite, onTold, onUntold, news }: Telling,
  about: About,
  event: WorkloadEvent,
): Promise<boolean> {
  const object = eventOf(about, event)
  if (!object || news.wasTold(object.metadata.name)) return false
  const { name } = object.metadata
  try {
    await client.create(EVENTS, object)
    onWrite('event')
    onTold(event.reason)
  } catch (error) {
    if (!(error instanceof AlreadyExists)) {
      if (!isAnswer(error)) throw error
      if (error instanceof Retryable && !news.failedBefore(name)) throw error
      onUntold(event.reason, error)
      onTold(event.reason)
    }
  }
  news.told(name)
  return true
}

/** The API server said no. Without an answer nothing else would be written either. */
function isAnswer(error: unknown): error is ApiError {
  return error instanceof ApiError && !(error instanceof LeadLost) && error.code > 0
}

function eventOf(
  told: About,
  { type, reason, message, key }: WorkloadEvent,
): (KubeObject & Readonly<Record<string, unknown>>) | undefined {
  const about = objectOf(told)
  if (!about) return undefined
  const { namespace, name, uid } = about
  const { rollout, now } = told
  const time = timeOf(now)
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: `${name.slice(0, 200)}.${digest([uid, key])}` },
    involvedObject: about,
    type,
    reason,
    message: `${rollout ? `rollout ${rollout.name}: ` : ''}${message}`.slice(0, 1024),
    source: { component: 'sluice' },
    reportingComponent: 'sluice.dev/controller',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  }
}

/** The workload; of one that is gone it is told where its requests come. */
function objectOf({
  workload,
  traffic,
  routing,
}: About): (WorkloadRef & { uid: string }) | undefined {
  if (routing) return routing
  if (workload) return { ...workload.ref, uid: workload.uid }
  const { service, canary, routes = [] } = { ...traffic }
  const found = [service, canary].flatMap(each => (each ? [{ ref: SERVICES, object: each }] : []))
  const [first] = [...found, ...routes].filter(({ object }) => object !== undefined)
  if (!first) return undefined
  const { apiVersion, kind } = first.ref
  const { namespace, name, uid } = first.object!.metadata
  return { apiVersion, kind, namespace, name, uid }
}

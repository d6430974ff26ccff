// The controller's writes in a few words, for stories and for the log of a history that failed.

import {
  ARMED_MIN_READY_SECONDS,
  ESCAPE,
  ROLLOUT_BATCH_ID,
  STABLE_REVISION,
  STABLE_TEMPLATE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { Change, Patch } from '#core/change.ts'
import { sentHold } from './sent-hold.ts'
import type { Workload } from './world.ts'

/** `30%+00%`, `scale web-v1 to 8`, `disarm web-v2`, `guard v1`, `make 3`, … */
export function inWords(change: Change): string {
  if (change.type === 'create') return `make ${(change.object as Workload).spec.replicas}`
  if (change.type === 'delete') return `delete ${change.target.name}`
  return ofPatch(change)
}

function ofPatch({ target, patch, subresource }: Patch): string {
  if (subresource) return 'tell'
  const { metadata = {}, spec } = patch as Members
  if (target.kind === 'Pod') return `label ${metadata.labels?.[ROLLOUT_BATCH_ID]}`
  const { replicas, minReadySeconds = 0 } = { ...spec }
  if (replicas !== undefined) return `scale ${target.name} to ${replicas}`
  if (target.kind !== 'ReplicaSet') return ofWorkload(metadata)
  if (minReadySeconds === ARMED_MIN_READY_SECONDS) return `arm ${target.name}`
  return `${spec ? 'disarm' : 'mend'} ${target.name}`
}

function ofWorkload(metadata: Metadata): string {
  const { labels = {}, annotations = {} } = metadata
  if (labels[WORKLOAD_TYPE] === null) return 'unguard'
  if (ESCAPE in annotations) return 'forget escape'
  const pairs = sentHold(metadata)
  if (!pairs) return withoutHold(labels, annotations)
  const mode = pairs.get('mode')
  const room = `${pairs.get('budget')}+${pairs.get('surge')}`
  if (mode === 'wave') return room
  return mode === 'back' ? `back ${room}` : String(mode)
}

function withoutHold(labels: Words, annotations: Words): string {
  const says = labels[WORKLOAD_TYPE] === undefined && annotations[STABLE_TEMPLATE]
  return says ? 'take over' : `guard ${labels[STABLE_REVISION] ?? ''}`.trimEnd()
}

type Words = Readonly<Record<string, string | null>>

interface Metadata {
  readonly labels?: Words
  readonly annotations?: Words
}

interface Members {
  readonly metadata?: Metadata
  readonly spec?: { readonly replicas?: number; readonly minReadySeconds?: number }
}

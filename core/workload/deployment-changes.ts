// The writes by which a Deployment is moved: its annotations and labels, and its ReplicaSets. Never its
// hold fields: admission computes those.

import { DESIRED_REPLICAS, HOLD, MAX_REPLICAS } from '#api/names.ts'
import type { Change, MergePatch } from '../change.ts'
import type { Seen } from './seen.ts'
import type { DeploymentWorkload, Revision } from './deployment-view.ts'
import { formatHold } from './hold.ts'
import type { Hold } from './hold.ts'
import { surgePods } from './percent.ts'

/** What is written beside a hold. */
interface Marks {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string | null>>
}

/** The next hold, and marks beside it. */
export function holdChange(w: DeploymentWorkload, hold: Hold, marks?: Marks): Change {
  const next = { [HOLD]: formatHold({ ...hold, seq: w.hold!.seq + 1 }) }
  const { labels = {}, annotations } = { ...marks }
  const metadata = { annotations: { ...next, ...annotations } }
  return change(w, { metadata: { ...metadata, ...(Object.keys(labels).length > 0 && { labels }) } })
}

/** A merge patch of the Deployment. */
export function change(w: DeploymentWorkload, patch: MergePatch): Change {
  return { target: targetObject('Deployment', w.seen), patch }
}

/** A merge patch of a ReplicaSet. */
export function setChange(set: Revision, patch: MergePatch): Change {
  return { target: targetObject('ReplicaSet', set), patch }
}

/**
 * Another size of a ReplicaSet. Without the annotations the controller-manager would take the write
 * for a scaling of its own.
 */
export function scale(w: DeploymentWorkload, set: Revision, replicas: number): Change {
  const surge = w.hold ? surgePods(w.hold.surge, w.replicas) : w.promised.maxSurge
  const annotations = {
    [DESIRED_REPLICAS]: String(w.replicas),
    [MAX_REPLICAS]: String(w.replicas + surge),
  }
  return setChange(set, { metadata: { annotations }, spec: { replicas } })
}

/** The object of a change, as it was seen. */
export function targetObject(kind: string, { metadata }: Seen): Change['target'] {
  const { namespace, name, resourceVersion } = metadata
  const apiVersion = kind === 'Pod' ? 'v1' : 'apps/v1'
  return { apiVersion, kind, namespace, name, resourceVersion }
}

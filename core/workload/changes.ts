// The writes that move a workload of any kind: its annotations and labels, never its hold fields.
// Admission computes those.

import { HOLD } from '#api/names.ts'
import type { Change, MergePatch } from '../change.ts'
import type { Workload } from '../rollout/model.ts'
import { formatHold } from './hold.ts'
import type { Hold } from './hold.ts'
import type { PodSeen } from './seen.ts'

/** What is written beside a hold. */
interface Marks {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string | null>>
}

/** The next hold, and marks beside it. */
export function holdChange(w: Workload, hold: Hold, marks?: Marks): Change {
  const next = { [HOLD]: formatHold({ ...hold, seq: w.hold!.seq + 1 }) }
  const { labels = {}, annotations } = { ...marks }
  const metadata = { annotations: { ...next, ...annotations } }
  return change(w, { metadata: { ...metadata, ...(Object.keys(labels).length > 0 && { labels }) } })
}

/** A merge patch of the workload. */
export function change({ ref, resourceVersion }: Workload, patch: MergePatch): Change {
  return { target: { ...ref, resourceVersion }, patch }
}

/** A pod, as it was seen. */
export function podTarget({ metadata }: PodSeen): Change['target'] {
  const { namespace, name, resourceVersion } = metadata
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, resourceVersion }
}

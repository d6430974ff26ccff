// The writes that move a workload of any kind: its annotations and labels, never its hold fields.
// Admission computes those.

import { HOLD, WAVE } from '#api/names.ts'
import type { Deletion, MergePatch, Patch, Target } from '../change.ts'
import { formatHold, waveAfter } from './hold.ts'
import type { Hold } from './hold.ts'
import type { Workload } from './model.ts'
import type { PodSeen } from './seen.ts'

/** What is written beside a hold. */
interface Marks {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string | null>>
}

/** The next hold, and marks beside it. */
export function holdChange(w: Workload, hold: Hold, marks?: Marks): Patch {
  const next = { ...hold, seq: w.hold!.seq + 1 }
  const wave = waveAfter(w.hold!, next)
  const whole = wave === undefined && { [HOLD]: formatHold(next) }
  const annotations = { ...whole, ...marks?.annotations }
  const labels = { [WAVE]: wave ?? null, ...marks?.labels }
  const metadata = { labels, ...(Object.keys(annotations).length > 0 && { annotations }) }
  return change(w, { metadata })
}

/** A merge patch of the workload. */
export function change({ ref, resourceVersion }: Workload, patch: MergePatch): Patch {
  return { type: 'patch', target: { ...ref, resourceVersion }, patch }
}

/** A merge patch of a pod. */
export function podChange(pod: PodSeen, patch: MergePatch): Patch {
  return { type: 'patch', target: podTarget(pod), patch }
}

/** The end of a workload that we have made. */
export function deletion({ ref, uid, resourceVersion }: Workload): Deletion {
  return { type: 'delete', target: { ...ref, resourceVersion }, uid }
}

/** The end of a pod: the workload's own controller makes another one. */
export function podDeletion(pod: PodSeen): Deletion {
  return { type: 'delete', target: podTarget(pod), uid: pod.metadata.uid }
}

function podTarget({ metadata }: PodSeen): Target {
  const { namespace, name, resourceVersion } = metadata
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, resourceVersion }
}

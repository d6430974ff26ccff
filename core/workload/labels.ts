// Pods are labelled with the owner's rollout-id and the step that let them out, so that tools can tell
// the pods of a step. Without an id of the owner's nobody asks for it, and a write per pod is saved.

import { ROLLOUT_BATCH_ID, ROLLOUT_ID } from '#api/names.ts'
import type { Move } from '../move.ts'
import { podChange } from './changes.ts'
import type { Workload } from './model.ts'
import type { PodSeen } from './seen.ts'

/** Every new pod carries the id and a step; a pod that died leaves a hole, which the next one fills. */
export function labelPods(w: Workload, batches: readonly number[]): Move | undefined {
  const id = w.ownerRolloutId
  if (id === undefined) return undefined
  const missing = batches.map((count, i) => Math.max(count - (batches[i - 1] ?? 0), 0))
  const unlabelled = w.updatePods.filter(pod => {
    const batch = Number(pod.batchId)
    const known = pod.rolloutId === id && missing[batch - 1] !== undefined
    if (known) missing[batch - 1]! -= 1
    return !known
  })
  // The latest step first: its pods are those that people look for.
  const open = missing
    .flatMap((count, i) => Array<number>(Math.max(count, 0)).fill(i + 1))
    .reverse()
  const changes = byTurn(w, unlabelled)
    .slice(0, open.length)
    .map((pod, i) =>
      podChange(pod, {
        metadata: { labels: { [ROLLOUT_ID]: id, [ROLLOUT_BATCH_ID]: String(open[i]) } },
      }),
    )
  return changes.length === 0 ? undefined : { changes, why: `labelling ${changes.length} pods` }
}

/** Of those that a step has brought back nobody is older than those that ran the version all along. */
function byTurn({ goingBack }: Workload, pods: readonly PodSeen[]): readonly PodSeen[] {
  return goingBack ? pods.toSorted((a, b) => b.created - a.created) : pods
}

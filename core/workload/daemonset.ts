// `apps/v1` DaemonSet: held by OnDelete, released by deleting its pods.

import type { DaemonSet } from '#api/kubernetes.ts'
import type { WorkloadAdapter } from './adapter.ts'
import { daemonCatch } from './daemon-catch.ts'
import { daemonFields } from './daemon-fields.ts'
import { daemonLeaving } from './daemon-leaving.ts'
import { abort, advance, keep } from './daemon-rules.ts'
import { seeDaemonSet, viewDaemonSet } from './daemon-view.ts'
import type { DaemonSeen, DaemonWorkload } from './daemon-view.ts'
import { movesWith, restore } from './moves.ts'
import { byRevision } from './pod-version.ts'

export const daemonSet: WorkloadAdapter<DaemonSet, DaemonSeen, DaemonWorkload> = {
  ...daemonFields,
  ...daemonLeaving,
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  podVersion: byRevision,
  style: 'partition',
  catch: daemonCatch,
  see: seeDaemonSet,
  observe: viewDaemonSet,
  move: movesWith<DaemonWorkload>({
    advance: (w, { pods }, now) => advance(w, pods, now),
    keep: (w, _, now) => keep(w, now),
    abort: w => abort(w),
    // It has no condition that its clients look at.
    tellAborted: () => undefined,
    rest: w => restore(w),
    // By its own strategy it takes broken pods first, and waits for none of them.
    unblock: () => undefined,
  }),
}

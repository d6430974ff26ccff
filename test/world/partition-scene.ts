// A workload with a partition in the middle of a release, in a few letters, and what is done next in words.

import type { Pod } from '#api/kubernetes.ts'
import { CONTROLLER_REVISION, HOLD, RECORD, STABLE_REVISION, STABLE_TEMPLATE } from '#api/names.ts'
import { cloneSet } from '#core/workload/clone-set.ts'
import { formatHold } from '#core/workload/hold.ts'
import type { Hold } from '#core/workload/hold.ts'
import { kruiseStatefulSet } from '#core/workload/kruise-stateful-set.ts'
import type { WorkloadAction } from '#core/workload/model.ts'
import type { Partitioned } from '#core/workload/partition-object.ts'
import type { PartitionWorkload } from '#core/workload/partition-view.ts'
import type { PartitionAdapter } from '#core/workload/partitioned.ts'
import { formatRecord } from '#core/workload/record.ts'
import { seePod } from '#core/workload/seen.ts'
import { statefulSet } from '#core/workload/statefulset.ts'
import { sentHold } from './sent-hold.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

/** Of which kind it is; a StatefulSet unless said. */
export interface SceneKind {
  readonly adapter: PartitionAdapter
  /** A strategy with that partition. */
  readonly strategy: (partition: number | string) => object
  /** What its own controller tells of so many pods. */
  readonly status?: (replicas: number) => object
}

/** `2` Ready at v2, `1` at v1, `3` at a version between; `x` at v2 and `y` between, not Ready; `0` and `z` at an older one. */
export interface PartitionScene {
  readonly kind?: SceneKind
  /** From ordinal 0 on. */
  readonly pods: string
  readonly hold?: Partial<Hold>
  readonly replicas?: number
  readonly spec?: object
  readonly status?: object
  /** As it stands, where that is not what the hold says. */
  readonly partition?: number | string
  /** The owner's own partition. */
  readonly own?: number | string
}

const revisions: Readonly<Record<string, string>> = {
  0: 'web-v0',
  z: 'web-v0',
  1: 'web-v1',
  w: 'web-v1',
  2: 'web-v2',
  x: 'web-v2',
  3: 'web-v3',
  y: 'web-v3',
}

/** The update strategy of StatefulSets and DaemonSets. */
export function rolling(partition: number | string): object {
  return { type: 'RollingUpdate', rollingUpdate: { partition } }
}

const native: SceneKind = { adapter: statefulSet, strategy: rolling }

/** A CloneSet. */
export const clones: SceneKind = {
  adapter: cloneSet,
  strategy: partition => ({ type: 'ReCreate', partition, maxUnavailable: 1 }),
}

/** A StatefulSet of Kruise that brings up its pods in any order. */
export const unordered: SceneKind = {
  adapter: kruiseStatefulSet,
  strategy: partition => ({
    type: 'RollingUpdate',
    rollingUpdate: { partition, unorderedUpdate: {} },
  }),
}

/** The workload of a scene as it is stored. */
export function workloadOf(scene: PartitionScene): Partitioned {
  const { kind = native, pods, replicas = pods.length, hold, partition, own = 0 } = scene
  const { adapter, strategy } = kind
  const marks: Hold = {
    mode: 'wave',
    pods: 2,
    budget: 2,
    surge: '0%',
    rolloutId: 'v2-2',
    seq: 1,
    ...hold,
  }
  const owner = { updateStrategy: strategy(own) }
  const record = formatRecord({
    owner,
    stable: stableOf(adapter),
    rollout: 'web',
    rolloutUid: 'uid',
  })
  const annotations = { [STABLE_TEMPLATE]: stableOf(adapter) }
  const held = hold && { [HOLD]: formatHold(marks), [RECORD]: record }
  const labels = { [STABLE_REVISION]: 'web-v1', 'rollouts.kruise.io/workload-type': 'statefulset' }
  const free: Partitioned = {
    apiVersion: adapter.apiVersion,
    kind: adapter.kind,
    metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '7', generation: 2 },
    spec: { replicas, template: templateOf('v2'), ...owner, ...scene.spec },
    status: {
      observedGeneration: 2,
      currentRevision: 'web-v1',
      updateRevision: 'web-v2',
      ...kind.status?.(replicas),
      ...scene.status,
    },
  }
  const marked = {
    ...free,
    metadata: { ...free.metadata, labels, annotations: { ...annotations, ...held } },
  }
  if (!hold) return marked
  const projected = adapter.project(marked, marks, owner)
  const noted = { ...adapter.noted(marks, projected, owner), ...hold }
  const standing = withHold(projected, noted)
  if (partition === undefined) return standing
  return { ...standing, spec: { ...standing.spec, updateStrategy: strategy(partition) } }
}

/** The scene as its adapter sees it. */
export function observed(scene: PartitionScene): PartitionWorkload {
  const { kind: { adapter } = native } = scene
  const pods = Array.from(scene.pods, (state, ordinal) => seePod(podIn(state, ordinal)))
  return adapter.observe(adapter.see(workloadOf(scene)), { replicaSets: [], pods }, now)
}

/** The next writes in words; `wait`, or `done`. */
export function told(action: WorkloadAction, scene: PartitionScene): string {
  const { kind: { adapter } = native } = scene
  const move = adapter.move(observed(scene), action, now)
  if (!move) return 'done'
  const words = move.changes.map(change => {
    if (change.type === 'create') return `create ${change.object.metadata.name}`
    if (change.type === 'delete') return `delete ${change.target.name}`
    const { metadata } = change.patch as unknown as Partitioned
    const hold = sentHold(metadata)
    return hold ? `${hold.get('mode')} ${hold.get('budget')}` : 'mark'
  })
  if (move.again) return `again ${words.join(', ')}`
  return words.join(', ') || `wait: ${move.why}`
}

function templateOf(version: string): Partitioned['spec']['template'] {
  return { spec: { containers: [{ name: 'app', image: version }] } }
}

function stableOf(adapter: PartitionAdapter): string {
  return adapter.fingerprint({ spec: { template: templateOf('v1') } } as Partitioned)
}

function withHold(object: Partitioned, hold: Hold): Partitioned {
  const annotations = { ...object.metadata.annotations, [HOLD]: formatHold(hold) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

function podIn(state: string, ordinal: number): Pod {
  return podOf(revisions[state]!, ordinal, /\d/.test(state))
}

/** One of a StatefulSet, of the revision of that name. */
export function podOf(revision: string, ordinal: number, ready = true): Pod {
  const lastTransitionTime = '2029-12-31T23:59:00Z'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `web-${ordinal}`,
      namespace: 'shop',
      uid: `pod-${ordinal}`,
      resourceVersion: '1',
      labels: { [CONTROLLER_REVISION]: revision },
    },
    status: {
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }],
    },
  }
}

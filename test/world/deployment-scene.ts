// A Deployment in the middle of a release, as it is seen: which pods of which version there are, and what
// an adapter does about it, in words.

import type { Deployment, IntOrPercent, Pod, ReplicaSet } from '#api/kubernetes.ts'
import { DESIRED_REPLICAS, HOLD, RECORD, REVISION, WORKLOAD_TYPE } from '#api/names.ts'
import type { Change } from '#core/change.ts'
import type { Move } from '#core/move.ts'
import { timeOf } from '#core/time.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { DeploymentSeen } from '#core/workload/deployment-seen.ts'
import type { DeploymentWorkload } from '#core/workload/deployment-view.ts'
import { formatHold } from '#core/workload/hold.ts'
import type { Hold } from '#core/workload/hold.ts'
import type { WorkloadAction } from '#core/workload/model.ts'
import { formatRecord } from '#core/workload/record.ts'
import { seePod, seeReplicaSet } from '#core/workload/seen.ts'
import { sentHold } from './sent-hold.ts'
import { inWords } from './words.ts'

type Adapter = WorkloadAdapter<Deployment, DeploymentSeen, DeploymentWorkload>

/** When every scene is looked at. */
export const now = Date.parse('2026-01-01T00:00:00Z')

/** Pods of one version: all Ready for an hour, if nothing else is said. */
interface Pods {
  readonly pods: number
  readonly ready?: number
  readonly readyForMs?: number
  /** What the controller-manager scaled it for. */
  readonly desired?: number
  readonly armed?: boolean
  readonly revision?: number
}

/** A Deployment of 10 pods that is held; its template is the last of the versions. */
export interface Scene {
  readonly replicas?: number
  readonly own?: readonly [maxUnavailable: IntOrPercent, maxSurge: IntOrPercent]
  /** Undefined: it is not held. */
  readonly hold?: Partial<Hold>
  /** `annotation`: the webhook was away, so the fields are not those of the hold. */
  readonly held?: 'fields' | 'annotation'
  readonly unseen?: boolean
  /** What the controller-manager counts as available, of all versions; 0 unless given. */
  readonly available?: number
  readonly versions: Readonly<Record<string, Pods>>
}

const hour = 3_600_000
const template = (version: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image: `app:${version}` }] },
})

/** The Deployment itself. */
export function deploymentOf(adapter: Adapter, scene: Scene): Deployment {
  const { replicas = 10, own = ['25%', '25%'], unseen = false } = scene
  const [maxUnavailable, maxSurge] = own
  const latest = Object.keys(scene.versions).at(-1)!
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } }
  const labels = { [WORKLOAD_TYPE]: 'deployment' }
  const metadata = { namespace: 'shop', name: 'web', uid: 'uid-web', generation: 7, labels }
  const spec = {
    replicas,
    strategy,
    progressDeadlineSeconds: 600,
    template: template(latest),
  }
  const { available = 0 } = scene
  const status = { observedGeneration: unseen ? 6 : 7, availableReplicas: available }
  const free: Deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec, status }
  if (!scene.hold) return free
  const hold: Hold = {
    mode: 'wave',
    pods: 3,
    budget: '30%',
    surge: '0%',
    rolloutId: 'r-7',
    seq: 3,
    ...scene.hold,
  }
  const owner = adapter.ownerOfFree(free)
  const stable = adapter.fingerprint({ ...free, spec: { ...spec, template: template('v1') } })
  const record = formatRecord({ owner, stable, rollout: 'web', rolloutUid: 'u' })
  const annotations = { [HOLD]: formatHold(hold), [RECORD]: record }
  const named = { ...free, metadata: { ...metadata, annotations } }
  return scene.held === 'annotation' ? named : adapter.project(named, hold, owner)
}

/** The Deployment as the rules see it. */
function viewOf(adapter: Adapter, scene: Scene): DeploymentWorkload {
  const versions = Object.entries(scene.versions)
  const { replicas = 10 } = scene
  const sets = versions.map(([version, each], age): ReplicaSet => {
    const { pods, desired = replicas, armed, revision = age } = each
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'uid-web' }
    const metadata = {
      namespace: 'shop',
      name: `web-${version}`,
      uid: `uid-${version}`,
      resourceVersion: `9${age}`,
      creationTimestamp: timeOf(now - 9 * hour + age * 1000),
      annotations: { [DESIRED_REPLICAS]: String(desired), [REVISION]: String(revision) },
      ownerReferences: [{ ...owner, controller: true }],
    }
    const minReadySeconds = armed ? 2147483646 : 0
    const spec = { replicas: pods, minReadySeconds, template: template(version) }
    return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec }
  })
  const pods = versions.flatMap(([version, each]) => podsOf(version, each))
  const owned = { replicaSets: sets.map(set => seeReplicaSet(set)), pods: pods.map(seePod) }
  return adapter.observe(adapter.see(deploymentOf(adapter, scene)), owned, now)
}

function podsOf(version: string, { pods, ready = pods, readyForMs = hour }: Pods): Pod[] {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `web-${version}` }
  return Array.from({ length: pods }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name: `web-${version}-${i}`,
      uid: `uid-${version}-${i}`,
      ownerReferences: [{ ...owner, uid: `uid-${version}`, controller: true }],
    },
    status: {
      conditions: [
        {
          type: 'Ready',
          status: i < ready ? 'True' : 'False',
          lastTransitionTime: new Date(now - readyForMs).toISOString(),
        },
      ],
    },
  }))
}

/** What is done next. */
export function moveIn(adapter: Adapter, action: WorkloadAction, scene: Scene): Move | undefined {
  return adapter.move(viewOf(adapter, scene), action, now)
}

/** The writes in words; `wait`, or `done` where there is nothing to wait for. */
export function toldBy(adapter: Adapter, action: WorkloadAction, scene: Scene): string {
  const next = moveIn(adapter, action, scene)
  if (!next) return 'done'
  return next.changes.map(inFull).join(', ') || 'wait'
}

/** A write in words; of a hold all that it lets out. */
export function inFull(change: Change): string {
  if (change.type !== 'patch') return inWords(change)
  const { metadata } = change.patch as { metadata?: Deployment['metadata'] }
  const hold = metadata && sentHold(metadata)
  return hold ? `${hold.get('mode')} ${hold.get('budget')}+${hold.get('surge')}` : inWords(change)
}

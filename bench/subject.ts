// One Deployment that is edited again and again, with a Rollout or without, in a namespace of its own.

import type { Deployment, KubeObject, ReplicaSet } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import { holdOf } from '#core/workload/hold.ts'
import { DEPLOYMENTS, NAMESPACES, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { ROLLOUT, WORKLOAD, workloadOf, rolloutOf } from '../test/cluster/manifests.ts'
import type { StoryOptions } from '../test/cluster/manifests.ts'
import type { Place } from './place.ts'

/** A write of the bench: when it was sent, and when its answer came (`performance.now`). */
export interface Sent {
  readonly sentAt: number
  readonly acceptedAt: number
  /** Of the object as it was stored. */
  readonly resourceVersion: string
}

/** One Deployment; every wait gives the moment of its fact. */
export interface Subject {
  readonly namespace: string
  /** Sends the next image. */
  readonly edit: () => Promise<Sent>
  /** Approves as kubectl-kruise does. */
  readonly approve: () => Promise<Sent>
  /** The first pod of the newest image is created. */
  readonly firstPod: () => Promise<number>
  /** The newest ReplicaSet is asked for so many pods. */
  readonly sized: (replicas: number) => Promise<number>
  /** The controller-manager says that everybody runs the newest image and is available. */
  readonly rolledOut: () => Promise<number>
  /** The step of the newest image's release has reached its pause. */
  readonly paused: (step: number) => Promise<number>
  readonly isPaused: (step: number) => boolean
  /** What became of an approval: it was taken, or the step waits for another one. */
  readonly answered: (step: number, approval: Sent) => Promise<'taken' | 'lost'>
  /** The release of the newest image is complete. */
  readonly healthy: () => Promise<number>
  readonly remove: () => Promise<void>
}

/** The steps of the releases that are measured. */
export const STEPS = ['10%', '30%', '60%', '100%'].map(replicas => ({ replicas }))
const rollouts = ROLLOUTS as ResourceType<Rollout>
/** The owner's strategy; the API's own default, said aloud. */
const spec = {
  strategy: {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
  },
}

/** Makes the Deployment and, unless `steps` is false, its Rollout; both are at rest then. */
export async function createSubject(place: Place, options: StoryOptions): Promise<Subject> {
  const { client, sights } = place
  const namespace = `bench-${Math.random().toString(36).slice(2, 10)}`
  const ref = { namespace, name: WORKLOAD }
  const rolloutRef = { namespace, name: ROLLOUT }
  let version = 1
  const image = () => `app:${version}`
  const deployment = () => sights.deployments.get(namespace, WORKLOAD)
  const newest = () =>
    sights.replicaSets.byIndex('namespace', namespace).find(set => imageOf(set) === image())
  const rollout = () => sights.rollouts.get(namespace, ROLLOUT)
  const isPaused = (step: number) => standsAt(step, rollout(), deployment())
  const isLost = (step: number, approval: Sent) => isPaused(step) && isNewer(rollout(), approval)
  const isPast = (step: number) =>
    isHealthy() || (rollout()?.status?.canaryStatus?.currentStepIndex ?? 0) > step
  const when = (expected: string, fact: () => boolean) =>
    sights.when(`${namespace}: ${expected}`, fact)
  const isHealthy = () => {
    const { status } = rollout() ?? {}
    const hash = newest()?.metadata.labels?.['pod-template-hash']
    return status?.phase === 'Healthy' && status.canaryStatus?.stableRevision === hash
  }
  const subject: Subject = {
    namespace,
    edit() {
      version += 1
      const containers = [{ name: 'app', image: image() }]
      const patch = { spec: { template: { spec: { containers } } } }
      return timed(() => client.strategicPatch(DEPLOYMENTS, ref, patch))
    },
    approve() {
      const patch = { status: { canaryStatus: { currentStepState: 'StepReady' } } }
      return timed(() => client.mergePatch(rollouts, rolloutRef, patch, { subresource: 'status' }))
    },
    firstPod: () =>
      when('a new pod', () => {
        const pods = sights.pods.byIndex('namespace', namespace)
        const uid = newest()?.metadata.uid
        return uid !== undefined && pods.some(pod => pod.ownerUid === uid)
      }),
    sized: n => when(`${n} new pods asked for`, () => newest()?.spec.replicas === n),
    rolledOut: () => when('rolled out', () => isRolledOut(deployment(), newest())),
    isPaused,
    async answered(step, approval) {
      await when(`step ${step} over or lost`, () => isPast(step) || isLost(step, approval))
      return isPast(step) ? 'taken' : 'lost'
    },
    paused: step => when(`step ${step} in its pause`, () => isPaused(step)),
    healthy: () => when('Healthy', isHealthy),
    remove: () => client.remove(NAMESPACES, { name: namespace }),
  }
  await client.create(NAMESPACES, namespaceOf(namespace))
  await client.create(DEPLOYMENTS as ResourceType, workloadOf(namespace, { spec, ...options }))
  await subject.rolledOut()
  if (options.steps !== false) {
    await client.create(ROLLOUTS, rolloutOf(namespace, { steps: STEPS, ...options }))
    await subject.healthy()
  }
  return subject
}

/** Writes, and notes when. */
export async function timed(write: () => Promise<KubeObject>): Promise<Sent> {
  const sentAt = performance.now()
  const { metadata } = await write()
  const { resourceVersion = '' } = metadata
  return { sentAt, acceptedAt: performance.now(), resourceVersion }
}

/** In the pause of the step, in the release of the hold. */
export function standsAt(
  step: number,
  rollout: Rollout | undefined,
  workload: KubeObject | undefined,
): boolean {
  const { currentStepIndex, currentStepState, observedRelease } = {
    ...releaseIn(rollout?.status),
  }
  if (currentStepIndex !== step || currentStepState !== 'StepPaused') return false
  // Right after an edit the status still tells of the release before.
  const hold = workload && holdOf(workload)
  return hold !== undefined && hold.rolloutId === observedRelease
}

function isNewer(rollout: Rollout | undefined, { resourceVersion }: Sent): boolean {
  return Number(rollout?.metadata.resourceVersion) > Number(resourceVersion)
}

/** A namespace to be created. */
export function namespaceOf(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

function imageOf({ spec }: ReplicaSet): string | undefined {
  const containers = spec.template.spec?.['containers'] as readonly { readonly image: string }[]
  return containers[0]?.image
}

function isRolledOut(object: Deployment | undefined, newest: ReplicaSet | undefined): boolean {
  const { metadata, spec, status } = { ...object }
  if (!metadata || !status || newest?.spec.replicas !== spec?.replicas) return false
  const { replicas, updatedReplicas, availableReplicas, observedGeneration = 0 } = status
  const all = [replicas, updatedReplicas, availableReplicas].every(n => n === spec?.replicas)
  return all && observedGeneration >= (metadata.generation ?? 0)
}

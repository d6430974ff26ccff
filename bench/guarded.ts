// One workload of any kind with its Rollout, in a namespace of its own: edited again and again, approved,
// and followed by what its own controller counts.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { statusField } from '#core/style.ts'
import { NAMESPACES, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { ROLLOUT, WORKLOAD, rolloutOf, typeOf, workloadOf } from '../test/cluster/manifests.ts'
import type { StoryOptions } from '../test/cluster/manifests.ts'
import type { Place } from './place.ts'
import { namespaceOf, standsAt, timed } from './subject.ts'
import type { Sent } from './subject.ts'

/** A workload in releases; every wait gives the moment of its fact. */
export interface Guarded {
  readonly namespace: string
  /** Of its kind, as the audit log calls it. */
  readonly plural: string
  /** Sends the next image. */
  readonly edit: () => Promise<Sent>
  readonly approve: () => Promise<Sent>
  /** The step has reached its pause. */
  readonly paused: (step: number) => Promise<number>
  /** The controller that makes its new pods counts so many. */
  readonly counted: (pods: number) => Promise<number>
  /** The release is over; where its last step waits as well, that one is approved. */
  readonly ended: (lastStep: number) => Promise<void>
  readonly remove: () => Promise<void>
}

interface Stored extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly updatedNumberScheduled?: number
    readonly numberReady?: number
  }
}

const rollouts = ROLLOUTS as ResourceType<Rollout>
const size = 10

/** Makes the workload of 10 pods and its Rollout; both are at rest then. */
export async function createGuarded(place: Place, options: StoryOptions): Promise<Guarded> {
  const { client, sights } = place
  const namespace = `bench-${Math.random().toString(36).slice(2, 10)}`
  const type = typeOf(options.kind) as ResourceType<Stored>
  const ref = { namespace, name: WORKLOAD }
  const { cache, close } = await sights.watch(type, namespace)
  const workload = () => cache.get(namespace, WORKLOAD)
  /** New pods of the canary style have a Deployment of their own. */
  const counter = () =>
    options.canary ? cache.list().find(each => each.metadata.name !== WORKLOAD) : workload()
  const rollout = () => sights.rollouts.get(namespace, ROLLOUT)
  const isPaused = (step: number) => standsAt(step, rollout(), workload())
  const isHealthy = () => rollout()?.status?.phase === 'Healthy'
  const when = (expected: string, fact: () => boolean) =>
    sights.when(`${namespace}: ${expected}`, fact)
  let version = 1
  const guarded: Guarded = {
    namespace,
    plural: type.plural,
    edit() {
      version += 1
      const containers = [{ name: 'app', image: `app:${version}` }]
      const patch = { spec: { template: { spec: { containers } } } }
      return timed(() => client.mergePatch(type, ref, patch))
    },
    approve() {
      const field = statusField[options.blueGreen ? 'blueGreen' : 'canary']
      const patch = { status: { [field]: { currentStepState: 'StepReady' } } }
      const at = { namespace, name: ROLLOUT }
      return timed(() => client.mergePatch(rollouts, at, patch, { subresource: 'status' }))
    },
    paused: step => when(`step ${step} in its pause`, () => isPaused(step)),
    counted: pods => when(`${pods} new pods counted`, () => updatedIn(counter()) === pods),
    async ended(lastStep) {
      await when('the last step', () => isHealthy() || isPaused(lastStep))
      if (!isHealthy()) await guarded.approve()
      await when('Healthy', isHealthy)
    },
    async remove() {
      close()
      await client.remove(NAMESPACES, { name: namespace })
    },
  }
  await client.create(NAMESPACES, namespaceOf(namespace))
  await client.create(type as ResourceType, workloadOf(namespace, options))
  await when('all pods Ready', () => readyIn(workload()) === size)
  await client.create(ROLLOUTS, rolloutOf(namespace, options))
  await when('Healthy', isHealthy)
  return guarded
}

/** New pods; undefined: the controller has not seen what was written last. */
function updatedIn(object: Stored | undefined): number | undefined {
  const { observedGeneration = 0, ...status } = { ...object?.status }
  if (observedGeneration < (object?.metadata.generation ?? 0)) return undefined
  return status.updatedReplicas ?? status.updatedNumberScheduled ?? 0
}

function readyIn({ status }: Partial<Stored> = {}): number {
  return status?.readyReplicas ?? status?.numberReady ?? 0
}

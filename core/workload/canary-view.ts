// One Deployment with the second one that runs its new pods, in the numbers that the rules of a release
// speak of. While it is held its new pods are those of the second one.

import type { Deployment, DeploymentSpec } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import type { Instant } from '../time.ts'
import { canaryFields } from './canary-admission.ts'
import { canaryName } from './canary-name.ts'
import { seeDeployment } from './deployment-seen.ts'
import type { DeploymentSeen } from './deployment-seen.ts'
import { viewDeployment } from './deployment-view.ts'
import type { DeploymentWorkload } from './deployment-view.ts'
import { isInForce } from './hold.ts'
import type { Hold } from './hold.ts'
import type { Workload } from './model.ts'
import type { Owned } from './seen.ts'

/** A Deployment of which another one may be made: all of it is kept, for as long as it is held. */
export interface CanarySeen extends DeploymentSeen {
  readonly spec: DeploymentSpec
}

/** A Deployment and the one that runs its new pods. */
export interface CanaryWorkload extends DeploymentWorkload {
  readonly seen: CanarySeen
  /** The Deployment itself, without the other one. */
  readonly own: DeploymentWorkload
  /** That of the running release; undefined until it is made. */
  readonly canary?: DeploymentWorkload
  /** Somebody else's has its name. */
  readonly nameTaken?: true
  /** Those of releases before. */
  readonly others: readonly DeploymentWorkload[]
}

/** What is kept of a Deployment that is held. */
export function seeCanary(object: Deployment, before?: CanarySeen): CanarySeen {
  return { ...seeDeployment(object, before, canaryFields), spec: object.spec }
}

/** Puts together what was seen of a Deployment that is held. */
export function viewCanary(seen: CanarySeen, owned: Owned, now: Instant): CanaryWorkload {
  const own = viewDeployment(seen, owned, now)
  const { beside, hold } = own
  const name = canaryName(own.ref.name, hold?.rolloutId ?? '')
  const canary = beside.find(each => each.ref.name === name)
  const others = beside.filter(each => each !== canary)
  return defined({
    ...own,
    seen,
    own,
    hold: hold && reaching(hold, canary),
    settled: [own, ...beside].every(({ settled }) => settled),
    total: [own, ...beside].reduce((sum, { total }) => sum + total, 0),
    // Once the hold is over its own new pods take the place of the others; so do its pods when their template
    // has returned, and the second one waits only for requests to leave.
    ...((!hold || isInForce(hold)) && !isBack(seen) && newPodsOf(own, canary)),
    canary,
    nameTaken: owned.nameTaken,
    others,
    abandoned: own.abandoned + others.reduce((sum, { total }) => sum + total, 0),
  })
}

/** It asks for the template again that everybody ran when the release began. */
function isBack({ fingerprint, record }: CanarySeen): boolean {
  return record !== undefined && record.stable === fingerprint
}

type Counts = Pick<Workload, 'updateRevision' | 'updated' | 'updatedReady' | 'updatePods'>

/** New pods of the second one, and any that it has itself: a roll that was broken off has left them. */
function newPodsOf(own: DeploymentWorkload, canary?: DeploymentWorkload): Counts {
  const { updated, updatedReady, updatePods } = own
  const itself = updated > 0 ? own.updateRevision : ''
  return {
    updateRevision: canary?.updateRevision ?? itself,
    updated: updated + (canary?.updated ?? 0),
    updatedReady: updatedReady + (canary?.updatedReady ?? 0),
    updatePods: [...updatePods, ...(canary?.updatePods ?? [])],
  }
}

/** What is out is the size of the canary: nothing is written on the Deployment when it grows. */
function reaching(hold: Hold, canary: DeploymentWorkload | undefined): Hold {
  return canary ? { ...hold, pods: canary.replicas } : hold
}

// What one more pod takes of the controller's memory: the live heap of the running controller, after a
// collection of garbage, with a Deployment of ten pods and with the same of 1,010.

import { DEPLOYMENTS } from '#kube/resources.ts'
import { WORKLOAD } from '../test/cluster/manifests.ts'
import { insideController } from './inspector.ts'
import type { Place } from './place.ts'
import { STEPS, createSubject } from './subject.ts'

const pods = 1000

/** Bytes per pod. */
export async function slope(place: Place): Promise<number> {
  place.progress(`one Deployment of 10, then of ${10 + pods} pods`)
  const subject = await createSubject(place, { steps: STEPS })
  const inspector = await place.shared(insideController)
  const before = await inspector.liveHeap()
  const ref = { namespace: subject.namespace, name: WORKLOAD }
  await place.client.mergePatch(DEPLOYMENTS, ref, { spec: { replicas: 10 + pods } })
  await subject.rolledOut()
  const after = await inspector.liveHeap()
  await subject.remove()
  return (after - before) / pods
}

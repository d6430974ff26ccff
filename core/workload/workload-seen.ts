// What is kept of a workload of any kind while nobody looks: what its marks say, a fingerprint instead
// of the template, and whether its fields stand as they should.

import {
  CANARY_DEPLOYMENT,
  ESCAPE,
  ROLLOUT_ID,
  STABLE_REVISION,
  STABLE_TEMPLATE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import type { WorkloadRef } from '../ref.ts'
import { controllerUid, seen } from '../seen.ts'
import type { WorkloadFields } from './adapter.ts'
import { isCaught } from './caught.ts'
import { withoutCopies } from './copies.ts'
import { holdOf } from './hold.ts'
import type { Workload } from './model.ts'
import { recordOf } from './record.ts'
import type { WorkloadSeen } from './seen.ts'

/** An object whose controller says which generation it has seen. */
interface Observed extends KubeObject {
  readonly status?: { readonly observedGeneration?: number }
}

/** What is kept of a workload; of the same generation as `before` it has the same template. */
export function seeWorkload<O extends Observed>(
  fields: WorkloadFields<O>,
  stored: O,
  before?: WorkloadSeen,
): WorkloadSeen {
  const object = withoutCopies(fields, stored)
  const { metadata } = object
  const labels = { ...metadata.labels }
  const annotations = { ...metadata.annotations }
  const hold = holdOf(object)
  const record = recordOf(object)
  const { generation = 0 } = metadata
  const { observedGeneration = 0 } = { ...object.status }
  const owner = record ? fields.recordedOwner(record) : fields.ownerOfFree(object)
  return defined({
    ...seen(object),
    guarded: labels[WORKLOAD_TYPE] !== undefined,
    marked: marks.some(key => labels[key] !== undefined) || annotations[ESCAPE] !== undefined,
    escaped: annotations[ESCAPE] !== undefined,
    caught: isCaught(object),
    generation,
    observed: observedGeneration >= generation,
    replicas: fields.replicas(object),
    fingerprint: fingerprintOf(fields, object, before),
    projected: hold === undefined || fields.projected(object, hold, owner),
    armed: hold === undefined && fields.armed(object),
    owner,
    hold,
    record,
    stableLabel: labels[STABLE_REVISION],
    stableFingerprint: annotations[STABLE_TEMPLATE],
    ownerRolloutId: labels[ROLLOUT_ID],
    madeFor: labels[CANARY_DEPLOYMENT] === undefined ? undefined : controllerUid(object),
  })
}

/** Of what is observed, what every kind tells alike by what is kept of it. */
export function commonOf(
  { metadata, caught, fingerprint, ...seen }: WorkloadSeen,
  { apiVersion, kind }: Pick<WorkloadRef, 'apiVersion' | 'kind'>,
): Common {
  const { namespace, name, uid, resourceVersion } = metadata
  const { generation, guarded, escaped, hold, record, projected, armed } = seen
  const { ownerRolloutId, replicas } = seen
  return defined({
    ref: { apiVersion, kind, namespace, name },
    uid,
    resourceVersion,
    generation,
    guarded,
    escaped,
    caught: caught ? fingerprint : undefined,
    hold,
    record,
    projected,
    armed,
    ownerRolloutId,
    replicas,
  })
}

type Common = Pick<
  Workload,
  | 'ref'
  | 'uid'
  | 'resourceVersion'
  | 'generation'
  | 'guarded'
  | 'escaped'
  | 'caught'
  | 'hold'
  | 'record'
  | 'projected'
  | 'armed'
  | 'ownerRolloutId'
  | 'replicas'
>

/** The second one stays where an owner's escape takes the first one away. */
const marks = [WORKLOAD_TYPE, STABLE_REVISION]

/** Fingerprints of large templates take long, and most news are of the status. */
function fingerprintOf<O extends KubeObject>(
  fields: WorkloadFields<O>,
  object: O,
  before?: WorkloadSeen,
): string {
  const { uid, generation } = object.metadata
  const same = before?.metadata.uid === uid && before?.generation === generation
  return same ? before!.fingerprint : fields.fingerprint(object)
}

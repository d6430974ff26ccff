// What we make beside a Service or a route for new pods belongs to the workload. Whoever deletes that as one that
// leaves orphans takes the owner off it: what it was made for stands on it as well.

import type { KubeObject, OwnerReference } from '#api/kubernetes.ts'
import { MADE_FOR } from '#api/names.ts'
import { defined } from '../defined.ts'
import { keyOf } from '../ref.ts'
import type { WorkloadRef } from '../ref.ts'
import { controllerUid } from '../seen.ts'
import { recordIn, whoseIn, whoseOf } from './wish.ts'

/** The workload that what is made for its new pods belongs to. */
export interface Owner {
  readonly ref: WorkloadRef
  readonly uid: string
}

/** For what it was made. */
export interface Made {
  /** Key of the workload. */
  readonly workload: string
  /** Name of the Service whose requests are split. */
  readonly service: string
  /** Name of the route beside which it stands. */
  readonly route?: string
}

/** What is kept of one that may be ours. */
export interface MadeSeen {
  /** The workload that it belongs to, if it does. */
  readonly ownerUid: string
  /** Undefined: it does not say that we have made it. */
  readonly made?: Made
}

/** It belongs to the workload. */
export function ownedBy({ ref: { apiVersion, kind, name }, uid }: Owner): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true }
}

/** What stands on it. */
export function madeFor(
  { ref }: Owner,
  beside: Omit<Made, 'workload'>,
): Readonly<Record<string, string>> {
  return { [MADE_FOR]: JSON.stringify({ workload: whoseOf(ref), ...beside }) }
}

/** What is kept of that. */
export function seeMade(object: KubeObject): MadeSeen {
  const { annotations, namespace = '' } = object.metadata
  const text = annotations?.[MADE_FOR] ?? ''
  const { service, route } = recordIn(text)
  const whose = whoseIn(text)
  const made = whose &&
    typeof service === 'string' && {
      workload: keyOf({ ...whose, namespace }),
      service,
      ...(typeof route === 'string' && { route }),
    }
  return defined({ ownerUid: controllerUid(object), made: made || undefined })
}

/** It is the workload's; one that belongs to nobody any more is whose it was. `owner`: undefined for one that is gone. */
export function isMadeFor(
  owner: Owner | undefined,
  service: string,
  { ownerUid, made }: MadeSeen,
): boolean {
  // A workload that is gone takes what belongs to it along.
  if (ownerUid !== '') return ownerUid === owner?.uid
  if (made?.service !== service) return false
  return owner === undefined || made.workload === keyOf(owner.ref)
}

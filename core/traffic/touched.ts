// What is kept of an object by which requests are moved: for whom it is, whether our wish is on it, and whether
// it stands as that says.

import type { KubeObject } from '#api/kubernetes.ts'
import { ESCAPE } from '#api/names.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import { isSameKind, keyOf, refOf } from '../ref.ts'
import type { WorkloadRef } from '../ref.ts'
import { seen } from '../seen.ts'
import type { Seen } from '../seen.ts'
import type { Json, TrafficProvider, Wished } from './model.ts'
import { freedOwner, OVER, whoseIn, wishedOn, wishOn } from './wish.ts'

/** An object by which requests are moved. */
export interface TouchedSeen extends Seen {
  /** Key of the workload for whose pods that is. */
  readonly workload?: string
  /** Our controller's wish, or the word that it is over; undefined: none. */
  readonly wish?: string
  /** It stands as the wish says. */
  readonly projected: boolean
  /** Its owner has taken it out of our hands. */
  readonly escaped: boolean
  readonly deleting: boolean
}

/** What is kept of it, beside what its owner wants and what the last wish said. */
interface Look extends TouchedSeen {
  readonly owner: Json
  readonly said: string
}

/** All that can be told of one. */
export function look(provider: TrafficProvider, object: KubeObject): Look {
  const { metadata } = object
  const { namespace = '' } = metadata
  const wish = wishOn(object)
  const was = wishedOn(provider, object)
  const value = provider.valueIn(object)
  const { [ESCAPE]: escape } = { ...metadata.annotations }
  const said = was?.wish ?? wish ?? escape ?? ''
  const whose = whoseIn(said)
  const touched = defined({
    ...seen(object),
    workload: whose && keyOf({ ...whose, namespace }),
    wish,
    projected: isProjected(provider, value, { wish, was }),
    escaped: escape !== undefined,
    deleting: metadata.deletionTimestamp !== undefined,
  })
  return { ...touched, said, owner: freedOwner(provider, object, was) }
}

/** A record without a wish, or the word that it is over, waits for admission. */
function isProjected(
  provider: TrafficProvider,
  value: Json,
  { wish, was }: { readonly wish: string | undefined; readonly was: Wished | undefined },
): boolean {
  if (wish === undefined || wish === OVER) return wish === undefined && was === undefined
  if (was === undefined || was.wish !== wish) return false
  return equalJson(value, provider.project(was.owner, wish))
}

/** Its owner has taken it out of our hands; of what we make ourselves nobody can. */
export function isEscaped(object: Seen | undefined): boolean {
  return object !== undefined && 'escaped' in object && object.escaped === true
}

/** For whose requests it is moved already, in words; undefined: for nobody else's. */
export function movedForAnother(
  { wish, workload }: TouchedSeen,
  whose: WorkloadRef | undefined,
): string | undefined {
  if (wish === undefined || wish === OVER || workload === undefined || !whose) return undefined
  const of = refOf(workload)
  // A Rollout may name the same workload in another version of its kind.
  if (isSameKind(of, whose) && of.name === whose.name) return undefined
  return `${of.kind} ${of.name}`
}

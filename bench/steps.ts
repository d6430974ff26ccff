// Steps that are approved one after the other: at what pace, and what each of them writes by the audit log.

import { setTimeout as delay } from 'node:timers/promises'

import { WORKLOAD } from '../test/cluster/manifests.ts'
import { chapters, isApproval, isEditOf, readAudit, tally, writesIn } from './audit.ts'
import type { Entry } from './audit.ts'
import type { Place } from './place.ts'

/** A person takes longer: what follows a pause or an end is over by then. */
export async function calm(): Promise<void> {
  await delay(150)
}

/** Which steps are read. */
export interface StepsAsked {
  readonly namespace: string
  /** The kind of the workload whose edits begin releases, such as `deployments`. */
  readonly plural: string
  /** So many releases, the last ones. */
  readonly releases: number
  /** So many steps of each, from its first approval on. */
  readonly steps: number
}

/** What they have written. */
export interface StepWrites {
  /** Of each step; all objects of the release but its events. */
  readonly writes: readonly (readonly Entry[])[]
  readonly writesByKind: Readonly<Record<string, number>>
  /** How many approvals the audit log has of each release. */
  readonly approvals: readonly number[]
}

/** Reads it once all is over. */
export async function readSteps(
  { cluster }: Place,
  { namespace, plural, releases, steps }: StepsAsked,
): Promise<StepWrites> {
  // News that only count are written later.
  await delay(1000)
  const entries = (await readAudit(cluster.auditLog)).filter(each => each.namespace === namespace)
  const isEdit = isEditOf(plural)
  const edited = chapters(entries, entry => isEdit(entry) && entry.name === WORKLOAD)
  const approved = edited.slice(-releases).map(each => chapters(each, isApproval))
  const writes = approved
    .flatMap(each => each.slice(0, steps))
    .map(step => writesIn(step).filter(({ resource }) => resource !== 'events'))
  return {
    writes,
    writesByKind: tally(writes.flat().map(({ verb, resource }) => `${verb} ${resource}`)),
    approvals: approved.map(({ length }) => length),
  }
}

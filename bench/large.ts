// One step of a Deployment of a thousand pods.

import { setTimeout as delay } from 'node:timers/promises'

import { chapters, conflictsIn, isApproval, readAudit, tally, writesIn } from './audit.ts'
import type { Place } from './place.ts'
import { createSubject } from './subject.ts'

/** What the step from 30 to 60 percent took. */
export interface Large {
  readonly writes: number
  readonly writesByKind: Readonly<Record<string, number>>
  readonly conflicts: number
  readonly seconds: number
}

/** Makes the Deployment, brings it to 30 percent, and measures the next step. */
export async function large(place: Place): Promise<Large> {
  place.progress('making a Deployment of 1,000 pods')
  const steps = ['30%', '60%', '100%'].map(replicas => ({ replicas }))
  const subject = await createSubject(place, { replicas: 1000, steps })
  await subject.edit()
  await subject.paused(1)
  await delay(3000)
  place.progress('1,000 pods: from 30 to 60 percent')
  const { acceptedAt } = await subject.approve()
  const end = await subject.paused(2)
  await delay(3000)
  const entries = (await readAudit(place.cluster.auditLog)).filter(
    ({ namespace }) => namespace === subject.namespace,
  )
  const step = chapters(entries, isApproval).at(-1)!
  await subject.remove()
  const writes = writesIn(step)
  return {
    writes: writes.length,
    writesByKind: tally(writes.map(({ verb, resource }) => `${verb} ${resource}`)),
    conflicts: conflictsIn(step).length,
    seconds: (end - acceptedAt) / 1000,
  }
}

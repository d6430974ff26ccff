// A hundred Rollouts of ten pods each: the memory that they take, and one client that edits all of them
// at once.

import { setTimeout as delay } from 'node:timers/promises'

import { conflictsIn, readAudit, tally, writesIn } from './audit.ts'
import { rollOut } from './floor.ts'
import { idle } from './idle.ts'
import type { Place } from './place.ts'
import { RUNS } from './releases.ts'
import { spread } from './samples.ts'
import type { Spread } from './samples.ts'
import { STEPS, createSubject } from './subject.ts'
import type { Subject } from './subject.ts'
import { residentMiB } from './usage.ts'

const rollouts = 100

/** A hundred Rollouts at rest. */
export interface Crowd {
  readonly subjects: readonly Subject[]
  readonly controllerMiB: number
  readonly webhookMiB: number
}

/** Makes the Rollouts. What is there when nothing is has been measured before. */
export async function crowd(place: Place): Promise<Crowd> {
  await place.shared(idle)
  place.progress(`making ${rollouts} Rollouts`)
  const subjects: Subject[] = []
  while (subjects.length < rollouts) {
    const some = Array.from({ length: 10 }, () => createSubject(place, { steps: STEPS }))
    subjects.push(...(await Promise.all(some)))
  }
  await delay(3000)
  const { controller, webhook } = place.sluice
  return {
    subjects,
    controllerMiB: residentMiB(controller.pid),
    webhookMiB: residentMiB(webhook.pid),
  }
}

/** Brings a release that stands in its first pause to its end. */
async function finish(subject: Subject): Promise<void> {
  if (!subject.isPaused(1)) return
  for (const step of [1, 2, 3]) {
    await subject.paused(step)
    await subject.approve()
  }
  await subject.healthy()
}

/** What the edit of all of them took. */
export interface Burst {
  readonly seconds: number
  readonly writes: number
  readonly writesByKind: Readonly<Record<string, number>>
  readonly conflicts: number
  /** Of a plain Deployment, half of them right before the edits and half right after. */
  readonly plainRollOut: Spread
}

/** Edits all at once. */
export async function burst(place: Place): Promise<Burst> {
  const { subjects } = await place.shared(crowd)
  // A try before this one has left them in their first pause.
  await Promise.all(subjects.map(finish))
  const plain = await createSubject(place, { steps: false })
  const before = await rollOuts(plain)
  place.progress(`editing ${rollouts} Rollouts at once`)
  const begun = Date.now()
  const sentAt = performance.now()
  await Promise.all(subjects.map(subject => subject.edit()))
  const ends = await Promise.all(subjects.map(subject => subject.paused(1)))
  await delay(3000)
  const namespaces = new Set(subjects.map(({ namespace }) => namespace))
  const entries = (await readAudit(place.cluster.auditLog)).filter(
    ({ namespace, receivedAt }) => namespaces.has(namespace) && receivedAt >= begun,
  )
  const writes = writesIn(entries)
  const after = await rollOuts(plain)
  await plain.remove()
  return {
    seconds: (Math.max(...ends) - sentAt) / 1000,
    writes: writes.length,
    writesByKind: tally(writes.map(({ verb, resource }) => `${verb} ${resource}`)),
    conflicts: conflictsIn(entries).length,
    plainRollOut: spread([...before, ...after]),
  }
}

/** None while the crowd is edited: that would be its own load. */
async function rollOuts(plain: Subject): Promise<readonly number[]> {
  const times: number[] = []
  while (times.length < RUNS.measured / 2) times.push(await rollOut(plain))
  return times
}

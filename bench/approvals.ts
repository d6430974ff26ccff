// Releases whose every approval is given in the very moment in which the pause is seen: none may be
// lost. A lost one leaves its step waiting.

import type { Place } from './place.ts'
import { STEPS, createSubject } from './subject.ts'
import type { Subject } from './subject.ts'

const releases = 16

/** What became of the approvals. */
export interface Approvals {
  readonly given: number
  readonly lost: number
}

/** Gives 48 approvals. */
export async function approvals(place: Place): Promise<Approvals> {
  place.progress(`${releases} releases, each pause approved in the moment in which it is seen`)
  const subject = await createSubject(place, { steps: STEPS })
  let lost = 0
  for (let release = 0; release < releases; release++) {
    await subject.edit()
    for (const step of [1, 2, 3]) lost += await lostAt(subject, step)
    await subject.healthy()
  }
  await subject.remove()
  return { given: releases * 3, lost }
}

async function lostAt(subject: Subject, step: number): Promise<number> {
  await subject.paused(step)
  await subject.approve()
  // A taken approval never shows its step in its pause again.
  const next = step === 3 ? subject.healthy() : subject.paused(step + 1)
  const late = new Promise<'late'>(resolve => setTimeout(() => resolve('late'), patienceMs).unref())
  if ((await Promise.race([next, late])) !== 'late') return 0
  await subject.approve()
  await next
  return 1
}

const patienceMs = 5000

// Releases whose every approval is given in the very moment in which the pause is seen: none may be
// lost. Lost is a fact: after the approval was stored, its step waits again.

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

/** A lost one is given again, so that the release goes on. */
async function lostAt(subject: Subject, step: number): Promise<number> {
  await subject.paused(step)
  const approval = await subject.approve()
  if ((await subject.answered(step, approval)) === 'taken') return 0
  await subject.approve()
  return 1
}

// Four steps without pauses, beside a plain Deployment that rolls out the same edit.

import { rollOut } from './floor.ts'
import type { Place } from './place.ts'
import { RUNS, type Beside } from './releases.ts'
import { spread } from './samples.ts'
import { STEPS, createSubject } from './subject.ts'

/** Milliseconds from the edit until all is done. */
export async function straight(place: Place): Promise<Beside> {
  place.progress('releases of four steps without pauses')
  const steps = STEPS.map(step => ({ ...step, pause: { duration: 0 } }))
  const ours = await createSubject(place, { steps })
  const plain = await createSubject(place, { steps: false })
  const times = { ours: [] as number[], plain: [] as number[] }
  for (let run = 1 - RUNS.warm; run <= RUNS.measured; run++) {
    const plainTime = await rollOut(plain)
    const edit = await ours.edit()
    const end = await ours.healthy()
    if (run < 1) continue
    times.plain.push(plainTime)
    times.ours.push(end - edit.acceptedAt)
  }
  await Promise.all([ours.remove(), plain.remove()])
  return { ours: spread(times.ours), plain: spread(times.plain) }
}

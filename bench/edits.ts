// What a held edit takes longer than the same edit of a plain Deployment: with the webhook alone, and with
// the policy in the API server before it.

import { registerPolicy, unregisterPolicy } from '../dev/policy.ts'
import { configuration } from '../dev/sluice.ts'
import { catches } from './admissions.ts'
import type { Place } from './place.ts'
import { RUNS } from './releases.ts'
import type { Beside } from './releases.ts'
import { spread } from './samples.ts'
import type { Spread } from './samples.ts'
import { createSubject } from './subject.ts'
import type { Subject } from './subject.ts'

/** Milliseconds until an edit is answered. */
export interface Edits {
  readonly webhook: BesideRollOuts
  readonly withPolicy: BesideRollOuts
}

interface BesideRollOuts extends Beside {
  /** Whole roll-outs of the plain Deployment, one beside each held edit. */
  readonly plainRollOut: Spread
}

interface Pair {
  readonly ours: Subject
  readonly plain: Subject
}

/** Measures both. */
export async function edits(place: Place): Promise<Edits> {
  const { client } = place
  const ours = await createSubject(place, { steps: [{ replicas: '100%' }] })
  const plain = await createSubject(place, { steps: false })
  const pair = { ours, plain }
  place.progress('held edits, with the policy')
  const withPolicy = await measure(place, pair, 1)
  place.progress('held edits, without the policy')
  await unregisterPolicy(client, configuration, [])
  const webhook = await measure(place, pair, 0)
  await registerPolicy(client, configuration, [])
  await Promise.all([ours.remove(), plain.remove()])
  return { webhook, withPolicy }
}

/** The API server hears of a policy, or of its end, a moment later: its catches per edit tell. */
async function measure(
  place: Place,
  { ours, plain }: Pair,
  perEdit: number,
): Promise<BesideRollOuts> {
  const times = { ours: [] as number[], plain: [] as number[], plainRollOut: [] as number[] }
  for (let warm = RUNS.warm; times.ours.length < RUNS.measured;) {
    const before = await catches(place.cluster)
    const plainEdit = await plain.edit()
    const plainEnd = await plain.rolledOut()
    const edit = await ours.edit()
    await ours.healthy()
    if ((await catches(place.cluster)) - before !== perEdit) warm = RUNS.warm
    else if (warm > 0) warm -= 1
    else {
      times.plain.push(plainEdit.acceptedAt - plainEdit.sentAt)
      times.plainRollOut.push(plainEnd - plainEdit.acceptedAt)
      times.ours.push(edit.acceptedAt - edit.sentAt)
    }
  }
  const { ours: held, plain: unheld, plainRollOut } = times
  return { ours: spread(held), plain: spread(unheld), plainRollOut: spread(plainRollOut) }
}

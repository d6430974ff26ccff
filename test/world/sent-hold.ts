// The hold that a write of the controller sends, in its annotation or its label.

import { HOLD, WAVE } from '#api/names.ts'
import { parsePairs, wavePairs } from '#core/workload/hold.ts'

type Words = Readonly<Record<string, string | null>>

/** The pairs of the hold that is sent; undefined where none is. */
export function sentHold({
  labels,
  annotations,
}: {
  readonly labels?: Words
  readonly annotations?: Words
}): ReadonlyMap<string, string> | undefined {
  const wave = labels?.[WAVE]
  const hold = annotations?.[HOLD] ?? (wave && wavePairs(wave))
  return hold ? parsePairs(hold) : undefined
}

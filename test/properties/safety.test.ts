// Whatever happens, in whatever order: never more new pods by a write of ours than the step wants,
// never fewer Ready ones than the owner was promised, and quiet and right in the end.

import { test } from 'vitest'

import { intents, tellHistories } from './telling.ts'

test('histories without an outage are safe at every moment, and quiet and right in the end', () => {
  tellHistories(intents)
}, 600_000)

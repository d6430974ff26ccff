// The same histories while the webhook does not answer now and then: nothing is promised meanwhile, but
// when it is back all becomes right again.

import { test } from 'vitest'

import { intents, tellHistories } from './telling.ts'

test('after an outage of the webhook everything is right again in the end', () => {
  tellHistories([...intents, 'webhook', 'webhook'], 3)
}, 600_000)

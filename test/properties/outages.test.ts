// The same histories while the webhook does not answer now and then. With the policy in the API server
// all that is promised holds meanwhile, too; without it nothing does, but when the webhook is back all
// becomes right again.

import { test } from 'vitest'

import { intents, tellHistories } from './telling.ts'

test('with the policy an outage of the webhook is safe at every moment, and all is right in the end', () => {
  tellHistories([...intents, 'webhook', 'webhook'], { strategiesMost: 3 })
}, 600_000)

test('without it everything is right again in the end', () => {
  tellHistories([...intents, 'webhook', 'webhook'], { strategiesMost: 3, policy: false })
}, 600_000)

// The same histories of the kinds that own their pods themselves.

import { describe, test } from 'vitest'

import * as owners from './owners.ts'
import { intents, tellHistories } from './telling.ts'

describe.each(Object.entries(owners))('%s', (_, subject) => {
  test('are safe at every moment, and quiet and right in the end', () => {
    tellHistories(intents, { subject, share: 0.04 })
  }, 600_000)

  test('so they are through outages of the webhook, with the policy', () => {
    tellHistories([...intents, 'webhook', 'webhook'], { subject, share: 0.04 })
  }, 600_000)

  test.runIf(subject.kind.adapter.rollsBackInSteps)(
    'so they are where a rollback goes by the steps',
    () => {
      tellHistories([...intents, 'backInSteps', 'backInSteps'], { subject, share: 0.04 })
    },
    600_000,
  )
})

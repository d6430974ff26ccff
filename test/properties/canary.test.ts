// The same histories of releases whose new pods run in a second Deployment.

import { test } from 'vitest'

import { canaries } from './deployments.ts'
import { intents, tellHistories } from './telling.ts'

const setting = { subject: canaries, share: 0.25 }

test('canary histories are safe at every moment, and quiet and right in the end', () => {
  tellHistories(intents, setting)
}, 600_000)

test('so they are through outages of the webhook, with the policy', () => {
  tellHistories([...intents, 'webhook', 'webhook'], { ...setting, strategiesMost: 3 })
}, 600_000)

// The same histories of releases in which all old pods stay beside the new ones until the end.

import { test } from 'vitest'

import { blueGreens } from './deployments.ts'
import { intents, tellHistories } from './telling.ts'

const setting = { subject: blueGreens, share: 0.25 }

test('blue-green histories are safe at every moment, and quiet and right in the end', () => {
  tellHistories(intents, setting)
}, 600_000)

test('so they are through outages of the webhook, with the policy', () => {
  tellHistories([...intents, 'webhook', 'webhook'], { ...setting, strategiesMost: 3 })
}, 600_000)

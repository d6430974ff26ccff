// The numbers of both processes after real releases: one that went through, one that was rolled back,
// one that was aborted.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { abort, hasCondition } from './facts.ts'
import { scrape } from './scrape.ts'
import type { Numbers } from './scrape.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let controller: Numbers
let webhook: Numbers
beforeAll(async () => {
  world = await startWorld()
  const stories = [await world.story(), await world.story(), await world.story()]
  const [completed, canceled, aborted] = stories as [Story, Story, Story]
  await Promise.all([
    released(completed, async () => {
      await completed.approve()
      await completed.reached(2)
      await completed.approve()
      await completed.phase('Healthy')
    }),
    released(canceled, async () => {
      await canceled.edit('app:1')
      await canceled.phase('Healthy')
    }),
    released(aborted, async () => {
      await abort(aborted)
      await hasCondition(aborted, 'Stalled', 'Aborted')
    }),
  ])
  controller = await scrape(world.sluice.controller)
  webhook = await scrape(world.sluice.webhook)
})
afterAll(() => world?.stop())

async function released(story: Story, how: () => Promise<void>): Promise<void> {
  await story.edit('app:2')
  await story.reached(1)
  await how()
}

test('each release is counted by its outcome, once', () => {
  expect(controller.by('sluice_controller_releases_total', 'outcome')).toEqual({
    completed: 1,
    canceled: 1,
    aborted: 1,
    released: 0,
  })
})

test('the time in each reason is counted, and of a wait that is not over as it passes', async () => {
  const waits = controller.by('sluice_controller_wait_seconds_total', 'reason')
  const known = ['StepPaused', 'InRolling', 'Aborted', 'Cancelling']
  for (const reason of known) expect(waits[reason], reason).toBeGreaterThan(0)
  for (const reason of ['Conflict', 'Paused']) expect(waits[reason], reason).toBe(0)
  const later = (await scrape(world.sluice.controller)).by(
    'sluice_controller_wait_seconds_total',
    'reason',
  )
  expect(later['Aborted']).toBeGreaterThan(waits['Aborted']!)
  expect(later['Cancelling']).toBe(waits['Cancelling'])
})

test('writes, decisions, watches and the lead are counted', () => {
  const writes = controller.by('sluice_controller_writes_total', 'kind')
  for (const kind of ['workload', 'status', 'event', 'replicaSet', 'workloadStatus']) {
    expect(writes[kind], kind).toBeGreaterThan(0)
  }
  const decisions = controller.by('sluice_controller_decision_seconds_count', 'outcome')
  expect(decisions['ok']).toBeGreaterThanOrEqual(writes['status']!)
  expect(decisions['error']).toBe(0)
  // A write that met a newer version is always decided again.
  const conflicts = controller.only('sluice_controller_conflicts_total')
  expect(decisions['retry']).toBeGreaterThanOrEqual(conflicts)
  expect(controller.only('sluice_controller_leader')).toBe(1)
  const lists = controller.by('sluice_controller_watch_events_total', 'resource', 'what="listed"')
  for (const [resource, count] of Object.entries(lists)) expect(count, resource).toBe(1)
})

test('the webhook counts what it answered and what it held', () => {
  expect(webhook.only('sluice_webhook_held_edits_total')).toBeGreaterThanOrEqual(3)
  const patched = webhook.by('sluice_webhook_reviews_total', 'operation', 'outcome="patched"')
  expect(patched['UPDATE']).toBeGreaterThanOrEqual(3)
  expect(webhook.only('sluice_webhook_bugs_total')).toBe(0)
  const end = webhook.only('sluice_webhook_certificate_expiry_timestamp_seconds')
  expect(end).toBeGreaterThan(Date.now() / 1000)
  const watching = webhook.by('sluice_webhook_watch_events_total', 'resource', 'what="watching"')
  for (const [resource, count] of Object.entries(watching)) expect(count, resource).toBe(1)
})

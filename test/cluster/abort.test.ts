// Abort: one annotation takes all pods back to the stable revision and leaves the template as it is.
// Whoever waits for the release with a stock client learns at once that it has failed.

import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ABORT } from '#api/names.ts'
import { walkTo } from './approvals.ts'
import { helm } from './commands.ts'
import {
  abort,
  hasCondition,
  messageOf,
  most,
  obey,
  resume,
  says,
  stand,
  told,
  worst,
} from './facts.ts'
import { ROLLOUT } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const chart = fileURLToPath(new URL('charts/web', import.meta.url))

async function imageOf(story: Story): Promise<string> {
  const containers = (await story.deployment()).spec.template.spec?.['containers']
  return (containers as readonly { readonly image: string }[])[0]!.image
}

const rolling = (maxUnavailable: number, maxSurge: number) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
})

const aborted = (story: Story) => hasCondition(story, 'Stalled', 'Aborted')

describe.concurrent('an abort brings all pods back, and no Ready pod is lost', () => {
  const rows = [
    { replicas: 1, steps: 1, ready: 1 },
    { replicas: 2, steps: 1, ready: 2 },
    { replicas: 3, steps: 2, ready: 3 },
    { replicas: 10, steps: 1, ready: 8 },
    { replicas: 10, steps: 2, ready: 8 },
  ]
  test.each(rows)('$replicas pods, at step $steps', async ({ replicas, steps, ready }) => {
    const story = await world.story({ replicas })
    await story.edit('app:2')
    await story.reached(1)
    if (steps === 2) {
      await story.approve()
      await story.reached(2)
    }
    story.forget()
    await abort(story)
    await aborted(story)
    await stand(story, { 'app:1': replicas, 'app:2': 0 })
    expect(await imageOf(story), 'the template').toBe('app:2')
    expect(worst(story).ready).toBeGreaterThanOrEqual(ready)
    expect(worst(story).total).toBeLessThanOrEqual(replicas + Math.ceil(replicas / 4))
  })

  test('the owner’s promise of maxUnavailable 0 and maxSurge 1 holds on the way back', async () => {
    const spec = rolling(0, 1)
    const story = await world.story({ replicas: 4, spec, image: 'app:slow' })
    await story.edit('app:2')
    await walkTo(story, 2)
    await abort(story)
    await aborted(story)
    await stand(story, { 'app:slow': 4, 'app:2': 0 })
    expect(worst(story)).toEqual({ ready: 4, total: 5 })
  })

  test('broken pods, before any step was reached', async () => {
    const story = await world.story({ steps: [{ replicas: '60%' }, { replicas: '100%' }] })
    await story.edit('app:broken')
    await says(story, '0 of 6 new pods are ready')
    await abort(story)
    await aborted(story)
    await stand(story, { 'app:1': 10, 'app:broken': 0 })
    expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  })

  test('two unfinished versions', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await walkTo(story, 2)
    await story.edit('app:3')
    await story.reached(1)
    await abort(story)
    await aborted(story)
    await stand(story, { 'app:1': 10, 'app:2': 0, 'app:3': 0 })
    expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  })

  test('two unfinished versions, the newer one broken, where nobody may be missing', async () => {
    const spec = rolling(0, 1)
    const steps = [{ replicas: 2 }, { replicas: '100%' }]
    const story = await world.story({ replicas: 4, spec, steps })
    await story.edit('app:2')
    await story.reached(1)
    await story.edit('app:broken')
    await says(story, '0 of 2 new pods are ready')
    await abort(story)
    await aborted(story)
    await stand(story, { 'app:1': 4, 'app:2': 0, 'app:broken': 0 })
    expect(worst(story).ready).toBe(4)
  })

  test('a release that is paused by its owner', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    await story.patchRollout({ spec: { strategy: { paused: true } } })
    await says(story, 'paused by its owner')
    await abort(story)
    await aborted(story)
    await stand(story, { 'app:1': 10, 'app:2': 0 })
  })
})

test.concurrent('the command of the warning aborts, the one of the message starts again', async () => {
  const story = await world.story()
  const { stderr } = await story.edit('app:2')
  await story.reached(1)
  const warning = stderr.split('\n').find(line => line.includes('take all pods back with: '))
  await obey(world.cluster, warning ?? '')
  await aborted(story)
  const [event] = await told(story, 'ReleaseAborted')
  expect(event).toMatchObject({ type: 'Warning' })
  const status = (await story.rollout()).status!
  expect(status.phase).toBe('Progressing')
  // The status says it with its age, the event has a time of its own.
  const message = await messageOf(story)
  expect(message).toMatch(/^since \S+Z: release /)
  expect(event!.message).toContain(message.replace(/^since \S+Z: /, ''))

  const command = /kubectl -n \S+ annotate rollout \S+ sluice\.dev\/abort-/.exec(event!.message)
  await obey(world.cluster, command?.[0] ?? '')
  await story.reached(1)
  await stand(story, { 'app:1': 9, 'app:2': 1 })
  const conditions = (await story.rollout()).status?.conditions ?? []
  expect(conditions.map(({ type }) => type)).not.toContain('Stalled')
})

test.concurrent('kubectl rollout status that waits, or comes later, exits 1 at once', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  const args = ['rollout', 'status', 'deployment/web', '--timeout=100s']
  const waiting = story.kubectl(args, { expectFailure: true })
  await abort(story)
  const early = await waiting
  await aborted(story)
  const late = await story.kubectl(args, { expectFailure: true })
  for (const { code, stderr } of [early, late]) {
    expect(code).toBe(1)
    expect(stderr).toContain('exceeded its progress deadline')
  }
  // It was told at its first look.
  expect(late.stdout).toBe('')
})

// With --rollback-on-failure it is a row of the table of clients.
test.concurrent('helm upgrade --wait fails at once', async () => {
  const install = (namespace: string) =>
    helm(world.cluster, ['--namespace', namespace, 'install', 'web', chart])
  const story = await world.story({ install })
  const args = ['upgrade', 'web', chart, '--set', 'image=app:2', '--timeout=100s', '--wait']
  const options = { expectFailure: true }
  const upgraded = helm(world.cluster, ['--namespace', story.namespace, ...args], options)
  await story.until('app:2 begun', () => story.now().wanted['app:2'] === 1)
  await story.reached(1)
  await abort(story)
  // Not by its own time-out, which has other words.
  expect((await upgraded).stderr).toContain('Progress deadline exceeded')
  expect(await imageOf(story)).toBe('app:2')
})

test.concurrent('a new template after an abort starts a release of its own', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  await abort(story)
  await aborted(story)
  await story.edit('app:3')
  await story.reached(1)
  await stand(story, { 'app:1': 9, 'app:2': 0, 'app:3': 1 })
  const again = ['annotate', 'rollout', ROLLOUT, '--overwrite', `${ABORT}=true`]
  expect((await story.kubectl(again)).stderr).toContain(
    'aborts nothing: write another one: kubectl',
  )
  await story.approve()
  await story.reached(2)
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 0, 'app:3': 10 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
})

test.concurrent('an aborted release that starts again begins with step 1, whatever it had reached', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await walkTo(story, 2)
  await abort(story)
  await aborted(story)
  await stand(story, { 'app:1': 10, 'app:2': 0 })
  story.forget()
  await resume(story)
  await story.reached(1)
  await stand(story, { 'app:1': 9, 'app:2': 1 })
  expect(most(story, 'app:2')).toBe(1)
  await abort(story)
  await aborted(story)
  await stand(story, { 'app:1': 10, 'app:2': 0 })
})

test.concurrent('the stable template ends an aborted release', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  await abort(story)
  await aborted(story)
  story.forget()
  await story.edit('app:1')
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10, 'app:2': 0 })
  expect(await story.free()).toBe(true)
  expect((await story.deployment()).spec.paused ?? false).toBe(false)
  expect(worst(story).ready).toBe(10)
})

test.concurrent('scaling an aborted release scales the stable revision alone', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  await abort(story)
  await aborted(story)
  await stand(story, { 'app:1': 10, 'app:2': 0 })
  story.forget()
  for (const replicas of [20, 8, 1, 5]) {
    await story.scale(replicas)
    await stand(story, { 'app:1': replicas, 'app:2': 0 })
  }
  expect(most(story, 'app:2')).toBe(0)
  await aborted(story)
  await resume(story)
  await story.reached(1)
  await stand(story, { 'app:1': 4, 'app:2': 1 })
})

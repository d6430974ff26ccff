// Rollouts and workloads that come and go at any moment: what is held is given back, what is there is
// guarded, and what is missing is waited for.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { STABLE_REVISION, WORKLOAD_TYPE } from '#api/names.ts'
import { walkTo } from './approvals.ts'
import {
  abort,
  condition,
  hasCondition,
  says,
  setOf,
  stand,
  told,
  worst,
  wouldSay,
} from './facts.ts'
import { ROLLOUT, workloadOf, rolloutOf } from './manifests.ts'
import { readyByHand } from './ready-by-hand.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const owner = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2, maxSurge: '10%' } },
  minReadySeconds: 1,
  progressDeadlineSeconds: 77,
}

async function guardLabels(story: Story): Promise<readonly string[]> {
  const labels = Object.keys((await story.deployment()).metadata.labels ?? {})
  return labels.filter(label => label === WORKLOAD_TYPE || label === STABLE_REVISION)
}

async function atHalf(story: Story): Promise<void> {
  await story.edit('app:2')
  await walkTo(story, 2)
}

test.concurrent('a Rollout that is disabled mid-release lets the rest go, and then nothing is held', async () => {
  const story = await world.story({ spec: owner })
  await atHalf(story)
  await story.patchRollout({ spec: { disabled: true } })
  await story.phase('Disabled')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  expect(await story.free()).toBe(true)
  expect((await story.deployment()).spec).toMatchObject(owner)
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)

  const { stderr } = await story.edit('app:3')
  expect(stderr).toMatch(/not held: .*disabled/)
  await stand(story, { 'app:2': 0, 'app:3': 10 })
  await story.patchRollout({ spec: { disabled: false } })
  await story.phase('Healthy')
  await wouldSay(story, 'app:4', /step 1 of 3/)
  await story.edit('app:4')
  await story.reached(1)
  await stand(story, { 'app:3': 9, 'app:4': 1 })
})

test.concurrent('a Rollout that is deleted mid-release leaves the owner’s values and no label', async () => {
  const story = await world.story({ spec: owner })
  await atHalf(story)
  await story.kubectl(['delete', 'rollout', ROLLOUT, '--timeout=20s'])
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await story.until('given back', async () => {
    return (await story.free()) && (await guardLabels(story)).length === 0
  })
  const { metadata, spec } = await story.deployment()
  expect(spec).toMatchObject(owner)
  const traces = Object.keys(metadata.annotations ?? {}).filter(key => key.includes('sluice'))
  expect(traces).toEqual([])
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)

  const { stderr } = await story.edit('app:3')
  expect(stderr).toBe('')
  await stand(story, { 'app:2': 0, 'app:3': 10 })
})

test.concurrent('a Rollout that is deleted at rest takes its labels with it', async () => {
  const story = await world.story()
  await story.until('guarded', async () => (await guardLabels(story)).length === 2)
  await story.kubectl(['delete', 'rollout', ROLLOUT, '--timeout=20s'])
  await story.until('no label', async () => (await guardLabels(story)).length === 0)
})

test.concurrent('a Rollout made anew under the same name does not go on with the old release', async () => {
  const story = await world.story()
  await atHalf(story)
  await story.kubectl(['delete', 'rollout', ROLLOUT, '--wait=false'])
  await story.until('the old one gone', () =>
    story.rollout().then(
      () => false,
      () => true,
    ),
  )
  await story.create(rolloutOf(story.namespace, {}))
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await story.edit('app:3')
  await story.reached(1)
  await stand(story, { 'app:2': 9, 'app:3': 1 })
})

test.concurrent('a Rollout waits for its workload to be created, and guards it then', async () => {
  const story = await world.story({ steps: false })
  await story.kubectl(['delete', 'deployment', 'web', '--cascade=foreground'])
  const input = JSON.stringify(rolloutOf(story.namespace, {}))
  const dryRun = ['create', '-f', '-', '--dry-run=server']
  let answer = ''
  // What is not known in time is not told.
  await story.until('the answer names the workload', async () => {
    answer = (await story.kubectl(dryRun, { input })).stderr
    return answer !== ''
  })
  await story.kubectl(['create', '-f', '-'], { input })
  await says(story, 'waiting for Deployment web to be created')
  const ready = await condition(story, 'Ready')
  expect([ready?.status, ready?.reason]).toEqual(['False', 'WorkloadNotFound'])
  expect(answer).toBe(`Warning: ${ready?.message}\n`)
  await story.create(workloadOf(story.namespace, { replicas: 4 }))
  await story.phase('Healthy')
  await story.edit('app:2')
  await story.reached(1)
  await stand(story, { 'app:1': 3, 'app:2': 1 })
})

test.concurrent('a workload that is deleted mid-release and made anew is a new one', async () => {
  const story = await world.story()
  await atHalf(story)
  await story.kubectl(['delete', 'deployment', 'web', '--cascade=foreground'])
  await says(story, 'waiting for Deployment web to be created')
  await story.create(workloadOf(story.namespace, { replicas: 5, image: 'app:7' }))
  await story.phase('Healthy')
  await stand(story, { 'app:7': 5 })
  expect(await story.free()).toBe(true)
  await story.edit('app:8')
  await story.reached(1)
  await stand(story, { 'app:7': 4, 'app:8': 1 })
})

test.concurrent('a workload that is replaced under the same name at once is a new one, too', async () => {
  const story = await world.story()
  await atHalf(story)
  await story.kubectl(['delete', 'deployment', 'web', '--wait=false'])
  const manifest = JSON.stringify(workloadOf(story.namespace, { replicas: 3, image: 'app:7' }))
  await story.kubectl(['create', '-f', '-'], { input: manifest })
  await story.phase('Healthy')
  await story.edit('app:8')
  await story.reached(1)
  await story.until('one of three new', () => {
    const { wanted } = story.now()
    return wanted['app:7'] === 2 && wanted['app:8'] === 1
  })
})

test.concurrent('a Rollout that comes during a native rollout waits for it, and says so', async () => {
  const story = await world.story({ steps: false })
  await story.edit('app:broken')
  await stand(story, { 'app:1': 8, 'app:broken': 5 }, 8)
  await story.create(rolloutOf(story.namespace, {}))
  await story.until('guarded at once', async () => (await guardLabels(story)).length === 2)
  await says(story, /\d+ of 10 pods are up to date and ready/)
  const { status } = await story.rollout()
  expect(status?.canaryStatus?.stableRevision ?? '').not.toBe(
    (await setOf(story, 'app:broken')).metadata.labels?.['pod-template-hash'],
  )
  const stop = readyByHand(story.client, story.namespace)
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:broken': 10 })
  stop()
})

test.concurrent('an edit during such a native rollout is held, and the oldest version is the stable one', async () => {
  const story = await world.story({ steps: false })
  await story.edit('app:broken')
  await stand(story, { 'app:1': 8, 'app:broken': 5 }, 8)
  await story.create(rolloutOf(story.namespace, {}))
  await story.until('guarded', async () => (await guardLabels(story)).length === 2)
  const { stderr } = await story.edit('app:3')
  expect(stderr).toContain('step 1 of 3: 1 of 10 pods')
  await story.reached(1)
  expect((await story.rollout()).status?.canaryStatus?.stableRevision).toBe(
    (await setOf(story, 'app:1')).metadata.labels?.['pod-template-hash'],
  )
  await abort(story)
  await hasCondition(story, 'Stalled', 'Aborted')
  await stand(story, { 'app:1': 10, 'app:3': 0, 'app:broken': 0 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
})

test.concurrent('a Rollout that is made while its workload runs nobody is ready for the next edit', async () => {
  const story = await world.story({ steps: false })
  await story.scale(0)
  await stand(story, { 'app:1': 0 })
  await story.create(rolloutOf(story.namespace, {}))
  await story.phase('Healthy')
  const { stderr } = await story.edit('app:2')
  expect(stderr).toContain('no pod runs: scaling up starts the new version')
  await story.scale(4)
  await stand(story, { 'app:1': 0, 'app:2': 4 })
  await told(story, 'NotHeld')
  await story.edit('app:3')
  await story.reached(1)
  await stand(story, { 'app:2': 3, 'app:3': 1 })
})

// The steps of a plan: how many pods each lets out, what ends its pause, and what its owner is told
// while it waits.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Rollout } from '#api/rollout.generated.ts'
import { ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import {
  condition,
  jump,
  messageOf,
  most,
  obey,
  says,
  stand,
  told,
  worst,
  wouldSay,
} from './facts.ts'
import { ROLLOUT } from './manifests.ts'
import { firstTime } from './order.ts'
import { readyByHand } from './ready-by-hand.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const full = { replicas: '100%' }

/** The pods of the step are not all Ready yet, and nobody's word waits to be heard. */
async function inUpgradeOf(story: Story, step: number): Promise<void> {
  await story.until(`step ${step} begun`, async () => {
    const { currentStepIndex, currentStepState } = {
      ...(await story.rollout()).status?.canaryStatus,
    }
    return currentStepIndex === step && currentStepState === 'StepUpgrade'
  })
}

test.concurrent('numbers and percents let out as many pods as they say', async () => {
  const steps = [{ replicas: 2 }, { replicas: '25%' }, { replicas: '80%' }, full]
  const story = await world.story({ steps })
  await story.edit('app:2')
  for (const [index, pods] of [2, 3, 8].entries()) {
    await story.reached(index + 1)
    await stand(story, { 'app:1': 10 - pods, 'app:2': pods })
    expect(most(story, 'app:2'), `step ${index + 1}`).toBe(pods)
    await story.approve()
  }
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  expect(await story.free()).toBe(true)
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
})

test.concurrent('a last step of 10 of 10 pods waits for approval, one of 100% does not', async () => {
  const [counted, percent] = await Promise.all([
    world.story({ steps: [{ replicas: 10 }] }),
    world.story({ steps: [full] }),
  ])
  await Promise.all([counted.edit('app:2'), percent.edit('app:2')])
  await told(percent, 'ReleaseCompleted')
  await percent.phase('Healthy')
  await stand(percent, { 'app:1': 0, 'app:2': 10 })
  expect((await percent.events()).map(({ reason }) => reason)).not.toContain('StepReached')

  await counted.reached(1)
  await stand(counted, { 'app:1': 0, 'app:2': 10 })
  expect(await counted.free(), 'still held').toBe(false)
  await counted.approve()
  await counted.phase('Healthy')
  expect(await counted.free()).toBe(true)
})

test.concurrent('a pause with a duration ends by itself, and not before', async () => {
  const steps = [{ replicas: 1, pause: { duration: 8 } }, { replicas: 5, pause: {} }, full]
  const story = await world.story({ steps })
  // On a slow machine it is over before anybody asks.
  const waits = await firstTime(story, ROLLOUTS as ResourceType<Rollout>, (_, rollout) => {
    const { conditions = [] } = { ...rollout?.status }
    return conditions.some(({ message }) => message?.includes('waiting 8 s'))
  })
  const begin = Date.now()
  await story.edit('app:2')
  await waits.version
  await story.until('more than one new pod', () => (story.now().wanted['app:2'] ?? 0) > 1)
  expect(Date.now() - begin).toBeGreaterThan(8000)
  await story.reached(2)
  await stand(story, { 'app:1': 5, 'app:2': 5 })
})

test.concurrent('a waiting step says since when and names the command that goes on', async () => {
  const story = await world.story()
  await story.edit('app:2')
  for (const step of [1, 2]) {
    await story.reached(step)
    const { canaryStatus } = (await story.rollout()).status!
    const message = await messageOf(story)
    // To the second, and never yet to come: what is stored is rounded up.
    const before = Date.parse(canaryStatus!.lastUpdateTime!) - 1000
    const since = new Date(before).toISOString().replace('.000Z', 'Z')
    expect(message).toContain(`step ${step} of 3 reached`)
    expect(message).toContain(`waiting for approval since ${since}: kubectl `)
    const events = await told(story, 'StepReached', step)
    expect(events.filter(event => event.message.includes(message))).toHaveLength(1)
    const columns = (await story.kubectl(['get', 'rollout', ROLLOUT])).stdout
    expect(columns).toContain(`waiting for approval since ${since} (command: -o wide)`)
    expect(columns).not.toContain('kubectl')
    const wide = (await story.kubectl(['get', 'rollout', ROLLOUT, '-o', 'wide'])).stdout
    expect(wide).toContain(message)
    await obey(world.cluster, message)
  }
  await story.phase('Healthy')
  const [done] = await told(story, 'ReleaseCompleted')
  expect(done).toMatchObject({ type: 'Normal' })
  await told(story, 'StepReached', 2)
})

test.concurrent('an approval before the pause is refused with an event, and lost', async () => {
  const story = await world.story()
  await story.edit('app:broken')
  await inUpgradeOf(story, 1)
  await story.approve()
  const [event] = await told(story, 'ApprovalIgnored')
  expect(event).toMatchObject({ type: 'Warning' })
  expect(event?.message).toContain('step 1')
  const stop = readyByHand(story.client, story.namespace)
  await story.reached(1)
  await stand(story, { 'app:1': 9, 'app:broken': 1 })
  await story.approve()
  await story.reached(2)
  stop()
})

test.concurrent('the second of two approvals does not count for the next step', async () => {
  const story = await world.story()
  await story.edit('app:broken')
  const pause = readyByHand(story.client, story.namespace)
  await story.reached(1)
  // Until both are used up, no pod of the next step gets Ready.
  pause()
  await story.approve()
  await story.approve()
  await inUpgradeOf(story, 2)
  const stop = readyByHand(story.client, story.namespace)
  await story.reached(2)
  await stand(story, { 'app:1': 5, 'app:broken': 5 })
  expect(most(story, 'app:broken')).toBe(5)
  stop()
})

test.concurrent('an approval after the end does not count for the next release', async () => {
  const story = await world.story({ steps: [{ replicas: 1 }, full] })
  await story.edit('app:2')
  await story.reached(1)
  await story.approve()
  await story.phase('Healthy')
  await story.approve()
  await story.until('the approval gone', async () => {
    return (await story.rollout()).status?.canaryStatus?.currentStepState === 'Completed'
  })
  await story.edit('app:3')
  await story.reached(1)
  await stand(story, { 'app:2': 9, 'app:3': 1 })
})

test.concurrent('a jump goes forward over steps, and back without taking pods away', async () => {
  const steps = [{ replicas: 1 }, { replicas: 3 }, { replicas: 6 }, { replicas: 8 }]
  const story = await world.story({ steps })
  await story.edit('app:2')
  await story.reached(1)
  await jump(story, 3)
  await story.reached(3)
  await stand(story, { 'app:1': 4, 'app:2': 6 })
  const [forward] = await told(story, 'StepJumped')
  expect(forward?.message).toContain('from step 1 to step 3')

  story.forget()
  await jump(story, 1)
  await story.reached(1)
  await told(story, 'StepJumped', 2)
  await story.approve()
  await story.reached(2)
  expect(Math.min(...story.history().map(({ wanted }) => wanted['app:2'] ?? 0))).toBe(6)
  expect(most(story, 'app:2')).toBe(6)
  await jump(story, 4)
  await story.reached(4)
  await stand(story, { 'app:1': 2, 'app:2': 8 })
})

test.concurrent('a step that does not exist is no jump', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  await jump(story, 7)
  await story.until('the next step written back', async () => {
    return (await story.rollout()).status?.canaryStatus?.nextStepIndex === 2
  })
  await story.reached(1)
  await stand(story, { 'app:1': 9, 'app:2': 1 })
})

test.concurrent('a paused Rollout lets no pod start, says so, and goes on afterwards', async () => {
  const story = await world.story()
  await story.patchRollout({ spec: { strategy: { paused: true } } })
  await wouldSay(story, 'app:2', /is paused/)
  const { stderr } = await story.edit('app:2')
  expect(stderr).toMatch(/is paused.* no new pod starts/)
  await says(story, 'paused by its owner')
  expect((await condition(story, 'Progressing'))?.reason).toBe('Paused')
  expect(most(story, 'app:2')).toBe(0)

  await story.patchRollout({ spec: { strategy: { paused: false } } })
  await story.reached(1)
  await story.patchRollout({ spec: { strategy: { paused: true } } })
  await says(story, 'paused by its owner')
  await story.approve()
  await story.scale(20)
  // In proportion, as the controller-manager rounds it: never more than the step's share.
  await story.until('20 pods', () => story.now().ready === 20)
  expect(story.now().wanted['app:2']).toBeLessThanOrEqual(2)
  await story.patchRollout({ spec: { strategy: { paused: false } } })
  await story.reached(2)
  await stand(story, { 'app:1': 10, 'app:2': 10 })
})

test.concurrent('a plan that is changed counts from the step that the release is in', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  await story.approve()
  await story.reached(2)
  const canary = { steps: [{ replicas: 1 }, { replicas: '70%' }, full] }
  await story.patchRollout({ spec: { strategy: { canary } } })
  await stand(story, { 'app:1': 3, 'app:2': 7 })
  await told(story, 'PlanChanged')
  await story.reached(2)

  // A smaller plan goes on with the first step that covers the pods that are out.
  const smaller = { steps: [{ replicas: 1 }, { replicas: '20%' }, { replicas: '90%' }] }
  await story.patchRollout({ spec: { strategy: { canary: smaller } } })
  await story.reached(3)
  await stand(story, { 'app:1': 1, 'app:2': 9 })
})

test.concurrent('a pause that gets a duration while it waits ends by it', async () => {
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  const steps = [{ replicas: 1, pause: { duration: 1 } }, { replicas: '50%' }, full]
  await story.patchRollout({ spec: { strategy: { canary: { steps } } } })
  await story.reached(2)
  expect((await story.events()).map(({ reason }) => reason)).not.toContain('PlanChanged')
})

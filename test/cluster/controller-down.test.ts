// The controller is away: killed at any point, and started again. What is held stays held, shares stay
// shares, a rollback needs nobody, and what people asked for meanwhile is done afterwards.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { presenceIn } from './absence.ts'
import type { Presence } from './absence.ts'
import { abort, hasCondition, most, stand, told, totalOf, worst } from './facts.ts'
import { ROLLOUT } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let ours: Presence
beforeAll(async () => {
  world = await startWorld()
  ours = presenceIn(world)
})
afterAll(() => world?.stop())

/** Does something while no controller runs. */
function without(signal: NodeJS.Signals, what: () => Promise<void>): Promise<void> {
  return ours.without(['controller'], what, { signal })
}

async function edited(story: Story, image: string): Promise<Story> {
  await story.edit(image)
  await story.reached(1)
  return story
}

async function settled(story: Story, replicas: number): Promise<void> {
  await story.until(`${replicas} pods`, () => {
    const now = story.now()
    return totalOf(now) === replicas && now.ready === replicas && now.total === replicas
  })
}

test('the share of new pods is kept by the controller-manager alone', async () => {
  const story = await world.story({ steps: [{ replicas: '30%' }, { replicas: '100%' }] })
  await edited(story, 'app:2')
  await without('SIGTERM', async () => {
    for (const [replicas, pods] of [
      [20, 6],
      [10, 3],
      [40, 12],
    ] as const) {
      await story.scale(replicas)
      await settled(story, replicas)
      expect(Math.abs((story.now().wanted['app:2'] ?? 0) - pods), `${replicas}`).toBeLessThan(2)
    }
    await story.scale(5)
    await settled(story, 5)
    expect(story.now().wanted['app:1']).toBeGreaterThan(0)
  })
  await stand(story, { 'app:1': 3, 'app:2': 2 })
})

test('an edit is held, and one pod is new, with nobody but the webhook there', async () => {
  const story = await world.story()
  await without('SIGTERM', async () => {
    await story.edit('app:2')
    await stand(story, { 'app:1': 10, 'app:2': 1 }, 11)
    await story.scale(20)
    // Both sides grow in proportion, and so does the room beside them.
    await settled(story, 21)
  })
  await story.reached(1)
  await stand(story, { 'app:1': 19, 'app:2': 1 })
})

test('a rollback needs no controller, and ends the release once there is one', async () => {
  const story = await world.story()
  await edited(story, 'app:2')
  await without('SIGTERM', async () => {
    await story.edit('app:1')
    await stand(story, { 'app:1': 10, 'app:2': 0 })
    expect(await story.free()).toBe(true)
  })
  await story.phase('Healthy')
  await told(story, 'ReleaseRolledBack')
  expect(most(story, 'app:2')).toBe(1)
})

test('an approval that nobody saw counts afterwards, once', async () => {
  const story = await world.story()
  await edited(story, 'app:2')
  await without('SIGTERM', () => story.approve())
  await story.reached(2)
  await stand(story, { 'app:1': 5, 'app:2': 5 })
})

test('a pause that ended meanwhile is over at once', async () => {
  const seconds = 3600
  const steps = [{ replicas: 1, pause: { duration: seconds } }, { replicas: 5 }]
  const story = await world.story({ steps })
  await edited(story, 'app:2')
  const reached = Date.parse((await story.rollout()).status?.canaryStatus?.lastUpdateTime ?? '')
  await without('SIGTERM', async () => {
    // An hour goes by: who was away sees no difference.
    const lastUpdateTime = new Date(reached - seconds * 1000).toISOString()
    const status = JSON.stringify({ status: { canaryStatus: { lastUpdateTime } } })
    const rollout = ['patch', 'rollout', ROLLOUT, '--subresource=status', '--type=merge']
    await story.kubectl([...rollout, '-p', status])
    await story.caughtUp()
    expect(story.now().wanted['app:2']).toBe(1)
  })
  await story.reached(2)
  await stand(story, { 'app:1': 5, 'app:2': 5 })
})

test('a Rollout that was deleted meanwhile gives its workload back afterwards', async () => {
  const story = await world.story()
  await edited(story, 'app:2')
  await without('SIGTERM', async () => {
    await story.kubectl(['delete', 'rollout', ROLLOUT, '--timeout=20s'])
    await stand(story, { 'app:1': 9, 'app:2': 1 })
  })
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await story.until('given back', () => story.free())
})

test('killed at every point of a release at once, all of them go on', async () => {
  const steps = [{ replicas: '30%' }, { replicas: '60%' }, { replicas: '100%' }]
  const stories = await Promise.all(Array.from({ length: 6 }, () => world.story({ steps })))
  const [waiting, starting, rolling, ending, aborting, restarting] = stories as [
    Story,
    Story,
    Story,
    Story,
    Story,
    Story,
  ]
  const underWay = [rolling, ending, aborting, restarting]
  await Promise.all([waiting, ...underWay].map(story => edited(story, 'app:slow')))
  await ending.approve()
  await ending.reached(2)
  await aborting.approve()
  await aborting.reached(2)
  for (const story of stories) story.forget()

  await Promise.all([
    starting.edit('app:slow'),
    rolling.approve(),
    ending.approve(),
    abort(aborting),
    restarting.edit('app:3'),
  ])
  await rolling.until('the wave of step 2', () => (rolling.now().wanted['app:slow'] ?? 0) > 3)
  await without('SIGKILL', async () => {})

  await waiting.approve()
  await Promise.all([
    waiting.reached(2).then(() => stand(waiting, { 'app:1': 4, 'app:slow': 6 })),
    starting.reached(1).then(() => stand(starting, { 'app:1': 7, 'app:slow': 3 })),
    rolling.reached(2).then(() => stand(rolling, { 'app:1': 4, 'app:slow': 6 })),
    ending.phase('Healthy').then(() => stand(ending, { 'app:1': 0, 'app:slow': 10 })),
    hasCondition(aborting, 'Stalled', 'Aborted'),
    restarting.reached(1),
  ])
  await stand(aborting, { 'app:1': 10, 'app:slow': 0 })
  expect(restarting.now().wanted['app:3']).toBe(3)
  for (const [index, story] of stories.entries()) {
    expect(worst(story).ready, `story ${index}`).toBeGreaterThanOrEqual(8)
    expect(worst(story).total, `story ${index}`).toBeLessThanOrEqual(13)
  }
  await told(waiting, 'StepReached', 2)
})

test('killed between any two steps, before or after an approval, a release comes to its end', async () => {
  const steps = ['10%', '30%', '50%', '70%', '90%', '100%'].map(replicas => ({ replicas }))
  const story = await world.story({ steps })
  await edited(story, 'app:2')
  for (const step of [1, 2, 3, 4, 5]) {
    await story.reached(step)
    if (step % 2 === 0) await story.approve()
    await without('SIGKILL', async () => {
      if (step % 2 === 1) await story.approve()
    })
  }
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  await told(story, 'StepReached', 5)
  await told(story, 'ReleaseCompleted')
})

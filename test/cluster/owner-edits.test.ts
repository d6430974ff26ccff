// What the owner of a held Deployment changes beside the template: strategy, minReadySeconds and
// progressDeadlineSeconds are recorded, govern what comes next, and stand there in the end.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { RECORD } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { walkToTheEnd } from './approvals.ts'
import {
  DEFAULT_FIELDS,
  heldFields,
  holdFields,
  ownKeys,
  printed,
  runTold,
  warningsOf,
} from './deployment-facts.ts'
import { pods, totalOf } from './facts.ts'
import { WORKLOAD } from './manifests.ts'
import { readyByHand } from './ready-by-hand.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const target = `deployment/${WORKLOAD}`
const rolling = (maxUnavailable: number | string, maxSurge: number | string) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
})

describe('an owner’s edit in the middle of a release', () => {
  const edits: readonly [string, object][] = [
    ['strategy', rolling('10%', 3)],
    ['one half of the strategy', { strategy: { rollingUpdate: { maxSurge: '40%' } } }],
    ['a strategy of numbers', rolling(1, 0)],
    ['minReadySeconds', { minReadySeconds: 1 }],
    ['progressDeadlineSeconds', { progressDeadlineSeconds: 90 }],
    ['Recreate', { strategy: { type: 'Recreate', rollingUpdate: null } }],
    [
      'all of them, with another size',
      { ...rolling('20%', '10%'), minReadySeconds: 1, progressDeadlineSeconds: 60, replicas: 8 },
    ],
  ]
  test.concurrent.each(edits)('of %s is recorded, and restored at the end', async (_, edit) => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    const step = { 'app:1': 9, 'app:2': 1 }
    await pods(story, step)
    const before = holdFields(await story.deployment())
    const told = warningsOf(await story.patch(edit))

    expect(told).toEqual([expect.stringMatching(/^recorded: /)])
    const held = await story.deployment()
    expect(holdFields(held)).toEqual(before)
    const recorded = JSON.parse(held.metadata.annotations![RECORD]!) as { spec: object }
    expect(recorded.spec).toMatchObject(withoutReplicas(edit))
    if (!('replicas' in edit)) expect(story.now().wanted).toEqual(step)

    await end(story)
    expect(holdFields(await story.deployment())).toEqual(merged(withoutReplicas(edit)))
  })

  test.concurrent('of the strategy governs the next wave', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    await story.patch(rolling(1, 0))
    await pods(story, { 'app:1': 9, 'app:2': 1 })
    story.forget()
    await story.approve()
    await story.reached(2)
    // The values before it allow 8 Ready pods, and 13 in all.
    expect(Math.min(...story.history().map(({ ready }) => ready))).toBeGreaterThanOrEqual(9)
    expect(Math.max(...story.history().map(totalOf))).toBe(10)
  })

  test.concurrent('of the strategy lets the next wave be larger', async () => {
    const story = await world.story({ spec: rolling(1, 0) })
    await story.edit('app:2')
    await story.reached(1)
    await story.patch(rolling(0, 4))
    story.forget()
    await story.approve()
    await story.reached(2)
    expect(Math.min(...story.history().map(({ ready }) => ready))).toBe(10)
    expect(Math.max(...story.history().map(totalOf))).toBe(14)
  })

  test.concurrent('of minReadySeconds governs the next wave', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    await story.patch({ minReadySeconds: 3 })
    const approved = Date.now()
    await story.approve()
    await story.reached(2)
    // The API keeps whole seconds of when a pod got Ready, so up to one of the three is not seen.
    expect(Date.now() - approved).toBeGreaterThanOrEqual(2000)
  })

  test.concurrent('of progressDeadlineSeconds governs the step', async () => {
    const story = await world.story({ replicas: 4 })
    await story.edit('broken:2')
    await story.patch({ progressDeadlineSeconds: 2 })
    await story.until('Stalled', async () => stalled(await story.rollout()))
    await pods(story, { 'app:1': 4, 'broken:2': 1 })
  })

  test.concurrent('that is not valid is refused, as ever', async () => {
    const story = await world.story({ replicas: 4 })
    await story.edit('app:2')
    await story.reached(1)
    const before = await story.deployment()
    const refused = ['patch', target, '--type=merge', '-p']
    for (const edit of [{ minReadySeconds: 700 }, rolling(0, 0), { minReadySeconds: -1 }]) {
      const spec = JSON.stringify({ spec: edit })
      const { stderr } = await story.kubectl([...refused, spec], { expectFailure: true })
      expect(stderr).toMatch(/is invalid: spec\./)
    }
    expect((await story.deployment()).spec).toEqual(before.spec)
    await end(story)
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
  })

  test.concurrent('comes together with a third template', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    const template = { spec: { containers: [{ name: 'app', image: 'app:3' }] } }
    const edit = JSON.stringify({ spec: { ...rolling('50%', 1), template } })
    const args = ['patch', target, '--type=merge', '-p', edit, '-o', 'json']
    expect(holdFields(printed(await story.kubectl(args)))).toEqual(heldFields('00%', 1))
    await story.reached(1)
    await end(story)
    expect(story.now().wanted).toMatchObject({ 'app:3': 10 })
    expect(holdFields(await story.deployment())).toEqual(merged(rolling('50%', 1)))
  })

  test.concurrent('comes together with the old template', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    const template = { spec: { containers: [{ name: 'app', image: 'app:1' }] } }
    await story.patch({ ...rolling('50%', 1), template })
    expect(holdFields(await story.deployment())).toEqual(merged(rolling('50%', 1)))
    await story.phase('Healthy')
    expect(story.now().wanted).toMatchObject({ 'app:1': 10, 'app:2': 0 })
  })
})

describe('kubectl rollout pause', () => {
  test.concurrent('freezes a release, and resume goes on', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    await pods(story, { 'app:1': 9, 'app:2': 1 })
    const told = warningsOf(await story.kubectl(['rollout', 'pause', target]))
    expect(told).toEqual([expect.stringMatching(/frozen until the workload is resumed/)])
    await paused(story)
    await story.approve()
    await paused(story)
    expect(story.now().wanted).toMatchObject({ 'app:1': 9, 'app:2': 1 })
    expect((await story.deployment()).spec.paused).toBe(true)

    const resumed = warningsOf(await story.kubectl(['rollout', 'resume', target]))
    expect(resumed).toEqual([expect.stringMatching(/goes on/)])
    expect((await story.deployment()).spec.paused ?? false).toBe(false)
    await end(story)
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
  })

  test.concurrent('in the middle of a wave lets no more pods in', async () => {
    const story = await world.story({ spec: rolling(1, 0) })
    const ready = () => readyByHand(story.client, story.namespace)
    await story.edit('broken:2')
    const stopFirst = ready()
    await story.reached(1)
    stopFirst()
    await story.approve()
    await pods(story, { 'app:1': 8, 'broken:2': 2 })
    await story.kubectl(['rollout', 'pause', target])
    await paused(story)
    const stop = ready()
    await story.until('the pods of the wave, which the Rollout has counted', async () => {
      const { status } = await story.rollout()
      return story.now().ready === 10 && status?.canaryStatus?.canaryReadyReplicas === 2
    })
    expect(story.now().wanted).toMatchObject({ 'app:1': 8, 'broken:2': 2 })

    await story.kubectl(['rollout', 'resume', target])
    await story.reached(2)
    await pods(story, { 'app:1': 5, 'broken:2': 5 })
    stop()
  })

  test.concurrent('before the edit: no new pod until it is resumed', async () => {
    const story = await world.story()
    await story.kubectl(['rollout', 'pause', target])
    const told = warningsOf(await story.edit('app:2'))
    expect(told).toContainEqual(expect.stringMatching(/paused and no new pod starts/))
    await paused(story)
    expect(story.now().wanted['app:2'] ?? 0).toBe(0)

    await runTold(story, told, 'go on with: ')
    await story.reached(1)
    await pods(story, { 'app:1': 9, 'app:2': 1 })
  })

  test.concurrent('is undone by a rollback, or the pods could not go back', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    await story.kubectl(['rollout', 'pause', target])
    const told = warningsOf(await story.edit('app:1'))
    expect(told).toContainEqual(expect.stringMatching(/spec\.paused/))
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
    await story.phase('Healthy')
    expect(story.now().wanted).toMatchObject({ 'app:1': 10, 'app:2': 0 })
  })
})

/** Approves what is left, and nothing of ours is on the Deployment then. */
async function end(story: Story): Promise<void> {
  await walkToTheEnd(story)
  expect(ownKeys(await story.deployment())).toEqual([])
}

async function paused(story: Story): Promise<void> {
  await story.until('the Rollout to tell the pause', async () => {
    const { status } = await story.rollout()
    const { metadata } = await story.deployment()
    const seen = status?.canaryStatus?.observedWorkloadGeneration === metadata.generation
    return seen && (status?.message ?? '').includes('is paused by its owner')
  })
}

function stalled({ status }: Rollout): boolean {
  const reason = 'ProgressDeadlineExceeded'
  return (status?.conditions ?? []).some(each => each.type === 'Stalled' && each.reason === reason)
}

function withoutReplicas(edit: object): object {
  return Object.fromEntries(Object.entries(edit).filter(([key]) => key !== 'replicas'))
}

/** The defaults with the edit in them, as a merge patch would. */
function merged(edit: object): object {
  const { strategy = {}, ...rest } = edit as { readonly strategy?: Record<string, object> }
  if (strategy['type'] === undefined && !strategy['rollingUpdate']) {
    return { ...DEFAULT_FIELDS, ...rest }
  }
  const { rollingUpdate, ...others } = strategy
  if (rollingUpdate === null) return { ...DEFAULT_FIELDS, ...rest, strategy: others }
  const rollingNow = { ...DEFAULT_FIELDS.strategy?.rollingUpdate, ...rollingUpdate }
  const type = 'RollingUpdate'
  return { ...DEFAULT_FIELDS, ...rest, strategy: { type, rollingUpdate: rollingNow } }
}

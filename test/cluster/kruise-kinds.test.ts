// The kinds of Kruise are released by their partition: real pods in a real API server, and controllers that
// stand in for those of Kruise. Last everything of ours is dead, and the policy keeps every pod old.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { CAUGHT } from '#api/names.ts'
import type { Block, Partitioned } from '#core/workload/partition-object.ts'
import type { ResourceType } from '#kube/resources.ts'
import { walkTo, walkToTheEnd } from './approvals.ts'
import type { CommandResult } from './commands.ts'
import { abort, most, obey, says, stand, told, worst } from './facts.ts'
import {
  goesBackByAbort,
  goesBackInSteps,
  keepsItsShare,
  livesOnNodes,
  releasesStepByStep,
  restsByOnDelete,
} from './kind-contract.ts'
import { makePool } from './kinds/nodes.ts'
import type { Pool } from './kinds/nodes.ts'
import {
  CLONE_SETS,
  KRUISE_DAEMON_SETS,
  KRUISE_STATEFUL_SETS,
  KRUISE_STATEFUL_SETS_ALPHA,
} from './kinds/resources.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { StandIns } from './kinds/stand-in.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld, unlock } from './world.ts'
import type { World } from './world.ts'

let world: World
let standIns: StandIns
let pool: Pool

beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
  standIns = await startStandIns(world.client)
  pool = await makePool(world.client, 10)
})
afterAll(async () => {
  await standIns?.stop()
  await world?.stop()
})

const rolling = (rollingUpdate: object) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
})
const surging = (rollingUpdate: object) => rolling({ maxSurge: 1, ...rollingUpdate })
const cloning = (updateStrategy: object) => ({ updateStrategy })
const placed = () => pool.placement
const steps = [{ replicas: 2 }, { replicas: '50%' }, { replicas: '100%' }]

describe('StatefulSet', () => {
  const owner = rolling({ partition: 0, maxUnavailable: 2 })
  const kind = KRUISE_STATEFUL_SETS
  // One fewer than it may be: who deletes a pod by its name may meet the one that has come in its place.
  const under = { kind, owner, fewestReady: 7 }
  releasesStepByStep(under, () => world)
  goesBackInSteps(under, () => world)
  restsByOnDelete(under, () => world)

  test.concurrent('in its older version, and without an order of its pods', async () => {
    const spec = rolling({ partition: 0, maxUnavailable: 2, unorderedUpdate: {} })
    const older = { spec: { podManagementPolicy: 'Parallel', ...spec }, steps }
    const story = await begin(KRUISE_STATEFUL_SETS_ALPHA, older)
    await story.edit('app:2')
    await walkTo(story, 2)
    await story.scale(14)
    await stand(story, { 'app:1': 7, 'app:2': 7 })
    await abort(story)
    await stand(story, { 'app:1': 14, 'app:2': 0 })
  })
})

describe('CloneSet', () => {
  const owner = cloning({ partition: 0, maxUnavailable: 2 })
  const under = { kind: CLONE_SETS, owner, fewestReady: 8 }
  releasesStepByStep(under, () => world)
  keepsItsShare(under, () => world)
  goesBackByAbort(under, () => world)
  goesBackInSteps(under, () => world)

  test.concurrent('with a surge new pods come first; where none may be missing, none is sent back', async () => {
    const spec = cloning({ partition: 0, maxUnavailable: 0, maxSurge: 2 })
    const story = await begin(CLONE_SETS, { spec, steps })
    const { stderr } = await story.edit('app:2')
    expect(stderr).toMatch(/2 of 10 pods, then waits for approval; peak 12 pods/)
    await story.reached(1)
    await stand(story, { 'app:1': 8, 'app:2': 2 })
    expect(worst(story)).toEqual({ ready: 10, total: 12 })
    await abort(story)
    await says(story, 'its maxUnavailable of 0 lets none be missing: apply the old template')
    await story.edit('app:1')
    await story.phase('Healthy')
    await stand(story, { 'app:1': 10 })
    expect(worst(story).ready).toBe(10)
  })
})

describe('DaemonSet', () => {
  const owner = rolling({ partition: 0, maxUnavailable: 2 })
  const kind = KRUISE_DAEMON_SETS
  const under = { kind, owner, fewestReady: 8, pod: placed }
  releasesStepByStep(under, () => world)
  livesOnNodes(under, () => world)
  restsByOnDelete(under, () => world)

  test.concurrent('put as a whole, without its status, it is held; only the old template leads back', async () => {
    const story = await begin(kind, { spec: owner, pod: placed(), steps })
    const { stderr } = await putWhole(story, 'app:2')
    expect(stderr).toMatch(/release starts with step 1 of 3: 2 of 10 pods, then waits for approval/)
    await story.reached(1)
    await abort(story)
    await says(story, 'it cannot be aborted: a pod would not come back at the stable revision')
    // Nobody else: its own controller would go on by the partition of the step.
    expect(await blockOf(story)).toMatchObject({ partition: 2147483647 })
    await stand(story, { 'app:1': 8, 'app:2': 2 })
    await story.edit('app:1')
    await story.phase('Healthy')
    await stand(story, { 'app:1': 10, 'app:2': 0 })
    expect(await story.free()).toBe(true)
  })
})

describe.each([
  { type: KRUISE_STATEFUL_SETS, own: rolling, share: 7 },
  { type: CLONE_SETS, own: cloning, share: '70%' },
  { type: KRUISE_DAEMON_SETS, own: surging, share: '70%', pod: placed },
])('$type.kind', ({ type, own, share, pod }) => {
  test.concurrent('its owner’s partition is never undercut, and his pause is his', async () => {
    const spec = own({ partition: share, paused: true })
    const plan = [{ replicas: 2 }, { replicas: '50%' }]
    const story = await begin(type, { spec, steps: plan, ...(pod && { pod: pod() }) })
    const { stderr } = await story.edit('app:2')
    const resumption = /the workload is paused and no new pod starts; go on with: (kubectl .*)/
    await says(story, 'paused by its owner')
    await stand(story, { 'app:1': 10 })
    await obey(world.cluster, resumption.exec(stderr)![1]!)
    await story.reached(1)
    await stand(story, { 'app:1': 8, 'app:2': 2 })
    await story.patch(own({ paused: true }))
    await says(story, 'paused by its owner')
    await story.patch(own({ paused: false }))
    await walkToTheEnd(story)
    await stand(story, { 'app:1': 7, 'app:2': 3 })
    expect(await blockOf(story)).toMatchObject({ partition: share, paused: false })
  })
})

test('what is edited while nobody of ours is alive is held, and released when we are back', async () => {
  const kinds = [
    { type: KRUISE_STATEFUL_SETS, own: rolling, share: 4, scaled: 12 },
    { type: CLONE_SETS, own: cloning, share: '40%', scaled: 12 },
    { type: KRUISE_DAEMON_SETS, own: rolling, share: '40%', pod: pool.placement },
  ]
  const scenes = await Promise.all(
    kinds.map(async ({ type, own, share, scaled, pod = {} }) => {
      const rested = await begin(type, { spec: own({ partition: share }), pod, steps })
      const half = await begin(type, { pod, steps })
      await half.edit('app:2')
      await walkTo(half, 2)
      await stand(half, { 'app:1': 5, 'app:2': 5 })
      half.forget()
      return { rested, half, share, scaled }
    }),
  )
  const { webhook, controller } = world.sluice
  await Promise.all([webhook, controller].map(child => child.stop('SIGKILL')))
  for (const { rested, half, share, scaled } of scenes) {
    await rested.edit('app:2')
    await half.edit('app:3')
    expect((await rested.workload()).metadata.annotations?.[CAUGHT]).toBe(String(share))
    for (const story of [rested, half]) {
      expect((await blockOf(story)).partition).toBe(2147483647)
    }
    if (scaled) await rested.scale(scaled)
    await stand(rested, { 'app:1': scaled ?? 10, 'app:2': 0 })
  }
  await unlock(world.client)
  await world.sluice.startWebhook()
  await world.sluice.startController()
  for (const { rested, half, share } of scenes) {
    await told(rested, 'EditCaught')
    await rested.reached(1)
    await walkToTheEnd(rested)
    expect((await blockOf(rested)).partition).toBe(share)
    expect(most(half, 'app:3')).toBeLessThanOrEqual(2)
    await half.reached(1)
    await walkToTheEnd(half)
    await stand(half, { 'app:3': 10 })
  }
})

function begin(kind: ResourceType, options: StoryOptions): Promise<Story> {
  return world.story({ kind, ...options })
}

/** Without its status, which alone tells how many there are. */
async function putWhole(story: Story, image: string): Promise<CommandResult> {
  const { status: _, ...object } = await story.workload<Partitioned>()
  const input = JSON.stringify(object).replace('app:1', image)
  try {
    return await story.kubectl(['replace', '-f', '-'], { input })
  } catch (error) {
    // Its controller, or ours, has written since it was read.
    if (!String(error).includes('has been modified')) throw error
    return putWhole(story, image)
  }
}

/** The part of the strategy in which the partition is. */
async function blockOf(story: Story): Promise<Block> {
  const { spec } = await story.workload<Partitioned>()
  return { ...(spec.updateStrategy?.rollingUpdate ?? spec.updateStrategy) }
}

// The kinds of Kruise are released by their partition: real pods in a real API server, and controllers that
// stand in for those of Kruise. Last everything of ours is dead, and the policy keeps every pod old.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { CAUGHT } from '#api/names.ts'
import type { Block, Partitioned } from '#core/workload/partition-kind.ts'
import type { ResourceType } from '#kube/resources.ts'
import { walkTo, walkToTheEnd } from './approvals.ts'
import { abort, most, obey, says, stand, told, worst } from './facts.ts'
import {
  goesBackByAbort,
  goesBackInSteps,
  keepsItsShare,
  releasesStepByStep,
} from './kind-contract.ts'
import { makePool } from './kinds/nodes.ts'
import {
  CLONE_SETS,
  KRUISE_DAEMON_SETS,
  KRUISE_STATEFUL_SETS,
  KRUISE_STATEFUL_SETS_ALPHA,
} from './kinds/resources.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { StandIns } from './kinds/stand-in.ts'
import { WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld, unlock } from './world.ts'
import type { World } from './world.ts'

let world: World
let standIns: StandIns

beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
  standIns = await startStandIns(world.client)
})
afterAll(async () => {
  await standIns?.stop()
  await world?.stop()
})

const rolling = (rollingUpdate: object) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
})
const cloning = (updateStrategy: object) => ({ updateStrategy })
const steps = [{ replicas: 2 }, { replicas: '50%' }, { replicas: '100%' }]

describe('StatefulSet', () => {
  const owner = rolling({ partition: 0, maxUnavailable: 2 })
  const kind = KRUISE_STATEFUL_SETS
  // One fewer than it may be: who deletes a pod by its name may meet the one that has come in its place.
  const under = { kind, owner, fewestReady: 7 }
  releasesStepByStep(under, () => world)
  goesBackInSteps(under, () => world)

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

  test.concurrent('OnDelete has no steps: the edit says so', async () => {
    const spec = { updateStrategy: { type: 'OnDelete' } }
    const story = await begin(kind, { replicas: 2, spec })
    const { stderr } = await story.edit('app:2')
    expect(stderr).toMatch(/not held: its updateStrategy is OnDelete/)
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
  const kind = KRUISE_DAEMON_SETS
  const plan = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }]
  const onPool = async (nodes: number, owner: object, canary = {}) => {
    const pool = await makePool(world.client, nodes)
    const containers = [{ name: 'app', image: 'app:1' }]
    const labels = { app: WORKLOAD }
    const template = { metadata: { labels }, spec: { ...pool.placement, containers } }
    // It has no number of replicas: it is on every node of the pool.
    const spec = { ...owner, replicas: undefined, template }
    return { pool, story: await begin(kind, { replicas: nodes, spec, steps: plan, canary }) }
  }

  test.concurrent('steps count nodes; one that joins is new, and only the old template leads back', async () => {
    const { pool, story } = await onPool(4, rolling({ partition: 0 }))
    // Put as a whole, without its status, which alone tells how many there are.
    const { status: _, ...object } = await story.workload<Partitioned>()
    const { template } = object.spec
    const spec = { ...template.spec, containers: [{ name: 'app', image: 'app:2' }] }
    const edited = { ...object, spec: { ...object.spec, template: { ...template, spec } } }
    const { stderr } = await story.kubectl(['replace', '-f', '-'], {
      input: JSON.stringify(edited),
    })
    expect(stderr).toMatch(/release starts with step 1 of 3: 1 of 4 pods, then waits for approval/)
    await story.reached(1)
    await stand(story, { 'app:1': 3, 'app:2': 1 })
    await pool.add()
    await stand(story, { 'app:1': 3, 'app:2': 2 })
    await story.approve()
    await story.reached(2)
    await stand(story, { 'app:1': 2, 'app:2': 3 })
    await abort(story)
    await says(story, 'it cannot be aborted: a pod would not come back at the stable revision')
    // Nobody else: its own controller would go on by the partition of the step.
    expect(await blockOf(story)).toMatchObject({ partition: 2147483647 })
    await story.edit('app:1')
    await story.phase('Healthy')
    await stand(story, { 'app:1': 5, 'app:2': 0 })
    expect(await story.free()).toBe(true)
  })

  test.concurrent('failureThreshold completes a step, and lets nobody else leave', async () => {
    const { story } = await onPool(4, rolling({ partition: 0 }), { failureThreshold: 1 })
    await story.edit('app:broken')
    await story.reached(1)
    await stand(story, { 'app:1': 3, 'app:broken': 1 }, 3)
    await story.edit('app:1')
    await story.phase('Healthy')
    await stand(story, { 'app:1': 4, 'app:broken': 0 })
    expect(worst(story).ready).toBe(3)
  })

  test.concurrent('its owner’s share is never undercut, also with a surge', async () => {
    const { story } = await onPool(4, rolling({ partition: '50%', maxSurge: 1 }))
    await story.edit('app:2')
    await story.reached(1)
    await walkToTheEnd(story)
    await stand(story, { 'app:1': 2, 'app:2': 2 })
    expect(await blockOf(story)).toMatchObject({ partition: '50%' })
  })
})

describe.each([
  { type: KRUISE_STATEFUL_SETS, own: rolling, share: 7 },
  { type: CLONE_SETS, own: cloning, share: '70%' },
])('$type.kind', ({ type, own, share }) => {
  test.concurrent('its owner’s partition is never undercut, and his pause is his', async () => {
    const spec = own({ partition: share, paused: true })
    const story = await begin(type, { spec, steps: [{ replicas: 2 }, { replicas: '50%' }] })
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
    { type: KRUISE_STATEFUL_SETS, own: rolling, share: 4 },
    { type: CLONE_SETS, own: cloning, share: '40%' },
  ]
  const scenes = await Promise.all(
    kinds.map(async ({ type, own, share }) => {
      const rested = await begin(type, { spec: own({ partition: share }), steps })
      const half = await begin(type, { steps })
      await half.edit('app:2')
      await walkTo(half, 2)
      await stand(half, { 'app:1': 5, 'app:2': 5 })
      half.forget()
      return { rested, half, share }
    }),
  )
  const { webhook, controller } = world.sluice
  await Promise.all([webhook, controller].map(child => child.stop('SIGKILL')))
  for (const { rested, half, share } of scenes) {
    await rested.edit('app:2')
    await half.edit('app:3')
    expect((await rested.workload()).metadata.annotations?.[CAUGHT]).toBe(String(share))
    for (const story of [rested, half]) {
      expect((await blockOf(story)).partition).toBe(2147483647)
    }
    await rested.scale(12)
    await stand(rested, { 'app:1': 12, 'app:2': 0 })
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

/** The part of the strategy in which the partition is. */
async function blockOf(story: Story): Promise<Block> {
  const { spec } = await story.workload<Partitioned>()
  return { ...(spec.updateStrategy?.rollingUpdate ?? spec.updateStrategy) }
}

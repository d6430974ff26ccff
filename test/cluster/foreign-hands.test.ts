// Others write what is ours, again and again: each field and mark of a hold is put back as its owner's
// manifest has it, ReplicaSets are scaled by hand. What a step allows is right again by itself, and the
// release goes on to its end. More of the like: scaling, owner-edits, versions and lifecycle.test.ts.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { HOLD, RECORD, WAVE, WORKLOAD_TYPE } from '#api/names.ts'
import { walkToTheEnd } from './approvals.ts'
import { DEFAULT_FIELDS, holdFields, ownKeys } from './deployment-facts.ts'
import { most, setOf, stand, worst } from './facts.ts'
import { reportAtEnd } from './fault-report.ts'
import { WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

/** What a GitOps controller that heals itself puts back, a field or a mark at a time. */
const reverts: readonly object[] = [
  { spec: { strategy: DEFAULT_FIELDS.strategy } },
  { spec: { minReadySeconds: 0 } },
  { spec: { progressDeadlineSeconds: 600 } },
  { spec: { paused: false } },
  { spec: { ...DEFAULT_FIELDS } },
  { metadata: { annotations: { [HOLD]: null } } },
  { metadata: { annotations: { [RECORD]: null } } },
  { metadata: { labels: { [WAVE]: null } } },
  { metadata: { labels: { [WAVE]: 'released.2.9.100p.100p.0p' } } },
  { metadata: { labels: null } },
  {
    metadata: { annotations: { [HOLD]: null, [RECORD]: null }, labels: { [WORKLOAD_TYPE]: null } },
  },
]

async function endsRight(story: Story): Promise<void> {
  await walkToTheEnd(story)
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await story.until('nothing of ours is left', async () => {
    return ownKeys(await story.deployment()).length === 0
  })
  expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
}

test('each field and mark is put back, at each step and three times: nobody leaves', async () => {
  reportAtEnd('foreign-reverts', [
    { fault: 'a field of the hold is put back', times: 2 * 3 * reverts.length },
  ])
  const story = await world.story()
  const revert = async () => {
    for (const patch of [...reverts, ...reverts, ...reverts]) {
      const args = ['patch', 'deployment', WORKLOAD, '--type=merge', '-p', JSON.stringify(patch)]
      await story.kubectl(args)
    }
  }
  await story.edit('app:2')
  await story.reached(1)
  await revert()
  await stand(story, { 'app:1': 9, 'app:2': 1 })
  expect(most(story, 'app:2')).toBe(1)
  await story.until('a guarded Deployment', async () => {
    return (await story.deployment()).metadata.labels?.[WORKLOAD_TYPE] !== undefined
  })
  await story.approve()
  await story.reached(2)
  await revert()
  await stand(story, { 'app:1': 5, 'app:2': 5 })
  expect(most(story, 'app:2')).toBe(5)
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  await endsRight(story)
})

test('ReplicaSets that are scaled by hand get the sizes of the step again', async () => {
  const sizes = [
    ['app:2', 5],
    ['app:2', 0],
    ['app:1', 12],
    ['app:1', 4],
  ] as const
  reportAtEnd('foreign-scaling', [{ fault: 'a ReplicaSet is scaled by hand', times: sizes.length }])
  const stories = await Promise.all(sizes.map(() => world.story()))
  await Promise.all(
    sizes.map(async ([image, replicas], index) => {
      const story = stories[index]!
      await story.edit('app:2')
      await story.reached(1)
      const { metadata } = await setOf(story, image)
      await story.kubectl(['scale', `replicaset/${metadata.name}`, `--replicas=${replicas}`])
      await story.until('the hand is seen', () =>
        story.history().some(each => each.wanted[image] === replicas),
      )
      await stand(story, { 'app:1': 9, 'app:2': 1 })
      await endsRight(story)
    }),
  )
})

// A StatefulSet is released by its partition, against the real controller-manager: its own order, its own
// revisions, one pod at a time.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { abort, hasCondition, says, stand } from './facts.ts'
import {
  goesBackByAbort,
  goesBackInSteps,
  keepsItsShare,
  releasesStepByStep,
  restsByOnDelete,
} from './kind-contract.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const kind = 'StatefulSet'
const owner = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } }

describe.each(['OrderedReady', 'Parallel'])('%s', podManagementPolicy => {
  const spec = { ...owner, podManagementPolicy }
  // 9 but for a race: who deletes a pod by its name may meet the one that has come in its place.
  const under = { kind, owner: spec, fewestReady: 8 } as const
  releasesStepByStep(under, () => world)
  goesBackByAbort(under, () => world)
  goesBackInSteps(under, () => world)
  keepsItsShare(under, () => world)
})

test.concurrent('the owner’s own partition is never undercut, and is there again in the end', async () => {
  const partition = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 7 } } }
  const steps = [{ replicas: 2 }, { replicas: '50%' }]
  const story = await world.story({ kind, spec: partition, steps })
  await story.edit('app:2')
  await story.reached(1)
  await stand(story, { 'app:1': 8, 'app:2': 2 })
  await story.approve()
  await story.reached(2)
  await stand(story, { 'app:1': 7, 'app:2': 3 })
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:1': 7, 'app:2': 3 })
  expect((await story.workload()) as object).toMatchObject({ spec: partition })

  // Below his partition an older version runs, and that is what its own controller makes.
  await story.edit('app:3')
  await story.reached(1)
  await stand(story, { 'app:1': 7, 'app:2': 1, 'app:3': 2 })
  await abort(story)
  await says(story, 'it cannot be aborted: a pod would not come back at the stable revision')
  await story.edit('app:2')
  await story.phase('Healthy')
  await stand(story, { 'app:1': 7, 'app:2': 3, 'app:3': 0 })
})

restsByOnDelete({ kind, owner, fewestReady: 10 }, () => world)

test.concurrent('OnDelete in the middle of a release stands at once, and it waits', async () => {
  const story = await world.story({ kind, replicas: 4, spec: owner })
  await story.edit('app:2')
  await story.reached(1)
  const { stderr } = await story.patch({
    updateStrategy: { type: 'OnDelete', rollingUpdate: null },
  })
  expect(stderr).toMatch(/recorded, but it stands at once: its updateStrategy is OnDelete/)
  await story.approve()
  await says(story, /^step 2 of 3 since .* its updateStrategy is OnDelete/)
  await stand(story, { 'app:1': 3, 'app:2': 1 })
  await story.patch(owner)
  await story.reached(2)
  await stand(story, { 'app:1': 2, 'app:2': 2 })
})

test.concurrent('a partition that its owner sets in the middle of a release hinders no abort', async () => {
  const story = await world.story({ kind, replicas: 4, spec: owner })
  await story.edit('app:2')
  await story.reached(1)
  const { stderr } = await story.patch({ updateStrategy: { rollingUpdate: { partition: 2 } } })
  expect(stderr).toMatch(/recorded: the new values govern the next pods/)
  await abort(story)
  await hasCondition(story, 'Stalled', 'Aborted')
  await stand(story, { 'app:1': 4, 'app:2': 0 })
})

describe.concurrent('kubectl rollout undo brings the version before the last edit', () => {
  const undo = (story: Story) => story.kubectl(['rollout', 'undo', story.target])

  test('after a third version the second one, unless the stable one is named', async () => {
    const story = await world.story({ kind, replicas: 4, spec: owner })
    for (const image of ['app:2', 'app:3']) {
      await story.edit(image)
      await story.reached(1)
    }
    expect((await undo(story)).stderr).toMatch(/release starts again with step 1/)
    await story.reached(1)
    const { status } = await story.rollout()
    const revision = ['get', 'controllerrevision', status!.canaryStatus!.stableRevision!]
    const { stdout } = await story.kubectl([...revision, '-o', 'jsonpath={.revision}'])
    await story.kubectl(['rollout', 'undo', story.target, `--to-revision=${stdout}`])
    await story.phase('Healthy')
    await stand(story, { 'app:1': 4, 'app:2': 0, 'app:3': 0 })
  })

  test('after an abort of the first edit the stable one', async () => {
    const story = await world.story({ kind, replicas: 4, spec: owner })
    await story.edit('app:2')
    await story.reached(1)
    await abort(story)
    await hasCondition(story, 'Stalled', 'Aborted')
    expect((await undo(story)).stderr).toMatch(/rolling back to the stable template/)
    await story.phase('Healthy')
    await stand(story, { 'app:1': 4, 'app:2': 0 })
  })
})

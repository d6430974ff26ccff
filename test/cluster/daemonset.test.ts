// A DaemonSet is released by deleting its pods, against the real controller-manager: it makes them again on
// the same nodes, of the newest version.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { DaemonSet } from '#api/kubernetes.ts'
import { POD_DELETION_COST } from '#api/names.ts'
import { PODS } from '#kube/resources.ts'
import { walkTo } from './approvals.ts'
import { warningsOf } from './deployment-facts.ts'
import { abort, resume, says, stand, told, worst } from './facts.ts'
import { livesOnNodes, releasesStepByStep, restsByOnDelete } from './kind-contract.ts'
import { makePool } from './kinds/nodes.ts'
import type { Pool } from './kinds/nodes.ts'
import { WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import { helmTool } from './tools.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let pool: Pool
beforeAll(async () => {
  world = await startWorld()
  pool = await makePool(world.client, 10)
})
afterAll(() => world?.stop())

const kind = 'DaemonSet'
const target = `daemonset/${WORKLOAD}`
const rolling = (maxUnavailable: number | string, maxSurge: number | string = 0) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
})

/** A DaemonSet on the ten nodes. */
async function begin(options: StoryOptions = {}): Promise<Story> {
  return world.story({ kind, pod: pool.placement, ...options })
}

async function strategyOf(story: Story) {
  return (await story.workload<DaemonSet>()).spec.updateStrategy
}

// A quarter of ten, rounded up.
const under = { kind, owner: rolling('25%'), fewestReady: 7, pod: () => pool.placement } as const
releasesStepByStep(under, () => world)
livesOnNodes(under, () => world)
restsByOnDelete(under, () => world)

test.concurrent('the cheapest pod goes first; no more at a time than its owner says', async () => {
  const story = await begin({ spec: rolling(2), steps: [{ replicas: 1 }, { replicas: 5 }] })
  const { items } = await story.client.listAll(PODS, { namespace: story.namespace })
  const { name, uid } = items[4]!.metadata
  const annotations = { [POD_DELETION_COST]: '-1' }
  await story.client.mergePatch(
    PODS,
    { namespace: story.namespace, name },
    { metadata: { annotations } },
  )
  await story.edit('app:2')
  await story.reached(1)
  const left = await story.client.listAll(PODS, { namespace: story.namespace })
  expect(left.items.map(({ metadata }) => metadata.uid)).not.toContain(uid)
  expect(worst(story).ready).toBe(9)
  await story.approve()
  await story.reached(2)
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
})

test.concurrent('what its owner wants is never touched, and his edits of it count', async () => {
  const story = await begin({ spec: rolling(1), steps: [{ replicas: 1 }, { replicas: '50%' }] })
  await story.edit('app:2')
  await story.reached(1)
  const { rollingUpdate } = rolling(1).updateStrategy
  expect(await strategyOf(story)).toEqual({ type: 'OnDelete', rollingUpdate })
  const { stderr } = await story.patch(rolling('20%'))
  expect(stderr).toContain('recorded: the new values govern the next pods')
  expect(await strategyOf(story)).toEqual({
    type: 'OnDelete',
    rollingUpdate: { maxUnavailable: '20%', maxSurge: 0 },
  })
  await expect(story.patch(rolling(0))).rejects.toThrow('cannot be 0')
  await story.approve()
  await story.reached(2)
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  expect(await strategyOf(story)).toEqual(rolling('20%').updateStrategy)
})

test.concurrent('a surge does nothing while it is held, and again what it does afterwards', async () => {
  const steps = [{ replicas: 2 }, { replicas: '100%' }]
  const story = await begin({ spec: rolling(0, 2), steps })
  const { stderr } = await story.edit('app:2')
  expect(stderr).toContain('maxSurge has no effect while it is held')
  await story.reached(1)
  expect(worst(story)).toEqual({ ready: 9, total: 10 })
  story.forget()
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  expect(worst(story).ready).toBe(10)
})

test.concurrent('an abort stops it where it is, and says the way back; taken away, it goes on', async () => {
  const steps = [{ replicas: 2 }, { replicas: '50%' }, { replicas: '100%' }]
  const story = await begin({ spec: rolling(2), steps })
  const warnings = warningsOf(await story.edit('app:2'))
  expect(warnings.at(-1)).toBe(
    `an abort brings nobody back, since a pod of a DaemonSet always comes new; take all pods back by the old template: kubectl -n ${story.namespace} rollout undo ${target}`,
  )
  await walkTo(story, 2)
  await abort(story)
  await says(story, 'it cannot be aborted: an abort brings nobody back')
  const [event] = await told(story, 'Aborting')
  expect(event!.message).toContain(`rollout undo ${target}`)
  await stand(story, { 'app:1': 5, 'app:2': 5 })
  await resume(story)
  await story.reached(1)
  await stand(story, { 'app:1': 5, 'app:2': 5 })
  await story.kubectl(['rollout', 'undo', target])
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10, 'app:2': 0 })
  expect(await strategyOf(story)).toEqual(rolling(2).updateStrategy)
})

test.concurrent('some broken nodes are tolerated, where the Rollout says so', async () => {
  const canary = { failureThreshold: '100%' }
  const story = await begin({ spec: rolling(2), steps: [{ replicas: 2 }, { replicas: 4 }], canary })
  await story.edit('app:broken')
  await story.reached(1)
  await stand(story, { 'app:1': 8, 'app:broken': 2 }, 8)
})

test.concurrent('a whole object that is put again carries no status, and is held all the same', async () => {
  const story = await begin({ spec: rolling(1), steps: [{ replicas: 2 }, { replicas: '50%' }] })
  const { status: _, ...object } = await story.workload<DaemonSet>()
  const { resourceVersion: __, ...metadata } = object.metadata
  const text = JSON.stringify({ ...object, metadata }).replace('app:1', 'app:2')
  const { stderr } = await story.kubectl(['replace', '-f', '-'], { input: text })
  expect(stderr).toContain('2 of 10 pods')
  await story.reached(1)
  await stand(story, { 'app:1': 8, 'app:2': 2 })
})

describe.concurrent('while it is held', () => {
  /** Brought by Helm, edited by Helm; gives what the edit said. */
  const upgraded = async (version: 3 | 4) => {
    const tool = helmTool(world.cluster, version, ['--wait', '--timeout=40s'])
    const what = { kind, pod: pool.placement, replicas: 10, spec: rolling(1) } as const
    const story = await world.story({
      kind,
      install: namespace => tool.install({ ...what, namespace, image: 'app:1' }),
    })
    const { namespace } = story
    const edit = { ...what, namespace, image: 'app:2' }
    const result = await tool.bring(edit, { expectFailure: version === 4 })
    await story.reached(1)
    return { story, said: result.stdout + result.stderr }
  }

  test('Helm 4 waits', async () => {
    const { said } = await upgraded(4)
    expect(said).toContain('Updated: 1/10')
  })

  test('Helm 3 does not, and kubectl refuses: the edit says so, with the command that waits', async () => {
    const { story, said } = await upgraded(3)
    expect(said).toContain('STATUS: deployed')
    expect(said).toContain(
      'kubectl rollout status fails while it is held, and Helm 3 does not wait',
    )
    expect(said).toContain('wait rollout')
    const status = await story.kubectl(['rollout', 'status', target], { expectFailure: true })
    expect(status.code).toBe(1)
    expect(status.stderr).toContain('only available for RollingUpdate strategy type')
  })
})

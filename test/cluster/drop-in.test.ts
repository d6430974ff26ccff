// What users and tools of Kruise Rollouts read, write and rely on, in a real cluster, where no other
// test has it: test/docs/drop-in.test.ts says which one has the rest.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  CANARY_DEPLOYMENT,
  ROLLOUT_BATCH_ID,
  ROLLOUT_ID,
  STABLE_REVISION,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { Rollout, RolloutStatus } from '#api/rollout.generated.ts'
import { equalJson } from '#core/equal.ts'
import { releaseIn } from '#core/rollout/release-status.ts'
import { DEPLOYMENTS, PODS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { walkTo } from './approvals.ts'
import { heldFields, printed } from './deployment-facts.ts'
import { condition, jump, says, setOf, stand, told } from './facts.ts'
import { makePool } from './kinds/nodes.ts'
import { CLONE_SETS } from './kinds/resources.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { StandIns } from './kinds/stand-in.ts'
import { ROLLOUT, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
/** Stories of other kinds need not wait until the API server knows those of Kruise. */
let standIns: Promise<StandIns>
beforeAll(async () => {
  world = await startWorld()
  standIns = startStandIns(world.client)
})
afterAll(async () => {
  await (await standIns)?.stop()
  await world?.stop()
})

async function begin(options: StoryOptions): Promise<Story> {
  const { kind, replicas = 10 } = options
  if (kind === CLONE_SETS) await standIns
  // As many pods as it has nodes.
  const pod = kind === 'DaemonSet' && (await makePool(world.client, replicas)).placement
  return world.story({ ...options, ...(pod && { pod }) })
}

const full = { replicas: '100%' }
const fifths = ['20%', '40%', '60%', '80%'].map(replicas => ({ replicas }))

/** One new pod stands beside all old ones, and does not count as available. */
function armed(): object {
  const { paused: _, ...fields } = heldFields('00%', '01%')
  return fields
}

/** Kinds and styles, and what the answer to an edit of four pods holds them by. */
const styles: readonly (readonly [string, StoryOptions, object])[] = [
  ['a Deployment', {}, armed()],
  [
    'a Deployment with a second one for the new pods',
    { canary: { enableExtraWorkloadForCanary: true } },
    { paused: true },
  ],
  ['a Deployment, blue-green', { blueGreen: true }, armed()],
  [
    'a StatefulSet',
    { kind: 'StatefulSet' },
    { updateStrategy: { rollingUpdate: { partition: 3 } } },
  ],
  ['a DaemonSet', { kind: 'DaemonSet' }, { updateStrategy: { type: 'OnDelete' } }],
  ['a CloneSet', { kind: CLONE_SETS }, { updateStrategy: { partition: '075%' } }],
]

/** The fields of the API, which every release has; and two of ours. */
const common = [
  'currentStepIndex currentStepState finalisingStep lastUpdateTime message nextStepIndex',
  'observedRolloutID observedWorkloadGeneration podTemplateHash rolloutHash stableRevision',
  'observedRelease observedWorkloadUID',
].flatMap(line => line.split(' '))
const ofCanary = ['canaryReadyReplicas', 'canaryReplicas', 'canaryRevision']
const ofBlueGreen = ['updatedReadyReplicas', 'updatedReplicas', 'updatedRevision']

/** The status, with its copies for the columns compared with what they are copies of. */
async function statusOf(story: Story): Promise<RolloutStatus> {
  const status = (await story.rollout()).status!
  const release = releaseIn(status)!
  expect(status.currentStepIndex).toBe(release.currentStepIndex)
  expect(status.currentStepState).toBe(release.currentStepState)
  return status
}

/** The two conditions of the API, as `True InRolling`. */
async function standing(story: Story): Promise<readonly (string | undefined)[]> {
  const found = await Promise.all(['Progressing', 'Succeeded'].map(type => condition(story, type)))
  return found.map(each => each && `${each.status} ${each.reason}`)
}

describe.concurrent('held in the answer to the edit, and told in the words of the API: a release', () => {
  test.each(styles)('of %s', async (_, { canary, ...options }, held) => {
    // The last step waits: whoever reads it sees that no other one comes.
    const steps = [{ replicas: 1 }, { replicas: '80%' }]
    const story = await begin({ replicas: 4, steps, ...options, ...(canary && { canary }) })
    const [field, own] = options.blueGreen
      ? (['blueGreenStatus', ofBlueGreen] as const)
      : (['canaryStatus', ofCanary] as const)
    await story.until('the last step is told', async () => {
      return (await story.rollout()).status?.currentStepIndex === 2
    })
    const rested = await statusOf(story)
    expect(rested).toMatchObject({ phase: 'Healthy', currentStepIndex: 2 })
    expect(releaseIn(rested)).toMatchObject({
      nextStepIndex: -1,
      currentStepState: 'Completed',
      finalisingStep: '',
    })
    expect(await standing(story)).toEqual([undefined, undefined])

    const spec = { template: { spec: { containers: [{ name: 'app', image: 'app:2' }] } } }
    const patch = ['patch', story.target, '--type=merge', '-p', JSON.stringify({ spec })]
    const answer = printed(await story.kubectl([...patch, '--dry-run=server', '-o', 'json']))
    expect(answer.spec).toMatchObject(held)
    await story.edit('app:2')
    await story.reached(1)
    const first = await statusOf(story)
    expect(first.phase).toBe('Progressing')
    const fields = [...common, ...own].toSorted()
    expect(Object.keys(first[field] ?? {}).toSorted()).toEqual(fields)
    expect(first[field === 'canaryStatus' ? 'blueGreenStatus' : 'canaryStatus']).toBeUndefined()
    expect(releaseIn(first)).toMatchObject({
      currentStepIndex: 1,
      nextStepIndex: 2,
      finalisingStep: '',
      canaryReplicas: 1,
      canaryReadyReplicas: 1,
      stableRevision: releaseIn(rested)!.canaryRevision,
    })
    const { canaryRevision, podTemplateHash } = releaseIn(first)!
    expect([canaryRevision, podTemplateHash]).not.toContain('')
    expect(await standing(story)).toEqual(['True InRolling', undefined])

    await story.patchRollout({ spec: { strategy: { paused: true } } })
    await says(story, 'paused by its owner')
    expect(await standing(story)).toEqual(['True Paused', undefined])
    await story.patchRollout({ spec: { strategy: { paused: null } } })
    await story.reached(1)

    await story.approve()
    await story.reached(2)
    expect(releaseIn(await statusOf(story))).toMatchObject({ nextStepIndex: -1 })
    await story.approve()
    await story.phase('Healthy')
    expect(releaseIn(await statusOf(story))).toMatchObject({
      currentStepIndex: 2,
      nextStepIndex: -1,
      currentStepState: 'Completed',
      finalisingStep: 'END',
    })
    expect(await standing(story)).toEqual(['False Completed', 'True '])
    await stand(story, { 'app:2': 4 })

    await story.edit('app:3')
    await story.reached(1)
    expect(await standing(story)).toEqual(['True InRolling', undefined])
    await story.edit('app:2')
    await story.phase('Healthy')
    expect(await standing(story)).toEqual(['False Completed', 'False '])
    expect(releaseIn(await statusOf(story))).toMatchObject({
      nextStepIndex: -1,
      currentStepState: 'Completed',
    })
    await stand(story, { 'app:2': 4 })
  })
})

describe.concurrent('status patches of a client', () => {
  test('an approval is never lost, however often the controller writes the status meanwhile', async () => {
    const steps = [1, 2, 3, 4, 5, 6].map(replicas => ({ replicas }))
    const story = await begin({ replicas: 6, steps })
    await story.edit('app:2')
    let busy = true
    // A new generation is told in the status at once.
    const noise = (async () => {
      for (let round = 0; busy; round++) {
        await patched(story, { spec: { strategy: { canary: { failureThreshold: round % 2 } } } })
      }
    })()
    try {
      for (const [index] of steps.entries()) {
        await story.until(`step ${index + 1} in its pause`, async () => {
          const { status } = await story.rollout()
          const { currentStepIndex, currentStepState } = { ...status }
          return currentStepIndex === index + 1 && currentStepState === 'StepPaused'
        })
        const approval = { canaryStatus: { currentStepState: 'StepReady' } }
        await patched(story, { status: approval }, 'status')
      }
    } finally {
      busy = false
      await noise
    }
    await story.phase('Healthy')
    await stand(story, { 'app:2': 6 })
  })

  test('a jump counts while a step is on its way, and to the step that it is in', async () => {
    const steps = [{ replicas: 1 }, { replicas: 2 }, { replicas: '50%' }, { replicas: '100%' }]
    const story = await begin({ steps })
    await story.edit('app:broken')
    await says(story, '0 of 1 new pods are ready')
    expect((await story.rollout()).status?.currentStepState).toBe('StepUpgrade')
    await jump(story, 3)
    await story.until('step 3', async () => (await statusOf(story)).currentStepIndex === 3)
    expect(releaseIn(await statusOf(story))).toMatchObject({ nextStepIndex: 4 })

    await story.edit('app:2')
    await story.reached(1)
    await jump(story, 1)
    await told(story, 'StepJumped', 2)
    // Told before it is in the status, where the pause that it ended looks like the one that it leads to.
    await story.until('the jump is used up', async () => {
      return releaseIn((await story.rollout()).status)?.nextStepIndex === 2
    })
    await story.reached(1)
    expect((await statusOf(story)).currentStepIndex).toBe(1)
    expect(story.now().wanted['app:2']).toBe(1)
  })
})

/** A merge patch of the Rollout, without the time that kubectl takes to start. */
function patched({ client, namespace }: Story, patch: object, subresource?: 'status') {
  const ref = { namespace, name: ROLLOUT }
  const options = subresource && { subresource }
  return client.mergePatch(ROLLOUTS as ResourceType<Rollout>, ref, patch, options)
}

describe.concurrent('pods of a release that its owner has named', () => {
  /** How many carry the id, by the step that let them out. */
  async function labelled(story: Story, id: string): Promise<Record<string, number>> {
    const scope = { namespace: story.namespace, labelSelector: `${ROLLOUT_ID}=${id}` }
    const { items } = await story.client.listAll(PODS, scope)
    const batches = items.map(({ metadata }) => metadata.labels?.[ROLLOUT_BATCH_ID] ?? 'none')
    return Object.fromEntries([...Map.groupBy(batches, batch => batch)].map(countOf))
  }
  const countOf = ([batch, all]: readonly [string, readonly string[]]) => [batch, all.length]

  async function come(story: Story, id: string, counts: Record<string, number>): Promise<void> {
    await story.until(`labels ${id} ${JSON.stringify(counts)}`, async () =>
      equalJson(await labelled(story, id), counts),
    )
  }

  test.each([
    ['Deployment', undefined],
    ['StatefulSet', 'StatefulSet'],
    ['CloneSet', CLONE_SETS],
  ] as const)('of a %s carry its name and their step, also after a scaling', async (_, kind) => {
    const options = { replicas: 5, labels: { [ROLLOUT_ID]: 'r1' }, steps: [...fifths, full] }
    const story = await begin({ ...options, ...(kind && { kind }) })
    await story.edit('app:2')
    await walkTo(story, 3)
    await come(story, 'r1', { 1: 1, 2: 1, 3: 1 })
    await story.scale(10)
    await come(story, 'r1', { 1: 2, 2: 2, 3: 2 })
    // Another name in the middle: every pod carries it, and its step as before.
    await story.kubectl(['label', story.target, '--overwrite', `${ROLLOUT_ID}=r2`])
    await come(story, 'r2', { 1: 2, 2: 2, 3: 2 })
    await come(story, 'r1', {})
    await story.until('its new name is told', async () => {
      return releaseIn(await statusOf(story))?.observedRolloutID === 'r2'
    })
    expect(releaseIn(await statusOf(story))).toMatchObject({
      currentStepIndex: 3,
      currentStepState: 'StepPaused',
    })
    await jump(story, 5)
    await story.phase('Healthy')
    await come(story, 'r2', { 1: 2, 2: 2, 3: 2, 4: 2, 5: 2 })
  })
})

test.concurrent('labels say the stable revision, that a workload is guarded, and whose second Deployment it is', async () => {
  const canary = { enableExtraWorkloadForCanary: true }
  const [story, beside] = await Promise.all([
    begin({ replicas: 2 }),
    begin({ replicas: 2, canary }),
  ])
  for (const each of [story, beside]) {
    await each.edit('app:2')
    await each.reached(1)
  }
  const revisions = await Promise.all(['app:1', 'app:2'].map(image => setOf(story, image)))
  const hashes = revisions.map(({ metadata }) => metadata.labels?.['pod-template-hash'])
  const { stableRevision, canaryRevision } = releaseIn(await statusOf(story))!
  expect([stableRevision, canaryRevision]).toEqual(hashes)
  expect((await story.deployment()).metadata.labels).toMatchObject({
    [WORKLOAD_TYPE]: 'deployment',
    [STABLE_REVISION]: stableRevision,
  })
  const labelSelector = `${CANARY_DEPLOYMENT}=${WORKLOAD}`
  const scope = { namespace: beside.namespace, labelSelector }
  expect((await beside.client.listAll(DEPLOYMENTS, scope)).items).toHaveLength(1)
})

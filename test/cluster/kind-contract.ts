// What a person sees of a release, whatever kind of workload it is: one table of stories, for every kind.

import { expect, test } from 'vitest'

import { ROLLBACK_IN_BATCH, ROLLOUT_BATCH_ID, ROLLOUT_ID } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { PODS } from '#kube/resources.ts'
import { walkTo } from './approvals.ts'
import {
  abort,
  hasCondition,
  jump,
  most,
  resume,
  says,
  stand,
  told,
  worst,
  wouldSay,
} from './facts.ts'
import { bash } from './commands.ts'
import { makePool } from './kinds/nodes.ts'
import { PLACED_PODS } from './kinds/resources.ts'
import { ROLLOUT } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import type { World } from './world.ts'

/** What differs between kinds. */
export interface KindUnderTest {
  readonly kind: NonNullable<StoryOptions['kind']>
  /** Merged into the spec of its pods; asked for when a story begins. */
  readonly pod?: () => Readonly<Record<string, unknown>>
  /** Merged into the spec: what its owner wants in the fields by which it is held. */
  readonly owner: Readonly<Record<string, unknown>>
  /** The fewest of 10 pods that are Ready at any moment, by what its owner wants. */
  readonly fewestReady: number
}

const steps = [{ replicas: 2 }, { replicas: '50%' }, { replicas: '100%' }]

/** What the stories of a kind begin with, and end with. */
function scenesOf({ kind, owner, fewestReady, pod }: KindUnderTest, worldOf: () => World) {
  const begin = (options: StoryOptions = {}) =>
    worldOf().story({ kind, steps, spec: owner, ...(pod && { pod: pod() }), ...options })
  const half = async (options?: StoryOptions) => {
    const story = await begin(options)
    await story.edit('app:2')
    await walkTo(story, 2)
    await stand(story, { 'app:1': 5, 'app:2': 5 })
    return story
  }
  /** Everybody runs the image, by what the owner wants, and nothing of ours is left. */
  const over = async (story: Story, image: string) => {
    await stand(story, { [image]: 10 })
    await story.until('given back', () => story.free())
    expect((await story.workload<Specified>()).spec).toMatchObject(owner)
    expect(worst(story).ready).toBeGreaterThanOrEqual(fewestReady)
  }
  return { begin, half, over }
}

/** Registers the stories that every kind tells. */
export function releasesStepByStep(under: KindUnderTest, worldOf: () => World): void {
  const { fewestReady } = under
  const { begin, half, over } = scenesOf(under, worldOf)

  test.concurrent('a Rollout that comes moves no pod; steps let out as many as they say, and then all', async () => {
    const story = await begin()
    expect(worst(story)).toEqual({ ready: 10, total: 10 })
    const { stderr } = await story.edit('app:2')
    expect(stderr).toMatch(/release starts with step 1 of 3: 2 of 10 pods, then waits for approval/)
    // At once, when the Rollout still is Ready for the version before.
    let ended = false
    const command = /to wait for the end: (kubectl .*)/.exec(stderr)![1]!
    const waited = bash(worldOf().cluster, command).then(() => (ended = true))
    for (const [index, pods] of [2, 5].entries()) {
      await story.reached(index + 1)
      await stand(story, { 'app:1': 10 - pods, 'app:2': pods })
      if (index === 0) await story.approve()
    }
    expect(ended).toBe(false)
    await story.approve()
    await waited
    expect((await story.rollout()).status?.phase).toBe('Healthy')
    await over(story, 'app:2')
    await told(story, 'ReleaseCompleted', 1)
  })

  test.concurrent('a workload that its Rollout waits for is held, too; the old template takes everybody back', async () => {
    const story = await half({ rolloutFirst: true })
    await story.edit('app:1')
    await story.phase('Healthy')
    await over(story, 'app:1')
  })

  test.concurrent('a broken version stops at the step, and does not stop its own rollback', async () => {
    const story = await begin()
    await story.edit('app:broken')
    await says(story, '0 of 2 new pods are ready')
    await story.edit('app:1')
    await story.phase('Healthy')
    await stand(story, { 'app:1': 10 })
    expect(await story.free()).toBe(true)
    expect(worst(story).ready).toBeGreaterThanOrEqual(Math.min(fewestReady, 8))
  })

  test.concurrent('failureThreshold completes a step, and lets nobody else leave', async () => {
    const tolerant = { steps: [{ replicas: 1 }, ...steps], canary: { failureThreshold: 1 } }
    const story = await begin(tolerant)
    await story.edit('app:broken')
    await story.reached(1)
    await stand(story, { 'app:1': 9, 'app:broken': 1 }, 9)
    await story.edit('app:1')
    await story.phase('Healthy')
    await over(story, 'app:1')
  })

  test.concurrent('a third version begins at step 1, and a broken one before it is no hindrance', async () => {
    const [sound, broken] = await Promise.all([half(), begin()])
    await sound.edit('app:3')
    await broken.edit('app:broken')
    await says(broken, '0 of 2 new pods are ready')
    await broken.edit('app:3')
    for (const story of [sound, broken]) {
      await story.reached(1)
      expect(story.now().readyByImage['app:3']).toBe(2)
      await walkTo(story, 2)
      await story.approve()
      await story.phase('Healthy')
      await stand(story, { 'app:3': 10 })
    }
  })

  test.concurrent('a jump goes to its step, a changed plan goes on, a paused Rollout stands still', async () => {
    const plan = [{ replicas: 2 }, { replicas: '50%' }, { replicas: '70%' }, { replicas: '100%' }]
    const story = await begin({ steps: plan })
    await story.edit('app:2')
    await story.reached(1)
    await story.patchRollout({ spec: { strategy: { paused: true } } })
    await says(story, 'paused by its owner')
    await stand(story, { 'app:1': 8, 'app:2': 2 })
    await story.patchRollout({ spec: { strategy: { paused: false } } })
    await story.reached(1)
    await jump(story, 3)
    await story.reached(3)
    await stand(story, { 'app:1': 3, 'app:2': 7 })
    const more = plan.with(2, { replicas: '80%' })
    await story.patchRollout({ spec: { strategy: { canary: { steps: more } } } })
    await stand(story, { 'app:1': 2, 'app:2': 8 })
  })

  test.concurrent('without its Rollout, or with a disabled one, everybody is let go', async () => {
    const [deleted, disabled] = await Promise.all([half(), half()])
    await deleted.kubectl(['delete', 'rollout', ROLLOUT, '--timeout=100s'])
    await disabled.patchRollout({ spec: { disabled: true } })
    await Promise.all([over(deleted, 'app:2'), over(disabled, 'app:2')])
    const { stderr } = await disabled.edit('app:3')
    expect(stderr).toMatch(/not held: .*disabled/)
    await stand(disabled, { 'app:3': 10 })
  })

  test.concurrent('with an owner’s rollout-id the new pods are labelled, also those that come later', async () => {
    const story = await begin()
    await story.kubectl(['label', story.target, `${ROLLOUT_ID}=r7`])
    await story.edit('app:2')
    await walkTo(story, 2)
    const batches = async () => {
      const { items } = await story.client.listAll(PODS, { namespace: story.namespace })
      const named = items.filter(pod => pod.metadata.labels?.[ROLLOUT_ID] === 'r7')
      const steps = named.map(pod => pod.metadata.labels?.[ROLLOUT_BATCH_ID] ?? '')
      return { named, steps: steps.toSorted().join('') }
    }
    await story.until('labels', async () => (await batches()).steps === '11222')
    const gone = (await batches()).named[0]!.metadata.name
    await story.kubectl(['delete', 'pod', gone, '--wait=true'])
    await story.until('a hole that is filled', async () => {
      const { steps, named } = await batches()
      return steps === '11222' && named.length === 5
    })
  })
}

/** Registers the stories of a kind whose new pods can go back while the template stays. */
export function goesBackByAbort(under: KindUnderTest, worldOf: () => World): void {
  const { fewestReady } = under
  const { half } = scenesOf(under, worldOf)

  test.concurrent('an abort brings everybody back and leaves the template; it may go on', async () => {
    const story = await half()
    await abort(story)
    await hasCondition(story, 'Stalled', 'Aborted')
    await stand(story, { 'app:1': 10, 'app:2': 0 })
    expect(worst(story).ready).toBeGreaterThanOrEqual(fewestReady)
    await resume(story)
    await story.reached(1)
    await stand(story, { 'app:1': 8, 'app:2': 2 })
  })
}

/** Registers the stories of a kind whose rollback can go by the steps. */
export function goesBackInSteps(under: KindUnderTest, worldOf: () => World): void {
  const { half, over } = scenesOf(under, worldOf)
  const backOf = async (story: Story) => {
    await story.kubectl(['annotate', 'rollout', ROLLOUT, `${ROLLBACK_IN_BATCH}=true`])
    await wouldSay(story, 'app:1', /go back in steps/)
    return story.edit('app:1')
  }

  test.concurrent('asked for, a rollback goes by the steps, and is a release of its own', async () => {
    const story = await half()
    const { stderr } = await backOf(story)
    expect(stderr).toMatch(/pods go back in steps .*: step 1 of 3 takes 2 that have left it/)
    await story.reached(1)
    await stand(story, { 'app:1': 7, 'app:2': 3 })
    const { canaryStatus } = { ...(await story.rollout()).status }
    expect(canaryStatus?.canaryRevision).toBe(canaryStatus?.stableRevision)
    expect(canaryStatus?.observedRolloutID).toMatch(/^rollback-/)
    expect(canaryStatus?.canaryReplicas).toBe(7)
    await story.approve()
    await story.reached(2)
    await stand(story, { 'app:1': 8, 'app:2': 2 })
    await story.approve()
    await story.phase('Healthy')
    await over(story, 'app:1')
    expect(most(story, 'app:2')).toBe(5)
    await hasCondition(story, 'Succeeded', '')
  })

  test.concurrent('on its way it can be scaled, given up for another version, and cut short', async () => {
    const [scaled, another, short] = await Promise.all([half(), half(), half()])
    await Promise.all([scaled, another, short].map(backOf))
    await Promise.all([scaled, another, short].map(story => story.reached(1)))
    await scaled.scale(14)
    await stand(scaled, { 'app:1': 11, 'app:2': 3 })
    await another.edit('app:3')
    await another.reached(1)
    expect(another.now().readyByImage['app:3']).toBe(2)
    await abort(short)
    await short.phase('Healthy')
    await over(short, 'app:1')
  })
}

/** Registers the stories of a kind that can be scaled. */
export function keepsItsShare(under: KindUnderTest, worldOf: () => World): void {
  const { half } = scenesOf(under, worldOf)

  test.concurrent('scaled up and down, the step keeps its share', async () => {
    const story = await half()
    await story.scale(20)
    await stand(story, { 'app:1': 10, 'app:2': 10 })
    await story.scale(6)
    await stand(story, { 'app:1': 3, 'app:2': 3 })
    await story.approve()
    await story.phase('Healthy')
    await stand(story, { 'app:2': 6 })
    expect(await story.free()).toBe(true)
  })
}

/** Registers the stories of a kind that has a pod on every node, and whose pods always come new. */
export function livesOnNodes(under: KindUnderTest, worldOf: () => World): void {
  const { begin } = scenesOf(under, worldOf)

  test.concurrent('a node that joins comes new and counts, one that leaves takes its pod along; the way back is no release', async () => {
    const own = await makePool(worldOf().client, 4)
    const plan = [{ replicas: 1 }, { replicas: '60%' }, { replicas: '100%' }]
    const story = await begin({ pod: own.placement, replicas: 4, steps: plan })
    const { stderr } = await story.edit('app:2')
    expect(stderr).toContain('a node that joins meanwhile gets the new version at once')
    await story.reached(1)
    await stand(story, { 'app:1': 3, 'app:2': 1 })
    await own.add()
    await stand(story, { 'app:1': 3, 'app:2': 2 })
    await story.approve()
    await story.reached(2)
    await stand(story, { 'app:1': 2, 'app:2': 3 })
    const { items } = await story.client.listAll(PLACED_PODS, { namespace: story.namespace })
    const old = items.find(({ spec }) => spec?.containers[0]?.image === 'app:1')
    await own.leave(old!.spec!.nodeName!)
    await stand(story, { 'app:1': 1, 'app:2': 3 })
    const asked = await story.kubectl(['annotate', 'rollout', ROLLOUT, `${ROLLBACK_IN_BATCH}=true`])
    expect(asked.stderr).toContain('says nothing for a DaemonSet: a rollback goes back at once')
    await story.edit('app:1')
    await story.phase('Healthy')
    await stand(story, { 'app:1': 4 })
    expect(await story.free()).toBe(true)
  })
}

/** Registers the story of a kind whose owner may replace its pods by his own hands. */
export function restsByOnDelete(under: KindUnderTest, worldOf: () => World): void {
  const { begin } = scenesOf(under, worldOf)

  test.concurrent('OnDelete has no steps: the edit says so', async () => {
    const story = await begin({ spec: { updateStrategy: { type: 'OnDelete' } } })
    const { stderr } = await story.edit('app:2')
    expect(stderr).toMatch(/not held: its updateStrategy is OnDelete/)
    await says(story, 'waiting for a native rollout')
    await stand(story, { 'app:1': 10 })
  })
}

interface Specified extends KubeObject {
  readonly spec: unknown
}

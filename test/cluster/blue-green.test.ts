// A Deployment is released blue-green: all old pods stay until all new ones stand beside them and somebody
// says go. So whatever goes wrong before that costs nobody a Ready pod, and the way back is at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { CAUGHT, KRUISE_ORIGINAL } from '#api/names.ts'
import { escapeCommand } from '#core/commands.ts'
import { podCount } from '#core/replicas.ts'
import { BOTH, presenceIn } from './absence.ts'
import { walkTo } from './approvals.ts'
import { autoscaled } from './autoscaler.ts'
import {
  DEFAULT_FIELDS,
  heldFields,
  holdFields,
  ownKeys,
  runTold,
  warningsOf,
} from './deployment-facts.ts'
import {
  abort,
  hasCondition,
  jump,
  most,
  obey,
  resume,
  says,
  setOf,
  stand,
  told,
  worst,
} from './facts.ts'
import { WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
})
afterAll(() => world?.stop())

const target = `deployment/${WORKLOAD}`
const steps = [{ replicas: '20%' }, { replicas: '50%' }, { replicas: '100%' }]

function begin(options: StoryOptions = {}): Promise<Story> {
  return world.story({ blueGreen: true, steps, ...options })
}

/** Both sides stand: all old pods, and of the new ones as many as the step wants. */
function sides(story: Story, step: number | string, replicas = 10): Promise<void> {
  return stand(story, { 'app:1': replicas, 'app:2': podCount(step, replicas) })
}

async function podsOf(story: Story, image: string): Promise<readonly string[]> {
  const path = `{range .items[?(@.spec.containers[0].image=="${image}")]}{.metadata.uid} {end}`
  const { stdout } = await story.kubectl(['get', 'pods', '-o', `jsonpath=${path}`])
  return stdout.trim().split(' ').toSorted()
}

/** The owner's values, as tools of Kruise Rollouts read them. */
function originalOf({ metadata }: Deployment): string {
  return metadata.annotations?.[KRUISE_ORIGINAL] ?? 'null'
}

/** All pods run the image, nothing of ours is left, and the owner has his values back. */
async function ended(story: Story, image: string): Promise<void> {
  await story.phase('Healthy')
  await stand(story, { [image]: 10 })
  const workload = await story.deployment()
  expect(ownKeys(workload)).toEqual([])
  expect(originalOf(workload)).toBe('null')
  expect(holdFields(workload)).toEqual(DEFAULT_FIELDS)
}

test.concurrent('step by step, and the old side leaves at the end', async () => {
  const story = await begin()
  const warnings = warningsOf(await story.edit('app:2'))
  expect(warnings[0]).toBe(
    'release starts with step 1 of 3: 2 of 10 pods, then waits for approval; peak 12 pods',
  )
  expect(warnings.join('\n')).toContain('at 100% twice as many run')
  const approval = warnings.find(line => line.startsWith('approve with: '))
  for (const [index, { replicas }] of steps.entries()) {
    await story.reached(index + 1)
    await sides(story, replicas)
    expect(holdFields(await story.deployment())).toEqual(heldFields('00%', `0${replicas}`))
    expect(JSON.parse(originalOf(await story.deployment()))).toEqual({
      maxUnavailable: '25%',
      maxSurge: '25%',
      progressDeadlineSeconds: 600,
    })
    expect((await setOf(story, 'app:1')).spec.minReadySeconds ?? 0).toBe(0)
    const { stdout } = await story.kubectl(['rollout', 'status', target, '--watch=false'])
    expect(stdout).toContain('Waiting for deployment')
    const { status } = await story.rollout()
    expect(status).not.toHaveProperty('canaryStatus')
    const updated = podCount(replicas, 10)
    const counts = { updatedReplicas: updated, updatedReadyReplicas: updated }
    expect(status?.blueGreenStatus).toMatchObject(counts)
    expect(status?.currentStepIndex).toBe(index + 1)
    await obey(world.cluster, approval ?? '')
  }
  await ended(story, 'app:2')
  expect(worst(story)).toEqual({ ready: 10, total: 20 })
  await told(story, 'ReleaseCompleted')
})

test.concurrent('an autoscaler works at every step: both sides grow and shrink', async () => {
  const story = await begin()
  await autoscaled(story, 10, 10)
  await story.edit('app:2')
  for (const [index, { replicas }] of steps.entries()) {
    await story.reached(index + 1)
    for (const size of [14, 6, 10]) {
      story.forget()
      await autoscaled(story, size, size)
      await sides(story, replicas, size)
      expect(worst(story).ready).toBeGreaterThanOrEqual(6)
    }
    await says(story, 'waiting for approval')
    await story.approve()
  }
  await ended(story, 'app:2')
})

describe.concurrent('the old template back, at each step: no stable pod restarts', () => {
  test.each([1, 2, 3])('step %i', async step => {
    const story = await begin()
    const stable = await podsOf(story, 'app:1')
    await story.edit('app:2')
    await walkTo(story, step)
    story.forget()
    await story.edit('app:1')
    await ended(story, 'app:1')
    await told(story, 'ReleaseRolledBack')
    expect(await podsOf(story, 'app:1')).toEqual(stable)
  })
})

test.concurrent('an abort takes the new side away at once, and it can start again', async () => {
  const story = await begin()
  const stable = await podsOf(story, 'app:1')
  await story.edit('app:2')
  await walkTo(story, 3)
  const waiting = story.kubectl(['rollout', 'status', target, '--timeout=100s'], {
    expectFailure: true,
  })
  await abort(story)
  await hasCondition(story, 'Stalled', 'Aborted')
  await stand(story, { 'app:1': 10, 'app:2': 0 })
  expect((await waiting).stderr).toContain('exceeded its progress deadline')
  expect(JSON.stringify((await story.deployment()).spec.template)).toContain('app:2')
  expect(await podsOf(story, 'app:1')).toEqual(stable)
  for (const size of [4, 10]) {
    await story.scale(size)
    await stand(story, { 'app:1': size, 'app:2': 0 })
  }
  await resume(story)
  await story.reached(1)
  await sides(story, '20%')
})

test.concurrent('a third version moves nothing until the second or the first one is back', async () => {
  const story = await begin()
  const stable = await podsOf(story, 'app:1')
  await story.edit('app:2')
  await walkTo(story, 2)
  const second = await podsOf(story, 'app:2')
  story.forget()
  await story.edit('app:3')
  await says(story, 'put the stable template back, or')
  await sides(story, '50%')
  expect(await podsOf(story, 'app:2')).toEqual(second)
  await story.edit('app:2')
  await story.reached(1)
  expect(await podsOf(story, 'app:1')).toEqual(stable)
  await story.edit('app:3')
  await says(story, 'put the stable template back, or')
  await story.edit('app:1')
  await ended(story, 'app:1')
  expect(await podsOf(story, 'app:1')).toEqual(stable)
  expect(most(story, 'app:3')).toBe(0)
})

test.concurrent('a third version is told that nothing starts, and the commands by which it does', async () => {
  const story = await begin()
  const stable = await podsOf(story, 'app:1')
  await story.edit('app:2')
  await walkTo(story, 2)
  const told = warningsOf(await story.edit('app:3'))
  expect(told[0]).toMatch(/^held at 0 new pods while /)
  expect(told.join()).not.toContain('approve')
  await says(story, 'put the stable template back, or')
  await runTold(story, told, 'take all pods back with: ')
  await hasCondition(story, 'Stalled', 'Aborted')
  await stand(story, { 'app:1': 10, 'app:2': 0 })
  await runTold(story, told, 'then start this version with: ')
  await story.reached(1)
  expect(await podsOf(story, 'app:1')).toEqual(stable)
  expect(story.now().wanted).toMatchObject({ 'app:1': 10, 'app:3': 2 })
  expect(story.now().wanted['app:2'] ?? 0).toBe(0)
})

test.concurrent('an abort beside a third version starts none of it, also after a scaling', async () => {
  const story = await begin()
  await story.edit('app:2')
  await walkTo(story, 2)
  await story.edit('app:3')
  await says(story, 'put the stable template back, or')
  await story.scale(14)
  await sides(story, '50%', 14)
  story.forget()
  await abort(story)
  await hasCondition(story, 'Stalled', 'Aborted')
  await stand(story, { 'app:1': 14, 'app:2': 0 })
  expect(most(story, 'app:3')).toBe(0)
  expect(worst(story).ready).toBeGreaterThanOrEqual(13)
})

test.concurrent('a jump back takes nobody away; paused nothing moves', async () => {
  const story = await begin()
  await story.edit('app:2')
  await walkTo(story, 2)
  await jump(story, 1)
  await story.reached(1)
  await sides(story, '50%')
  await story.patchRollout({ spec: { strategy: { paused: true } } })
  await says(story, 'paused by its owner')
  await autoscaled(story, 14, 14)
  await sides(story, '50%', 14)
  await story.patchRollout({ spec: { strategy: { paused: false } } })
  await jump(story, 3)
  await story.reached(3)
  await sides(story, '100%', 14)
})

describe.concurrent('given back in the middle, the rest goes out by the owner’s strategy', () => {
  test('disabled', async () => {
    const story = await begin()
    await story.edit('app:2')
    await story.reached(1)
    await story.patchRollout({ spec: { disabled: true } })
    await story.phase('Disabled')
    await stand(story, { 'app:1': 0, 'app:2': 10 })
    expect(worst(story).ready).toBeGreaterThanOrEqual(8)
    expect(await story.free()).toBe(true)
  })

  test('the Rollout deleted', async () => {
    const story = await begin()
    await story.edit('app:2')
    await walkTo(story, 3)
    await story.kubectl(['delete', 'rollout', '--all'])
    await stand(story, { 'app:1': 0, 'app:2': 10 })
    expect(worst(story).ready).toBe(10)
    await story.until('nothing of ours', () => story.free())
  })
})

test.concurrent('broken new pods cost nobody a Ready one, and a quota that is too small is told', async () => {
  const story = await begin()
  await story.kubectl(['create', 'quota', 'tight', '--hard=pods=13'])
  await story.edit('app:broken')
  await says(story, '0 of 2 new pods are ready')
  await story.edit('app:1')
  await ended(story, 'app:1')
  await story.edit('app:2')
  await story.reached(1)
  await story.approve()
  await says(story, /3 of 5 new pods are ready.*exceeded quota: tight/)
  expect(worst(story).ready).toBe(10)
  const stable = await podsOf(story, 'app:1')
  await story.edit('app:3')
  await says(story, 'put the stable template back, or')
  expect((await setOf(story, 'app:1')).spec.replicas).toBe(10)
  await story.edit('app:2')
  await story.reached(1)
  expect(await podsOf(story, 'app:1')).toEqual(stable)
  await story.approve()
  await says(story, /3 of 5 new pods are ready.*exceeded quota: tight/)
  await story.kubectl(['delete', 'quota', 'tight'])
  await story.reached(2)
})

test.concurrent('from no pod everything comes up new; the old side comes back at once', async () => {
  const story = await begin({ replicas: 4 })
  await story.edit('app:2')
  await walkTo(story, 2)
  await story.scale(0)
  await stand(story, { 'app:1': 0, 'app:2': 0 })
  await says(story, 'no pod is wanted: it goes on with the first one')
  await story.scale(4)
  await sides(story, '50%', 4)
})

test.concurrent('a stable pod that dies is replaced, and counts as available', async () => {
  const story = await begin()
  await story.edit('app:2')
  await walkTo(story, 3)
  const [first] = await podsOf(story, 'app:1')
  const { stdout } = await story.kubectl(['get', 'pods', '-o', 'json'])
  const pods = (JSON.parse(stdout) as { items: { metadata: { uid: string; name: string } }[] })
    .items
  await story.kubectl([
    'delete',
    'pod',
    pods.find(({ metadata }) => metadata.uid === first)!.metadata.name,
  ])
  await story.until('another one', async () => {
    const now = await podsOf(story, 'app:1')
    return now.length === 10 && !now.includes(first!)
  })
  await sides(story, '100%')
  await story.until('ten available', async () => {
    const { status } = await story.deployment()
    return status?.availableReplicas === 10
  })
})

test('with nobody of ours alive both sides stand, and one command gives the workload back', async () => {
  const [story, left] = (await Promise.all([begin(), begin()])) as [Story, Story]
  for (const each of [story, left]) {
    await each.edit('app:2')
    await walkTo(each, 2)
  }
  await presenceIn(world).without(BOTH, async () => {
    story.forget()
    for (const size of [14, 6, 10]) {
      await story.scale(size)
      await sides(story, '50%', size)
    }
    story.forget()
    await story.edit('app:3')
    const { metadata } = await story.deployment()
    expect(metadata.annotations).toHaveProperty([CAUGHT])
    await story.until('the controller-manager has seen the edit', async () => {
      const { status } = await story.deployment()
      return (status?.observedGeneration ?? 0) >= metadata.generation!
    })
    await sides(story, '50%')
    expect(worst(story).ready).toBe(15)
    const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: WORKLOAD }
    // Nobody refuses it now: what runs goes on as it began.
    await story.patchRollout({ spec: { strategy: { blueGreen: null, canary: { steps } } } })
    await obey(world.cluster, escapeCommand({ ...ref, namespace: left.namespace }))
    await stand(left, { 'app:1': 0, 'app:2': 10 })
    expect(holdFields(await left.deployment())).toEqual(DEFAULT_FIELDS)
    expect(originalOf(await left.deployment())).toBe('null')
  })
  await says(story, 'put the stable template back, or')
  await story.edit('app:2')
  await walkTo(story, 3)
  await sides(story, '100%')
  const { status } = await story.rollout()
  expect(status).toHaveProperty('blueGreenStatus')
  expect(status).not.toHaveProperty('canaryStatus')
  await story.approve()
  await ended(story, 'app:2')
  await told(left, 'ReleaseTakenOver')
})

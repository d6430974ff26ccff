// Other people's mutating webhooks beside ours: one behind it that pins image digests, so that what
// the client sent is not what is stored, and one before it that adds a sidecar. A release is one
// release, the old version is known again, and nothing goes round in circles.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { DEPLOYMENTS } from '#kube/resources.ts'
import { walkTo, walkToTheEnd } from './approvals.ts'
import { kubectl } from './commands.ts'
import type { CommandResult } from './commands.ts'
import { DEFAULT_FIELDS, holdFields, holdOn, ownKeys, warningsOf } from './deployment-facts.ts'
import { abort, hasCondition, resume, stand, told, worst } from './facts.ts'
import {
  addSidecar,
  containersOf,
  pinDigests,
  pinned,
  startForeignWebhook,
} from './foreign-webhook.ts'
import type { ForeignWebhook, Mutation } from './foreign-webhook.ts'
import { workloadOf, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import { writesWhenWoken } from './quiet.ts'
import type { Story } from './story.ts'
import { MANIFEST_SPEC } from './tools.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const sidecar = { current: addSidecar('sidecar:1') }
/** Unpins what a webhook behind it has pinned. */
const oldSidecar: Mutation = containers => [
  ...containers.filter(({ name }) => name !== 'sidecar'),
  { ...containers.find(({ name }) => name === 'sidecar'), name: 'sidecar', image: 'sidecar:1' },
]
const newSidecar = { current: addSidecar('sidecar:1') }
let world: World
let foreign: readonly ForeignWebhook[]
beforeAll(async () => {
  world = await startWorld()
  const { client } = world
  const pins = { current: pinDigests }
  foreign = await Promise.all([
    startForeignWebhook({ client, label: 'pins', place: 'behind', mutation: pins }),
    startForeignWebhook({ client, label: 'sidecar', place: 'before', mutation: sidecar }),
    startForeignWebhook({ client, label: 'new-sidecar', place: 'before', mutation: newSidecar }),
    startForeignWebhook({
      client,
      label: 'old-sidecar',
      place: 'before',
      mutation: { current: oldSidecar },
    }),
  ])
  // API servers learn of a registration a little later.
  for (const label of ['pins', 'sidecar', 'new-sidecar', 'old-sidecar']) await called(label)
})
afterAll(async () => {
  await Promise.all((foreign ?? []).map(webhook => webhook.stop()))
  await world?.stop()
})

async function called(label: string): Promise<void> {
  const story = await world.story({ replicas: 0, steps: false })
  const labels = { [label]: 'yes' }
  await story.until(`the webhook ${label} to be called`, async () => {
    const object = workloadOf(story.namespace, { labels, image: 'probe:1' })
    const probe = { ...object, metadata: { ...object.metadata, name: 'probe' } }
    const args = ['create', '-f', '-', '--dry-run=server', '-o', 'json']
    const { stdout } = await story.kubectl(args, { input: JSON.stringify(probe) })
    return /sha256|sidecar:1/.test(stdout)
  })
}

const behind = { pins: 'yes' }
const before = { sidecar: 'yes' }
const rows: readonly [string, Readonly<Record<string, string>>, (image: string) => string][] = [
  ['one behind ours that pins digests', behind, pinned],
  ['one before ours that adds a sidecar', before, image => image],
  ['both', { ...behind, ...before }, pinned],
]

describe.each(rows)('%s', (_, labels, stored) => {
  const options: StoryOptions = { replicas: 4, labels, spec: MANIFEST_SPEC }
  const own = { ...MANIFEST_SPEC, paused: false }
  const stories: Story[] = []
  const begin = async (how: StoryOptions) => {
    const story = await world.story(how)
    stories.push(story)
    return story
  }

  test.concurrent('an edit is one release, and the end of it is the end', async () => {
    const story = await begin(options)
    const { metadata } = await story.deployment()
    const answer = await story.edit('app:2')
    expect(warningsOf(answer)[0]).toContain('step 1 of 3: 1 of 4 pods')
    await story.reached(1)
    const release = releaseOf(holdOn(await story.deployment())[0])
    expect(release).toMatch(new RegExp(`-${(metadata.generation ?? 0) + 1}$`))
    await stand(story, { [stored('app:1')]: 3, [stored('app:2')]: 1 })

    await story.approve()
    await story.reached(2)
    await stand(story, { [stored('app:1')]: 2, [stored('app:2')]: 2 })
    expect(releaseOf(holdOn(await story.deployment())[0])).toBe(release)
    await walkToTheEnd(story)
    await stand(story, { [stored('app:1')]: 0, [stored('app:2')]: 4 })
    expect(holdFields(await story.deployment())).toEqual(own)
    expect(ownKeys(await story.deployment())).toEqual([])
    await told(story, 'ReleaseStarted')
    await told(story, 'ReleaseCompleted')
    expect(Object.keys(story.now().wanted)).toHaveLength(2)
    expect(worst(story).ready).toBeGreaterThanOrEqual(3)
  })

  test.concurrent('a manifest brought again is no release, at rest and in the middle', async () => {
    const story = await begin({ ...options, install: install(options) })
    const bring = (image: string) => bringer(options)(story.namespace, image)
    await quietly(story, () => bring('app:1'))
    await bring('app:2')
    await walkTo(story, 2)
    await quietly(story, () => bring('app:2'))
    await stand(story, { [stored('app:1')]: 2, [stored('app:2')]: 2 })
    await walkToTheEnd(story)
    await quietly(story, () => bring('app:2'))
    await stand(story, { [stored('app:2')]: 4 })
    await told(story, 'ReleaseStarted')
    expect(holdFields(await story.deployment())).toEqual(own)
  })

  test.concurrent.each([0, 1, 2])('the old version at step %i is a rollback', async step => {
    const story = await begin(options)
    await story.edit('app:2')
    await told(story, 'ReleaseStarted')
    await walkTo(story, step)
    const answer = await story.edit('app:1')
    expect(warningsOf(answer).join('\n')).toMatch(toldLast('rolling back to the stable template'))
    expect(holdFields(await story.deployment())).toEqual(own)
    expect(ownKeys(await story.deployment())).toEqual([])
    await story.phase('Healthy')
    await stand(story, { [stored('app:1')]: 4 })
    await told(story, 'ReleaseStarted')
    expect(Object.keys(story.now().wanted).length).toBeLessThanOrEqual(2)
  })

  test.concurrent('kubectl rollout undo is a rollback', async () => {
    const story = await begin(options)
    await story.edit('app:2')
    await story.reached(1)
    await story.kubectl(['rollout', 'undo', 'deployment/web'])
    expect(ownKeys(await story.deployment())).toEqual([])
    await story.phase('Healthy')
    await stand(story, { [stored('app:1')]: 4 })
  })

  test.concurrent('a third version starts again, and owner’s values are kept apart from ours', async () => {
    const story = await begin(options)
    await story.edit('app:2')
    await walkTo(story, 2)
    const answer = await story.edit('app:3')
    expect(warningsOf(answer).join()).toContain('release starts again with step 1 of 3')
    await story.reached(1)
    await stand(story, { [stored('app:1')]: 2, [stored('app:2')]: 1, [stored('app:3')]: 1 })
    await story.patch({ strategy: { rollingUpdate: { maxSurge: 3 } }, minReadySeconds: 0 })
    await walkToTheEnd(story)
    await stand(story, { [stored('app:3')]: 4 })
    const rollingUpdate = { maxUnavailable: '30%', maxSurge: 3 }
    const strategy = { type: 'RollingUpdate', rollingUpdate }
    expect(holdFields(await story.deployment())).toEqual({ ...own, strategy, minReadySeconds: 0 })
    await told(story, 'ReleaseRestarted')
  })

  test.concurrent('an abort takes all back, and starting again is the same release', async () => {
    const story = await begin({ replicas: 4, labels })
    await story.edit('app:2')
    await story.reached(1)
    await abort(story)
    await hasCondition(story, 'Stalled', 'Aborted')
    await stand(story, { [stored('app:1')]: 4, [stored('app:2')]: 0 })
    await resume(story)
    await walkToTheEnd(story)
    await stand(story, { [stored('app:2')]: 4 })
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
    await told(story, 'ReleaseStarted')
  })

  test('in the end nobody goes round in circles', () => atRest(stories))
})

test('a sidecar of a new version comes with the next write, and is a version of its own', async () => {
  const labels = { 'new-sidecar': 'yes' }
  const story = await world.story({ replicas: 4, labels })
  await story.edit('app:2')
  await story.reached(1)
  newSidecar.current = addSidecar('sidecar:2')
  // Whatever is written to the workload next brings it: here it is the controller's next wave.
  await story.approve()
  await story.until('the new sidecar', async () => {
    return containersOf(await story.deployment()).some(({ image }) => image === 'sidecar:2')
  })
  await story.reached(1)
  await story.until('one pod of the newest version', () => {
    return story.replicaSets().some(({ spec }) => {
      return JSON.stringify(spec.template).includes('sidecar:2') && spec.replicas === 1
    })
  })
  await walkToTheEnd(story)
  expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
  expect(story.replicaSets()).toHaveLength(1)
  await told(story, 'ReleaseRestarted')
  await atRest([story])
})

test('two that undo each other’s work: a write may look like a release, and it ends by itself', async () => {
  const labels = { pins: 'yes', 'old-sidecar': 'yes' }
  const story = await world.story({ replicas: 4, labels })
  // The label of the guard was such a write, and this is another one.
  await story.until('the hold to be gone', () => story.free())
  const { spec } = await story.deployment()
  await story.edit('app:1')
  // The sidecar unpins its image in every write, and what pins it again comes after our last look.
  await story.until('the hold to be gone', () => story.free())
  const { metadata } = await story.deployment()
  const paused = { strategy: { paused: true } }
  await story.patchRollout({ spec: paused })
  await story.phase('Healthy')
  expect(await story.deployment()).toMatchObject({
    spec,
    metadata: { generation: metadata.generation },
  })
  await story.patchRollout({ spec: { strategy: { paused: false } } })
  await story.edit('app:2')
  await story.reached(1)
  await walkToTheEnd(story)
  expect(ownKeys(await story.deployment())).toEqual([])
  expect(story.replicaSets()).toHaveLength(1)
})

/** Woken once more, the controller writes nothing about any of them. */
async function atRest(stories: readonly Story[]): Promise<void> {
  const patch = { metadata: { labels: { woken: 'yes' } } }
  const writes = await writesWhenWoken(world.sluice.controller, stories.length, () =>
    Promise.all(
      stories.map(({ client, namespace }) =>
        client.mergePatch(DEPLOYMENTS, { namespace, name: WORKLOAD }, patch),
      ),
    ),
  )
  expect(writes).toBe(0)
}

function bringer({ labels = {}, replicas = 4 }: StoryOptions) {
  return (namespace: string, image: string) => {
    const object = workloadOf(namespace, { labels, replicas, image, spec: MANIFEST_SPEC })
    return kubectl(world.cluster, ['apply', '-f', '-'], { input: JSON.stringify(object) })
  }
}

function install(options: StoryOptions) {
  return (namespace: string) => bringer(options)(namespace, 'app:1')
}

/** The write leaves everything as it is. What it says of a release, it takes back. */
async function quietly(story: Story, write: () => Promise<CommandResult>): Promise<void> {
  const was = await story.deployment()
  const answer = await write()
  const now = await story.deployment()
  expect(now.spec).toEqual(was.spec)
  expect(now.metadata.generation).toBe(was.metadata.generation)
  expect(holdOn(now)).toEqual(holdOn(was))
  const told = warningsOf(answer)
  if (told.length > 0) expect(told.at(-1)).toMatch(/^no release starts, whatever was said/)
}

/** A plan told too early is taken back before the truth is told. */
function toldLast(truth: string): RegExp {
  return new RegExp(`^(release starts [^]*\nno release starts, whatever was said[^\n]*\n)?${truth}`)
}

function releaseOf(hold: string | undefined): string | undefined {
  return /rollout-id=([^;]*);/.exec(hold ?? '')?.[1]
}

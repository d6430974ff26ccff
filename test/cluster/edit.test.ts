// What an edit of the template does: it is held in the very admission, whoever makes it; the old
// template takes everything back, and another one starts over.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { OWN_ROLLOUT_ID, ROLLOUT_ID } from '#api/names.ts'
import type { Deployment } from '#api/kubernetes.ts'
import { DEPLOYMENTS } from '#kube/resources.ts'
import { walkTo } from './approvals.ts'
import { heldFields, holdFields, ownKeys, printed } from './deployment-facts.ts'
import { pods, seenByManager, stand, totalOf } from './facts.ts'
import { WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { MANIFEST_SPEC } from './tools.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const target = `deployment/${WORKLOAD}`
const json = ['-o', 'json']
const template = (image: string) => ({
  template: { spec: { containers: [{ name: 'app', image }] } },
})
const imagePath = '/spec/template/spec/containers/0/image'

/** Edits app:1 to app:2 as no client of the table does, and gives the object of the answer. */
const clients: readonly [string, (story: Story) => Promise<Deployment>][] = [
  [
    'kubectl patch, JSON',
    by(() => {
      const patch = [{ op: 'replace', path: imagePath, value: 'app:2' }]
      return ['patch', target, '--type=json', '-p', JSON.stringify(patch), ...json]
    }),
  ],
  ['kubectl set env', by(() => ['set', 'env', target, 'VERSION=2', ...json])],
  [
    'a program with a PUT of what it has read',
    async story => {
      const { spec, ...rest } = await story.deployment()
      return story.client.replace(DEPLOYMENTS, withImage({ ...rest, spec }, 'app:2'))
    },
  ],
]

describe('an edit is held in the very admission, made by', () => {
  test.concurrent.each(clients)('%s', async (name, edit) => {
    const story = await world.story({ replicas: 4 })
    const answer = await edit(story)

    // The first pod comes beside all others; once it is Ready another one leaves.
    const first = [heldFields('00%', '01%'), heldFields('025%')]
    expect(first, name).toContainEqual(holdFields(answer))
    expect(ownKeys(answer)).toEqual(['sluice.dev/hold', 'sluice.dev/record', OWN_ROLLOUT_ID])
    await story.reached(1)
    const sizes = story.replicaSets().map(({ spec }) => spec.replicas)
    expect(sizes).toHaveLength(2)
    expect(Math.min(...sizes.map(size => size ?? 0))).toBe(1)
  })
})

describe('a release has a name', () => {
  test.concurrent('of ours, and the status follows it', async () => {
    const story = await world.story({ replicas: 4 })
    await story.edit('app:2')
    const first = named(await story.deployment())
    expect(first).toEqual({ own: expect.stringMatching(/^[0-9a-z]+-\d+$/), owner: undefined })
    await followed(story, first.own)

    await story.edit('app:3')
    const second = named(await story.deployment())
    expect(second.own).not.toBe(first.own)
    await followed(story, second.own)
  })

  test.concurrent('of its owner, where he gave one', async () => {
    const story = await world.story({ replicas: 4 })
    const metadata = { labels: { [ROLLOUT_ID]: 'spring' } }
    const edit = JSON.stringify({ metadata, spec: template('app:2') })
    const answer = printed(await story.kubectl(['patch', target, '-p', edit, ...json]))
    expect(named(answer)).toEqual({ own: undefined, owner: 'spring' })
    await followed(story, 'spring')
  })

  test.concurrent('of its owner, given with the next edit', async () => {
    const story = await world.story({ replicas: 4 })
    await story.edit('app:2')
    await story.reached(1)
    const metadata = { labels: { [ROLLOUT_ID]: 'summer' } }
    const edit = JSON.stringify({ metadata, spec: template('app:3') })
    const answer = printed(await story.kubectl(['patch', target, '-p', edit, ...json]))
    expect(named(answer)).toEqual({ own: undefined, owner: 'summer' })
    await followed(story, 'summer')
  })
})

const fourSteps = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '80%' }, { replicas: '100%' }]

// Who goes back, and by which client, is in the table of clients; here it is the way there.
describe('the old image restores the owner’s values in the same admission', () => {
  test.concurrent.each([0, 1, 2, 3])('at step %i, and all pods go back', async step => {
    const story = await world.story({ steps: fourSteps, spec: MANIFEST_SPEC })
    await story.edit('app:2')
    await walkTo(story, step)
    if (step > 0) await story.until('nobody beside', () => totalOf(story.now()) === 10)
    story.forget()
    const before = story.now().wanted['app:2'] ?? 0
    const answer = printed(await story.kubectl(['set', 'image', target, 'app=app:1', ...json]))

    expect(holdFields(answer)).toEqual({ ...MANIFEST_SPEC, paused: false })
    expect(ownKeys(answer)).toEqual([])
    // A status that has not told of the release yet says Healthy as well, and who is late with the first
    // edit makes its pod yet.
    await seenByManager(story)
    await stand(story, { 'app:1': 10, 'app:2': 0 })
    await story.phase('Healthy')
    const wanted = story.history().map(moment => moment.wanted['app:2'] ?? 0)
    // Right after the edit, its one pod may be about to come.
    const most = step === 0 ? 1 : before
    expect(Math.max(...wanted)).toBeLessThanOrEqual(most)
    expect(wanted.slice(wanted.indexOf(most))).toSatisfy(neverRises)
    // Of an edit that is taken back at once there may be no ReplicaSet.
    expect({ 'app:2': 0, ...story.now().wanted }).toEqual({ 'app:1': 10, 'app:2': 0 })
    expect(Math.min(...story.history().map(moment => moment.ready))).toBeGreaterThanOrEqual(7)
    expect(holdFields(await story.deployment())).toEqual({ ...MANIFEST_SPEC, paused: false })
  })
})

describe('a third template', () => {
  test.concurrent.each([1, 2])('at step %i starts again, and the middle leaves', async step => {
    const story = await world.story()
    await story.edit('app:2')
    await walkTo(story, step)
    await story.until('nobody beside', () => totalOf(story.now()) === 10)
    const { 'app:1': stable = 0, 'app:2': middle = 0 } = story.now().wanted
    story.forget()
    const { stderr } = await story.edit('app:3')
    expect(stderr).toContain('step 1 of 3: 1 of 10 pods')
    const first = [heldFields('00%', '01%'), heldFields('010%')]
    expect(first).toContainEqual(holdFields(await story.deployment()))

    await story.reached(1)
    await pods(story, { 'app:1': stable, 'app:2': middle - 1, 'app:3': 1 })
    await story.approve()
    await story.reached(2)
    await pods(story, { 'app:1': 5, 'app:2': 0, 'app:3': 5 })
    const history = story.history()
    expect(Math.min(...history.map(moment => moment.wanted['app:1'] ?? 0))).toBe(5)
    expect(Math.min(...history.map(moment => moment.ready))).toBeGreaterThanOrEqual(8)

    await story.edit('app:1')
    expect(ownKeys(await story.deployment())).toEqual([])
    await story.phase('Healthy')
    await pods(story, { 'app:1': 10, 'app:2': 0, 'app:3': 0 })
  })
})

function by(args: (story: Story) => readonly string[]) {
  return async (story: Story) => printed(await story.kubectl(args(story)))
}

function withImage(deployment: Deployment, image: string): Deployment {
  return JSON.parse(JSON.stringify(deployment).replace('app:1', image)) as Deployment
}

function neverRises(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number <= numbers[index - 1]!)
}

function named({ metadata }: Deployment) {
  return {
    own: metadata.annotations?.[OWN_ROLLOUT_ID],
    owner: metadata.labels?.[ROLLOUT_ID],
  }
}

async function followed(story: Story, id: string | undefined): Promise<void> {
  await story.until(`observedRolloutID ${id}`, async () => {
    const { status } = await story.rollout()
    return status?.canaryStatus?.observedRolloutID === id
  })
}

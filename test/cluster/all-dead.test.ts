// Everything of ours is dead, and people go on as ever: the policy in the API server holds what they
// change. No new pod starts, all old ones serve; and when we are back the releases run.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { CAUGHT, HOLD, RECORD, WAVE } from '#api/names.ts'
import { unansweredWarnings } from '#core/admission/warnings.ts'
import { holdOf } from '#core/workload/hold.ts'
import { configuration } from '../../dev/sluice.ts'
import { BOTH, presenceIn } from './absence.ts'
import type { Presence } from './absence.ts'
import { walkToTheEnd } from './approvals.ts'
import { DEFAULT_FIELDS, holdFields, ownKeys, printed } from './deployment-facts.ts'
import { most, obey, pods, stand, told, worst } from './facts.ts'
import { WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { MANIFEST_SPEC, helmTool, manifestTool } from './tools.ts'
import type { Brought, Tool } from './tools.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let ours: Presence
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
  ours = presenceIn(world)
})
afterAll(() => world?.stop())

const target = `deployment/${WORKLOAD}`
const own = { ...MANIFEST_SPEC, paused: false }

/** Does something while nobody of ours lives. */
function without(stories: readonly Story[], what: () => Promise<void>): Promise<void> {
  const [first] = stories as [Story]
  return ours.without(BOTH, async () => {
    await first.until('a policy that catches', async () => {
      const trial = ['set', 'image', target, 'app=app:trial', '--dry-run=server', '-o', 'json']
      const tried = await first.kubectl(trial)
      const { annotations } = printed(tried).metadata
      // Who sends it reads so.
      return annotations?.[CAUGHT] !== undefined && tried.stderr.includes(unansweredWarnings()[0]!)
    })
    for (const story of stories) story.forget()
    await what()
  })
}

/** Caught, and its own controller has seen it: no pod of the version was asked for, all others serve. */
async function isCaught(story: Story, image: string): Promise<void> {
  const { metadata } = await story.deployment()
  expect(metadata.annotations, image).toHaveProperty([CAUGHT])
  await story.until('the controller-manager has seen the edit', async () => {
    const { spec, status } = await story.deployment()
    expect(spec.paused, image).toBe(true)
    return status?.observedGeneration === metadata.generation
  })
  // Who edits it next reads so, too.
  const next = ['set', 'image', target, 'app=app:next', '--dry-run=server']
  expect((await story.kubectl(next)).stderr, image).toContain(unansweredWarnings()[0])
  await story.caughtUp()
  const begun = story.history()[0]!.wanted[image] ?? 0
  expect(most(story, image), image).toBe(begun)
  expect(worst(story).ready, image).toBeGreaterThanOrEqual(10)
}

/** The release of the version runs from step 1, and to its end. */
async function isReleased(story: Story, image: string, end: object): Promise<void> {
  await told(story, 'EditCaught')
  await story.reached(1)
  await stand(story, { 'app:1': 9, [image]: 1 })
  expect((await story.deployment()).metadata.annotations).not.toHaveProperty([CAUGHT])
  await walkToTheEnd(story)
  await story.until('all new', () => story.now().wanted[image] === 10)
  await story.until(
    'nothing of ours is left',
    async () => ownKeys(await story.deployment()).length === 0,
  )
  expect(holdFields(await story.deployment())).toEqual(end)
}

/** The one command, as the page of an outage has it. */
async function escape({ namespace }: Story): Promise<void> {
  const ask = `kubectl -n ${namespace}`
  const path = "jsonpath='{.metadata.annotations.sluice\\.dev/record}'"
  const record = `"$(${ask} get ${target} -o ${path})"`
  await obey(world.cluster, `${ask} patch ${target} --type merge -p ${record}`)
}

/** As where no policy is served: until we are back, the webhook is missed. */
async function onlyTheWebhook(story: Story): Promise<void> {
  await story.kubectl(['delete', 'mutatingadmissionpolicybinding', configuration])
  const fail = [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Fail' }]
  const patch = ['--type=json', '-p', JSON.stringify(fail)]
  await story.kubectl(['patch', 'mutatingwebhookconfiguration', configuration, ...patch])
  await story.until('edits are refused', async () => {
    const trial = ['set', 'image', target, 'app=app:trial', '--dry-run=server']
    const failed = await story.kubectl(trial, { expectFailure: true }).catch(() => undefined)
    return failed?.stderr.includes('failed calling webhook') === true
  })
}

const careful = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 3 } },
}
const carefully = { ...DEFAULT_FIELDS, ...careful }

interface ByTool {
  readonly story: Story
  readonly bring: (image: string) => Promise<unknown>
}

/** A story whose Deployment a tool brings; its manifest names every field by which it is held. */
async function broughtBy(tool: Tool): Promise<ByTool> {
  const what = (namespace: string, image: string): Brought => ({
    namespace,
    image,
    replicas: 10,
    spec: MANIFEST_SPEC,
  })
  const story = await world.story({ install: namespace => tool.install(what(namespace, 'app:1')) })
  return { story, bring: image => tool.bring(what(story.namespace, image)) }
}

const tools: readonly (readonly [string, () => Tool])[] = [
  ['helm 4', () => helmTool(world.cluster, 4)],
  ['kubectl apply --server-side', () => manifestTool(world.cluster, ['apply', '--server-side'])],
  ['kubectl replace', () => manifestTool(world.cluster, ['replace'], ['create'])],
]

test('a first edit is held by the policy, and released from step 1 afterwards', async () => {
  const byHand = await world.story({ spec: careful })
  const brought = await Promise.all(tools.map(([, tool]) => broughtBy(tool())))
  const stories = [byHand, ...brought.map(({ story }) => story)]
  await without(stories, async () => {
    await byHand.edit('app:2')
    for (const { bring } of brought) await bring('app:2')
    // Once more, as a pipeline does that runs again, and as people do that see nothing move.
    for (const { bring } of brought) await bring('app:2')
    await byHand.kubectl(['rollout', 'resume', target])
    await Promise.all(stories.map(story => isCaught(story, 'app:2')))
  })
  await isReleased(byHand, 'app:2', carefully)
  expect(worst(byHand).ready).toBeGreaterThanOrEqual(10)
  for (const { story } of brought) await isReleased(story, 'app:2', own)
})

test('in the middle of a release whatever is applied moves nothing, and ends right', async () => {
  const [third, back, flying] = (await Promise.all(
    [0, 1, 2].map(() => world.story({ spec: careful })),
  )) as [Story, Story, Story]
  const brought = await Promise.all(tools.map(([, tool]) => broughtBy(tool())))
  const stories = [third, back, flying, ...brought.map(({ story }) => story)]
  await Promise.all([
    ...[third, back].map(story => story.edit('app:2')),
    ...brought.map(({ bring }) => bring('app:2')),
  ])
  await flying.edit('app:broken')
  await stand(flying, { 'app:1': 10, 'app:broken': 1 }, 10)
  await Promise.all(stories.filter(story => story !== flying).map(story => story.reached(1)))
  await without(stories, async () => {
    await third.edit('app:3')
    await back.edit('app:1')
    await flying.edit('app:3')
    // The very manifest that is being released: it names the owner's own strategy.
    for (const { bring } of brought) await bring('app:2')
    await isCaught(third, 'app:3')
    await isCaught(back, 'app:1')
    await isCaught(flying, 'app:3')
    for (const { story } of brought) expect(worst(story).ready).toBeGreaterThanOrEqual(10)
    for (const { story } of brought) expect(most(story, 'app:2')).toBe(1)
  })
  for (const story of [third, flying]) {
    await isReleased(story, 'app:3', carefully)
    expect(worst(story).ready).toBeGreaterThanOrEqual(10)
  }
  await back.phase('Healthy')
  await stand(back, { 'app:1': 10, 'app:2': 0 })
  await told(back, 'ReleaseRolledBack')
  expect(worst(back).ready).toBeGreaterThanOrEqual(10)
  for (const { story } of brought) {
    await walkToTheEnd(story)
    await stand(story, { 'app:1': 0, 'app:2': 10 })
    await story.until(
      'nothing of ours is left',
      async () => ownKeys(await story.deployment()).length === 0,
    )
    expect(holdFields(await story.deployment())).toEqual(own)
  }
})

test('the one command lets what is caught go, with nobody of ours alive', async () => {
  const stories = await Promise.all([0, 1].map(() => world.story()))
  const [first, held] = stories as [Story, Story]
  await held.edit('app:2')
  await held.reached(1)
  await without(stories, async () => {
    await first.edit('app:3')
    await held.edit('app:3')
    for (const story of stories) {
      await isCaught(story, 'app:3')
      await escape(story)
      await stand(story, { 'app:3': 10 })
    }
  })
  await told(held, 'ReleaseTakenOver')
  for (const story of stories) {
    await story.phase('Healthy')
    await story.until(
      'nothing of ours is left',
      async () => ownKeys(await story.deployment()).length === 0,
    )
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
    await story.edit('app:4')
    await story.reached(1)
  }
})

test.each([
  ['the policy holds', () => Promise.resolve()],
  ['only the webhook would, and Fail refuses', onlyTheWebhook],
])('after the one command the way back works with stock commands: %s', async (_, prepare) => {
  const [back, on] = (await Promise.all([0, 1].map(() => world.story()))) as [Story, Story]
  const stories = [back, on]
  for (const story of stories) await story.edit('app:2')
  await Promise.all(stories.map(story => story.reached(1)))
  const undo = (story: Story) => story.kubectl(['rollout', 'undo', target])
  await without(stories, async () => {
    await prepare(back)
    await Promise.all(
      stories.map(async story => {
        await escape(story)
        await stand(story, { 'app:2': 10 })
        await undo(story)
        await stand(story, { 'app:1': 10 })
      }),
    )
    // Back to what was held: its ReplicaSet remembers hold, record and escape.
    await undo(on)
    await stand(on, { 'app:2': 10 })
    expect((await on.deployment()).metadata.annotations).toHaveProperty([HOLD])
    await on.kubectl(['rollout', 'restart', target])
    await on.edit('app:3')
    await stand(on, { 'app:3': 10 })
    await undo(on)
    await stand(on, { 'app:2': 10 })
    for (const story of stories) expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  })
  await told(back, 'ReleaseRolledBack')
  for (const [story, image] of [
    [back, 'app:1'],
    [on, 'app:2'],
  ] as const) {
    await story.phase('Healthy')
    await story.until(
      'nothing of ours is left',
      async () => ownKeys(await story.deployment()).length === 0,
    )
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
    await story.edit('app:4')
    await story.reached(1)
    await pods(story, { [image]: 9, 'app:4': 1 })
  }
  expect((await on.events()).map(({ reason }) => reason)).not.toContain('ReleaseCompleted')
})

test('how far a release has come is nobody else’s to say, nor to take away', async () => {
  const [edited, dropped, replaced] = (await Promise.all([0, 1, 2].map(() => world.story()))) as [
    Story,
    Story,
    Story,
  ]
  const stories = [edited, dropped, replaced]
  const walk = async (story: Story) => {
    await story.edit('app:2')
    await story.reached(1)
    await story.approve()
    await story.reached(2)
  }
  await Promise.all(stories.map(walk))
  const before = await Promise.all(stories.map(story => story.deployment()))
  const waves = before.map(({ metadata }) => metadata.labels![WAVE]!)
  await without(stories, async () => {
    const over = waves[0]!.replace(/^[a-z]+/, 'released')
    await edited.kubectl(['label', target, `${WAVE}=${over}`, '--overwrite'])
    await dropped.kubectl(['label', target, `${WAVE}-`])
    const { [WAVE]: _, ...labels } = { ...before[2]!.metadata.labels }
    const { resourceVersion: __, ...metadata } = { ...before[2]!.metadata, labels }
    const whole = JSON.stringify({ ...before[2], metadata })
    await replaced.kubectl(['replace', '-f', '-'], { input: whole })
    for (const [index, story] of stories.entries()) {
      await isCaught(story, 'app:2')
      expect((await story.deployment()).metadata.labels).toMatchObject({ [WAVE]: waves[index] })
    }
  })
  for (const story of stories) {
    await story.reached(2)
    await story.until('nothing is caught', async () => {
      return (await story.deployment()).metadata.annotations?.[CAUGHT] === undefined
    })
    await walkToTheEnd(story)
    await story.until(
      'nothing of ours is left',
      async () => ownKeys(await story.deployment()).length === 0,
    )
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
  }
})

test('what no Rollout holds is let go when we are back', async () => {
  const stories = await Promise.all([0, 1].map(() => world.story()))
  const [disabled, gone] = stories as [Story, Story]
  await without(stories, async () => {
    for (const story of stories) {
      await story.edit('app:2')
      await isCaught(story, 'app:2')
    }
    await disabled.patchRollout({ spec: { disabled: true } })
    await gone.kubectl(['delete', 'rollout', '--all'])
  })
  for (const story of stories) {
    await stand(story, { 'app:1': 0, 'app:2': 10 })
    await story.until(
      'nothing of ours is left',
      async () => ownKeys(await story.deployment()).length === 0,
    )
    expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
  }
})

test('an owner’s own pause is his, whoever catches the edit', async () => {
  const story = await world.story()
  await story.patch({ paused: true })
  await without([story], async () => {
    await story.edit('app:2')
    await isCaught(story, 'app:2')
  })
  await told(story, 'EditCaught')
  await story.until('held', () => story.deployment().then(it => holdOf(it) !== undefined))
  const { metadata } = await story.deployment()
  const { spec } = JSON.parse(metadata.annotations![RECORD]!) as { readonly spec: object }
  expect(spec).toMatchObject({ paused: true })
  expect(metadata.annotations).toHaveProperty([HOLD])
  await story.kubectl(['rollout', 'resume', target])
  await story.reached(1)
  await stand(story, { 'app:1': 9, 'app:2': 1 })
})

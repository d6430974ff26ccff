// A kind that a cluster may lack, from a Rollout that nobody can follow to releases, and through a CRD that
// goes and comes again, while everybody else is released. Each scene begins where the one before has ended.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'

import type { Condition } from '#api/kubernetes.ts'
import { CAUGHT, WORKLOAD_TYPE } from '#api/names.ts'
import { CUSTOM_RESOURCES } from '#kube/resources.ts'
import { removed } from '../../dev/removed.ts'
import type { Sluice } from '../../dev/sluice.ts'
import { grantRoles } from './accounts.ts'
import { abort, condition, hasCondition, says, stand } from './facts.ts'
import { serveKinds } from './kinds/crds.ts'
import { SHARDS } from './kinds/resources.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { StandIns } from './kinds/stand-in.ts'
import { ROLLOUT } from './manifests.ts'
import type { Story } from './story.ts'
import { blocks, read } from '../docs/markdown.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const kind = 'Shard'
const replicas = 3
const { apiVersion, plural } = SHARDS
const extraKinds = [{ apiVersion, kind, plural }]
/** What the page tells to write. */
const [values, example, said] = blocks(read('docs/other-kinds.md')).map(({ text }) => text.trim())
const line = said!

let world: World
let standIns: StandIns | undefined
let sluice: Sluice
/** A Rollout that is there from the beginning, and a release that has nothing to do with it. */
let [early, other]: [Story?, Story?] = []
/** A workload that comes with the CRD. */
let story: Story
beforeAll(async () => {
  world = await startWorld()
  sluice = world.sluice
})
afterAll(async () => {
  await standIns?.stop()
  await world?.stop()
})

/** Gives what kubectl prints beside the result. */
async function applyRollout(to: Story): Promise<string> {
  return (await to.kubectl(['apply', '-f', '-'], { input: example! })).stderr
}

async function notReady(at: Story, reason: string): Promise<string> {
  let ready: Condition | undefined
  await at.until(`Ready is False for ${reason}`, async () => {
    ready = await condition(at, 'Ready')
    return ready?.status === 'False' && ready.reason === reason
  })
  return ready?.message ?? ''
}

test('the page registers what is released here', () => {
  expect(parse(values!)).toEqual({ extraKinds })
})

test('where the cluster does not serve the kind, the Rollout says so, and nobody else is slowed', async () => {
  const nothing = async () => {}
  early = await world.story({ kind, replicas: 0, install: nothing, steps: false })
  const missing =
    'the cluster does not serve databases.example.com/v1 Shard: install its CRD and add it to `extraKinds` of the chart, or name another kind in spec.workloadRef'
  expect(await applyRollout(early)).toContain(`Warning: ${missing}`)
  expect(await notReady(early, 'KindNotServed')).toBe(missing)

  other = await world.story({ replicas: 4 })
  await other.edit('app:2')
  await other.reached(1)
})

test('where nobody has registered it, the Rollout has the line that does, and nothing is touched', async () => {
  standIns = await startStandIns(world.client)
  story = await world.story({ kind, replicas, steps: false })
  const warnings = await applyRollout(story)
  expect(warnings).toContain(line)
  expect(warnings).toContain('the rights to list, watch and patch shards')
  for (const each of [story, early!])
    expect(await notReady(each, 'KindNotRegistered')).toContain(line)
  const { metadata } = await story.workload()
  expect(metadata.labels?.[WORKLOAD_TYPE]).toBeUndefined()
  const { stderr } = await story.edit('app:2')
  expect(stderr).toBe('')
  await stand(story, { 'app:2': replicas })
})

test('registered without the rights, it says which; given, the next edit is held, without a restart', async () => {
  await sluice.stop()
  sluice = await world.startAgain({ extraKinds, failurePolicy: 'Ignore' })
  const missing = ['list', 'watch', 'patch'].map(verb => `${verb} shards.databases.example.com`)
  const message = await notReady(story, 'KindUnread')
  expect(message).toContain(`give them back by helm upgrade: ${missing.join('; ')}`)
  const line = `rights are missing, give them back by helm upgrade: ${missing.join('; ')}`
  await story.until('a line of the log', () => world.log.some(each => each.includes(line)))
  await grantRoles(world.cluster, { extraKinds })
  await story.phase('Healthy')
  await says(early!, 'waiting for Shard web to be created')
})

test('it is released step by step, goes back, and is caught while no webhook answers', async () => {
  const { stderr } = await story.edit('app:3')
  expect(stderr).toMatch(/release starts with step 1 of 3: 1 of 3 pods/)
  await story.reached(1)
  await stand(story, { 'app:2': 2, 'app:3': 1 })
  await story.edit('app:2')
  await story.phase('Healthy')
  await stand(story, { 'app:2': 3 })

  await sluice.webhook.stop()
  await story.edit('app:4')
  expect((await story.workload()).metadata.annotations?.[CAUGHT]).toBeDefined()
  await sluice.startWebhook()
  await story.reached(1)
  await stand(story, { 'app:2': 2, 'app:4': 1 })
})

test('without the right to delete pods, an abort says which are to go, and goes on when they have', async () => {
  await sluice.controller.stop()
  const controller = await sluice.startController(['--delete-pods=no'])
  await abort(story)
  await says(story, /has no right to delete pods .*delete them: kubectl -n \S+ delete pod web-2$/)
  await stand(story, { 'app:2': 2, 'app:4': 1 })
  await story.kubectl(['delete', 'pod', 'web-2', '--wait=false'])
  await hasCondition(story, 'Stalled', 'Aborted')
  await stand(story, { 'app:2': 3 })
  await controller.stop()
  await sluice.startController()
})

test('a CRD that goes takes its releases along, and one that comes is found', async () => {
  const name = 'shards.databases.example.com'
  await removed(world.client, CUSTOM_RESOURCES, { name })
  await notReady(story, 'KindNotServed')
  await other!.approve()
  await other!.reached(2)

  await serveKinds(world.client)
  const late = await world.story({ kind, replicas })
  await late.edit('app:2')
  await late.reached(1)
  await stand(late, { 'app:1': 2, 'app:2': 1 })
  await notReady(story, 'WorkloadNotFound')
  await late.kubectl(['delete', 'rollout', ROLLOUT, '--timeout=100s'])
  await stand(late, { 'app:2': 3 })
})

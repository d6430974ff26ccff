// Holds that come back by accident, in a dump, an undo or a copied manifest, do nothing; and writes
// that are none of our business pass as they are.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { HOLD } from '#api/names.ts'
import { DEPLOYMENTS, NAMESPACES } from '#kube/resources.ts'
import { walkToTheEnd } from './approvals.ts'
import { heldFields, holdFields, holdOn, ownKeys, printed, warningsOf } from './deployment-facts.ts'
import { WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const target = `deployment/${WORKLOAD}`
const spec = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: '20%' } },
  minReadySeconds: 1,
  progressDeadlineSeconds: 90,
}
const own = { ...spec, paused: false }

describe('a dump of a held Deployment', () => {
  test.concurrent('created in another namespace is free', async () => {
    const story = await heldAtStep1()
    const dump = await dumpOf(story)
    const namespace = `${story.namespace}-copy`
    const metadata = { name: namespace }
    await world.client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
    const input = JSON.stringify({ ...dump, metadata: { ...dump.metadata, namespace } })
    await story.kubectl(['create', '-f', '-', '--namespace', namespace], { input })

    const ref = { namespace, name: WORKLOAD }
    const copy = await world.client.get(DEPLOYMENTS, ref)
    expect(holdFields(copy)).toEqual(own)
    expect(ownKeys(copy)).toEqual([])
    await story.until('all pods of the copy', async () => {
      const { status } = await world.client.get(DEPLOYMENTS, ref)
      return status?.availableReplicas === 10
    })
    // Nobody releases it there: an edit is the native one, with nothing to tell.
    const edit = ['set', 'image', target, 'app=app:3', '--namespace', namespace]
    expect(warningsOf(await story.kubectl(edit))).toEqual([])
    expect(ownKeys(await world.client.get(DEPLOYMENTS, ref))).toEqual([])
  })

  test.concurrent('restored after the Deployment was deleted is free, and guarded again', async () => {
    const story = await heldAtStep1()
    const dump = await dumpOf(story)
    await story.kubectl(['delete', target])
    await story.until('no pods', () => story.now().total === 0)
    const answer = await story.kubectl(['create', '-f', '-', '-o', 'json'], {
      input: JSON.stringify(dump),
    })
    expect(holdFields(JSON.parse(answer.stdout) as Deployment)).toEqual(own)
    expect(ownKeys(JSON.parse(answer.stdout) as Deployment)).toEqual([])
    await story.phase('Healthy')
    expect(story.now().wanted).toMatchObject({ 'app:2': 10 })

    const edited = await story.kubectl(['set', 'image', target, 'app=app:3', '-o', 'json'])
    expect(holdFields(printed(edited))).toEqual(heldFields('00%', '01%'))
  })

  test.concurrent('replaced at a later step moves nothing', async () => {
    const story = await heldAtStep1()
    const dump = await dumpOf(story)
    await story.approve()
    await story.reached(2)
    const before = await story.deployment()
    await story.kubectl(['replace', '-f', '-'], { input: JSON.stringify(dump) })
    const after = await story.deployment()
    expect(after.spec).toEqual(before.spec)
    expect(holdOn(after)).toEqual(holdOn(before))
    await end(story)
    expect(holdFields(await story.deployment())).toEqual(own)
  })

  test.concurrent('replaced after the release leaves the owner’s values', async () => {
    const story = await heldAtStep1()
    const dump = await dumpOf(story)
    await end(story)
    const before = await story.deployment()
    const replace = ['replace', '-f', '-']
    expect(warningsOf(await story.kubectl(replace, { input: JSON.stringify(dump) }))).toEqual([])
    const after = await story.deployment()
    expect(after.spec).toEqual(before.spec)
    expect(ownKeys(after)).toEqual([])
  })

  test.concurrent('of the stable version, replaced during another release, takes that back', async () => {
    const story = await heldAtStep1()
    const dump = await dumpOf(story)
    await end(story)
    await story.edit('app:3')
    await story.reached(1)
    await story.kubectl(['replace', '-f', '-'], { input: JSON.stringify(dump) })

    const after = await story.deployment()
    expect(holdFields(after)).toEqual(own)
    expect(ownKeys(after)).toEqual([])
    await story.phase('Healthy')
    expect(story.now().wanted).toMatchObject({ 'app:2': 10, 'app:3': 0 })
  })
})

describe('what is no edit of a guarded Deployment', () => {
  test.concurrent('passes untouched where there is no Rollout', async () => {
    const story = await world.story({ steps: false, spec, replicas: 4 })
    expect(warningsOf(await story.edit('app:2'))).toEqual([])
    const { metadata, spec: now } = await story.deployment()
    expect(holdFields({ spec: now } as Deployment)).toEqual(own)
    expect([metadata.generation, metadata.labels ?? {}]).toEqual([2, {}])
    await story.until('all pods new', () => story.now().wanted['app:2'] === 4)
    expect(asked(story)).toEqual([])
  })

  const free: readonly [string, readonly string[]][] = [
    ['a scaling', ['scale', target, '--replicas=6']],
    ['a scaling by an edit', ['patch', target, '-p', '{"spec":{"replicas":6}}']],
    ['a label', ['label', target, 'team=blue']],
    ['an annotation', ['annotate', target, 'note=hello']],
    ['a status', ['patch', target, '--subresource=status', '-p', '{"status":{"replicas":4}}']],
    ['the owner’s strategy', ['patch', target, '-p', '{"spec":{"minReadySeconds":2}}']],
  ]
  test.concurrent.each(free)('%s is not even looked at', async (_, args) => {
    const story = await world.story({ replicas: 4 })
    expect(warningsOf(await story.kubectl(args))).toEqual([])
    expect(ownKeys(await story.deployment())).toEqual([])
    await lookedAt(story)
    expect(asked(story)).toHaveLength(1)
  })

  test.concurrent('is not looked at while held either: scaling and status', async () => {
    const story = await world.story({ steps: [{ replicas: '30%' }, { replicas: '100%' }] })
    await story.edit('app:2')
    await story.reached(1)
    await story.until('no more than 10 pods', () => story.now().total === 10)
    const before = await story.deployment()
    await lookedAt(story)
    const calls = asked(story).length
    const status = '{"status":{"replicas":11}}'
    await story.kubectl(['patch', target, '--subresource=status', '-p', status])
    await story.scale(20)
    await story.until('20 pods', () => {
      const { ready, wanted } = story.now()
      return ready === 20 && wanted['app:1'] === 14 && wanted['app:2'] === 6
    })

    await lookedAt(story)
    expect(asked(story)).toHaveLength(calls + 1)
    const after = await story.deployment()
    expect(after.spec).toEqual({ ...before.spec, replicas: 20 })
    expect(holdOn(after)).toEqual(holdOn(before))
  })
})

/** Reviews of the Deployment that the webhook answered for somebody. */
function asked({ namespace }: Story, from = 0): readonly string[] {
  return world.log
    .slice(from)
    .filter(
      line =>
        line.includes('"name":"webhook"') &&
        line.includes(`"namespace":"${namespace}"`) &&
        line.includes('"kind":"Deployment"'),
    )
}

/** One more call: the lines of all before it stand before its own, which is certain to come. */
async function lookedAt(story: Story): Promise<void> {
  const image = `app:${Math.random().toString(36).slice(2, 8)}`
  const from = world.log.length
  await story.kubectl(['set', 'image', target, `app=${image}`, '--dry-run=server'])
  await story.until('the line of the call', () => {
    return asked(story, from).some(line => line.includes('"dryRun":true'))
  })
}

async function heldAtStep1(): Promise<Story> {
  const story = await world.story({ spec })
  await story.edit('app:2')
  await story.reached(1)
  return story
}

/** As a person or a backup would keep it: nothing that only the API server may write. */
async function dumpOf(story: Story): Promise<Deployment> {
  const { status: _, ...deployment } = await story.deployment()
  const { name, namespace, labels = {}, annotations = {} } = deployment.metadata
  expect(annotations[HOLD]).toBeDefined()
  return { ...deployment, metadata: { name, namespace: namespace!, labels, annotations } }
}

/** Approves what is left, and nothing of ours is on the Deployment then. */
async function end(story: Story): Promise<void> {
  await walkToTheEnd(story)
  expect(ownKeys(await story.deployment())).toEqual([])
}

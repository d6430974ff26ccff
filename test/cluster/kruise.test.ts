// Coming from Kruise Rollouts: its Rollouts are taken over at rest, never while it runs, and what it has
// left in the middle of a release is named with the patch that mends it.

import { isDeepStrictEqual } from 'node:util'

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import {
  KRUISE_FINALIZER,
  KRUISE_PROGRESSING,
  KRUISE_WEBHOOKS,
  STABLE_REVISION,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import { CUSTOM_RESOURCES, ROLLOUTS_DEFINITION } from '#kube/resources.ts'
import { applyCustomResources } from '../../dev/sluice.ts'
import { until } from '../../dev/until.ts'
import { leftovers } from '../../cli/kruise.ts'
import { helm, helm3, kubectl, sluice } from './commands.ts'
import { DEFAULT_FIELDS, holdFields, ownKeys, runTold, warningsOf } from './deployment-facts.ts'
import { condition, messageOf, obey, stand, told, worst } from './facts.ts'
import { makePool } from './kinds/nodes.ts'
import {
  createKruiseRollout,
  holdByRecreate,
  kruiseCrd,
  playManager,
  register,
  tellHealthy,
  unregister,
} from './kruise.ts'
import { ROLLOUT, WORKLOAD, rolloutOf } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

function lines(words: string): readonly string[] {
  return world.log.filter(line => line.includes(words))
}

async function finalizers(story: Story): Promise<readonly string[]> {
  return (await story.rollout()).metadata.finalizers ?? []
}

/** Waits until condition Ready has this reason. */
async function isReady(story: Story, reason: string): Promise<void> {
  const fact = async () => (await condition(story, 'Ready'))?.reason === reason
  await story.until(`condition Ready: ${reason}`, fact)
}

/** Kruise Rollouts is there for as long as the test, and each process has heard of it. */
async function registered(): Promise<() => Promise<void>> {
  const before = registrations().length
  await register(world.client)
  const end = () => unregister(world.client)
  onTestFinished(end)
  // A Rollout comes by another watch: its finalizer would go before that.
  await until('not each process hears of Kruise Rollouts', async () => {
    return registrations().length >= before + 2
  })
  return end
}

/** Each time that a process has told that it is there. */
function registrations(): readonly string[] {
  return lines(`"configuration":"${KRUISE_WEBHOOKS}"`).filter(line => line.includes(RUNS))
}

const RUNS = 'Kruise Rollouts runs in this cluster too'

/** All but what the controller-manager counts, and when. */
function writtenIn({ metadata, spec }: Deployment): object {
  const { generation, labels, annotations } = metadata
  return { generation, labels, annotations, spec }
}

/** The next edit is held, as of any Rollout of ours. */
async function guards(story: Story, image: string): Promise<void> {
  expect(warningsOf(await story.edit(image))[0]).toMatch(/^release starts with step 1 of 3/)
  await story.reached(1)
  await stand(story, { 'app:1': 9, [image]: 1 })
}

test('while it is registered nothing is done; after it, its Rollouts are taken over at rest', async () => {
  const end = await registered()
  const story = await world.story({ steps: false, labels: { [WORKLOAD_TYPE]: 'deployment' } })
  await createKruiseRollout(story, rolloutOf(story.namespace, {}))
  await isReady(story, 'KruiseRunning')
  await tellHealthy(story, ROLLOUT)
  await isReady(story, 'KruiseRunning')
  const { status } = await story.rollout()
  // All that the other one has written is as it was.
  expect(status).toMatchObject({
    phase: 'Healthy',
    canaryStatus: { stableRevision: '7f9c6d5b88', currentStepState: 'Completed' },
  })
  expect(status!.conditions!.map(({ type }) => type)).toEqual(['Progressing', 'Succeeded', 'Ready'])
  expect(await finalizers(story)).toEqual([KRUISE_FINALIZER])

  const dryRun = ['set', 'image', `deployment/${WORKLOAD}`, 'app=app:2', '--dry-run=server']
  const edited = await story.kubectl([...dryRun, '-o', 'json'])
  expect(warningsOf(edited)).toEqual([expect.stringMatching(/^Kruise Rollouts runs/)])
  expect(ownKeys(JSON.parse(edited.stdout))).toEqual([])
  // Each process has told its log, once.
  expect(registrations()).toHaveLength(2)

  story.forget()
  await end()
  await isReady(story, 'Guarding')
  expect(await finalizers(story)).toEqual([])
  expect(story.history().every(({ wanted }) => wanted['app:1'] === 10)).toBe(true)
  expect(await story.events()).not.toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('rollout web-rollout') as string }),
  )
  await guards(story, 'app:2')
})

test('a manager that is not registered puts its finalizer back, and is seen by that', async () => {
  const story = await world.story({ steps: false })
  await createKruiseRollout(story, rolloutOf(story.namespace, {}))
  const end = playManager(story)
  onTestFinished(end)
  await isReady(story, 'KruiseRunning')
  expect((await story.deployment()).metadata.labels?.[WORKLOAD_TYPE]).toBeUndefined()
  const logged = () => lines(`"rollout":"${story.namespace}/${ROLLOUT}"`)
  await story.until('a line of the log', () => logged().length > 0)
  await end()
  await isReady(story, 'Guarding')
  expect(await finalizers(story)).toEqual([])
  await guards(story, 'app:2')
})

test('what it left paused with Recreate is named, and mended by the patch that is told', async () => {
  const story = await world.story({ steps: false })
  await holdByRecreate(story, WORKLOAD, 'app:2')
  await createKruiseRollout(story, rolloutOf(story.namespace, {}))
  await tellHealthy(story, ROLLOUT)
  await isReady(story, 'LeftByKruise')
  const before = await story.deployment()
  const [event] = await told(story, 'LeftByKruise')
  const message = await messageOf(story)
  expect(event!.message).toContain(message)
  expect(message).toContain('paused with strategy Recreate')

  const args = ['adopt', `deploy/${WORKLOAD}`, '-n', story.namespace]
  const { stderr } = await sluice(world.cluster, args, { expectFailure: true })
  expect(stderr).toContain(message.split('with: ')[1]!.split('; ')[0])

  // Nobody of ours touches it.
  expect(writtenIn(await story.deployment())).toEqual(writtenIn(before))
  story.forget()
  await runTold(story, [message.split('; its BatchRelease')[0]!], 'own strategy, with: ')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
  // Its stable revision is named once everybody is seen to be new.
  await story.until('nothing of it is left but our labels', async () => {
    const { labels, annotations } = (await story.deployment()).metadata
    const keys = Object.keys({ ...labels, ...annotations }).filter(key => key.includes('kruise'))
    return isDeepStrictEqual(keys.toSorted(), [STABLE_REVISION, WORKLOAD_TYPE])
  })
  await isReady(story, 'Guarding')
})

test('other kinds that it left in the middle are named, and let go by what is told', async () => {
  const { placement: pod } = await makePool(world.client, 3)
  const left = [
    { kind: 'StatefulSet', held: { updateStrategy: { rollingUpdate: { partition: 2 } } } },
    { kind: 'DaemonSet', held: { updateStrategy: { type: 'OnDelete' } }, pod },
  ] as const
  await Promise.all(
    left.map(async ({ held, ...options }) => {
      const story = await world.story({ steps: false, replicas: 3, ...options })
      await story.kubectl(['annotate', story.target, `${KRUISE_PROGRESSING}={}`])
      await story.patch(held)
      await story.edit('app:2')
      await createKruiseRollout(story, rolloutOf(story.namespace, options))
      await isReady(story, 'LeftByKruise')
      const { message } = (await condition(story, 'Ready'))!
      expect(await leftovers(story.client, story.namespace)).toEqual([
        `${story.target}: ${message!}`,
      ])
      await runTold(story, [message!], 'own strategy, with: ')
      await stand(story, { 'app:1': 0, 'app:2': 3 })
      await isReady(story, 'Guarding')
      const { annotations } = (await story.workload()).metadata
      expect({ ...annotations }).not.toHaveProperty([KRUISE_PROGRESSING])
    }),
  )
})

test('a Rollout that it kept from being deleted is gone', async () => {
  const story = await world.story({ steps: false, replicas: 2 })
  const end = await registered()
  await createKruiseRollout(story, rolloutOf(story.namespace, {}))
  await isReady(story, 'KruiseRunning')
  await story.kubectl(['delete', 'rollout', ROLLOUT, '--wait=false'])
  expect((await story.rollout()).metadata.deletionTimestamp).toBeDefined()
  await end()
  await story.kubectl(['wait', '--for=delete', `rollout/${ROLLOUT}`, '--timeout=90s'])
})

/** What the Rollout says while its finalizer stays on it. */
const stays = 'Sluice may not take it off: where Kruise Rollouts runs no more, install with kruise'

test('without the right to take the finalizer off it says so, and goes on when it has it', async () => {
  const role = ['clusterrole', 'sluice-dev-controller']
  const { stdout } = await kubectl(world.cluster, ['get', ...role, '-o', 'json'])
  const granted = JSON.parse(stdout) as { readonly rules: readonly { readonly verbs: string[] }[] }
  const [rollouts, ...others] = granted.rules
  const read = { ...rollouts, verbs: ['list', 'watch'] }
  const rules = JSON.stringify({ rules: [read, ...others] })
  await kubectl(world.cluster, ['patch', ...role, '--type=merge', '-p', rules])
  const story = await world.story({ steps: false, replicas: 2 })
  await createKruiseRollout(story, rolloutOf(story.namespace, {}))
  await isReady(story, 'KruiseRunning')
  expect((await condition(story, 'Ready'))!.message).toContain(stays)
  const logged = () => lines(`"rollout":"${story.namespace}/${ROLLOUT}"`)
  await story.until('a line of the log', () => logged().length > 0)
  expect(logged()).toEqual([expect.stringContaining(stays)])

  const again = JSON.stringify({ rules: granted.rules })
  await kubectl(world.cluster, ['patch', ...role, '--type=merge', '-p', again])
  await isReady(story, 'Guarding')
  expect(await finalizers(story)).toEqual([])
})

test('told to leave finalizers it waits until somebody has taken one off', async () => {
  await world.sluice.controller.stop()
  const controller = await world.sluice.startController(['--kruise-finalizers=leave'])
  const story = await world.story({ steps: false })
  await createKruiseRollout(story, rolloutOf(story.namespace, {}))
  await isReady(story, 'KruiseRunning')
  await stand(story, { 'app:1': 10 })
  const { message } = (await condition(story, 'Ready'))!
  expect(message).toContain(stays)
  await obey(world.cluster, message!)
  await isReady(story, 'Guarding')
  await guards(story, 'app:2')
  await controller.stop()
  await world.sluice.startController()
})

test('its CRD drops what a release needs: that is told, until ours is there', async () => {
  await kubectl(world.cluster, ['replace', '-f', '-'], { input: JSON.stringify(kruiseCrd()) })
  const story = await world.story({ steps: false })
  await story.create(rolloutOf(story.namespace, {}))
  await isReady(story, 'FieldsDropped')
  await kubectl(world.cluster, ['replace', '-f', 'api/crds/rollouts.kruise.io_rollouts.yaml'])
  const definition = { name: ROLLOUTS_DEFINITION }
  const { spec } = await world.client.get(CUSTOM_RESOURCES, definition)
  expect(spec.conversion!.webhook!.clientConfig!.service!.name).toBe('sluice-webhook')
  await applyCustomResources(world.client)
  await isReady(story, 'Guarding')
  await guards(story, 'app:2')

  // From now on it may be Helm's; but not where something may be stored in the older version.
  const stored = (storedVersions: readonly string[]) =>
    world.client.mergePatch(
      CUSTOM_RESOURCES,
      definition,
      { status: { storedVersions } },
      { subresource: 'status' },
    )
  await stored(['v1alpha1', 'v1beta1'])
  const early = ['install', 'sluice', 'charts/sluice', '--take-ownership']
  const refused = await helm(world.cluster, early, { expectFailure: true })
  expect(refused.stderr).toContain('crds.install: Rollouts may be stored as v1alpha1')
  await stored(['v1beta1'])
  for (const run of [helm, helm3]) {
    const at = ['sluice', '--namespace', 'sluice-system']
    const options = ['--create-namespace', '--take-ownership', '--set', 'policy.enabled=false']
    const ignore = ['--set', 'webhook.failurePolicy=Ignore']
    await run(world.cluster, ['install', ...at, 'charts/sluice', ...options, ...ignore])
    await run(world.cluster, ['uninstall', ...at, '--no-hooks'])
  }
  expect((await story.rollout()).status!.phase).toBe('Progressing')
})

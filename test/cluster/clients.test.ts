// Manifests that name strategy, minReadySeconds and progressDeadlineSeconds, brought again in the
// middle of a release by the tools that people use: no conflict, no drift, and no pod moves.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { walkTo } from './approvals.ts'
import { kubectl } from './commands.ts'
import { heldFields, holdFields, holdOn, ownKeys, ownedBy } from './deployment-facts.ts'
import type { Story } from './story.ts'
import { MANIFEST_SPEC, helmTool, manifestOf, manifestTool } from './tools.ts'
import type { Tool } from './tools.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const serverSide = ['apply', '--server-side']
const tools: readonly [string, () => Tool][] = [
  ['Helm 4', () => helmTool(world.cluster, 4)],
  ['Helm 3', () => helmTool(world.cluster, 3)],
  ['kubectl apply', () => manifestTool(world.cluster, ['apply'])],
  ['kubectl apply --server-side', () => manifestTool(world.cluster, serverSide)],
  [
    'kubectl replace',
    () => {
      const how = { first: ['create'], dropsAnnotations: true }
      return manifestTool(world.cluster, ['replace'], how)
    },
  ],
  [
    'a GitOps controller that takes over what kubectl created',
    () => {
      const flags = ['--force-conflicts', '--field-manager=argocd-controller']
      return manifestTool(world.cluster, [...serverSide, ...flags], { first: ['create'] })
    },
  ],
]

const steps = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '80%' }, { replicas: '100%' }]
const own = { ...MANIFEST_SPEC, paused: false }

describe.each(tools)('%s', (_, tool) => {
  test.concurrent.each([0, 1, 2, 3])('at step %i: again, a new version, and back', async step => {
    const { install, bring, goBack, dropsAnnotations } = tool()
    const story = await world.story({ steps, install })
    const { namespace } = story

    const { stderr } = await bring(namespace, 'app:2')
    expect(stderr).toContain('step 1 of 4: 1 of 10 pods')
    expect(holdFields(await story.deployment())).toEqual(heldFields('010%'))
    await walkTo(story, step)
    await movesNothing(story, () => bring(namespace, 'app:2'), dropsAnnotations)
    await noDrift(story, 'app:2')
    await ownsOnlyItsKeys(story, step, dropsAnnotations)

    await bring(namespace, 'app:3')
    expect(holdFields(await story.deployment())).toEqual(heldFields('010%'))
    await story.reached(1)
    expect(story.now().wanted['app:3']).toBe(1)
    await movesNothing(story, () => bring(namespace, 'app:3'), dropsAnnotations)

    story.forget()
    await goBack(namespace)
    const restored = await story.deployment()
    expect(holdFields(restored)).toEqual(own)
    expect(ownKeys(restored)).toEqual([])
    await story.phase('Healthy')
    expect(story.now().wanted).toMatchObject({ 'app:1': 10, 'app:2': 0, 'app:3': 0 })
    expect(Math.max(...story.history().map(({ wanted }) => wanted['app:3'] ?? 0))).toBe(1)
  })

  test.concurrent('brings a version to its end, and again is nothing new', async () => {
    const { install, bring, dropsAnnotations } = tool()
    const story = await world.story({ steps, install })
    await bring(story.namespace, 'app:2')
    await walkTo(story, 3)
    await story.approve()
    await story.phase('Healthy')

    expect(story.now().wanted).toMatchObject({ 'app:1': 0, 'app:2': 10 })
    expect(holdFields(await story.deployment())).toEqual(own)
    expect(ownKeys(await story.deployment())).toEqual([])
    await movesNothing(story, () => bring(story.namespace, 'app:2'), dropsAnnotations)
    await noDrift(story, 'app:2')
    expect(Math.min(...story.history().map(moment => moment.ready))).toBeGreaterThanOrEqual(7)
  })
})

test.concurrent('another manager without force is told whose fields they are', async () => {
  const { install, bring } = tools[3]![1]()
  const story = await world.story({ steps, install })
  await bring(story.namespace, 'app:2')
  await story.reached(1)
  // The API server looks for conflicts before admission: the live values are not the manifest's.
  await movesNothing(story, async () => {
    const input = manifestOf(story.namespace, 'app:2')
    const args = [...serverSide, '--field-manager=another', '-f', '-']
    const { stderr } = await kubectl(world.cluster, args, { input, expectFailure: true })
    expect(stderr).toContain('Apply failed with 4 conflicts: conflicts with "kubectl"')
  })
})

test.concurrent('a self-heal by force takes nothing from the release', async () => {
  const { install, bring } = tools[3]![1]()
  const story = await world.story({ steps, install })
  await bring(story.namespace, 'app:2')
  await story.reached(1)
  await movesNothing(story, () => {
    const input = manifestOf(story.namespace, 'app:2')
    const flags = ['--force-conflicts', '--field-manager=another']
    return kubectl(world.cluster, [...serverSide, ...flags, '-f', '-'], { input })
  })
  await ownsOnlyItsKeys(story, 1)
})

/** The write leaves spec, generation and hold as they are: there is nothing to move a pod. */
async function movesNothing(
  story: Story,
  write: () => Promise<unknown>,
  dropsAnnotations = false,
): Promise<void> {
  const before = await story.deployment()
  await write()
  const after = await story.deployment()
  expect(after.spec).toEqual(before.spec)
  if (!dropsAnnotations) expect(after.metadata.generation).toBe(before.metadata.generation)
  expect(holdOn(after)).toEqual(holdOn(before))
}

/** `kubectl diff` shows what it would change, and ends with 1 then. */
async function noDrift(story: Story, image: string): Promise<void> {
  await story.until('the status to come to rest', async () => {
    const { metadata, spec, status } = await story.deployment()
    const seen = status?.observedGeneration === metadata.generation
    return seen && status?.readyReplicas === spec.replicas && status?.updatedReplicas !== undefined
  })
  const input = manifestOf(story.namespace, image)
  // A manager of its own: what Helm adds to the manifest is not taken away then.
  const flags = ['--server-side', '--force-conflicts', '--field-manager=reader']
  const { stdout } = await kubectl(world.cluster, ['diff', ...flags, '-f', '-'], { input })
  expect(stdout).toBe('')
}

/**
 * Our controller has written the labels by now, and the hold once a step was approved. What a PUT has
 * taken away and admission has put back belongs to nobody.
 */
async function ownsOnlyItsKeys(
  story: Story,
  step: number,
  dropsAnnotations = false,
): Promise<void> {
  const labels = ['stable-revision', 'workload-type'].map(
    name => `metadata.labels.rollouts.kruise.io/${name}`,
  )
  const hold = step > 1 ? ['metadata.annotations.sluice.dev/hold'] : []
  const paths = await ownedBy(story, 'sluice-controller')
  expect(paths.toSorted()).toEqual(dropsAnnotations ? [] : [...hold, ...labels])
}

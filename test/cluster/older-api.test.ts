// The older version of the API beside the one that is stored, on a real API server: a whole release by it,
// what is refused in its words, what a write through it keeps, and what goes on while nobody converts.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { API_VERSION, OLDER_API_VERSION, ROLLING_STYLE } from '#api/names.ts'
import type { Rollout, RolloutV1alpha1 } from '#api/rollout.generated.ts'
import { kubectl, kubectlJson } from './commands.ts'
import type { CommandResult } from './commands.ts'
import { eventually } from './eventually.ts'
import { stand } from './facts.ts'
import { ROLLOUT, WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

type Json = Record<string, unknown>

let world: World
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
})
afterAll(() => world?.stop())

const OLDER = 'rollouts.v1alpha1.rollouts.kruise.io'
const NEWER = 'rollouts.v1beta1.rollouts.kruise.io'
/** No webhook of ours is called here, so all that the schema accepts is stored. */
const UNGUARDED = 'kube-system'
const partition = { [ROLLING_STYLE]: 'partition' }
const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: WORKLOAD }

function older(canary: Json, annotations: Json = partition): Json {
  return {
    apiVersion: OLDER_API_VERSION,
    kind: 'Rollout',
    metadata: { name: ROLLOUT, annotations },
    spec: { objectRef: { workloadRef }, strategy: { canary } },
  }
}

function write(story: Story, args: readonly string[], object: Json): Promise<CommandResult> {
  return story.kubectl([...args, '-f', '-'], { input: JSON.stringify(object) })
}

/** As kubectl-kruise approves a Rollout of this version. */
async function approve(story: Story): Promise<void> {
  const patch = JSON.stringify({ status: { canaryStatus: { currentStepState: 'StepReady' } } })
  await story.kubectl([
    'patch',
    OLDER,
    ROLLOUT,
    '--subresource=status',
    '--type=merge',
    '-p',
    patch,
  ])
}

test('a whole release, as the addon of KubeVela writes its Rollout', async () => {
  const story = await world.story({ steps: false })
  const annotations = { ...partition, 'controller.core.oam.dev/skip-resume': 'true' }
  const steps = [
    { weight: 20, pause: {} },
    { replicas: '50%', pause: {} },
    { weight: 100, pause: { duration: 0 } },
  ]
  await write(story, ['apply'], older({ steps }, annotations))
  await story.phase('Healthy')
  const stored = await story.rollout()
  expect(stored.spec.strategy.canary).toEqual({
    steps: [
      { replicas: '20%', traffic: '20%', pause: {} },
      { replicas: '50%', pause: {} },
      { replicas: '100%', traffic: '100%', pause: { duration: 0 } },
    ],
  })

  const { stderr } = await story.edit('app:2')
  expect(stderr).toContain('release starts with step 1 of 3: 2 of 10 pods')
  await story.reached(1)
  await stand(story, { 'app:1': 8, 'app:2': 2 })
  const { stdout } = await story.kubectl(['get', OLDER, ROLLOUT])
  expect(stdout.replaceAll(/ +/g, ' ')).toMatch(
    /^NAME STATUS CANARY_STEP CANARY_STATE MESSAGE AGE\nweb-rollout Progressing 1 StepPaused /,
  )
  // What it asks whether it is to go on: the addon compares the first weight.
  const shown = JSON.parse((await story.kubectl(['get', OLDER, ROLLOUT, '-ojson'])).stdout) as {
    readonly spec: RolloutV1alpha1['spec']
  }
  expect(shown.spec.strategy.canary!.steps!.map(({ weight }) => weight)).toEqual([
    20,
    undefined,
    100,
  ])

  await approve(story)
  await story.reached(2)
  await stand(story, { 'app:1': 5, 'app:2': 5 })
  // The same object once more is no change.
  await write(story, ['apply'], older({ steps }, annotations))
  expect((await story.rollout()).spec).toEqual(stored.spec)
  await approve(story)
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
})

test('without a style the new pods run in a second Deployment', async () => {
  const story = await world.story({ steps: false, replicas: 4 })
  await write(story, ['apply'], older({ steps: [{ weight: 25, pause: {} }, { weight: 100 }] }, {}))
  await story.phase('Healthy')
  await story.edit('app:2')
  await story.reached(1)
  await stand(story, { 'app:1': 4, 'app:2': 1 })
  await approve(story)
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 4 })
})

test('what is refused is told by the fields that were written', async () => {
  const story = await world.story({ steps: false, replicas: 1 })
  const refusal = async (object: Json) => {
    const input = JSON.stringify(object)
    const args = ['create', '-f', '-']
    const { stderr } = await story.kubectl(args, { input, expectFailure: true })
    return stderr.replaceAll(/\s+/g, ' ')
  }
  const steps = [{ replicas: 1 }]
  const at = 'spec.strategy.canary.steps[0]'
  expect(await refusal(older({ steps }, { [ROLLING_STYLE]: 'partitoin' }))).toContain(
    `metadata.annotations[${ROLLING_STYLE}]: expected partition or canary, got "partitoin"`,
  )
  expect(await refusal(older({ steps: [{ pause: {} }] }))).toContain(`${at}.replicas: Required`)
  for (const weight of [0, 101]) {
    expect(await refusal(older({ steps: [{ weight }] }))).toContain(
      `${at}.weight: Invalid value: ${weight}: write a percent from 1 to 100, or remove \`weight\``,
    )
  }
  expect(await refusal(older({ steps: [] }))).toContain('write at least one step')
  const nameless = await refusal({ ...older({ steps }), spec: { strategy: { canary: { steps } } } })
  expect(nameless).toContain('spec.objectRef: Required value: name the workload to guard')
  expect(nameless).toContain('`objectRef: {workloadRef: {apiVersion: apps/v1, kind: Deployment,')
})

test('through the newer version a share may stay, and none may come', async () => {
  const story = await world.story({ steps: false, replicas: 1 })
  await write(story, ['create'], older({ steps: [{ weight: 20 }, { replicas: '50%' }] }))
  const step = '/spec/strategy/canary/steps/1'
  const patch = (path: string, value: string) => {
    const operation = { op: 'add', path: `${step}/${path}`, value }
    return ['patch', NEWER, ROLLOUT, '--type=json', '-p', JSON.stringify([operation])]
  }
  const refused = await story.kubectl(patch('traffic', '50%'), { expectFailure: true })
  expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
    'spec.strategy.canary.steps[1].traffic: requests are not moved here: switch that on',
  )
  await story.kubectl(patch('replicas', '60%'))
  await story.phase('Healthy')

  const statefulSet = { workloadRef: { ...workloadRef, kind: 'StatefulSet' } }
  const object = older({ steps: [{ weight: 20 }] }, {})
  const spec = { ...(object['spec'] as Json), objectRef: statefulSet }
  await write(story, ['create', '--dry-run=server'], { ...object, metadata: { name: 'db' }, spec })
})

test('all that it accepts is a Rollout of the version that is stored', async () => {
  const header = { name: 'user', value: 'me' }
  const step = {
    weight: 100,
    replicas: '020%',
    matches: [{ path: { type: 'Exact', value: '/a' }, headers: [header], queryParams: [header] }],
    requestHeaderModifier: { set: [header], add: [header], remove: ['other'] },
    pause: { duration: -1 },
  }
  const canary = {
    steps: [...Array.from({ length: 49 }, () => step), { weight: 1 }],
    trafficRoutings: [{ service: 'shop', ingress: { name: 'shop' } }],
    failureThreshold: '10%',
    patchPodTemplateMetadata: { labels: { a: 'b' } },
    disableGenerateCanaryService: true,
  }
  const object = older(canary, { ...partition, 'rollouts.kruise.io/trafficrouting': 'shop' })
  const at = ['-n', UNGUARDED]
  const input = JSON.stringify(object)
  await kubectl(world.cluster, [...at, 'create', '-f', '-'], { input })
  const stored = await kubectlJson<Rollout>(world.cluster, [...at, 'get', NEWER, ROLLOUT])
  expect(stored.spec.strategy.canary!.trafficRoutings![0]!.gracePeriodSeconds).toBe(3)
  expect(stored.spec.strategy.canary!.trafficRoutingRef).toBe('shop')
  // As a new one, since what an edit leaves as it was is not looked at.
  const copy = { ...stored, metadata: { name: 'copy' } }
  const dryRun = [...at, 'create', '--dry-run=server', '-f', '-']
  await kubectl(world.cluster, dryRun, { input: JSON.stringify(copy) })

  // A write through it keeps what only the other version has.
  await kubectl(world.cluster, [...at, 'label', OLDER, ROLLOUT, 'written=older'])
  const after = await kubectlJson<Rollout>(world.cluster, [...at, 'get', NEWER, ROLLOUT])
  expect(after.metadata.labels).toEqual({ written: 'older' })
  expect(after.spec).toEqual(stored.spec)
})

test('blue-green is seen as it is, and is whole after a write', async () => {
  const blueGreen = { steps: [{ replicas: '100%', traffic: '0%' }, { replicas: '100%' }] }
  const object = {
    apiVersion: API_VERSION,
    kind: 'Rollout',
    metadata: { name: 'blue-green' },
    spec: { workloadRef, strategy: { blueGreen } },
  }
  const at = ['-n', UNGUARDED]
  const input = JSON.stringify(object)
  await kubectl(world.cluster, [...at, 'create', '-f', '-'], { input })
  await kubectl(world.cluster, [...at, 'label', OLDER, 'blue-green', 'written=older'])
  const after = await kubectlJson<Rollout>(world.cluster, [...at, 'get', NEWER, 'blue-green'])
  expect(after.spec.strategy).toEqual({ blueGreen })
})

test('while nobody converts, the version that is stored goes on', async () => {
  const steps = [{ replicas: 1 }]
  const story = await world.story({ steps: false, replicas: 1 })
  await write(story, ['create'], older({ steps }))
  await story.phase('Healthy')
  const newer = await world.story({ replicas: 1 })
  await world.sluice.webhook.stop('SIGKILL')

  // A list may come from the API server's cache, as it was.
  const failed = await story.kubectl(['get', OLDER, ROLLOUT], { expectFailure: true })
  expect(failed.stderr).toContain('conversion webhook for rollouts.kruise.io/v1beta1')
  for (const each of [story, newer]) {
    // Both a spec and a status, by people and by the controller.
    await each.patchRollout({ spec: { disabled: true } })
    await each.phase('Disabled')
    await each.kubectl(['get', 'rollouts'])
    await each.kubectl(['annotate', 'rollout', ROLLOUT, 'seen=true'])
  }
  const { metadata } = await newer.rollout()
  expect(metadata).toHaveProperty('managedFields')
  expect((await story.rollout()).metadata).not.toHaveProperty('managedFields')
  await newer.kubectl(['delete', 'rollout', ROLLOUT])

  await world.sluice.startWebhook()
  // It listens elsewhere now, and the API server learns who converts a moment after it is told.
  await eventually(() => story.kubectl(['get', OLDER, ROLLOUT]))
  const back = await story.kubectl(['get', OLDER, ROLLOUT, '-ojson'])
  expect(JSON.parse(back.stdout)).toMatchObject({
    apiVersion: OLDER_API_VERSION,
    spec: { disabled: true, strategy: { canary: { steps } } },
  })
  await story.kubectl(['delete', OLDER, ROLLOUT])
})

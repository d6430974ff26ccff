// What a Rollout may not say, through the API server: the refusal names the field, and what to write
// instead; while a release runs, some words of it may not change.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { ROLLOUT, THREE_STEPS, WORKLOAD, rolloutOf } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let calm: Story
let releasing: Story
beforeAll(async () => {
  world = await startWorld()
  ;[calm, releasing] = await Promise.all([
    world.story({ replicas: 2 }),
    world.story({ replicas: 4 }),
  ])
  // The webhook hears of Rollouts by a watch of its own.
  await calm.until('the webhook knows of the Rollout', () => isKnown(calm))
  await releasing.edit('app:2')
  await releasing.reached(1)
})
afterAll(() => world?.stop())

const canary = (plan: object) => ({ strategy: { canary: plan } })
const ref = (change: object) => ({
  workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'other', ...change },
})
const steps = [{ replicas: 1 }]
const routings = [{ service: 'web', ingress: { name: 'web' } }]

/** What is wrong, the spec that says it, and the words of the refusal. */
const invalid: readonly [string, object, readonly string[]][] = [
  [
    'a second Rollout for the same Deployment',
    { ...ref({ name: WORKLOAD }), ...canary({ steps }) },
    ['spec.workloadRef', ROLLOUT, 'change that one, or delete it first'],
  ],
  [
    'a kind that is not released',
    { ...ref({ kind: 'Job' }), ...canary({ steps }) },
    ['spec.workloadRef', 'apps/v1', 'Deployment'],
  ],
  [
    'steps that go back',
    { ...ref({}), ...canary({ steps: [{ replicas: '50%' }, { replicas: '20%' }] }) },
    ['spec.strategy.canary.steps[1].replicas', 'write 50% or more'],
  ],
  ['no steps', { ...ref({}), ...canary({ steps: [] }) }, ['spec.strategy.canary.steps']],
  [
    'a step of no pods',
    { ...ref({}), ...canary({ steps: [{ replicas: 0 }] }) },
    ['spec.strategy.canary.steps[0].replicas'],
  ],
  [
    'a step of more than all',
    { ...ref({}), ...canary({ steps: [{ replicas: '101%' }] }) },
    ['spec.strategy.canary.steps[0].replicas', '100%'],
  ],
  [
    'neither canary nor blueGreen',
    { ...ref({}), strategy: {} },
    ['spec.strategy', 'add `canary` or `blueGreen` with at least one step'],
  ],
  [
    'traffic, which is not there',
    { ...ref({}), ...canary({ steps, trafficRoutings: routings }) },
    ['spec.strategy.canary.trafficRoutings', 'remove'],
  ],
  [
    'traffic in blueGreen, which is not there',
    { ...ref({}), strategy: { blueGreen: { steps, trafficRoutings: routings } } },
    ['spec.strategy.blueGreen.trafficRoutings', 'remove'],
  ],
]

describe('refused with the field’s name', () => {
  test.each(invalid)('%s', async (_, spec, words) => {
    const object = { ...rolloutOf(calm.namespace, {}), metadata: { name: 'second' }, spec }
    for (const dryRun of [['--dry-run=server'], []]) {
      const stderr = await refused(calm, ['create', '-f', '-', ...dryRun], object)
      for (const word of words) expect(stderr).toContain(word)
    }
    const { stdout } = await calm.kubectl(['get', 'rollouts', '-o', 'name'])
    expect(stdout.trim()).toBe(`rollout.rollouts.kruise.io/${ROLLOUT}`)
  })

  test('the same workload by an edit of another Rollout', async () => {
    const spec = { ...ref({}), ...canary({ steps }) }
    const object = { ...rolloutOf(calm.namespace, {}), metadata: { name: 'third' }, spec }
    await calm.kubectl(['create', '-f', '-'], { input: JSON.stringify(object) })
    const patch = JSON.stringify({ spec: ref({ name: WORKLOAD }) })
    const args = ['patch', 'rollout/third', '--type=merge', '-p', patch]
    expect(await refused(calm, args)).toContain(`Rollout ${calm.namespace}/${ROLLOUT} releases`)
    await calm.kubectl(['delete', 'rollout/third'])
  })
})

test('of two Rollouts made at once one guards the Deployment, the other says why not', async () => {
  const story = await world.story({ steps: false, replicas: 2 })
  const names = ['first', 'second']
  const writes = names.map(name => {
    const object = { ...rolloutOf(story.namespace, {}), metadata: { name } }
    return story.kubectl(['create', '-f', '-'], { input: JSON.stringify(object) })
  })
  const refusals = (await Promise.allSettled(writes)).flatMap(write =>
    write.status === 'rejected' ? [String(write.reason)] : [],
  )
  await story.until('one of them Healthy', async () => {
    const rollouts = await rolloutsOf(story)
    return rollouts.filter(({ status }) => status?.phase === 'Healthy').length === 1
  })
  // The other one was refused, or was stored before anybody could know.
  await story.until('the other one to say why', async () => {
    const stored = (await rolloutsOf(story)).flatMap(({ status }) =>
      (status?.conditions ?? []).map(({ message }) => message),
    )
    return [...refusals, ...stored].some(text => /spec\.workloadRef: .*first/.test(text))
  })
})

async function rolloutsOf(story: Story): Promise<readonly Rollout[]> {
  const { stdout } = await story.kubectl(['get', 'rollouts', '-o', 'json'])
  return (JSON.parse(stdout) as { items: readonly Rollout[] }).items
}

const frozen: readonly [string, object, readonly string[]][] = [
  ['another workload', ref({}), ['spec.workloadRef', `keep apps/v1 Deployment ${WORKLOAD}`]],
  [
    'another style',
    { strategy: { canary: null, blueGreen: { steps: THREE_STEPS } } },
    ['spec.strategy', 'keep `canary`'],
  ],
  [
    'another number of steps',
    canary({ steps: THREE_STEPS.slice(1) }),
    ['spec.strategy.canary.steps', 'keep the number of steps (3, not 2)'],
  ],
  [
    'routing that was not there',
    canary({ trafficRoutings: routings }),
    ['spec.strategy.canary.trafficRoutings'],
  ],
]
const allowed: readonly [string, object][] = [
  ['the sizes of steps', canary({ steps: [{ replicas: 1 }, { replicas: '75%' }, THREE_STEPS[2]] })],
  ['pauses', canary({ steps: THREE_STEPS.map(step => ({ ...step, pause: { duration: 600 } })) })],
  ['failureThreshold', canary({ steps: THREE_STEPS, failureThreshold: '25%' })],
  ['paused', { strategy: { paused: true } }],
  ['disabled', { disabled: true }],
]

describe('while a release runs', () => {
  test.each(frozen)('%s is refused, and the release stands', async (_, spec, words) => {
    const before = await releasing.deployment()
    const stderr = await refused(releasing, patchRollout(spec))
    for (const word of words) expect(stderr).toContain(word)
    expect((await releasing.deployment()).spec).toEqual(before.spec)
  })

  test.each(allowed)('%s may change', async (_, spec) => {
    await releasing.kubectl([...patchRollout(spec), '--dry-run=server'])
  })

  test.each(frozen.slice(0, 1))('%s is fine at rest', async (_, spec) => {
    await calm.kubectl([...patchRollout(spec), '--dry-run=server'])
  })
})

async function isKnown(story: Story): Promise<boolean> {
  const object = { ...rolloutOf(story.namespace, {}), metadata: { name: 'second' } }
  const args = ['create', '-f', '-', '--dry-run=server']
  const created = story.kubectl(args, { input: JSON.stringify(object) })
  return created.then(
    () => false,
    () => true,
  )
}

function patchRollout(spec: object): readonly string[] {
  return ['patch', `rollout/${ROLLOUT}`, '--type=merge', '-p', JSON.stringify({ spec })]
}

/** Runs what must be refused, and gives the one line of the refusal. */
async function refused(story: Story, args: readonly string[], object?: KubeObject) {
  const { stderr } = await story.kubectl(args, {
    expectFailure: true,
    ...(object && { input: JSON.stringify(object) }),
  })
  return stderr
}

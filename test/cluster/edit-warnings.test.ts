// What the answer to an edit tells, in a dry run as well: the plan, the way back, why an edit is not
// held, and what ending a Rollout in the middle means. The commands in it work as they stand.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { HOLD } from '#api/names.ts'
import { walkTo } from './approvals.ts'
import { says } from './facts.ts'
import { ownKeys, runTold, warningsOf } from './deployment-facts.ts'
import { ROLLOUT, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const target = `deployment/${WORKLOAD}`
const rollout = `rollout/${ROLLOUT}`
const setImage = (image: string) => ['set', 'image', target, `app=${image}`]
const dryRun = '--dry-run=server'

/** Who edits, what the answer says, each part in a line of its own. */
const plans: readonly [string, StoryOptions, readonly RegExp[]][] = [
  [
    'the plan of a step that waits for approval',
    {},
    [
      /step 1 of 3: 1 of 10 pods, then waits for approval; peak 11 pods/,
      /^approve with: kubectl .* patch rollout web-rollout --subresource=status/,
    ],
  ],
  [
    'the plan of a step that waits by itself',
    { steps: [{ replicas: '30%', pause: { duration: 60 } }, { replicas: '100%' }] },
    [/step 1 of 2: 3 of 10 pods, then waits 60 s; peak \d+ pods/],
  ],
  [
    'the peak where no old pod may leave before a new one is there',
    { spec: { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } } } },
    [/step 1 of 3: 1 of 10 pods, .*; peak 11 pods/],
  ],
  [
    'a plan of one step that is the end',
    { steps: [{ replicas: '100%' }] },
    [/step 1 of 1: 10 of 10 pods/],
  ],
]

describe('the answer to an edit tells', () => {
  test.concurrent.each(plans)('%s, in a dry run as well', async (_, options, expected) => {
    const story = await world.story(options)
    const tried = warningsOf(await changesNothing(story, [...setImage('app:2'), dryRun]))
    const told = warningsOf(await story.edit('app:2'))

    expect(told).toEqual(tried)
    for (const part of expected) expect(told).toContainEqual(expect.stringMatching(part))
    expect(Math.max(...told.map(line => line.length))).toBeLessThanOrEqual(256)
  })

  test.concurrent('the command that approves, which does', async () => {
    const story = await world.story()
    const told = warningsOf(await story.edit('app:2'))
    await story.reached(1)
    await runTold(story, told, 'approve with: ')
    await story.reached(2)
  })

  test.concurrent('the command that takes all pods back, which does', async () => {
    const story = await world.story()
    const told = warningsOf(await story.edit('app:2'))
    await story.reached(1)
    await runTold(story, told, 'take all pods back with: ')
    await story.until('all pods stable', () => story.now().wanted['app:2'] === 0)
  })

  test.concurrent('that of a version between pods may run already', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await walkTo(story, 2)
    await story.edit('app:3')
    await story.reached(1)
    await says(story, '4 pods are of a version between, neither stable nor new; step 1 of 3')
    const { history } = story
    story.forget()
    const told = warningsOf(await story.edit('app:2'))
    expect(told).toContainEqual(expect.stringMatching(/^pods of this version may run already/))
    await story.reached(1)
    expect(Math.max(...history().map(({ wanted }) => wanted['app:2'] ?? 0))).toBeLessThanOrEqual(5)
  })

  test.concurrent('that it rolls back, in a dry run as well', async () => {
    const story = await world.story()
    await story.edit('app:2')
    await story.reached(1)
    const tried = warningsOf(await changesNothing(story, [...setImage('app:1'), dryRun]))
    const told = warningsOf(await story.edit('app:1'))
    expect(told).toEqual(tried)
    expect(told).toEqual([expect.stringMatching(/^rolling back to /)])
  })
})

const free: readonly [string, StoryOptions, (story: Story) => Promise<unknown>, string][] = [
  [
    'the Rollout is disabled',
    { replicas: 4 },
    async story => {
      await story.patchRollout({ spec: { disabled: true } })
      await story.phase('Disabled')
    },
    `not held: Rollout ${ROLLOUT} is disabled (spec.disabled); the edit goes out now, without steps, by the strategy of the workload`,
  ],
  [
    'the Deployment’s own strategy is Recreate',
    { replicas: 4, spec: { strategy: { type: 'Recreate' } } },
    async () => {},
    'not held: .*Recreate.*; the edit goes out now, without steps, by the strategy of the workload',
  ],
  [
    'no pod runs',
    { replicas: 0 },
    async () => {},
    'no pod runs[;:] scaling up starts the new version',
  ],
]

describe('an edit is not held, and the answer says that', () => {
  test.concurrent.each(free)('%s, in a dry run as well', async (_, options, prepare, why) => {
    const story = await world.story(options)
    await prepare(story)
    const tried = warningsOf(await changesNothing(story, [...setImage('app:2'), dryRun]))
    const told = warningsOf(await story.edit('app:2'))

    expect(told).toEqual(tried)
    expect(told).toEqual([expect.stringMatching(why.replaceAll(/[()]/g, '\\$&'))])
    expect(ownKeys(await story.deployment())).not.toContain(HOLD)
    const all = options.replicas ?? 0
    await story.until('all pods new', () => story.now().wanted['app:2'] === all)
    await nothingLeft(story)
  })
})

const endings: readonly [string, readonly string[]][] = [
  ['deleted', ['delete', rollout]],
  ['disabled', ['patch', rollout, '--type=merge', '-p', '{"spec":{"disabled":true}}']],
]

describe('a Rollout that ends in the middle of a release', () => {
  test.concurrent.each(endings)(
    'is %s: the rest is released, and that is told',
    async (what, args) => {
      const story = await world.story()
      await story.edit('app:2')
      await story.reached(1)
      const tried = warningsOf(await changesNothing(story, [...args, dryRun]))
      const told = warningsOf(await story.kubectl(args))

      expect(told).toEqual(tried)
      expect(told[0]).toMatch(new RegExp(`^${what} during a release: the rest .* is released now`))
      await story.until('all pods new', () => story.now().wanted['app:2'] === 10)
      await nothingLeft(story)

      await runTold(story, told, 'to go back from there: ')
      await story.until('all pods old again', () => story.now().wanted['app:1'] === 10)
    },
  )

  test.concurrent('is deleted after a third version: the way back is to the stable one', async () => {
    const story = await world.story({ replicas: 4 })
    for (const image of ['app:2', 'app:3', 'app:2']) {
      await story.edit(image)
      await story.reached(1)
    }
    const told = warningsOf(await story.kubectl(['delete', rollout]))
    await story.until('all pods new', () => story.now().wanted['app:2'] === 4)
    await nothingLeft(story)
    await runTold(story, told, 'to go back from there: ')
    await story.until('all pods stable', () => story.now().wanted['app:1'] === 4)
  })

  test.concurrent.each(endings)('and is not %s at rest: nothing to tell', async (_, args) => {
    const story = await world.story({ replicas: 2 })
    expect(warningsOf(await story.kubectl(args))).toEqual([])
  })
})

test.concurrent.each([
  ['of usual length a line is at most 256 characters', 63, true],
  ['that are long a line is longer', 253, false],
])('with names %s, and its command is whole', async (_, length, fits) => {
  const story = await world.story({ replicas: 2 })
  const name = `a-name-${'x'.repeat(length - 7)}`
  await story.kubectl(['delete', rollout])
  const object = await story.kubectl(['create', '-f', '-', '-o', 'json'], {
    input: longNamed(name),
  })
  expect(object.code).toBe(0)
  await story.until('the workload to be guarded', async () => {
    const { stdout } = await story.kubectl(['get', `rollout/${name}`, '-o', 'json'])
    return (JSON.parse(stdout) as { status?: { phase?: string } }).status?.phase === 'Healthy'
  })
  const told = warningsOf(await story.edit('app:2'))
  expect(told.every(line => line.length <= 256)).toBe(fits)
  const approval = told.find(line => line.startsWith('approve with: '))
  expect(approval).toMatch(/'\{"status":\{"canaryStatus":\{"currentStepState":"StepReady"\}\}\}'$/)
})

function longNamed(name: string): string {
  return JSON.stringify({
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { name },
    spec: {
      workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: WORKLOAD },
      strategy: { canary: { steps: [{ replicas: 1 }, { replicas: '100%' }] } },
    },
  })
}

/** Where a native rollout began is remembered until it is over. */
function nothingLeft(story: Story): Promise<void> {
  return story.until('nothing of ours is left', async () => {
    return ownKeys(await story.deployment()).length === 0
  })
}

interface Stored {
  readonly metadata: {
    readonly resourceVersion: string
    readonly managedFields: readonly { readonly subresource?: string }[]
  }
  readonly spec: object
}

/** Runs a command, and neither Deployment nor Rollout nor a ReplicaSet is another one then. */
async function changesNothing(story: Story, args: readonly string[]) {
  const versions = async () => {
    const { stdout } = await story.kubectl([
      'get',
      'deployments,rollouts,replicasets',
      '-o',
      'json',
      '--show-managed-fields',
    ])
    const { items } = JSON.parse(stdout) as { items: readonly Stored[] }
    // Whoever counts pods writes a status whenever he comes to it.
    return items.map(({ metadata, spec }) => {
      const { resourceVersion: _, managedFields, ...rest } = metadata
      return [rest, spec, managedFields.filter(({ subresource }) => subresource !== 'status')]
    })
  }
  // The controller-manager goes on writing for a moment after a step is reached.
  await story.until('all that are there are counted', async () => {
    const { metadata, spec, status } = await story.deployment()
    const { replicas = 0, readyReplicas = 0, observedGeneration } = status ?? {}
    const counted = [replicas, readyReplicas].every(n => n === spec.replicas)
    return counted && observedGeneration === metadata.generation
  })
  const before = await versions()
  const result = await story.kubectl(args)
  expect(await versions()).toEqual(before)
  return result
}

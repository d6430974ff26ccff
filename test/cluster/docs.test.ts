// The guides are run: every block marked `sh run=<name>` in docs/, in order, as a reader would, on one
// cluster. The lines of the `text` block after it must be in its output, and what the page promises in
// words is asserted below, by the block's name. A block without a promise, or the reverse, is a failure.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { HOLD, RECORD } from '#api/names.ts'
import { NAMESPACES } from '#kube/resources.ts'
import type { Sluice } from '../../dev/sluice.ts'
import { examplesOf, runExample, startReader } from './docs-examples.ts'
import { cloning } from './docs-kinds.ts'
import { arrive, arriving } from './docs-kruise.ts'
import { installPackage } from './installed.ts'
import { operating } from './docs-operations.ts'
import { pods } from './facts.ts'
import type { Preparation, Promises } from './docs-kruise.ts'
import { createStory } from './story.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

/** A page, what it promises after each block, and what must be there before the first. */
type Page = readonly [page: string, promises: Promises, prepare: Preparation]

const namespace = 'docs'
let world: World
/** Undefined: it was killed. */
let sluice: Sluice | undefined
let story: Story
beforeAll(async () => {
  world = await startWorld()
  sluice = world.sluice
  await installPackage(world.cluster.dir)
  const metadata = { name: namespace }
  await world.client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
  story = await createStory({ ...world, namespace })
  await startReader(world.cluster, namespace)
})
afterAll(() => world?.stop())

/** What docs/releasing.md says of the state after each block. */
const releasing: Promises = {
  deployment: s => pods(s, { 'web:1': 10 }),
  guard: s => pods(s, { 'web:1': 10 }),
  'dry-run': async s => {
    await pods(s, { 'web:1': 10 })
    expect(await s.free()).toBe(true)
  },
  edit: s => pods(s, { 'web:1': 9, 'web:2': 1 }),
  why: async s => {
    const told = (await s.events()).filter(({ reason }) => reason === 'StepReached')
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringMatching(/step 1 of 4 reached: 1 of 10 pods are new, waiting for approval/),
    ])
  },
  approve: s => pods(s, { 'web:1': 7, 'web:2': 3 }),
  jump: async s => {
    await pods(s, { 'web:1': 0, 'web:2': 10 })
    await givenBack(s)
  },
  pause: async s => expect((await s.deployment()).spec.paused).toBe(true),
  resume: s => pods(s, { 'web:2': 9, 'web:3': 1 }),
  freeze: async s => {
    await pods(s, { 'web:2': 9, 'web:3': 1 })
    // Ready pods have never been fewer than the Deployment's own 25% allows. The scaling that follows
    // takes pods in proportion, Ready or not.
    expect(fewestReady(s)).toBeGreaterThanOrEqual(8)
  },
  scale: s => pods(s, { 'web:2': 4, 'web:3': 6 }),
  plan: async s => {
    await pods(s, { 'web:2': 0, 'web:3': 10 })
    await givenBack(s)
  },
  rollback: async s => {
    await pods(s, { 'web:3': 10, 'web:4': 0 })
    await givenBack(s)
  },
  broken: s => pods(s, { 'web:3': 10, 'web:broken': 1 }),
  abort: async s => {
    await pods(s, { 'web:3': 10, 'web:broken': 0 })
    expect(JSON.stringify((await s.deployment()).spec.template)).toContain('web:broken')
  },
  again: s => pods(s, { 'web:3': 9, 'web:5': 1 }),
  forget: async s => {
    await pods(s, { 'web:3': 0, 'web:5': 10 })
    await givenBack(s)
  },
  // The restarted version has the same image: the pods are told apart by their ReplicaSets.
  restart: s =>
    s.until('ReplicaSets of 9 and 1', () => {
      const sizes = new Set(s.replicaSets().map(({ spec }) => spec.replicas))
      return sizes.size === 2 && sizes.has(9) && sizes.has(1)
    }),
  disable: givenBack,
  delete: async s => {
    await pods(s, { 'web:6': 10 })
    await s.until('no trace on the Deployment', async () => {
      const { labels = {}, annotations = {} } = (await s.deployment()).metadata
      const keys = [...Object.keys(labels), ...Object.keys(annotations)]
      return !keys.some(key => /sluice|kruise/.test(key))
    })
  },
}

/** What docs/adopting.md says. */
const adopting: Promises = {
  adopt: async s => expect(await s.free()).toBe(true),
  'adopt-apply': async s => {
    await pods(s, { 'web:adopted': 1 })
    // The next page begins with a Deployment that nobody holds.
    await s.kubectl(['delete', 'rollout', 'web'])
    await pods(s, { 'web:adopted': 10 })
    await givenBack(s)
  },
}

/** What docs/leaving.md says. */
const leaving: Promises = {
  'leave-held': s => pods(s, { 'web:1': 9, 'api:1': 9, 'web:7': 2 }),
  'leave-refused': async s => {
    await pods(s, { 'web:1': 9, 'api:1': 9, 'web:7': 2 })
    await kill()
  },
  'leave-dead': async s => {
    await pods(s, { 'web:1': 0, 'api:1': 9, 'web:7': 11 })
    await givenBack(s)
    await s.kubectl(['rollout', 'status', 'deployment/web'])
  },
  'leave-by-hand': s => pods(s, { 'api:1': 0, 'web:7': 20 }),
  'leave-no-trace': s => pods(s, { 'web:7': 20 }),
  'leave-everywhere': async s => {
    await s.kubectl(['delete', 'deployment', 'api', '--cascade=foreground'])
  },
}

/** What docs/safe-when-we-vanish.md says. */
const vanished: Promises = {
  held: async s => {
    await pods(s, { 'web:1': 9, 'web:2': 1 })
    await kill()
    s.forget()
  },
  dead: s =>
    s.until('2 of 20 new and all Ready', () => {
      const { wanted, ready } = s.now()
      return wanted['web:1'] === 18 && wanted['web:2'] === 2 && ready === 20
    }),
  escape: async s => {
    await pods(s, { 'web:1': 0, 'web:2': 20 })
    await givenBack(s)
  },
  free: s => pods(s, { 'web:2': 0, 'web:3': 20 }),
  undone: s => pods(s, { 'web:2': 0, 'web:3': 20 }),
}

/** As the chart registers it where there is the policy. */
function ignoring(): Promise<void> {
  return revive('Ignore')
}

const afresh: Preparation = async s => {
  await sluice?.stop()
  sluice = undefined
  await ignoring()
  await s.kubectl(['delete', 'rollout', '--all'])
  await s.kubectl(['delete', 'deployment', '--all', '--cascade=foreground'])
}

/** What docs/statefulsets.md says. */
const ordinals: Promises = {
  'sts-edit': s => imagesAre(s, 'db:1 db:1 db:1 db:1 db:2'),
  'sts-back': s => imagesAre(s, 'db:1 db:1 db:1 db:1 db:1'),
  'sts-steps': s => imagesAre(s, 'db:1 db:1 db:1 db:3 db:3'),
  'sts-at-once': s => imagesAre(s, 'db:1 db:1 db:1 db:1 db:1'),
  'sts-gone': s => imagesAre(s, ''),
}

/** What docs/daemonsets.md says. */
const daemons: Promises = {
  'ds-edit': s => imagesAre(s, 'agent:1 agent:2'),
  'ds-back': s => imagesAre(s, 'agent:1 agent:1'),
  'ds-gone': s => imagesAre(s, ''),
}

/** What docs/styles.md says. */
const stylish: Promises = {
  'canary-edit': s => pods(s, { 'shop:1': 4, 'shop:2': 1 }),
  'canary-approve': s => pods(s, { 'shop:1': 4, 'shop:2': 2 }),
  'canary-back': s => pods(s, { 'shop:1': 4, 'shop:2': 0 }),
  'canary-gone': s => pods(s, { 'shop:1': 0, 'shop:2': 0 }),
}

/** The images of the pods of a StatefulSet or a DaemonSet, in their order. */
async function imagesAre(s: Story, images: string): Promise<void> {
  const path = 'jsonpath={.items[*].spec.containers[0].image}'
  await s.until(images, async () => {
    const { stdout } = await s.kubectl(['get', 'pods', '-lapp in (db,agent)', '-o', path])
    return stdout.split(' ').toSorted().join(' ') === images
  })
}

/** What docs/blue-green.md says. */
const bothSides: Promises = {
  'bg-edit': s => pods(s, { 'cart:1': 4, 'cart:2': 2 }),
  'bg-approve': s => pods(s, { 'cart:1': 4, 'cart:2': 4 }),
  'bg-end': s => pods(s, { 'cart:1': 0, 'cart:2': 4 }),
  'bg-gone': s => pods(s, { 'cart:1': 0, 'cart:2': 0 }),
}

const asItIs: Preparation = () => Promise.resolve()

const pages: readonly Page[] = [
  ['docs/releasing.md', releasing, asItIs],
  ['docs/statefulsets.md', ordinals, asItIs],
  ['docs/daemonsets.md', daemons, asItIs],
  ['docs/styles.md', stylish, asItIs],
  ['docs/blue-green.md', bothSides, asItIs],
  ['docs/kruise-kinds.md', ...cloning()],
  ['docs/adopting.md', adopting, asItIs],
  ['docs/leaving.md', leaving, asItIs],
  ['docs/safe-when-we-vanish.md', vanished, asItIs],
  ['docs/coming-from-kruise-rollouts.md', arriving, arrive],
  [
    'docs/operations.md',
    operating({ kill: () => kill('SIGTERM'), revive: ignoring, register }),
    afresh,
  ],
]

describe.each(pages)('%s', (page, promises, prepare) => {
  const examples = examplesOf(page)
  beforeAll(async () => {
    await revive()
    await prepare(story, world)
  })

  test('each example promises something', () => {
    expect(examples.map(({ name }) => name)).toEqual(Object.keys(promises))
  })

  test.each(examples)('$name', async example => {
    await runExample(world.cluster, example)
    await promises[example.name]!(story)
  })
})

/** Another webhook, and the registration anew. */
async function register(): Promise<void> {
  await sluice!.startWebhook()
}

async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  await Promise.all([sluice?.webhook.stop(signal), sluice?.controller.stop(signal)])
  sluice = undefined
}

/** A page may leave Sluice dead; the next one begins with it alive. */
async function revive(failurePolicy: 'Fail' | 'Ignore' = 'Fail'): Promise<void> {
  sluice ??= await world.startAgain({ failurePolicy })
}

function fewestReady(s: Story): number {
  const moments = s.history()
  const began = moments.findIndex(({ ready }) => ready === 10)
  return Math.min(...moments.slice(began).map(({ ready }) => ready))
}

/** The Deployment has its owner's values, and nothing of a hold. */
async function givenBack(s: Story): Promise<void> {
  await s.until('the hold to be gone', () => s.free())
  const { metadata, spec } = await s.deployment()
  const { template: _, selector: __, replicas: ___, ...rest } = spec as KubeObject & typeof spec
  expect(rest).toMatchObject({
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
    progressDeadlineSeconds: 600,
  })
  expect(rest).not.toHaveProperty('minReadySeconds')
  expect(rest).not.toHaveProperty('paused')
  expect(metadata.annotations).not.toHaveProperty([HOLD])
  expect(metadata.annotations).not.toHaveProperty([RECORD])
}

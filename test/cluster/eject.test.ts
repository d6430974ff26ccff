// Leaving: `sluice eject` gives workloads back in whatever state they are, with Sluice alive and with
// all of it dead while the API server refuses what the webhook does not answer. Afterwards a workload
// is as it was before Sluice came, and on the way nobody is away whom its owner would miss.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { HOLD, RECORD, WORKLOAD_TYPE } from '#api/names.ts'
import { targetOf } from '#core/commands.ts'
import { deployment } from '#core/workload/deployment.ts'
import { adapters } from '#core/workload/registry.ts'
import { KubeClient } from '#kube/client.ts'
import type { Connection } from '#kube/connection.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { REPLICA_SETS } from '#kube/resources.ts'
import { eject as runEject } from '../../cli/eject.ts'
import { presenceIn } from './absence.ts'
import type { Presence } from './absence.ts'
import { walkTo } from './approvals.ts'
import { sluice } from './commands.ts'
import { apart } from './deployment-facts.ts'
import type { Specified } from './deployment-facts.ts'
import { abort, hasCondition, obey, seenByManager, stand, worst } from './facts.ts'
import { makePool } from './kinds/nodes.ts'
import type { Pool } from './kinds/nodes.ts'
import { ROLLOUT, rolloutOf, WORKLOAD, workloadTypes } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { MANIFEST_SPEC, helmTool } from './tools.ts'
import type { Tool } from './tools.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let ours: Presence
beforeAll(async () => {
  world = await startWorld()
  ours = presenceIn(world)
})
afterAll(() => world?.stop())

const owner = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2, maxSurge: '10%' } },
  minReadySeconds: 1,
  progressDeadlineSeconds: 77,
}

/** Quick, with as few pods away as an ordered one. */
const sequential = { podManagementPolicy: 'Parallel', updateStrategy: partitionedAt(0) }

function partitionedAt(partition: number) {
  return { type: 'RollingUpdate', rollingUpdate: { partition } }
}

interface Guarded {
  readonly story: Story
  /** As kubectl names it. */
  readonly target: string
  /** As it was before its Rollout was made. */
  readonly before: Specified
}

async function guarded(options: StoryOptions = { spec: owner }): Promise<Guarded> {
  return guardedStory(await world.story({ ...options, steps: false }), options)
}

async function guardedStory(story: Story, options: StoryOptions = {}): Promise<Guarded> {
  const before = await story.workload<Specified>()
  await story.create(rolloutOf(story.namespace, options))
  await story.phase('Healthy')
  return { story, before, target: targetOf({ ...before, name: WORKLOAD }) }
}

async function midStep(options?: StoryOptions): Promise<Guarded> {
  const scene = await guarded(options)
  await scene.story.edit('app:2')
  await walkTo(scene.story, 2)
  return scene
}

function eject({ story, target }: Guarded, ...flags: readonly string[]) {
  return sluice(world.cluster, ['eject', target, '-n', story.namespace, ...flags])
}

async function refused({ story, target }: Guarded, ...flags: readonly string[]): Promise<string> {
  const args = ['eject', target, '-n', story.namespace, ...flags]
  return (await sluice(world.cluster, args, { expectFailure: true })).stderr
}

/** The workload is as before, and its ReplicaSets carry nothing of ours. */
async function expectNoTrace({ story, before }: Guarded, spec: object = {}): Promise<void> {
  const wanted = apart(before)
  expect(apart(await story.workload())).toEqual({ ...wanted, spec: { ...wanted.spec, ...spec } })
  const { items } = await story.client.listAll(REPLICA_SETS, { namespace: story.namespace })
  for (const { metadata, spec: set } of items) {
    expect(JSON.stringify(metadata.annotations)).not.toMatch(/sluice|kruise/)
    expect(set.minReadySeconds).toBe(1)
  }
}

/** Says it first and writes nothing, then does it and says the same. */
async function ejected(scene: Guarded, line: RegExp, ...flags: readonly string[]): Promise<void> {
  const { story } = scene
  // Annotations count as well; what the controller-manager writes into the status does not.
  const { generation } = (await story.workload()).metadata
  const said = await eject(scene, '--dry-run', ...flags)
  expect((await story.workload()).metadata.generation).toBe(generation)
  story.forget()
  const { stdout } = await eject(scene, ...flags)
  expect(said.stdout).toBe(stdout.replace('\n', ' (dry run)\n'))
  expect(stdout).toMatch(line)
}

test.concurrent('while a Rollout names it, it is refused with the command that helps', async () => {
  const scene = await midStep()
  const { story } = scene
  const said = await refused(scene)
  expect(said).toContain('step 2 of 3, 5 of 10 pods are new; Rollout web-rollout would guard it')
  await stand(story, { 'app:1': 5, 'app:2': 5 })

  story.forget()
  await story.kubectl(/kubectl (delete -n \S+ rollout \S+)/.exec(said)![1]!.split(' '))
  // The living controller gives it back as well: neither is in the other's way.
  await eject(scene)
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  await story.until('nothing of ours', async () => {
    return (await eject(scene)).stdout.includes('nothing of Sluice is on it')
  })
  await expectNoTrace(scene)
})

test.concurrent('a disabled Rollout does not guard it again', async () => {
  const scene = await guarded()
  const { story } = scene
  await story.patchRollout({ spec: { disabled: true } })
  await story.phase('Disabled')
  const { stdout } = await sluice(world.cluster, ['eject', '--namespace', story.namespace])
  expect(stdout).toBe(
    `${story.namespace}/deployment/web: no release was running; given back, no pod moves\n`,
  )
  await story.edit('app:2')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await expectNoTrace(scene)
})

test('what is not there is named', async () => {
  const missing = { expectFailure: true }
  const args = ['eject', 'deploy/none', '-n', 'default']
  const { stderr } = await sluice(world.cluster, args, missing)
  expect(stderr).toBe('sluice: there is no deployment/none in namespace default\n')
})

/** Does something in the moment before the first write. */
class OvertakenClient extends KubeClient {
  #overtake: (() => Promise<unknown>) | undefined

  constructor(connection: Connection, overtake: () => Promise<unknown>) {
    super(connection)
    this.#overtake = overtake
  }

  override async mergePatch<T extends KubeObject>(
    ...args: Parameters<KubeClient['mergePatch']>
  ): Promise<T> {
    const overtake = this.#overtake
    this.#overtake = undefined
    await overtake?.()
    return super.mergePatch<KubeObject>(...args) as Promise<T>
  }
}

test('an owner who changes his values meanwhile gets the new ones', async () => {
  const { story } = await midStep()
  const rollingUpdate = { maxUnavailable: 3, maxSurge: '20%' }
  const edit = () => story.patch({ strategy: { rollingUpdate } })
  const client = new OvertakenClient(await fromKubeconfig(world.cluster.kubeconfig), edit)
  const said: string[] = []
  const { namespace } = story
  const flags = { adapters, dryRun: false, keepRollouts: true, withAborted: false }
  const say = { print: (line: string) => said.push(line), complain: fail }
  await ours.without(['controller'], async () => {
    try {
      expect(
        await runEject(
          client,
          { namespace, workload: { adapter: deployment, name: 'web' }, ...flags },
          say,
        ),
      ).toBe(true)
    } finally {
      await client.close()
    }
    expect(said.join()).toContain('(maxUnavailable 3, maxSurge 20%)')
    const strategy = { type: 'RollingUpdate', rollingUpdate }
    expect((await story.deployment()).spec.strategy).toEqual(strategy)
    // Or the controller would guard it again.
    await story.kubectl(['delete', 'rollout', ROLLOUT])
  })
})

test.concurrent('told to end, it says how many it has left alone', async () => {
  const { story } = await guarded()
  const untouched = await story.workload()
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const { namespace } = story
  const flags = { adapters, namespace, dryRun: false, keepRollouts: true, withAborted: false }
  const stop = AbortSignal.abort()
  const done = await runEject(story.client, flags, { print: fail, complain: say, stop })
  expect(done).toBe(false)
  expect(said).toEqual(['ended before 1 of 1 workloads'])
  expect((await story.workload()).metadata).toEqual(untouched.metadata)
  // Who comes later expects that nothing is left.
  await story.kubectl(['delete', 'rollout', ROLLOUT])
  await story.until('it is no longer guarded', async () => {
    return (await story.workload()).metadata.labels?.[WORKLOAD_TYPE] === undefined
  })
})

function fail(line: string): void {
  throw new Error(line)
}

const ofSix: StoryOptions = { kind: 'StatefulSet', replicas: 6, spec: sequential }

/** A StatefulSet of 6 at a step of 3. */
async function half(options: StoryOptions = {}): Promise<Guarded> {
  const made = await midStep({ ...ofSix, ...options })
  await stand(made.story, { 'app:1': 3, 'app:2': 3 })
  return made
}

const ofStatefulSets: Readonly<Record<string, () => Promise<Guarded>>> = {
  rest: () => guarded(ofSix),
  step: () => half(),
  scaled: () => half(),
  aborted: async () => {
    const made = await half()
    await abort(made.story)
    await hasCondition(made.story, 'Stalled', 'Aborted')
    return made
  },
  own: () => half({ spec: { ...sequential, updateStrategy: partitionedAt(2) } }),
  damaged: () => half(),
  lost: async () => {
    const made = await guarded(ofSix)
    await made.story.edit('app:broken')
    await abort(made.story)
    await hasCondition(made.story, 'Stalled', 'Aborted')
    return made
  },
}

let pool: Pool

/** DaemonSets on 6 nodes. */
const ofDaemonSets: Readonly<Record<string, () => Promise<Guarded>>> = {
  rest: () => guarded(onSix()),
  step: () => midStep(onSix()),
  damaged: () => midStep(onSix()),
}

function onSix(): StoryOptions {
  const updateStrategy = {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: 2, maxSurge: 0 },
  }
  return { kind: 'DaemonSet', replicas: 6, pod: pool.placement, spec: { updateStrategy } }
}

describe('with everything of ours dead, under failurePolicy Fail', () => {
  const scenes = new Map<string, Guarded>()
  const scene = (name: string) => scenes.get(name)!
  let chart: Tool
  const brought = (namespace: string, image: string, spec: object = {}) => {
    return { namespace, image, replicas: 10, spec: { ...MANIFEST_SPEC, ...spec } }
  }

  const beginnings: Readonly<Record<string, () => Promise<Guarded>>> = {
    rest: () => guarded(),
    step: () => midStep(),
    surge: async () => {
      const made = await guarded()
      await made.story.edit('app:broken')
      await stand(made.story, { 'app:1': 10, 'app:broken': 1 }, 10)
      return made
    },
    third: async () => {
      const made = await midStep()
      await made.story.edit('app:broken')
      await made.story.until('a broken one', () => made.story.now().wanted['app:broken'] === 1)
      return made
    },
    aborted: async () => {
      const made = await midStep()
      await abort(made.story)
      await hasCondition(made.story, 'Stalled', 'Aborted')
      await stand(made.story, { 'app:1': 10 })
      return made
    },
    paused: async () => {
      const made = await midStep()
      await made.story.kubectl(['rollout', 'pause', 'deployment/web'])
      await hasCondition(made.story, 'Progressing', 'Paused')
      return made
    },
    kept: () => midStep(),
    chart: async () => {
      const install = (namespace: string) => chart.install(brought(namespace, 'app:1'))
      const made = await guardedStory(await world.story({ steps: false, install }))
      await chart.bring(brought(made.story.namespace, 'app:2'))
      await made.story.reached(1)
      return made
    },
    copied: () => midStep(),
    lost: () => midStep(),
    ...Object.fromEntries(
      Object.entries(ofStatefulSets).map(([name, begin]) => [`statefulset ${name}`, begin]),
    ),
    ...Object.fromEntries(
      Object.entries(ofDaemonSets).map(([name, begin]) => [`daemonset ${name}`, begin]),
    ),
  }

  beforeAll(async () => {
    chart = helmTool(world.cluster, 4)
    pool = await makePool(world.client, 6)
    const made = Object.entries(beginnings).map(async ([name, begin]) => {
      scenes.set(name, await begin())
    })
    await Promise.all(made)
    await ours.kill()
    for (const [name, { story }] of scenes) {
      if (name === 'kept') continue
      await story.kubectl(['delete', 'rollout', ROLLOUT, '--wait=false'])
    }
  })

  test.concurrent('at rest', async () => {
    const made = scene('rest')
    await ejected(made, /: no release was running; given back, no pod moves$/m)
    await expectNoTrace(made)
    await made.story.edit('app:2')
    await stand(made.story, { 'app:1': 0, 'app:2': 10 })
  })

  test.concurrent('in the middle of a step', async () => {
    const made = scene('step')
    await ejected(
      made,
      /: release \S+: a step of 50%, 5 of 10 pods are new; given back, the other 5 become new now by its own strategy \(maxUnavailable 2, maxSurge 10%\)$/m,
    )
    await expectNoTrace(made)
    await stand(made.story, { 'app:1': 0, 'app:2': 10 })
    expect(worst(made.story).ready).toBeGreaterThanOrEqual(8)
  })

  test.concurrent('with a Rollout that stays, if that is said', async () => {
    const made = scene('kept')
    expect(await refused(made)).toMatch(/where no controller runs any more, say --keep-rollouts$/m)
    await ejected(made, /: step 2 of 3, 5 of 10 pods are new; given back/, '--keep-rollouts')
    await expectNoTrace(made)
    await stand(made.story, { 'app:1': 0, 'app:2': 10 })
    expect((await made.story.rollout()).metadata.name).toBe(ROLLOUT)
  })

  test.concurrent('of a chart, which owns its fields as before', async () => {
    const made = scene('chart')
    const { namespace } = made.story
    await ejected(made, /1 of 10 pods are new; given back/)
    await expectNoTrace(made)
    // Fields of ours would be a conflict, and no upgrade.
    const rollingUpdate = { maxUnavailable: '20%', maxSurge: 3 }
    const strategy = { type: 'RollingUpdate', rollingUpdate }
    await chart.bring(brought(namespace, 'app:3', { strategy, minReadySeconds: 2 }))
    expect((await made.story.deployment()).spec).toMatchObject({ strategy, minReadySeconds: 2 })
    await stand(made.story, { 'app:1': 0, 'app:2': 0, 'app:3': 10 })
  })

  test.concurrent('with a pod beside all others that never gets Ready', async () => {
    const made = scene('surge')
    await ejected(made, /1 of 10 pods are new; given back, the other 10 become new now/)
    await expectNoTrace(made)
    await made.story.kubectl(['rollout', 'undo', 'deployment/web'])
    await stand(made.story, { 'app:1': 10, 'app:broken': 0 })
    expect(worst(made.story).ready).toBeGreaterThanOrEqual(8)
  })

  test.concurrent('with three versions at once', async () => {
    const made = scene('third')
    await ejected(made, /1 of 10 pods are new; given back/)
    await expectNoTrace(made)
    await made.story.edit('app:3')
    await stand(made.story, { 'app:1': 0, 'app:2': 0, 'app:broken': 0, 'app:3': 10 })
    expect(worst(made.story).ready).toBeGreaterThanOrEqual(8)
  })

  test.concurrent('after an abort only if that is said: the aborted version goes out', async () => {
    const made = scene('aborted')
    const said = await refused(made)
    expect(said).toMatch(/aborted, and 0 of 10 pods are new; .* or say --with-aborted$/m)
    await stand(made.story, { 'app:1': 10 })
    await ejected(made, /the other 10 become new now/, '--with-aborted')
    await expectNoTrace(made)
    await stand(made.story, { 'app:1': 0, 'app:2': 10 })
    expect(worst(made.story).ready).toBeGreaterThanOrEqual(8)
  })

  test.concurrent('paused by its owner it stays paused', async () => {
    const made = scene('paused')
    await ejected(made, /given back, paused as its owner wants it; the rest goes on with: kubectl/)
    await expectNoTrace(made, { paused: true })
    // Of any paused Deployment the controller-manager makes as many more as maxSurge allows, of either version.
    const { story } = made
    await story.until('one pod more', () => story.now().total === 11 && story.now().ready === 11)
    expect([5, 6]).toContain(story.now().wanted['app:1'])
    await story.kubectl(['rollout', 'resume', 'deployment/web'])
    await stand(story, { 'app:1': 0, 'app:2': 10 })
    expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  })

  test.concurrent('with a record that is lost, by its copy on a ReplicaSet', async () => {
    const made = scene('copied')
    await loseRecord(made)
    await ejected(made, /the fields of a hold were there without the hold; given back/)
    await expectNoTrace(made)
    await stand(made.story, { 'app:1': 0, 'app:2': 10 })
    expect(worst(made.story).ready).toBeGreaterThanOrEqual(8)
  })

  test.concurrent('with every record lost, by a patch that a person completes', async () => {
    const made = scene('lost')
    const { story } = made
    await loseRecord(made)
    // Until then it copies the record to the newest ReplicaSet again.
    await seenByManager(story)
    for (const { metadata } of story.replicaSets()) {
      await story.kubectl(['annotate', 'replicaset', metadata.name, `${RECORD}-`, `${HOLD}-`])
    }
    const said = await refused(made)
    expect(said).toContain('what its owner wants is lost')
    story.forget()
    await obey(
      world.cluster,
      said
        .slice(said.indexOf('kubectl -n'))
        .replace('"maxUnavailable":"25%","maxSurge":"25%"', '"maxUnavailable":2,"maxSurge":"10%"')
        .replace('"progressDeadlineSeconds":600', '"progressDeadlineSeconds":77'),
    )
    await eject(made)
    await stand(story, { 'app:1': 0, 'app:2': 10 })
    const { spec } = await story.deployment()
    expect(spec).toMatchObject(owner)
    expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  })

  test.concurrent.each([
    [
      'StatefulSet',
      /statefulset\/web: release \S+: a step of 50%, 3 of 6 pods are new; given back, the other 3 become new now by its own strategy \(partition 0, maxUnavailable 1\)$/m,
      // 5 but for a race: who deletes a pod by its name may meet the one that has come in its place.
      4,
    ],
    [
      'DaemonSet',
      /daemonset\/web: release \S+: a step of 50%, 3 of 6 pods are new; given back, the other 3 become new now by its own strategy \(maxUnavailable 2, maxSurge 0\)$/m,
      // The controller-manager is alone then, and on a busy machine takes one more than it may.
      3,
    ],
  ] as const)('a %s at rest, or in the middle of a step', async (kind, inStep, fewest) => {
    const name = kind.toLowerCase()
    const [rest, step] = [scene(`${name} rest`), scene(`${name} step`)]
    await Promise.all([
      ejected(rest, /: no release was running; given back, no pod moves$/m),
      ejected(step, inStep),
    ])
    await rest.story.edit('app:2')
    for (const made of [rest, step]) {
      await expectNoTrace(made)
      await stand(made.story, { 'app:1': 0, 'app:2': 6 })
      expect(worst(made.story).ready, JSON.stringify(made.story.history())).toBeGreaterThanOrEqual(
        fewest,
      )
    }
  })

  test.concurrent('a StatefulSet that was scaled meanwhile', async () => {
    const made = scene('statefulset scaled')
    const { story } = made
    await story.scale(8)
    await stand(story, { 'app:1': 3, 'app:2': 5 })
    await ejected(made, /a step of 50%, 5 of 8 pods are new; given back, the other 3 become new/)
    await expectNoTrace(made, { replicas: 8 })
    await stand(story, { 'app:1': 0, 'app:2': 8 })
  })

  test.concurrent('a StatefulSet after an abort only if that is said', async () => {
    const made = scene('statefulset aborted')
    const said = await refused(made)
    expect(said).toMatch(/aborted, and 0 of 6 pods are new; .* or say --with-aborted$/m)
    await stand(made.story, { 'app:1': 6 })
    await ejected(made, /the other 6 become new now/, '--with-aborted')
    await expectNoTrace(made)
    await stand(made.story, { 'app:1': 0, 'app:2': 6 })
  })

  test.concurrent('a StatefulSet whose owner keeps some pods at the old version', async () => {
    const made = scene('statefulset own')
    await ejected(made, /the other 1 become new now by its own strategy \(partition 2, /)
    await expectNoTrace(made)
    await stand(made.story, { 'app:1': 2, 'app:2': 4 })
    // That partition is its owner's alone.
    expect((await eject(made)).stdout).toContain('nothing of Sluice is on it')
  })

  test.concurrent('a StatefulSet whose record is lost, by a patch that a person completes', async () => {
    // A number that the hold names, and the one that is no owner's.
    const [damaged, lost] = [scene('statefulset damaged'), scene('statefulset lost')]
    await loseRecord(damaged, [RECORD])
    await loseRecord(lost)
    for (const made of [damaged, lost]) {
      const said = await refused(made)
      const proposed = JSON.stringify({ spec: { updateStrategy: partitionedAt(0) } })
      expect(said).toContain('what its owner wants is lost')
      expect(said).toContain(proposed.slice(1))
      await obey(world.cluster, said.slice(said.indexOf('kubectl -n')))
      await eject(made)
      // The person owns the field now.
      const { spec } = apart(made.before)
      expect(apart(await made.story.workload())).toMatchObject({ annotations: {}, spec })
    }
    await stand(damaged.story, { 'app:1': 0, 'app:2': 6 })
  })

  test.concurrent('a DaemonSet whose record is lost, by a patch that a person completes', async () => {
    const made = scene('daemonset damaged')
    await loseRecord(made, [RECORD])
    const said = await refused(made)
    expect(said).toContain('what its owner wants is lost')
    expect(said).toContain(JSON.stringify({ spec: onSix().spec }).slice(1, -1))
    await obey(world.cluster, said.slice(said.indexOf('kubectl -n')))
    await eject(made)
    await stand(made.story, { 'app:1': 0, 'app:2': 6 })
  })

  test('nothing is left anywhere', async () => {
    const { stdout } = await sluice(world.cluster, ['eject', '--all-namespaces'])
    expect(stdout).toBe('nothing of Sluice is on any workload of any namespace\n')
    for (const type of [workloadTypes.Deployment, workloadTypes.StatefulSet]) {
      const { items } = await world.client.listAll(type, { labelSelector: WORKLOAD_TYPE })
      expect(items).toEqual([])
    }
  })
})

/** Under the escape, or the API server would ask the webhook that is dead. */
async function loseRecord({ story, target }: Guarded, keys = [RECORD, HOLD]): Promise<void> {
  const gone = keys.map(key => `${key}-`)
  await story.kubectl(['annotate', target, 'sluice.dev/escape=lost', ...gone])
}

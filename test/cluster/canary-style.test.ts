// New pods in a second Deployment, against the real controller-manager: what is held stays as it is, pod for
// pod, until the end; and however the release ends, nothing of ours is left.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Deployment, KubeObject, Pod, ReplicaSet } from '#api/kubernetes.ts'
import { CANARY_DEPLOYMENT, CANARY_RELEASE } from '#api/names.ts'
import { controllerUid } from '#core/seen.ts'
import { parseHold } from '#core/workload/hold.ts'
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '#kube/resources.ts'
import { presenceIn, BOTH } from './absence.ts'
import type { Presence } from './absence.ts'
import { walkTo, walkToTheEnd } from './approvals.ts'
import { sluice } from './commands.ts'
import { DEFAULT_FIELDS, apart, holdFields, warningsOf } from './deployment-facts.ts'
import type { Specified } from './deployment-facts.ts'
import {
  abort,
  hasCondition,
  jump,
  messageOf,
  most,
  obey,
  resume,
  says,
  stand,
  told,
  worst,
} from './facts.ts'
import { ROLLOUT, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let ours: Presence
beforeAll(async () => {
  world = await startWorld()
  ours = presenceIn(world)
})
afterAll(() => world?.stop())

const style = { enableExtraWorkloadForCanary: true }
const target = `deployment/${WORKLOAD}`

/** Four pods, and steps of one, half and all, each new one in a second Deployment. */
function begin(options: StoryOptions = {}): Promise<Story> {
  const { canary, ...others } = options
  return world.story({ replicas: 4, ...others, canary: { ...style, ...canary } })
}

/** A story in the pause of that step, with the new version. */
async function atStep(step: number, options?: StoryOptions): Promise<Story> {
  const story = await begin(options)
  await story.edit('app:2')
  await walkTo(story, step)
  return story
}

async function canaries({ client, namespace }: Story): Promise<readonly Deployment[]> {
  const scope = { namespace, labelSelector: CANARY_DEPLOYMENT }
  return (await client.listAll(DEPLOYMENTS, scope)).items
}

/** Nothing is left: no second Deployment, no hold; the owner has what he had. */
async function clean(story: Story, own = DEFAULT_FIELDS): Promise<void> {
  await story.until('nothing of ours', async () => {
    return (await story.free()) && (await canaries(story)).length === 0
  })
  expect(holdFields(await story.deployment())).toEqual(own)
}

/** The stable pods, by name. */
async function stablePods({ client, namespace }: Story): Promise<readonly string[]> {
  const selector = { namespace, labelSelector: `app=${WORKLOAD},!${CANARY_RELEASE}` }
  const { items } = await client.listAll(PODS, selector)
  return items.map(({ metadata }: Pod) => metadata.name).toSorted()
}

describe.concurrent('a release', () => {
  test('leaves the stable pods alone until the end, and nothing of ours afterwards', async () => {
    const story = await begin()
    const before = apart(await story.workload<Specified>())
    const pods = await stablePods(story)
    story.forget()
    const warnings = warningsOf(await story.edit('app:2'))
    expect(warnings[0]).toContain('1 of 4 pods, then waits for approval; peak 5 pods')
    await story.reached(1)
    await stand(story, { 'app:1': 4, 'app:2': 1 })
    const [made, ...others] = await canaries(story)
    expect(others).toEqual([])
    await keptApart(story, made!)
    expect((await story.rollout()).status?.canaryStatus).toMatchObject({
      canaryReplicas: 1,
      canaryReadyReplicas: 1,
      currentStepIndex: 1,
    })
    const waiting = ['rollout', 'status', target, '--timeout=5s']
    const { stderr } = await story.kubectl(waiting, { expectFailure: true })
    expect(stderr).toContain('timed out')

    await story.approve()
    await story.reached(2)
    await stand(story, { 'app:1': 4, 'app:2': 2 })
    expect(await stablePods(story)).toEqual(pods)
    expect((await canaries(story)).map(({ metadata }) => metadata.uid)).toEqual([
      made!.metadata.uid,
    ])
    expect(worst(story)).toEqual({ ready: 4, total: 6 })

    await story.approve()
    await story.phase('Healthy')
    await clean(story)
    await stand(story, { 'app:1': 0, 'app:2': 4 })
    expect(apart(await story.workload<Specified>())).toMatchObject({ spec: before.spec })
    expect((await story.rollout()).status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Succeeded', status: 'True', reason: '' }),
    )
  })

  test('keeps the canary until everybody is new and available', async () => {
    const spec = { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } }
    const story = await begin({ spec })
    await story.edit('app:slow')
    await walkTo(story, 2)
    story.forget()
    await story.approve()
    await story.phase('Healthy')
    // Four stable ones at every moment, in one version or the other, beside the two of the canary.
    const sizes = story.history().map(({ wanted }) => wanted)
    const rolling = sizes.filter(wanted => (wanted['app:1'] ?? 0) > 0)
    const together = rolling.map(wanted => (wanted['app:1'] ?? 0) + (wanted['app:slow'] ?? 0))
    expect(Math.min(...together)).toBeGreaterThanOrEqual(6)
    await stand(story, { 'app:1': 0, 'app:slow': 4 })
  })

  test('its pods carry what the Rollout says, and a release id of the owner', async () => {
    const patchPodTemplateMetadata = { labels: { lane: 'new' }, annotations: { note: 'canary' } }
    const labels = { 'rollouts.kruise.io/rollout-id': 'r1' }
    const story = await atStep(1, { labels, canary: { patchPodTemplateMetadata } })
    const scope = { namespace: story.namespace, labelSelector: 'lane=new' }
    await story.until('a labelled pod', async () => {
      const [pod] = (await story.client.listAll(PODS, scope)).items
      return pod?.metadata.labels?.['rollouts.kruise.io/rollout-batch-id'] === '1'
    })
    const [pod] = (await story.client.listAll(PODS, scope)).items
    expect(pod!.metadata.annotations).toMatchObject({ note: 'canary' })
    expect(pod!.metadata.labels).toMatchObject({ app: WORKLOAD, ...labels })
  })

  test('goes on with broken pods that the owner tolerates, and waits for others', async () => {
    const [patient, tolerant] = await Promise.all([
      begin(),
      begin({ canary: { failureThreshold: '100%' } }),
    ])
    await Promise.all([patient.edit('app:broken'), tolerant.edit('app:broken')])
    await says(patient, /0 of 1 new pods are ready in Deployment web-/)
    await tolerant.reached(1)
    expect(patient.now().readyByImage['app:1']).toBe(4)
  })
})

/** Each has ReplicaSets and pods of its own, and neither takes the other's. */
async function keptApart(story: Story, made: Deployment): Promise<void> {
  const { namespace, client } = story
  const stable = await story.deployment()
  expect(controllerUid(made)).toBe(stable.metadata.uid)
  const sets = (await client.listAll(REPLICA_SETS, { namespace })).items
  const ownersOf = (image: string) =>
    new Set(sets.filter(set => runs(set, image)).map(set => controllerUid(set)))
  expect(ownersOf('app:1')).toEqual(new Set([stable.metadata.uid]))
  expect(ownersOf('app:2')).toEqual(new Set([made.metadata.uid]))
}

function runs({ spec }: ReplicaSet, image: string): boolean {
  return JSON.stringify(spec.template).includes(`"${image}"`)
}

describe.concurrent('the way back', () => {
  test.each([1, 2])('the old template at step %i: no stable pod restarts', async step => {
    const story = await atStep(step)
    const pods = await stablePods(story)
    story.forget()
    await story.edit('app:1')
    await story.phase('Healthy')
    await clean(story)
    await stand(story, { 'app:1': 4, 'app:2': 0 })
    expect(await stablePods(story)).toEqual(pods)
    expect(worst(story).ready).toBeGreaterThanOrEqual(4)
    expect((await story.rollout()).status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Succeeded', status: 'False' }),
    )
  })

  test('an abort, which fails who waits, and a second beginning', async () => {
    const story = await atStep(2)
    const pods = await stablePods(story)
    const waiting = story.kubectl(['rollout', 'status', target], { expectFailure: true })
    await abort(story)
    expect((await waiting).stderr).toContain('exceeded its progress deadline')
    await hasCondition(story, 'Stalled', 'Aborted')
    await stand(story, { 'app:1': 4, 'app:2': 0 })
    expect(await canaries(story)).toEqual([])
    await resume(story)
    await story.reached(1)
    await stand(story, { 'app:1': 4, 'app:2': 1 })
    expect(await stablePods(story)).toEqual(pods)
  })

  // Old pods must wait for new ones that are never Ready: the last roll stands still in the middle.
  const stuck = { strategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } }

  test('an abort of the last roll brings back the pods that are new by then, and says so when it is true', async () => {
    const story = await inLastRoll()
    story.forget()
    await abort(story)
    await hasCondition(story, 'Stalled', 'Aborted')
    // No word of it before it is so.
    expect(story.now().wanted).toMatchObject({ 'app:1': 4 })
    await stand(story, { 'app:1': 4, 'app:broken': 0 })
    expect(await canaries(story)).toEqual([])
    expect(worst(story).ready).toBeGreaterThanOrEqual(3)
    await resume(story)
    await story.reached(1)
    await stand(story, { 'app:1': 4, 'app:broken': 1 }, 4)
  })

  test('the old template in the last roll', async () => {
    const story = await inLastRoll()
    story.forget()
    await story.edit('app:1')
    await story.phase('Healthy')
    await clean(story, {
      ...DEFAULT_FIELDS,
      strategy: { type: 'RollingUpdate', ...stuck.strategy },
    })
    await stand(story, { 'app:1': 4, 'app:broken': 0 })
    expect(worst(story).ready).toBeGreaterThanOrEqual(3)
  })

  test('a third version in the last roll brings back the pods of the second one', async () => {
    const story = await inLastRoll()
    await story.edit('app:3')
    await story.reached(1)
    await stand(story, { 'app:1': 4, 'app:broken': 0, 'app:3': 1 })
    await walkToTheEnd(story)
    await stand(story, { 'app:1': 0, 'app:3': 4 })
  })

  /** Broken pods are tolerated by the steps, and not by the last roll, which stands still with some of them. */
  async function inLastRoll(): Promise<Story> {
    const story = await begin({ spec: stuck, canary: { failureThreshold: '100%' } })
    await story.edit('app:broken')
    await walkTo(story, 2)
    await story.approve()
    await story.until('some of its own pods are new', async () => {
      const { items } = await story.client.listAll(REPLICA_SETS, { namespace: story.namespace })
      const { metadata } = await story.deployment()
      const own = items.filter(
        set => controllerUid(set) === metadata.uid && runs(set, 'app:broken'),
      )
      return own.some(({ status }) => (status?.replicas ?? 0) >= 2)
    })
    return story
  }

  test('a third version begins with its first step, in a Deployment of its own', async () => {
    const story = await atStep(2)
    story.forget()
    await story.edit('app:3')
    await story.reached(1)
    await stand(story, { 'app:1': 4, 'app:2': 0, 'app:3': 1 })
    await story.until('one second Deployment', async () => (await canaries(story)).length === 1)
    expect(most(story, 'app:3')).toBe(1)
    expect(worst(story).ready).toBeGreaterThanOrEqual(4)
    await walkToTheEnd(story)
    await clean(story)
    await stand(story, { 'app:1': 0, 'app:3': 4 })
  })
})

describe.concurrent('people', () => {
  test('scaling up makes more of them; scaling down and jumping back take none away', async () => {
    const story = await atStep(2)
    await story.scale(8)
    await stand(story, { 'app:1': 8, 'app:2': 4 })
    await story.scale(2)
    await stand(story, { 'app:1': 2, 'app:2': 4 })
    await jump(story, 1)
    await story.reached(1)
    await stand(story, { 'app:1': 2, 'app:2': 4 })
    await story.scale(0)
    await stand(story, { 'app:1': 0, 'app:2': 0 })
    await story.scale(4)
    await stand(story, { 'app:1': 4, 'app:2': 1 })
    await jump(story, 3)
    await story.phase('Healthy')
    await clean(story)
  })

  test.each(['app:2', 'app:3'])(
    'from 0 other versions than the stable one come up: they go',
    async to => {
      const story = await begin()
      for (const image of ['app:2', 'app:1']) {
        await story.edit(image)
        await walkToTheEnd(story)
      }
      await story.edit(to)
      await story.reached(1)
      await story.scale(0)
      await stand(story, {})
      await story.scale(4)
      await stand(story, { 'app:1': 4, [to]: 1 })
      await jump(story, 3)
      await story.phase('Healthy')
      await clean(story)
    },
  )

  test('a pause: no pod is made until it is over', async () => {
    const story = await begin()
    await story.patchRollout({ spec: { strategy: { paused: true } } })
    // The controller knows it then.
    await story.phase('Healthy')
    await story.edit('app:2')
    await says(story, 'paused by its owner')
    expect(await canaries(story)).toEqual([])
    await story.patchRollout({ spec: { strategy: { paused: false } } })
    await story.reached(1)
    await stand(story, { 'app:1': 4, 'app:2': 1 })
  })

  test('a second Deployment that is refused is told of once, and made when it may be', async () => {
    const story = await begin()
    await story.kubectl(['create', 'quota', 'few', '--hard=count/deployments.apps=1'])
    // It counts when the controller-manager has told what is there.
    await story.until('the quota to refuse another Deployment', async () => {
      const trial = ['create', 'deployment', 'trial', '--image=app:9', '--dry-run=server']
      const refused = await story.kubectl(trial, { expectFailure: true }).catch(() => undefined)
      return refused?.stderr.includes('exceeded quota') === true
    })
    await story.edit('app:2')
    const [event] = await told(story, 'NotCreated')
    expect(event!.message).toMatch(
      /^rollout web-rollout: Deployment web-.*cannot be created.*quota/,
    )
    await says(story, 'creating Deployment web-')
    await stand(story, { 'app:1': 4, 'app:2': 0 })
    await story.kubectl(['delete', 'resourcequota', 'few'])
    // Somebody does something: nobody waits for the next try.
    await story.scale(5)
    await story.reached(1)
    await stand(story, { 'app:1': 5, 'app:2': 1 })
    await told(story, 'NotCreated')
  })

  test('a name that is taken is told of, and waited for, without a write', async () => {
    const story = await begin()
    const image = ['set', 'image', target, 'app=app:2']
    const path = `jsonpath={.metadata.annotations.sluice\\.dev/hold}`
    const { stdout } = await story.kubectl([...image, '--dry-run=server', '-o', path])
    const name = `${WORKLOAD}-${parseHold(stdout)!.rolloutId}`
    await story.kubectl(['create', 'deployment', name, '--image=app:9', '--replicas=0'])
    await story.edit('app:2')
    await says(story, `Deployment ${name} is there already`)
    await stand(story, { 'app:1': 4 })
    await obey(world.cluster, await messageOf(story))
    await story.reached(1)
    await stand(story, { 'app:1': 4, 'app:2': 1 })
  })

  test.each(['disabled', 'deleted'])('a Rollout that is %s lets everybody go', async how => {
    const story = await atStep(2)
    if (how === 'deleted') await story.kubectl(['delete', 'rollout', ROLLOUT])
    else await story.patchRollout({ spec: { disabled: true } })
    await clean(story)
    await stand(story, { 'app:1': 0, 'app:2': 4 })
  })

  test('a workload that is deleted takes it along', async () => {
    const story = await atStep(1)
    await story.kubectl(['delete', target])
    await story.until('no pod', () => story.now().total === 0)
    expect(await canaries(story)).toEqual([])
  })
})

test('a controller that dies about the making of it makes it once', async () => {
  const story = await begin()
  let first: readonly KubeObject[] = []
  await ours.without(['controller'], async () => {
    await story.edit('app:2')
    expect(await canaries(story)).toEqual([])
  })
  await story.until('a second Deployment', async () => {
    first = await canaries(story)
    return first.length > 0
  })
  await ours.without(['controller'], () => Promise.resolve())
  await story.reached(1)
  const uids = (all: readonly KubeObject[]) => all.map(({ metadata }) => metadata.uid)
  expect(uids(await canaries(story))).toEqual(uids(first))
  await stand(story, { 'app:1': 4, 'app:2': 1 })
})

test('with nobody of ours alive all pods serve, and two commands end it, or one of ours', async () => {
  const [story, left, ejected] = await Promise.all([atStep(2), atStep(1), atStep(2)])
  await ours.without(BOTH, async () => {
    story.forget()
    await story.scale(6)
    await stand(story, { 'app:1': 6, 'app:2': 2 })
    expect(worst(story).ready).toBeGreaterThanOrEqual(6)

    const ask = `kubectl -n ${left.namespace}`
    const path = "jsonpath='{.metadata.annotations.sluice\\.dev/record}'"
    const record = `"$(${ask} get ${target} -o ${path})"`
    await obey(world.cluster, `${ask} patch ${target} --type merge -p ${record}`)
    await stand(left, { 'app:1': 0, 'app:2': 5 })
    await left.kubectl(['delete', 'deployment', '-l', `${CANARY_DEPLOYMENT}=${WORKLOAD}`])
    await stand(left, { 'app:1': 0, 'app:2': 4 })

    await sluice(world.cluster, ['eject', target, '-n', ejected.namespace, '--keep-rollouts'])
    await clean(ejected)
    await stand(ejected, { 'app:1': 0, 'app:2': 4 })
  })
  await left.phase('Healthy')
  await clean(left)
  await stand(story, { 'app:1': 6, 'app:2': 3 })
})

test('without the right to make Deployments new pods run within, and everybody is told so', async () => {
  const begun = await atStep(1)
  const why = 'the controller has no right to make Deployments (roles.makeDeployments of the chart)'
  await ours.without(BOTH, () => Promise.resolve(), { flags: ['--make-deployments=no'] })

  const next = await begin()
  await says(next, `new pods run within the workload: ${why}`)
  expect(warningsOf(await next.edit('app:2'))).toContain(`new pods run within the workload: ${why}`)
  await next.reached(1)
  await stand(next, { 'app:1': 3, 'app:2': 1 })
  expect(await canaries(next)).toEqual([])
  await walkToTheEnd(next)
  await clean(next)

  // What has begun beside goes on as far as it may, and says who is to do the rest.
  await begun.approve()
  await begun.reached(2)
  await stand(begun, { 'app:1': 4, 'app:2': 2 })
  await begun.edit('app:1')
  const command = `so delete it: kubectl -n ${begun.namespace} delete deployment web-`
  await says(begun, command)
  await obey(world.cluster, await messageOf(begun))
  await clean(begun)
})

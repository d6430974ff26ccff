// Everything of ours is dead, and people go on with StatefulSets as ever: the policy in the API server
// keeps every pod at its version. When we are back the releases run.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { CAUGHT } from '#api/names.ts'
import { LEASES } from '#kube/resources.ts'
import { lease } from '../../dev/sluice.ts'
import { walkTo, walkToTheEnd } from './approvals.ts'
import { most, obey, stand, told, worst } from './facts.ts'
import { WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
})
afterAll(() => world?.stop())

const kind = 'StatefulSet'
const target = `statefulset/${WORKLOAD}`
const steps = [{ replicas: 2 }, { replicas: '50%' }, { replicas: '100%' }]

interface Held extends KubeObject {
  readonly spec: {
    readonly updateStrategy: { readonly rollingUpdate: { readonly partition: number } }
  }
}

async function partitionOf(story: Story): Promise<number> {
  return (await story.workload<Held>()).spec.updateStrategy.rollingUpdate.partition
}

async function carried(story: Story): Promise<string | undefined> {
  return (await story.workload()).metadata.annotations?.[CAUGHT]
}

/** The one command, as the page of an outage has it. */
async function escape({ namespace }: Story): Promise<void> {
  const ask = `kubectl -n ${namespace}`
  const path = "jsonpath='{.metadata.annotations.sluice\\.dev/record}'"
  const record = `"$(${ask} get ${target} -o ${path})"`
  await obey(world.cluster, `${ask} patch ${target} --type merge -p ${record}`)
}

test('what is edited meanwhile is held, and released when we are back', async () => {
  const half = async (spec = {}) => {
    const story = await world.story({ kind, steps, spec })
    await story.edit('app:2')
    await walkTo(story, 2)
    await stand(story, { 'app:1': 5, 'app:2': 5 })
    story.forget()
    return story
  }
  const own = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 4 } } }
  const [rested, kept, third, applied, back, freed] = await Promise.all([
    world.story({ kind, steps }),
    world.story({ kind, steps, spec: own }),
    half(),
    half(),
    half(),
    half(),
  ])
  const { webhook, controller } = world.sluice
  await Promise.all([webhook, controller].map(child => child.stop('SIGKILL')))

  await rested.edit('app:2')
  await kept.edit('app:2')
  await third.edit('app:3')
  await applied.patch({ updateStrategy: { rollingUpdate: { partition: 0 } } })
  await back.edit('app:1')
  expect(await carried(rested)).toBe('0')
  expect(await carried(kept)).toBe('4')
  for (const story of [rested, kept, third, applied, back]) {
    expect(await partitionOf(story)).toBe(2147483647)
  }
  await escape(freed)
  await stand(freed, { 'app:1': 0, 'app:2': 10 })
  await freed.edit('app:3')
  await stand(freed, { 'app:2': 0, 'app:3': 10 })

  // Scaled and hit meanwhile, nobody comes up new.
  await rested.scale(12)
  await rested.kubectl(['delete', 'pod', `${WORKLOAD}-9`])
  await stand(rested, { 'app:1': 12, 'app:2': 0 })
  expect(most(rested, 'app:2')).toBe(0)
  expect(most(third, 'app:3')).toBe(0)
  expect(most(applied, 'app:2')).toBe(5)
  for (const story of [third, applied, back]) expect(worst(story).ready).toBe(10)

  await world.client.remove(LEASES, lease)
  await world.sluice.startWebhook()
  await world.sluice.startController()

  for (const [story, image] of [
    [rested, 'app:2'],
    [third, 'app:3'],
  ] as const) {
    await told(story, 'EditCaught')
    await story.reached(1)
    expect(await carried(story)).toBeUndefined()
    expect(story.now().wanted[image]).toBe(2)
    await walkToTheEnd(story)
  }
  await stand(third, { 'app:3': 10 })
  await kept.reached(1)
  await walkToTheEnd(kept)
  await stand(kept, { 'app:1': 4, 'app:2': 6 })
  expect(await partitionOf(kept)).toBe(4)
  await applied.reached(2)
  await stand(applied, { 'app:1': 5, 'app:2': 5 })
  await back.phase('Healthy')
  await stand(back, { 'app:1': 10, 'app:2': 0 })
  expect(await partitionOf(back)).toBe(0)
  await freed.phase('Healthy')
  const { stderr } = await freed.edit('app:4')
  expect(stderr).toMatch(/release starts with step 1/)
})

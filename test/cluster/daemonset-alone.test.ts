// Everything of ours is dead, and people go on with DaemonSets as ever: the policy in the API server keeps
// every pod at its version. When we are back the releases run.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { DaemonSet } from '#api/kubernetes.ts'
import { CAUGHT } from '#api/names.ts'
import { LEASES } from '#kube/resources.ts'
import { lease } from '../../dev/sluice.ts'
import { walkTo, walkToTheEnd } from './approvals.ts'
import { most, obey, stand, told, worst } from './facts.ts'
import { makePool } from './kinds/nodes.ts'
import type { Pool } from './kinds/nodes.ts'
import { WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let pool: Pool
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore' })
  pool = await makePool(world.client, 6)
})
afterAll(() => world?.stop())

const kind = 'DaemonSet'
const target = `daemonset/${WORKLOAD}`
const steps = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }]
const own = {
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2, maxSurge: 0 } },
}

async function carried(story: Story): Promise<string | undefined> {
  return (await story.workload()).metadata.annotations?.[CAUGHT]
}

async function strategyOf(story: Story) {
  return (await story.workload<DaemonSet>()).spec.updateStrategy
}

/** The one command, as the page of an outage has it. */
async function escape({ namespace }: Story): Promise<void> {
  const ask = `kubectl -n ${namespace}`
  const path = "jsonpath='{.metadata.annotations.sluice\\.dev/record}'"
  const record = `"$(${ask} get ${target} -o ${path})"`
  await obey(world.cluster, `${ask} patch ${target} --type merge -p ${record}`)
}

test('what is edited meanwhile is held, and released when we are back', async () => {
  const begin = () =>
    world.story({ kind, steps, spec: own, replicas: pool.names.length, pod: pool.placement })
  const half = async () => {
    const story = await begin()
    await story.edit('app:2')
    await walkTo(story, 2)
    await stand(story, { 'app:1': 3, 'app:2': 3 })
    story.forget()
    return story
  }
  const [rested, third, applied, back, freed, caught] = await Promise.all([
    begin(),
    half(),
    half(),
    half(),
    half(),
    begin(),
  ])
  const { webhook, controller } = world.sluice
  await Promise.all([webhook, controller].map(child => child.stop('SIGKILL')))

  await rested.edit('app:2')
  await third.edit('app:3')
  await applied.patch(own)
  await back.edit('app:1')
  await caught.edit('app:2')
  expect(await carried(rested)).toBe('RollingUpdate')
  expect(await carried(third)).toBe('OnDelete')
  expect(await carried(applied)).toBe('RollingUpdate')
  for (const story of [rested, third, applied, back]) {
    expect(await strategyOf(story)).toEqual({ ...own.updateStrategy, type: 'OnDelete' })
  }
  for (const story of [freed, caught]) {
    await escape(story)
    await stand(story, { 'app:1': 0, 'app:2': 6 })
  }
  await freed.edit('app:3')
  await stand(freed, { 'app:2': 0, 'app:3': 6 })

  // A second write meets a policy that has caught the first one.
  await rested.patch(own)
  expect(await strategyOf(rested)).toEqual({ ...own.updateStrategy, type: 'OnDelete' })
  expect(most(rested, 'app:2')).toBe(0)
  expect(most(third, 'app:3')).toBe(0)
  expect(most(applied, 'app:2')).toBe(3)
  for (const story of [rested, third, applied, back]) expect(worst(story).ready).toBe(6)

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
    expect(story.now().wanted[image]).toBe(1)
    await walkToTheEnd(story)
    await stand(story, { [image]: 6 })
    expect(await strategyOf(story)).toEqual(own.updateStrategy)
  }
  await applied.reached(2)
  await stand(applied, { 'app:1': 3, 'app:2': 3 })
  await back.phase('Healthy')
  await stand(back, { 'app:1': 6, 'app:2': 0 })
  expect(await strategyOf(back)).toEqual(own.updateStrategy)
  await freed.phase('Healthy')
  const { stderr } = await freed.edit('app:4')
  expect(stderr).toMatch(/release starts with step 1/)
})

// The store and the API server go away in the middle of a wave, and forget while nothing happens: the
// release stands as it was, and goes on to its end.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { LEASES } from '#kube/resources.ts'
import { lease } from '../../dev/sluice.ts'
import { until } from '../../dev/until.ts'
import { walkToTheEnd } from './approvals.ts'
import { DEFAULT_FIELDS, holdFields, ownKeys } from './deployment-facts.ts'
import { compact } from './etcd.ts'
import { most, stand } from './facts.ts'
import { reportAtEnd } from './fault-report.ts'
import { writesWhenWoken } from './quiet.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

/** The API server answers, and stores what it is sent. */
async function works(): Promise<void> {
  const patch = { metadata: { annotations: { asked: 'yes' } } }
  await until('the API server does not work', async () => {
    try {
      await world.client.mergePatch(LEASES, lease, patch, { timeoutMs: 2000 })
      return true
    } catch {
      return false
    }
  })
}

interface Outage {
  readonly what: string
  readonly happens: () => Promise<void>
}

const outages: readonly Outage[] = [
  {
    what: 'etcd is killed',
    async happens() {
      process.kill(world.cluster.pids.etcd!, 'SIGKILL')
      await world.cluster.stopComponent('etcd')
      await world.cluster.startComponent('etcd')
      await works()
    },
  },
  {
    what: 'the API server starts again',
    async happens() {
      await world.cluster.stopComponent('kube-apiserver')
      await world.cluster.startComponent('kube-apiserver')
      await works()
    },
  },
  { what: 'etcd forgets all that was', happens: () => compact(world.cluster) },
]

test('a release stands while the store is away, and ends as it should', async () => {
  reportAtEnd(
    'store-outages',
    outages.map(({ what }) => ({ fault: what, times: 2 })),
  )
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  for (const { happens } of outages) {
    await happens()
    await stand(story, { 'app:1': 9, 'app:2': 1 })
  }
  // In the middle of a wave, each.
  await story.approve()
  await outages[0]!.happens()
  await story.reached(2)
  await outages[1]!.happens()
  await stand(story, { 'app:1': 5, 'app:2': 5 })
  expect(most(story, 'app:2')).toBe(5)
  await outages[2]!.happens()
  await walkToTheEnd(story)
  await story.phase('Healthy')
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  expect(holdFields(await story.deployment())).toEqual(DEFAULT_FIELDS)
  expect(ownKeys(await story.deployment())).toEqual([])
  expect(await writesWhenWoken(world.sluice.controller, 1, () => woken(story))).toBe(0)
})

function woken(story: Story): Promise<unknown> {
  return story.kubectl(['label', 'deployment', '--all', 'woken=yes'])
}

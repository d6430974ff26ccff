// Requests move with the pods of every kind, in front of real endpoints: forward, and back before pods leave.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { stand } from './facts.ts'
import { makePool } from './kinds/nodes.ts'
import type { Pool } from './kinds/nodes.ts'
import { CLONE_SETS, KRUISE_DAEMON_SETS, KRUISE_STATEFUL_SETS } from './kinds/resources.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { StandIns } from './kinds/stand-in.ts'
import type { StoryOptions } from './manifests.ts'
import { answered, begin, startRouted } from './routed.ts'
import type { Routed } from './routed.ts'

let routed: Routed
let standIns: StandIns
let pool: Pool
beforeAll(async () => {
  routed = await startRouted()
  standIns = await startStandIns(routed.world.client)
  pool = await makePool(routed.world.client, 4)
})
afterAll(async () => {
  await standIns?.stop()
  await routed?.stop()
})

const rolling = (rollingUpdate: object) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
})
const parallel = { podManagementPolicy: 'Parallel', ...rolling({ partition: 0 }) }
const steps = [
  { replicas: 1, traffic: '20%' },
  { replicas: '50%', traffic: '50%' },
  { replicas: '100%' },
]

/** The label that its pods tell their version by, and of what it is made. */
const kinds: Readonly<Record<string, readonly [label: string, options: () => StoryOptions]>> = {
  StatefulSet: ['controller-revision-hash', () => ({ kind: 'StatefulSet', spec: parallel })],
  DaemonSet: ['controller-revision-hash', () => ({ kind: 'DaemonSet', pod: pool.placement })],
  CloneSet: ['pod-template-hash', () => ({ kind: CLONE_SETS })],
  'StatefulSet of Kruise': [
    'controller-revision-hash',
    () => ({ kind: KRUISE_STATEFUL_SETS, spec: parallel }),
  ],
  'DaemonSet of Kruise': [
    'controller-revision-hash',
    () => ({ kind: KRUISE_DAEMON_SETS, pod: pool.placement }),
  ],
}

test.concurrent.each(Object.entries(kinds))(
  '%s: step by step, and back',
  async (_, [label, options]) => {
    const place = await begin(routed, { replicas: 4, steps, ...options() })
    const { story } = place
    await story.edit('app:2')
    await story.reached(1)
    await place.shares(20)
    expect(place.sights.find(({ newPods }) => newPods > 0)?.selector).toHaveProperty([label])
    await story.approve()
    await story.reached(2)
    await place.shares(50)
    await stand(story, { 'app:1': 2, 'app:2': 2 })

    const from = place.sights.length
    await story.edit('app:1')
    await story.phase('Healthy')
    await stand(story, { 'app:1': 4, 'app:2': 0 })
    await place.untouched()
    expect(place.sights.slice(from).find(({ newPods }) => newPods < 2)).toMatchObject({ share: 0 })

    await story.edit('app:3')
    await story.reached(1)
    await place.shares(20)
    await story.approve()
    await story.reached(2)
    await story.approve()
    await story.phase('Healthy')
    await stand(story, { 'app:1': 0, 'app:3': 4 })
    await place.untouched()
    answered(place)
  },
)

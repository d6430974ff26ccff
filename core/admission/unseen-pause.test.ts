// What an owner writes to a kind whose hold is a partition while the webhook is away: his pause is no field
// of the hold, and whoever looks next finds it beside fields that stand as the hold says.

import { expect, test } from 'vitest'

import { STABLE_TEMPLATE, WORKLOAD_TYPE } from '#api/names.ts'
import { cloneSetKind } from '../../test/world/kinds.ts'
import { caughtByPolicy } from '../../test/world/policy.ts'
import { threeSteps as rollout } from '../../test/world/three-steps.ts'
import type { Workload } from '../../test/world/world.ts'
import { cloneSet as adapter } from '../workload/clone-set.ts'
import type { Partitioned } from '../workload/partition-object.ts'
import { recordOf } from '../workload/record.ts'
import { reviewWorkload } from './review.ts'

function web(version: string): Workload {
  const containers = [{ name: 'app', image: `app:${version}` }]
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
  const { apiVersion, kind } = adapter
  const labels = { [WORKLOAD_TYPE]: 'cloneset' }
  const metadata = { name: 'web', namespace: 'shop', generation: 4, labels }
  const updateStrategy = { partition: 0, maxUnavailable: 1 }
  const spec = { replicas: 1, template, updateStrategy }
  return { apiVersion, kind, metadata, spec } as Workload
}

const stable = adapter.fingerprint(web('1') as Partitioned)
const asked = { adapter, before: web('1'), rollout, fromController: false }
const held = stored(reviewWorkload({ ...asked, object: web('2') }).object as Workload, 5)

function stored(object: Workload, generation: number): Workload {
  return { ...object, metadata: { ...object.metadata, generation } }
}

function paused({ spec, ...others }: Workload): Workload {
  const { updateStrategy } = spec as Partitioned['spec']
  return {
    ...others,
    spec: { ...spec, updateStrategy: { ...updateStrategy, paused: true } },
  } as Workload
}

/** The answer to the next write of our controller, once the version was edited and then paused unseen. */
function written(version: string) {
  const { spec } = web(version)
  const edited = { ...held, spec: { ...held.spec, template: spec.template } }
  const caught = stored(caughtByPolicy(cloneSetKind, edited, held), 6)
  const before = stored(caughtByPolicy(cloneSetKind, paused(caught), caught), 7)
  const annotations = { ...before.metadata.annotations, [STABLE_TEMPLATE]: stable }
  const word = { ...before, metadata: { ...before.metadata, annotations } }
  const request = { adapter, before, rollout, fromController: true }
  const object = caughtByPolicy(cloneSetKind, word, before)
  const first = reviewWorkload({ ...request, object })
  expect(reviewWorkload({ ...request, object: first.object }).object).toEqual(first.object)
  return first.object as Partitioned
}

test('a pause that nobody of ours saw is recorded', () => {
  expect(recordOf(written('2'))!.owner).toMatchObject({ updateStrategy: { paused: true } })
})

test('and a rollback clears it at the first look', () => {
  const { spec } = written('1')
  expect(spec.updateStrategy).toEqual({ partition: 0, maxUnavailable: 1, paused: false })
})

// The laws that every kind of workload obeys. A new kind adds a row of samples.

import fc from 'fast-check'
import jsonpatch from 'jsonpatch'
import { describe, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { HOLD, OWN_ROLLOUT_ID, RECORD } from '#api/names.ts'
import { difference } from '#core/admission/patch.ts'
import type { MergePatch } from '#core/change.ts'
import { reviewWorkload } from '#core/admission/review.ts'
import type { Rollout } from '#core/rollout/model.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { formatHold, holdOf } from '#core/workload/hold.ts'
import type { Hold } from '#core/workload/hold.ts'
import { budgetFor, surgeFor } from '#core/workload/percent.ts'
import { recordOf } from '#core/workload/record.ts'
import { adapters, rows } from '#core/workload/registry.ts'
import { daemonSets, withoutType, withTemplate } from './daemon-sets.ts'
import { deployments, withoutHoldFields, withImage } from './deployments.ts'
import {
  cloneSets,
  kruiseDaemonSets,
  kruiseStatefulSets,
  resumed,
  statefulSets,
  withVersion,
  withoutPartition,
} from './partitioned.ts'
import { merge } from '../world/controller.ts'
import { threeSteps } from '../world/three-steps.ts'

/** What the laws need to know of a kind beside its adapter. */
interface Sample {
  readonly objects: fc.Arbitrary<KubeObject>
  /** The same object with another version. */
  readonly edited: (object: KubeObject, version: string) => KubeObject
  /** The object without the fields by which it is held. */
  readonly rest: (object: KubeObject) => unknown
  /** The object that nobody has paused: a rollback clears the owner's pause, or it could not run. */
  readonly resumed: (object: KubeObject) => KubeObject
}

const partitioned = { edited: withVersion, rest: withoutPartition, resumed }

const samples: ReadonlyMap<string, Sample> = new Map([
  [
    'apps/v1 Deployment',
    { objects: deployments, edited: withImage, rest: withoutHoldFields, resumed: unpaused },
  ],
  ['apps/v1 StatefulSet', { ...partitioned, objects: statefulSets }],
  ['apps/v1 DaemonSet', { objects: daemonSets, edited: withTemplate, rest: withoutType, resumed }],
  ['apps.kruise.io/v1beta1 StatefulSet', { ...partitioned, objects: kruiseStatefulSets }],
  ['apps.kruise.io/v1alpha1 CloneSet', { ...partitioned, objects: cloneSets }],
  ['apps.kruise.io/v1alpha1 DaemonSet', { ...partitioned, objects: kruiseDaemonSets }],
])

const modes = ['wave', 'stop', 'aborted', 'finishing', 'released'] as const

function holds(replicas: number): fc.Arbitrary<Hold> {
  const pods = fc.integer({ min: 1, max: Math.max(replicas, 1) })
  return fc.record({
    mode: fc.constantFrom(...modes),
    pods,
    budget: pods.map(n => budgetFor(n, replicas)),
    surge: pods.map(k => (replicas === 0 ? '0%' : surgeFor(k, replicas, '25%'))),
    rolloutId: fc.constant('a-2'),
    seq: fc.nat(1000),
  })
}

const kindOf = ({ apiVersion, kind }: WorkloadAdapter) => `${apiVersion} ${kind}`
const named = rows.map(adapter => [`${kindOf(adapter)}, ${adapter.style}`, adapter] as const)

describe.each(named)('%s', (_, adapter) => {
  const { objects, edited, rest, resumed: withoutPause } = samples.get(kindOf(adapter))!
  const owned = objects.chain(object =>
    holds(adapter.replicas(object)).map(hold => ({ object, hold })),
  )

  test('a projection is idempotent, and touches nothing but the hold fields', () => {
    fc.assert(
      fc.property(owned, ({ object, hold }) => {
        const owner = adapter.ownerOfFree(object)
        const held = adapter.project(object, hold, owner)
        expect(adapter.project(held, hold, owner)).toEqual(held)
        expect(rest(held)).toEqual(rest(object))
        expect(adapter.fingerprint(held)).toBe(adapter.fingerprint(object))
      }),
    )
  })

  test('a restore gives byte for byte what the owner had, whatever the hold was', () => {
    fc.assert(
      fc.property(owned, ({ object, hold }) => {
        const owner = adapter.ownerOfFree(object)
        const back = adapter.restore(adapter.project(object, hold, owner), owner)
        expect(back).toEqual(object)
        expect(adapter.restore(back, owner)).toEqual(back)
      }),
    )
  })

  test('the fields of a hold are no wish of the owner', () => {
    fc.assert(
      fc.property(owned, ({ object, hold }) => {
        const owner = adapter.ownerOfFree(object)
        const record = { owner, stable: 's', rollout: 'r', rolloutUid: 'u' }
        const held = adapter.project(object, hold, owner)
        const noted = adapter.noted(hold, object, owner)
        expect(adapter.ownerOfHeld(held, noted, record)).toEqual(owner)
        expect(adapter.ownerOfHeld(object, noted, record)).toEqual(owner)
      }),
    )
  })

  test('what is observed of a held object is that hold, projected', () => {
    fc.assert(
      fc.property(objects, object => {
        const held = review(adapter, edited(object, 'v2'), object)
        fc.pre(holdOf(held) !== undefined)
        const seen = adapter.observe(adapter.see(held), noPods, 0)
        expect(seen.hold).toEqual(holdOf(held))
        expect(seen.projected).toBe(true)
        // Some holds come to the same fields; one that lets nobody out and one that lets all go do not.
        const others = (['stop', 'finishing'] as const).map(mode => {
          const other = withHold(held, { ...holdOf(held)!, mode })
          return adapter.observe(adapter.see(other), noPods, 0).projected
        })
        expect(others).toContain(false)
      }),
    )
  })

  test('an edit is held, moved and given back: the owner has what he had and the new version', () => {
    fc.assert(
      fc.property(owned, ({ object, hold }) => {
        const wanted = edited(object, 'v2')
        const held = review(adapter, wanted, object)
        fc.pre(holdOf(held) !== undefined)
        const { rolloutId, seq } = holdOf(held)!
        const { style } = adapter
        const next = withHold(held, { ...hold, style, mode: 'wave', rolloutId, seq: seq + 1 })
        const moved = review(adapter, next, held, { fromController: true })
        const end = { ...hold, style, mode: 'released', rolloutId, seq: seq + 2 } as const
        const given = review(adapter, withHold(moved, end), moved, { fromController: true })
        expect(known(given)).toEqual(known(wanted))
      }),
    )
  })

  test('the old version gives everything back in the same admission', () => {
    fc.assert(
      fc.property(objects, object => {
        const held = review(adapter, edited(object, 'v2'), object)
        fc.pre(holdOf(held) !== undefined)
        expect(known(review(adapter, edited(held, 'v1'), held))).toEqual(
          known(withoutPause(object)),
        )
      }),
    )
  })

  test('asked to go back by steps it stands still, with what its owner wants; or goes at once', () => {
    fc.assert(
      fc.property(objects, object => {
        const held = review(adapter, edited(object, 'v2'), object)
        fc.pre(holdOf(held) !== undefined)
        const rollout = { ...threeSteps, rollbackInSteps: true } as const
        const back = review(adapter, edited(held, 'v1'), held, { rollout })
        const hold = holdOf(back)
        if (!adapter.rollsBackInSteps) {
          expect(known(back)).toEqual(known(withoutPause(object)))
          return
        }
        expect(hold).toMatchObject({ mode: 'stop', ran: 0 })
        expect(recordOf(back)).toEqual(recordOf(held))
        expect(adapter.observe(adapter.see(back), noPods, 0).projected).toBe(true)
        const end = withHold(back, { ...hold!, mode: 'released', seq: hold!.seq + 1 })
        const given = review(adapter, end, back, { rollout, fromController: true })
        expect(known(given)).toEqual(known(object))
      }),
    )
  })

  test('the same manifest again changes nothing while it is held', () => {
    fc.assert(
      fc.property(objects, object => {
        const manifest = edited(object, 'v2')
        const held = review(adapter, manifest, object)
        fc.pre(holdOf(held) !== undefined)
        expect(known(review(adapter, manifest, held))).toEqual(known(held))
        expect(known(review(adapter, held, held))).toEqual(known(held))
      }),
    )
  })

  test('the record is itself the patch that gives the workload back', () => {
    fc.assert(
      fc.property(objects, object => {
        const held = review(adapter, edited(object, 'v2'), object)
        fc.pre(recordOf(held) !== undefined)
        const patch = JSON.parse(held.metadata.annotations![RECORD]!) as MergePatch
        expect(patch['spec']).toEqual(recordOf(held)!.owner)
        const free = merge(held, patch) as unknown as KubeObject
        expect(adapter.ownerOfFree(free)).toEqual(adapter.ownerOfFree(object))
      }),
    )
  })
})

const noPods = { replicaSets: [], pods: [] }

/** One review. Its patch makes of the incoming object what was meant, and a second one changes nothing. */
function review(
  adapter: WorkloadAdapter,
  object: KubeObject,
  before: KubeObject,
  {
    fromController = false,
    rollout: asked = threeSteps,
  }: { readonly fromController?: boolean; readonly rollout?: Rollout } = {},
): KubeObject {
  const rollout = { ...asked, style: adapter.style }
  const request = { adapter, before, rollout, fromController }
  const answer = reviewWorkload({ ...request, object })
  const patch = difference(object, answer.object)
  const patched: unknown = jsonpatch.apply_patch(structuredClone(object), [...patch])
  expect(patched).toEqual(JSON.parse(JSON.stringify(answer.object)))
  const again = reviewWorkload({ ...request, object: answer.object })
  expect(again.object).toEqual(answer.object)
  for (const line of answer.warnings) expect(line.length).toBeLessThanOrEqual(256)
  return stored(answer.object, before)
}

/** As the API server stores it: the generation raised, no undefined member, no empty map. */
function stored(object: KubeObject, before: KubeObject): KubeObject {
  const { metadata, ...others } = JSON.parse(JSON.stringify(object)) as KubeObject
  const { annotations = {}, ...named } = metadata
  const generation = (before.metadata.generation ?? 0) + 1
  const noted = Object.keys(annotations).length > 0 && { annotations }
  return { ...others, metadata: { ...named, generation, ...noted } }
}

/** The object as its owner knows it. */
function known({ metadata, ...others }: KubeObject): unknown {
  const { generation: _, ...named } = metadata
  return { ...others, metadata: named }
}

function withHold(object: KubeObject, hold: Hold): KubeObject {
  const { metadata } = object
  const annotations = { ...metadata.annotations, [HOLD]: formatHold(hold) }
  return { ...object, metadata: { ...metadata, annotations } }
}

function unpaused(object: KubeObject): KubeObject {
  const { paused: _, ...spec } = (object as unknown as { spec: { paused?: boolean } }).spec
  return { ...object, spec } as KubeObject
}

test('every kind has its samples, and no two the same keys of ours', () => {
  expect(adapters.map(kindOf)).toEqual([...samples.keys()])
  expect(new Set([HOLD, RECORD, OWN_ROLLOUT_ID]).size).toBe(3)
})

// The plan of eject over the states that a cluster test cannot stop in.

import { expect, test } from 'vitest'

import type { Deployment, ReplicaSet } from '#api/kubernetes.ts'
import {
  CAUGHT,
  ESCAPE,
  HOLD,
  KRUISE_ORIGINAL,
  RECORD,
  STABLE_REVISION,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import { caughtRecord } from '#core/workload/caught.ts'
import { deployment as deployments } from '#core/workload/deployment.ts'
import type { Partitioned } from '#core/workload/partition-object.ts'
import { statefulSet as statefulSets } from '#core/workload/statefulset.ts'
import { adapterFor } from '#core/workload/registry.ts'
import { difference, givingBack, guessedOwner, nextStep, ownerOf, traces } from './ejection.ts'
import type { Stand } from './ejection.ts'
import { withoutUs } from './field-owners.ts'
import { isAborted, story } from './words.ts'

const armed = 2147483646
const rollingUpdate = { maxUnavailable: 2, maxSurge: '10%' }
const owner = {
  strategy: { type: 'RollingUpdate', rollingUpdate },
  minReadySeconds: 5,
  progressDeadlineSeconds: 600,
  paused: false,
}
const record = JSON.stringify({
  metadata: { annotations: { [ESCAPE]: 'rollout=web;uid=u;stable=s;' } },
  spec: owner,
})
const hold = 'mode=wave;pods=30%;budget=30%;surge=0%;rollout-id=abc-2;seq=1;'
const labels = { [WORKLOAD_TYPE]: 'deployment', [STABLE_REVISION]: 'aaa' }
const aim = { owner, fieldOwners: [], now: 0 }

function template(image: string) {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [{ image }] } }
}

function deployment(annotations: Record<string, string>, spec: object = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'shop', name: 'web', uid: 'u', generation: 3, labels, annotations },
    spec: { replicas: 10, template: template('web:3'), ...spec },
    status: { observedGeneration: 3 },
  }
}

function set(name: string, image: string, spec: object, annotations = {}): ReplicaSet {
  const creationTimestamp = `2026-01-01T00:00:0${image.at(-1)}Z`
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { namespace: 'shop', name, generation: 1, creationTimestamp, annotations },
    spec: { template: template(image), minReadySeconds: 5, ...spec },
    status: { observedGeneration: 1 },
  }
}

const heldFields = {
  strategy: {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: '030%', maxSurge: '00%' },
  },
  minReadySeconds: armed,
  progressDeadlineSeconds: 2147483647,
}
const sets = [
  set('web-1', 'web:1', { replicas: 6 }),
  set('web-2', 'web:2', { replicas: 1, minReadySeconds: armed }, { [RECORD]: record }),
  set('web-3', 'web:3', { replicas: 3, minReadySeconds: armed }, { [HOLD]: hold }),
]
const held = standOf(deployment({ [HOLD]: hold, [RECORD]: record }, heldFields), sets)

function standOf(workload: Stand['workload'], owned: readonly ReplicaSet[] = []): Stand {
  const adapter = adapterFor(workload)!
  return { adapter, workload, sets: owned, beside: [] }
}

test('an older revision is disarmed first, and that is waited for', () => {
  expect(nextStep(held, aim)).toMatchObject({
    type: 'write',
    object: { metadata: { name: 'web-2' } },
    patch: { spec: { minReadySeconds: 5 } },
  })
  const unseen = set('web-2', 'web:2', { replicas: 1 })
  const status = { observedGeneration: 0 }
  const after = { ...held, sets: [sets[0]!, { ...unseen, status }, sets[2]!] }
  expect(nextStep(after, aim)).toMatchObject({
    type: 'wait',
    object: { metadata: { name: 'web-2' } },
  })
})

test('one write gives all back and takes the labels, under the escape', () => {
  const disarmed = { ...held, sets: [sets[0]!, sets[2]!] }
  expect(nextStep(disarmed, aim)).toMatchObject({
    object: { kind: 'Deployment' },
    patch: {
      metadata: {
        labels: { [WORKLOAD_TYPE]: null, [STABLE_REVISION]: null },
        annotations: { [HOLD]: null, [RECORD]: null, [ESCAPE]: 'eject' },
      },
      spec: owner,
    },
  })
})

test('what Kruise Rollouts would read goes with the hold or its copy, and else is nothing of ours', () => {
  const told = { [KRUISE_ORIGINAL]: '{"maxSurge":2}' }
  const blueGreen = standOf(deployment({ [HOLD]: hold, [RECORD]: record, ...told }, heldFields))
  const gone = { metadata: { annotations: { [KRUISE_ORIGINAL]: null } } }
  expect(nextStep(blueGreen, aim)).toMatchObject({ object: { kind: 'Deployment' }, patch: gone })
  const free = deployment({}, {})
  const given = { ...free, metadata: { ...free.metadata, labels: {} } }
  const copy = set('web-1', 'web:1', {}, { [RECORD]: record, ...told })
  expect(nextStep(standOf(given, [copy]), aim)).toMatchObject({
    object: { kind: 'ReplicaSet' },
    patch: gone,
  })
  const its = { ...given, metadata: { ...given.metadata, annotations: told } }
  expect(traces(standOf(its, [set('web-1', 'web:1', {}, told)]))).toEqual([])
})

test('what was made for the release goes as soon as the workload is given back', () => {
  const made = { ...deployment({}), metadata: { namespace: 'shop', name: 'web-r-2' } }
  const beside = [made]
  expect(nextStep({ ...held, sets: [], beside }, aim)).toMatchObject({ type: 'write' })
  const free = { ...deployment({}), metadata: { ...deployment({}).metadata, labels: {} } }
  const left = { ...standOf(free), beside }
  expect(traces(left)).toEqual(['Deployment web-r-2'])
  expect(nextStep(left, aim)).toEqual({ type: 'delete', object: made })
})

test('the escape goes last from the Deployment, and then what was copied from it', () => {
  const free = { labels: {}, annotations: { [ESCAPE]: 'eject' } }
  const escaped = deployment({})
  const given = { ...escaped, metadata: { ...escaped.metadata, ...free } }
  expect(nextStep(standOf(given, sets), aim)).toMatchObject({
    object: { kind: 'Deployment' },
    patch: { metadata: { annotations: { [ESCAPE]: null } } },
  })
  const clean = { ...given, metadata: { ...given.metadata, annotations: {} } }
  const behind = { ...clean, status: { observedGeneration: 2 } }
  expect(nextStep(standOf(behind, sets), aim)).toMatchObject({ type: 'wait' })
  expect(nextStep(standOf(clean, sets), aim)).toMatchObject({
    object: { metadata: { name: 'web-2' } },
    patch: { metadata: { annotations: { [RECORD]: null } }, spec: { minReadySeconds: 5 } },
  })
  const last = standOf(clean, [sets[0]!])
  expect(traces(last)).toEqual([])
  expect(nextStep(last, aim)).toBeUndefined()
})

test('the owner is known by the record, by its copy, by free fields, or not at all', () => {
  expect(ownerOf(held)).toEqual(owner)
  const damaged = { ...held, workload: deployment({ [RECORD]: '{"spec":' }, heldFields) }
  expect(ownerOf(damaged)).toEqual(owner)
  expect(ownerOf({ ...damaged, sets: [sets[0]!] })).toBeUndefined()
  const invalid = record.replace('"paused":false', '"paused":false,"minReadySeconds":-1')
  const bad = { ...held, workload: deployment({ [RECORD]: invalid }, heldFields) }
  expect(ownerOf({ ...bad, sets: [] })).toBeUndefined()
  expect(ownerOf(standOf(deployment({ [RECORD]: '?' }, owner)))).toEqual(owner)
})

test('what the policy has caught is given back as its owner asked for it', () => {
  for (const [carried, paused] of [
    ['running', false],
    ['paused', true],
  ] as const) {
    const marks = { [CAUGHT]: carried, [RECORD]: caughtRecord(deployments, carried) }
    const caught = standOf(deployment(marks, { ...owner, paused: true }), sets)
    expect(ownerOf(caught)).toEqual({ ...owner, paused })
    const { patch } = nextStep(caught, { owner: ownerOf(caught)!, fieldOwners: [], now: 0 }) as {
      readonly patch: object
    }
    expect(patch).toMatchObject({
      metadata: { annotations: { [CAUGHT]: null, [RECORD]: null, [ESCAPE]: 'eject' } },
      spec: { paused },
    })
  }
})

test('what an undo has brought back after an escape is taken away, and nothing is read off it', () => {
  const stale = { [HOLD]: hold.replace('wave', 'aborted'), [RECORD]: record }
  const object = deployment(stale, { ...owner, minReadySeconds: 9 })
  const deploymentNow = { ...object, metadata: { ...object.metadata, labels: {} } }
  const stand = standOf(deploymentNow)
  expect(isAborted(stand)).toBe(false)
  expect(ownerOf(stand)).toMatchObject({ minReadySeconds: 9 })
  const { patch } = nextStep(stand, { owner: ownerOf(stand)!, fieldOwners: [], now: 0 }) as {
    readonly patch: object
  }
  expect(patch).toMatchObject({ metadata: { annotations: { [HOLD]: null, [RECORD]: null } } })
  expect(patch).not.toHaveProperty('spec')
})

test('what differs from the owner’s values is named', () => {
  const deploymentNow = deployment({}, { ...owner, minReadySeconds: 6 })
  expect(difference(standOf(deploymentNow, sets), owner)).toBe('spec.minReadySeconds is 6, not 5')
  expect(difference(standOf(deployment({}, owner), sets), owner)).toBeUndefined()
})

test.each([
  ['wave', owner, false, /a step of 30%, 3 of 10 pods are new; .* the other 7 become new now/],
  ['finishing', owner, false, /3 of 10 pods are new, and all may be; given back/],
  ['back', owner, true, /aborted, and 3 of 10 pods are new still; given back/],
  ['wave', { ...owner, paused: true }, false, /given back, paused as its owner wants it/],
  [
    'wave',
    { ...owner, strategy: { type: 'Recreate', rollingUpdate: null } },
    false,
    /by its own strategy Recreate$/,
  ],
])('what is said of %s', (mode, wanted, aborted, line) => {
  const annotations = { [HOLD]: hold.replace('wave', mode), [RECORD]: record }
  const stand = { ...held, workload: deployment(annotations, heldFields) }
  expect(isAborted(stand)).toBe(aborted)
  expect(story(stand, wanted)).toMatch(line)
})

const own = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }
const sequential = record.replace(JSON.stringify(owner), JSON.stringify({ updateStrategy: own }))
const half = `${hold.replaceAll('30%', '50%')}partition=5;`
const nobody = 2147483647

function statefulSet(annotations: Record<string, string>, partition: number): Partitioned {
  const { metadata, status } = deployment(annotations)
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: {
      replicas: 10,
      template: template('web:2'),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } },
    },
    status: { ...status, replicas: 10, updatedReplicas: 5 },
  }
}

test('pods that go back under requests take as long as their owner says, and how many is counted', () => {
  const { metadata, ...rest } = deployment({}, owner)
  const free = { ...rest, metadata: { ...metadata, labels: {} } }
  const routing = { service: 'web', routes: [], graceSeconds: 0 }
  const none = { routing, routes: [], answers: new Map(), endpoints: [] }
  const requests = { traffic: none, touched: [], objects: [] }
  const owned = [set('web-2', 'web:2', { replicas: 3 }), set('web-3', 'web:3', { replicas: 8 })]
  const stand = { ...standOf(free, owned), requests }
  const awaited = (wanted: object) =>
    nextStep(stand, { ...aim, owner: { ...wanted }, goesBack: true })
  const pods = { left: 5, patienceMs: 600_000 }
  expect(awaited({ ...owner, progressDeadlineSeconds: 900 })).toMatchObject({
    type: 'await',
    pods: { ...pods, patienceMs: 900_000 },
  })
  expect(awaited({ updateStrategy: own })).toMatchObject({ pods })
})

test('a partition is given back as any other hold', () => {
  const stand = standOf(statefulSet({ [HOLD]: half, [RECORD]: sequential }, 5))
  expect(traces(stand)).toContain('fields of a hold')
  const wanted = ownerOf(stand)!
  expect(wanted).toEqual({ updateStrategy: own })
  expect(nextStep(stand, { owner: wanted, fieldOwners: [], now: 0 })).toMatchObject({
    object: { kind: 'StatefulSet' },
    patch: {
      metadata: { annotations: { [HOLD]: null, [RECORD]: null, [ESCAPE]: 'eject' } },
      spec: { updateStrategy: own },
    },
  })
  expect(story(stand, wanted)).toMatch(
    /a step of 50%, 5 of 10 pods are new; .* the other 5 become new now by its own strategy \(partition 0, maxUnavailable 1\)$/,
  )
})

test('a partition of its owner is no trace, and whom it keeps stays', () => {
  const { metadata, ...rest } = statefulSet({}, 5)
  const stand = standOf({ ...rest, metadata: { ...metadata, labels: {} } } as Partitioned)
  expect(traces(stand)).toEqual([])
  const guarded = standOf(statefulSet({}, 5))
  expect(givingBack(guarded, ownerOf(guarded)!)).not.toHaveProperty('spec')
  expect(story(guarded, ownerOf(guarded)!)).toBe('no release was running; given back, no pod moves')
  const partial = { updateStrategy: { ...own, rollingUpdate: { partition: 2 } } }
  expect(story(guarded, partial)).toContain('the other 3 become new now')
  const byHand = { updateStrategy: { type: 'OnDelete', rollingUpdate: null } }
  expect(story(guarded, byHand)).toContain('no pod moves')
})

test('a partition that nobody remembers is lost, and the API’s default is proposed', () => {
  const damaged = [{ [HOLD]: half, [RECORD]: '{"spec":' }, { [HOLD]: half }]
  const stands = damaged.map(marks => standOf(statefulSet(marks, 5)))
  for (const stand of [...stands, standOf(statefulSet({}, nobody))]) {
    expect(ownerOf(stand)).toBeUndefined()
    expect(guessedOwner(stand)).toEqual({ updateStrategy: own })
  }
})

test('a partition that the policy has caught is given back as it was asked for', () => {
  const marks = { [CAUGHT]: '4', [RECORD]: caughtRecord(statefulSets, '4') }
  const unseen = {
    ...statefulSet(marks, nobody),
    status: { observedGeneration: 2, replicas: 10, updatedReplicas: 10 },
  }
  const wanted = ownerOf(standOf(unseen))!
  expect(wanted).toEqual({ updateStrategy: { ...own, rollingUpdate: { partition: 4 } } })
  expect(story(standOf(unseen), wanted)).toBe(
    'an edit was caught by the policy; given back, the other 6 become new now by its own strategy (partition 4, maxUnavailable 1)',
  )
})

test('what an owner has asked for under a hold while nobody was there is what he wants', () => {
  const marks = { [CAUGHT]: '3', [HOLD]: half, [RECORD]: sequential }
  const moved = { updateStrategy: { ...own, rollingUpdate: { partition: 3 } } }
  expect(ownerOf(standOf(statefulSet(marks, nobody)))).toEqual(moved)
  const caught = { [CAUGHT]: 'running', [HOLD]: hold, [RECORD]: record }
  const fields = {
    ...heldFields,
    strategy: { ...heldFields.strategy, rollingUpdate: { maxUnavailable: 4, maxSurge: '00%' } },
    paused: true,
  }
  expect(ownerOf(standOf(deployment(caught, fields), sets))).toEqual({
    ...owner,
    strategy: { ...owner.strategy, rollingUpdate: { maxUnavailable: 4, maxSurge: '10%' } },
  })
})

test('owners of fields are those from before, and never us', () => {
  const helm = { manager: 'helm', operation: 'Apply', fieldsV1: { 'f:spec': {} } }
  const less = { ...helm, fieldsV1: {} }
  const manager = { manager: 'kcm', operation: 'Update', subresource: 'status' }
  const ours = { manager: 'sluice', operation: 'Update' }
  const controller = { manager: 'sluice-controller', operation: 'Update' }
  const newest = { ...manager, time: 'later' }
  expect(withoutUs([less, newest, ours], [helm, manager, controller])).toEqual([helm, newest])
})

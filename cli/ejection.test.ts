// The plan of eject over the states that a cluster test cannot stop in.

import { expect, test } from 'vitest'

import type { Deployment, ReplicaSet } from '#api/kubernetes.ts'
import { CAUGHT, ESCAPE, HOLD, RECORD, STABLE_REVISION, WORKLOAD_TYPE } from '#api/names.ts'
import { caughtRecord } from '#core/workload/caught.ts'
import { difference, nextStep, ownerOf, traces } from './ejection.ts'
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
const aim = { owner, fieldOwners: [] }

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
const held: Stand = { deployment: deployment({ [HOLD]: hold, [RECORD]: record }, heldFields), sets }

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

test('the escape goes last from the Deployment, and then what was copied from it', () => {
  const free = { labels: {}, annotations: { [ESCAPE]: 'eject' } }
  const escaped = deployment({})
  const given = { ...escaped, metadata: { ...escaped.metadata, ...free } }
  expect(nextStep({ deployment: given, sets }, aim)).toMatchObject({
    object: { kind: 'Deployment' },
    patch: { metadata: { annotations: { [ESCAPE]: null } } },
  })
  const clean = { ...given, metadata: { ...given.metadata, annotations: {} } }
  const behind = { ...clean, status: { observedGeneration: 2 } }
  expect(nextStep({ deployment: behind, sets }, aim)).toMatchObject({ type: 'wait' })
  expect(nextStep({ deployment: clean, sets }, aim)).toMatchObject({
    object: { metadata: { name: 'web-2' } },
    patch: { metadata: { annotations: { [RECORD]: null } }, spec: { minReadySeconds: 5 } },
  })
  const last = { deployment: clean, sets: [sets[0]!] }
  expect(traces(last)).toEqual([])
  expect(nextStep(last, aim)).toBeUndefined()
})

test('the owner is known by the record, by its copy, by free fields, or not at all', () => {
  expect(ownerOf(held)).toEqual(owner)
  const damaged = { ...held, deployment: deployment({ [RECORD]: '{"spec":' }, heldFields) }
  expect(ownerOf(damaged)).toEqual(owner)
  expect(ownerOf({ ...damaged, sets: [sets[0]!] })).toBeUndefined()
  const invalid = record.replace('"paused":false', '"paused":false,"minReadySeconds":-1')
  const bad = { ...held, deployment: deployment({ [RECORD]: invalid }, heldFields) }
  expect(ownerOf({ ...bad, sets: [] })).toBeUndefined()
  expect(ownerOf({ deployment: deployment({ [RECORD]: '?' }, owner), sets: [] })).toEqual(owner)
})

test('what the policy has caught is given back as its owner asked for it', () => {
  for (const [carried, paused] of [
    ['running', false],
    ['paused', true],
  ] as const) {
    const marks = { [CAUGHT]: carried, [RECORD]: caughtRecord(carried) }
    const caught = { deployment: deployment(marks, { ...owner, paused: true }), sets }
    expect(ownerOf(caught)).toEqual({ ...owner, paused })
    const { patch } = nextStep(caught, { owner: ownerOf(caught)!, fieldOwners: [] }) as {
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
  const stand = { deployment: deploymentNow, sets: [] }
  expect(isAborted(stand)).toBe(false)
  expect(ownerOf(stand)).toMatchObject({ minReadySeconds: 9 })
  const { patch } = nextStep(stand, { owner: ownerOf(stand)!, fieldOwners: [] }) as {
    readonly patch: object
  }
  expect(patch).toMatchObject({ metadata: { annotations: { [HOLD]: null, [RECORD]: null } } })
  expect(patch).not.toHaveProperty('spec')
})

test('what differs from the owner’s values is named', () => {
  const deploymentNow = deployment({}, { ...owner, minReadySeconds: 6 })
  expect(difference({ deployment: deploymentNow, sets }, owner)).toBe(
    'spec.minReadySeconds is 6, not 5',
  )
  expect(difference({ deployment: deployment({}, owner), sets }, owner)).toBeUndefined()
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
  const stand = { ...held, deployment: deployment(annotations, heldFields) }
  expect(isAborted(stand)).toBe(aborted)
  expect(story(stand, wanted)).toMatch(line)
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

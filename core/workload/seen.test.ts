// What is kept of an object from one event to the next, and what is read anew.

import { expect, test } from 'vitest'

import type { ControllerRevision, ReplicaSet } from '#api/kubernetes.ts'
import { CONTROLLER_REVISION, POD_DELETION_COST } from '#api/names.ts'
import { seePod, seeReplicaSet, seeRevision } from './seen.ts'
import { templateFingerprint } from './template.ts'

function replicaSet(
  { generation = 1, revision = 1 }: { generation?: number; revision?: number },
  defaults: object = {},
): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      namespace: 'shop',
      name: 'web-1',
      uid: 'set',
      generation,
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    },
    spec: {
      replicas: 3,
      template: { metadata: {}, spec: { containers: [{ name: 'web', image: 'v1' }], ...defaults } },
    },
  } as unknown as ReplicaSet
}

const added = { anotherDefault: 'ClusterFirst' }

test('a ReplicaSet that is scaled is read anew: an upgraded API server may add a default', () => {
  const before = seeReplicaSet(replicaSet({}))
  const upgraded = seeReplicaSet(replicaSet({ generation: 2 }, added), before)
  expect(upgraded.fingerprint).toBe(seeReplicaSet(replicaSet({}, added)).fingerprint)
  expect(upgraded.fingerprint).not.toBe(before.fingerprint)
})

test('a ReplicaSet that becomes the newest is read anew, though nobody has scaled it', () => {
  const before = seeReplicaSet(replicaSet({}))
  const newest = seeReplicaSet(replicaSet({ revision: 2 }, added), before)
  expect(newest.fingerprint).not.toBe(before.fingerprint)
})

test('news of the status alone cost no fingerprint', () => {
  const before = { ...seeReplicaSet(replicaSet({})), fingerprint: 'kept' }
  expect(seeReplicaSet(replicaSet({}), before).fingerprint).toBe('kept')
})

/** A ControllerRevision as the controller-manager makes it of a DaemonSet's template. */
function revisionOf(template: object, uid = 'u'): ControllerRevision {
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { namespace: 'shop', name: 'web-1', uid, labels: { [CONTROLLER_REVISION]: 'a' } },
    revision: 2,
    data: { spec: { template: { $patch: 'replace', ...template } } },
  } as unknown as ControllerRevision
}

test('a ControllerRevision has the fingerprint of the template that it was made of', () => {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ image: 'v1' }] } }
  // The controller-manager writes what is not set as null.
  const stored = { ...template, metadata: { creationTimestamp: null, ...template.metadata } }
  const seen = seeRevision(revisionOf(stored))
  expect(seen).toMatchObject({ hash: 'a', revision: 2 })
  expect(seen.fingerprint).toBe(templateFingerprint(template))
})

test('the template of a ControllerRevision never changes, but of one that is made anew', () => {
  const before = { ...seeRevision(revisionOf({ spec: { a: 1 } })), fingerprint: 'kept' }
  expect(seeRevision(revisionOf({ spec: { a: 1 } }), before).fingerprint).toBe('kept')
  expect(seeRevision(revisionOf({ spec: { a: 1 } }, 'other'), before).fingerprint).not.toBe('kept')
})

test('of others’ ControllerRevisions, whatever their data are, nothing is asked', () => {
  const { data: _, ...empty } = revisionOf({})
  expect(seeRevision(empty)).toMatchObject({ hash: 'a', ownerUid: '' })
})

test('of a pod only what lets it go before others is kept', () => {
  const pod = (phase: string, cost?: string) =>
    seePod({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', ...(cost && { annotations: { [POD_DELETION_COST]: cost } }) },
      status: { phase },
    })
  expect(pod('Pending', '-5')).toMatchObject({ pending: true, deletionCost: -5 })
  for (const cost of [undefined, '0']) {
    expect(Object.keys(pod('Running', cost))).not.toContain('pending')
    expect(Object.keys(pod('Running', cost))).not.toContain('deletionCost')
  }
  // As the controller-manager reads it: what is no number counts as none.
  expect(pod('Running', 'cheap').deletionCost).toBeUndefined()
})

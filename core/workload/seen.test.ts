// What is kept of an object from one event to the next, and what is read anew.

import { expect, test } from 'vitest'

import type { ReplicaSet } from '#api/kubernetes.ts'
import { seeReplicaSet } from './seen.ts'

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

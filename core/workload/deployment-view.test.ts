// What a Deployment and what it owns say together.

import { describe, expect, test } from 'vitest'

import type { DeploymentStatus } from '#api/kubernetes.ts'
import { seeDeployment } from './deployment-seen.ts'
import { viewDeployment } from './deployment-view.ts'
import type { PodSeen } from './seen.ts'
import { seeReplicaSet } from './seen.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const template = { spec: { containers: [{ name: 'app', image: 'app:1' }] } }

/** A Deployment of three pods, the first `ready` of them Ready, and one on its way out. */
function isSettled(status: DeploymentStatus, ready = 3): boolean {
  const metadata = { namespace: 'shop', name: 'web', uid: 'uid-web', generation: 2 }
  const seen = seeDeployment({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: 3, template, selector: {} },
    status: { observedGeneration: 2, ...status },
  })
  const set = seeReplicaSet({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { namespace: 'shop', name: 'web-1', uid: 'uid-set' },
    spec: { replicas: 3, template },
  })
  const pods = [0, 1, 2, 3].map<PodSeen>(n => ({
    metadata: { namespace: 'shop', name: `web-1-${n}`, uid: `uid-${n}`, resourceVersion: '1' },
    ownerUid: 'uid-set',
    created: 0,
    terminating: n === 3,
    ...(n < ready && { readySince: now }),
  }))
  return viewDeployment(seen, { replicaSets: [set], pods }, now).settled
}

const told = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, terminatingReplicas: 1 }

describe('a Deployment is settled when its controller has told of all that can be seen', () => {
  test('all told', () => {
    expect(isSettled(told)).toBe(true)
  })

  test('by an API server too old to tell of pods on their way out', () => {
    const { terminatingReplicas: _, ...older } = told
    expect(isSettled(older)).toBe(true)
  })

  test.each([
    ['an edit that it has not seen', { observedGeneration: 1 }],
    ['a pod that it has not counted', { replicas: 2 }],
    ['a new pod that it has not counted', { updatedReplicas: 2 }],
    ['a Ready pod that it has not counted', { readyReplicas: 2 }],
    ['a pod on its way out that it has not counted', { terminatingReplicas: 0 }],
    ['a pod that is gone', { terminatingReplicas: 2 }],
  ])('not with %s', (_, status) => {
    expect(isSettled({ ...told, ...status })).toBe(false)
  })

  test('not while it counts a pod that is no longer Ready', () => {
    expect(isSettled(told, 2)).toBe(false)
  })
})

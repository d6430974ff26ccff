// A Rollout whose workload nobody looks at: it says why, and what it knew stays.

import { expect, test } from 'vitest'

import type { RolloutStatus } from '#api/rollout.generated.ts'
import { threeSteps } from '../../test/world/three-steps.ts'
import { TRAFFIC } from '#api/names.ts'
import { seeService } from '../traffic/seen.ts'
import { pinTo } from '../traffic/service-pin.ts'
import { decide } from './decide.ts'
import { memoryOf, statusOf } from './status.ts'
import { notRegistered, notServed, unread } from './unseen.ts'
import type { Unseen } from './unseen.ts'

const ref = { apiVersion: 'databases.example.com/v1', kind: 'Shard' }
const shard = { ...ref, plural: 'shards' }
const ring = { apiVersion: 'caches.example.com/v1', kind: 'Ring', plural: 'rings' }
const wish = pinTo({
  workload: { ...ref, name: 'web' },
  routes: [],
  labels: { 'pod-template-hash': 'old' },
})
const pinned = seeService({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 's',
    annotations: { [TRAFFIC]: wish },
  },
  spec: { selector: { app: 'web', 'pod-template-hash': 'old' } },
})
const now = 1_700_000_000_000

test('a Rollout that is gone leaves a workload that nobody can read as it is', () => {
  const routing = { service: 'web', routes: [], graceSeconds: 3 }
  const traffic = { routing, routes: [], endpoints: [], answers: new Map(), service: pinned }
  const snapshot = { now, memory: memoryOf(undefined), kruiseRuns: false, traffic }
  const rest = { registered: true, holdRefused: false }
  const gone = decide({ ...snapshot, ...rest })
  expect(gone.actions).toMatchObject([{ type: 'route' }])
  const unseen = unread(shard, { missing: [], why: 'no answer' })
  expect(decide({ ...snapshot, ...rest, unseen })).toMatchObject({
    actions: [],
    message: unseen.sentences.join('; '),
  })
})

function told(unseen: Unseen, before?: RolloutStatus): RolloutStatus {
  const decision = decide({
    now,
    rollout: threeSteps,
    memory: memoryOf(before),
    kruiseRuns: false,
    registered: true,
    holdRefused: false,
    unseen,
  })
  expect(decision.actions).toEqual([])
  return statusOf({ generation: 1, before, style: 'partition', decision, workload: undefined, now })
}

test.each<[string, Unseen, string]>([
  [
    'KindNotServed',
    notServed(ref, []),
    'the cluster does not serve databases.example.com/v1 Shard: install its CRD and add it to `extraKinds` of the chart, or name another kind in spec.workloadRef',
  ],
  [
    'KindNotServed',
    notServed(ref, [shard]),
    'the cluster does not serve databases.example.com/v1 Shard: install its CRD, or name another kind in spec.workloadRef',
  ],
  [
    'KindNotRegistered',
    notRegistered(ref, 'shards', [ring]),
    'databases.example.com/v1 Shard is not registered, so nothing is done; if it has the fields of a StatefulSet, add it to the values of the chart: extraKinds: [{apiVersion: caches.example.com/v1, kind: Ring, plural: rings}, {apiVersion: databases.example.com/v1, kind: Shard, plural: shards}]; that registers it with the webhook and the policy, and gives the controller the rights to list, watch and patch shards',
  ],
  [
    'KindNotRegistered',
    notRegistered({ ...ref, apiVersion: 'databases.example.com/v2' }, 'shards', [shard]),
    'databases.example.com/v2 Shard is not read in this version: name it in databases.example.com/v1 in spec.workloadRef',
  ],
  [
    'KindNotRegistered',
    notRegistered({ apiVersion: 'apps.kruise.io/v1beta1', kind: 'CloneSet' }, 'clonesets', []),
    'apps.kruise.io/v1beta1 CloneSet is not read in this version: name it in apps.kruise.io/v1alpha1 in spec.workloadRef',
  ],
  [
    'KindUnread',
    unread(shard, { missing: ['list shards', 'watch shards'], why: 'no' }),
    'rights are missing for databases.example.com/v1 Shard, give them back by helm upgrade: list shards; watch shards',
  ],
  [
    'KindUnread',
    unread(shard, { missing: [], why: 'no answer' }),
    'databases.example.com/v1 Shard cannot be read: no answer',
  ],
])('%s', (reason, unseen, message) => {
  const { conditions, phase } = told(unseen)
  expect(phase).toBe('Initial')
  expect(conditions).toContainEqual(
    expect.objectContaining({ type: 'Ready', status: 'False', reason, message }),
  )
})

test('a plural that is not told is asked for', () => {
  const { sentences } = notRegistered(ref, undefined, [])
  expect(sentences[0]).toContain('kind: Shard, plural: <its plural>}]')
})

test('a release that is running is remembered', () => {
  const canaryStatus = {
    canaryReplicas: 2,
    canaryReadyReplicas: 2,
    canaryRevision: 'b',
    currentStepState: 'StepPaused',
    currentStepIndex: 1,
    nextStepIndex: 2,
    observedRelease: 'r-2',
    podTemplateHash: 'b',
    stableRevision: 'a',
  }
  const conditions = [{ type: 'Reconciling', status: 'True', reason: 'StepPaused', message: '' }]
  const before = { phase: 'Progressing', canaryStatus, conditions } as unknown as RolloutStatus
  const after = told(unread(shard, { missing: [], why: 'no answer' }), before)
  expect(after.canaryStatus).toEqual(canaryStatus)
  expect(memoryOf(after)).toEqual(memoryOf(before))
})

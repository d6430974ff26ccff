// Each rule of a Deployment's release by itself: the pods that there are, and the next write. The
// stories in test/scenarios tell how the rules play together.

import { describe, expect, test } from 'vitest'

import type { IntOrPercent } from '#api/kubernetes.ts'
import { DESIRED_REPLICAS, MAX_REPLICAS } from '#api/names.ts'
import { deploymentOf, inFull, moveIn, now, toldBy } from '../../test/world/deployment-scene.ts'
import type { Scene } from '../../test/world/deployment-scene.ts'
import { deployment as adapter } from './deployment.ts'
import type { WorkloadAction } from './model.ts'

const move = (action: WorkloadAction, scene: Scene) => moveIn(adapter, action, scene)
const told = (action: WorkloadAction, scene: Scene) => toldBy(adapter, action, scene)

const to = (pods: IntOrPercent): WorkloadAction => ({ type: 'advance', pods })
const abort: WorkloadAction = { type: 'abort' }
const keep: WorkloadAction = { type: 'keep' }
const rest: WorkloadAction = { type: 'rest' }

type Row = readonly [sentence: string, action: WorkloadAction, scene: Scene, writes: string]

describe('forward', () => {
  test.each<Row>([
    [
      'as many may be missing as the owner allows, and as many run beside',
      to(5),
      { hold: { budget: '10%' }, versions: { v1: { pods: 9 }, v2: { pods: 1, armed: true } } },
      'wave 30%+11%',
    ],
    [
      'a budget never shrinks below the pods that are out: the old ones would not come back',
      to(8),
      {
        hold: { pods: 8, budget: '30%', surge: '11%' },
        versions: { v1: { pods: 5 }, v2: { pods: 5, ready: 1, armed: true } },
      },
      'wave 50%+21%',
    ],
    [
      'a step whose pods are all Ready ends with its surge',
      to(5),
      {
        hold: { pods: 5, budget: '30%', surge: '11%' },
        versions: { v1: { pods: 5 }, v2: { pods: 5, armed: true } },
      },
      'wave 50%+0%',
    ],
    [
      'nothing is computed before the controller-manager has seen the Deployment',
      to(5),
      { unseen: true, hold: { budget: '10%' }, versions: { v1: { pods: 9 }, v2: { pods: 1 } } },
      'wait',
    ],
    [
      'nothing is computed before a scaling has come to every ReplicaSet',
      to(5),
      {
        hold: { budget: '10%' },
        versions: { v1: { pods: 9, desired: 12 }, v2: { pods: 1 } },
      },
      'wait',
    ],
    [
      'nothing is let out while pods that are armed by now still count as available',
      to(5),
      {
        available: 10,
        hold: { mode: 'stop' },
        versions: { v1: { pods: 9 }, v2: { pods: 1, armed: true } },
      },
      'wait',
    ],
    [
      'no old pod leaves while those of a version between count as available: stable ones would',
      to(1),
      {
        available: 9,
        hold: { pods: 1, budget: '0%', surge: '10%' },
        versions: {
          v1: { pods: 4 },
          v2: { pods: 6, armed: true },
          v3: { pods: 1, armed: true },
        },
      },
      'wait',
    ],
    [
      'once they do not they go first',
      to(1),
      {
        available: 4,
        hold: { pods: 1, budget: '0%', surge: '10%' },
        versions: {
          v1: { pods: 4 },
          v2: { pods: 6, armed: true },
          v3: { pods: 1, armed: true },
        },
      },
      'wave 10%+0%',
    ],
    [
      'before its pods are armed nobody waits for them to be counted otherwise',
      to(5),
      { available: 10, hold: { mode: 'stop' }, versions: { v1: { pods: 9 }, v2: { pods: 1 } } },
      'wave 30%+11%',
    ],
    [
      'one pod that got Ready is not worth a write',
      to(8),
      {
        hold: { pods: 8, budget: '30%', surge: '11%' },
        versions: { v1: { pods: 7 }, v2: { pods: 5, ready: 1, armed: true } },
      },
      'wait',
    ],
    [
      'a quarter of what the owner allows is',
      to(8),
      {
        hold: { pods: 8, budget: '30%', surge: '11%' },
        versions: { v1: { pods: 7 }, v2: { pods: 5, ready: 2, armed: true } },
      },
      'wave 40%+21%',
    ],
    [
      'a step back takes nobody away who was let out',
      to(1),
      { hold: { pods: 5, budget: '50%' }, versions: { v1: { pods: 5 }, v2: { pods: 5 } } },
      'done',
    ],
    [
      'what the webhook did not hear is sent again',
      to(3),
      { held: 'annotation', hold: {}, versions: { v1: { pods: 7 }, v2: { pods: 3 } } },
      'wave 30%+0%',
    ],
    [
      'it is sent again for no more pods than the step wants',
      to(3),
      {
        held: 'annotation',
        hold: { budget: '50%' },
        versions: { v1: { pods: 7 }, v2: { pods: 3 } },
      },
      'wave 30%+0%',
    ],
    [
      'a revision between the stable and the newest one is armed, so that it goes first',
      to(5),
      {
        hold: { pods: 5, budget: '10%' },
        versions: { v1: { pods: 7 }, v2: { pods: 2 }, v3: { pods: 1, armed: true } },
      },
      'arm web-v2',
    ],
    [
      'while some of its pods are not Ready it is disarmed before any larger budget',
      to(5),
      {
        hold: { pods: 5, budget: '10%' },
        versions: {
          v1: { pods: 7 },
          v2: { pods: 2, ready: 1, armed: true },
          v3: { pods: 1, armed: true },
        },
      },
      'disarm web-v2',
    ],
    [
      'a ReplicaSet of a later edit than the one that is known is left alone, and waited for',
      to(5),
      {
        hold: { pods: 5, budget: '10%' },
        versions: {
          v1: { pods: 7, revision: 1 },
          v3: { pods: 1, armed: true, revision: 3 },
          v2: { pods: 2, armed: true, revision: 2 },
        },
      },
      'wait',
    ],
    [
      'all may be new where no stable ReplicaSet is left',
      to(3),
      { hold: {}, versions: { v2: { pods: 10, armed: true } } },
      'wave 100%+0%',
    ],
  ])('%s', (_, action, scene, writes) => {
    expect(told(action, scene)).toBe(writes)
  })

  test('pods that got Ready this moment are waited for: others may follow within the second', () => {
    const waiting = move(to(8), {
      hold: { pods: 8, budget: '30%', surge: '11%' },
      versions: { v1: { pods: 7 }, v2: { pods: 5, ready: 2, readyForMs: 400, armed: true } },
    })
    expect(waiting).toMatchObject({ changes: [], requeueAt: now + 600 })
  })
})

describe('backward', () => {
  test.each<Row>([
    [
      'the budget comes to its final value before any ReplicaSet moves',
      to(3),
      { hold: { budget: '50%' }, versions: { v1: { pods: 5 }, v2: { pods: 5, armed: true } } },
      'wave 30%+0%',
    ],
    [
      'then the stable one goes up first',
      to(3),
      { hold: {}, versions: { v1: { pods: 5 }, v2: { pods: 5, armed: true } } },
      'scale web-v1 to 7',
    ],
    [
      'by no more than the owner’s surge',
      to(3),
      {
        own: ['25%', 1],
        hold: {},
        versions: { v1: { pods: 5 }, v2: { pods: 5, armed: true } },
      },
      'scale web-v1 to 6',
    ],
    [
      'then the new one comes down to what is wanted',
      to(3),
      { hold: {}, versions: { v1: { pods: 7 }, v2: { pods: 5, armed: true } } },
      'scale web-v2 to 3',
    ],
    [
      'by no more Ready pods than the owner can spare',
      to(3),
      {
        own: [0, '25%'],
        hold: {},
        versions: { v1: { pods: 7, ready: 6 }, v2: { pods: 5, armed: true } },
      },
      'scale web-v2 to 4',
    ],
    [
      'and no more than are too many',
      to(3),
      {
        own: ['25%', 1],
        hold: {},
        versions: { v1: { pods: 6 }, v2: { pods: 5, armed: true } },
      },
      'scale web-v2 to 4',
    ],
    [
      'broken pods of a version in between go before any that are new',
      to(3),
      {
        hold: {},
        versions: { v1: { pods: 6 }, v2: { pods: 2, ready: 0 }, v3: { pods: 4, armed: true } },
      },
      'scale web-v2 to 0',
    ],
    [
      'while frozen, too, none is taken by numbers of before',
      keep,
      { available: 10, hold: {}, versions: { v1: { pods: 5 }, v2: { pods: 5, armed: true } } },
      'wait',
    ],
    [
      'while frozen, too, what a scaling let out is taken back',
      keep,
      { hold: {}, versions: { v1: { pods: 5 }, v2: { pods: 5, armed: true } } },
      'scale web-v1 to 7',
    ],
    [
      'an abort goes back unpaused until one new pod is left',
      abort,
      {
        hold: { pods: 5, budget: '50%' },
        versions: { v1: { pods: 5 }, v2: { pods: 5, armed: true } },
      },
      'back 10%+0%',
    ],
    [
      'an aborted release goes home again when a scaling from nobody brought it up',
      abort,
      {
        hold: { mode: 'aborted', pods: 0, budget: '1%' },
        versions: { v1: { pods: 3 }, v2: { pods: 7 } },
      },
      'back 10%+0%',
    ],
    [
      'an abort that leaves one new pod pauses',
      abort,
      {
        hold: { mode: 'back', pods: 0, budget: '10%' },
        versions: { v1: { pods: 9 }, v2: { pods: 1, armed: true } },
      },
      'stop 1%+0%',
    ],
    [
      'a pause never lowers the surge while there are more pods than wanted',
      abort,
      {
        hold: { mode: 'back', pods: 0, budget: '10%' },
        versions: { v1: { pods: 10 }, v2: { pods: 1, armed: true } },
      },
      'stop 1%+1%',
    ],
    [
      'the last new pod stays while nobody can stand in for it',
      abort,
      {
        own: [0, '25%'],
        hold: { mode: 'stop', pods: 0, budget: '1%' },
        versions: { v1: { pods: 9 }, v2: { pods: 1, armed: true } },
      },
      'wait',
    ],
    [
      'the last new pod goes when a stable one stands in for it',
      abort,
      {
        own: [0, '25%'],
        hold: { mode: 'stop', pods: 0, budget: '1%', surge: '1%' },
        versions: { v1: { pods: 10 }, v2: { pods: 1, armed: true } },
      },
      'scale web-v2 to 0',
    ],
  ])('%s', (_, action, scene, writes) => {
    expect(told(action, scene)).toBe(writes)
  })

  test('a write of a ReplicaSet is guarded, and names the sizes that the manager compares', () => {
    const surging: Scene = {
      own: ['10%', '30%'],
      hold: { budget: '10%', surge: '11%' },
      versions: { v1: { pods: 9 }, v2: { pods: 4, ready: 0, armed: true } },
    }
    const annotations = { [DESIRED_REPLICAS]: '10', [MAX_REPLICAS]: '12' }
    expect(move(to(3), surging)?.changes).toMatchObject([
      {
        target: { kind: 'ReplicaSet', name: 'web-v2', resourceVersion: '91' },
        patch: { metadata: { annotations }, spec: { replicas: 3 } },
      },
    ])
  })

  test('an aborted workload is paused, and its pods count as available', () => {
    const { spec } = deploymentOf(adapter, {
      hold: { mode: 'aborted', pods: 0 },
      versions: { v2: { pods: 0 } },
    })
    expect(spec.paused).toBe(true)
    expect(spec.minReadySeconds ?? 0).toBe(0)
    expect(spec.progressDeadlineSeconds).toBe(600)
  })

  test('waiting clients are told by the one reason that the controller-manager keeps', () => {
    const told = move(
      { type: 'tellAborted', message: 'aborted' },
      { hold: { mode: 'aborted', pods: 0 }, versions: { v1: { pods: 10 }, v2: { pods: 0 } } },
    )
    const conditions = [{ status: 'False', reason: 'ProgressDeadlineExceeded', message: 'aborted' }]
    expect(told?.changes).toMatchObject([
      { subresource: 'status', patch: { status: { conditions } } },
    ])
  })
})

describe('at rest', () => {
  test.each<Row>([
    [
      'a stuck ReplicaSet is mended: it has the right size, for another one',
      rest,
      { replicas: 2, versions: { v1: { pods: 2, desired: 1 } } },
      'scale web-v1 to 2',
    ],
    [
      'none is stuck before the controller-manager has seen the Deployment',
      rest,
      { replicas: 2, unseen: true, versions: { v1: { pods: 2, desired: 1 } } },
      'done',
    ],
    [
      'an armed ReplicaSet that is not the newest any more is disarmed',
      rest,
      { versions: { v1: { pods: 3, armed: true }, v2: { pods: 7 } } },
      'disarm web-v1',
    ],
    [
      'one of a later edit than the Deployment that is known is left alone',
      rest,
      { versions: { v2: { pods: 1, armed: true, revision: 2 }, v1: { pods: 9, revision: 1 } } },
      'wait',
    ],
  ])('%s', (_, action, scene, writes) => {
    expect(told(action, scene)).toBe(writes)
  })

  test('fields of a hold that is gone are given back by a word to admission', () => {
    const scene: Scene = { hold: {}, versions: { v1: { pods: 10 } } }
    const { metadata, ...rest } = deploymentOf(adapter, scene)
    const { annotations: _, ...named } = metadata
    const left = { ...rest, metadata: named }
    const seen = adapter.observe(adapter.see(left), { replicaSets: [], pods: [] }, now)
    const again = adapter.move(seen, { type: 'rest' }, now)
    expect(again?.changes.map(inFull)).toEqual(['released 100%+0%'])
  })
})

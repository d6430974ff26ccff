// Where a workload with a partition stands, and what is done next.

import { expect, test } from 'vitest'

import { STABLE_REVISION, STABLE_TEMPLATE } from '#api/names.ts'
import { observed, told, workloadOf } from '../../test/world/partition-scene.ts'
import type { PartitionScene } from '../../test/world/partition-scene.ts'
import type { Hold } from './hold.ts'
import type { WorkloadAction } from './model.ts'
import { statefulSet as adapter } from './statefulset.ts'

const to = (pods: number | string): WorkloadAction => ({ type: 'advance', pods })
const [abort, keep, unblock, rest] = (['abort', 'keep', 'unblock', 'rest'] as const).map(type => ({
  type,
})) as [WorkloadAction, WorkloadAction, WorkloadAction, WorkloadAction]
const held = {}
const stopped = { mode: 'stop' } as const

test.each<[string, WorkloadAction, PartitionScene, string]>([
  ['the step stands', to(2), { pods: '1122', hold: held }, 'done'],
  ['the next step is one write', to('75%'), { pods: '1122', hold: held }, 'wave 75%'],
  ['a smaller plan takes nobody back', to(1), { pods: '1122', hold: held }, 'done'],
  [
    'new pods are waited for',
    to(2),
    { pods: '112x', hold: held },
    'wait: 1 of 2 new pods are ready',
  ],
  [
    'its own controller is waited for',
    to(2),
    { pods: '1122', hold: held, status: { observedGeneration: 1 } },
    'wait: waiting for its own controller to see the latest change',
  ],
  [
    'what was asked for and not answered is asked for more seldom',
    to('50%'),
    { pods: '1122', hold: { budget: '50%', pods: '50%' }, partition: 4 },
    'again wave 50%',
  ],
  [
    'beside a partition of its owner’s nobody comes back at the stable revision',
    abort,
    { pods: '0012', own: 2, hold: stopped, status: { currentRevision: 'web-v0' } },
    'wait: it cannot be aborted: a pod would not come back at the stable revision; apply its template',
  ],
  [
    'so all stand still',
    abort,
    { pods: '0012', own: 2, hold: held, status: { currentRevision: 'web-v0' } },
    'stop 1%',
  ],
  [
    'in the middle of the last step as well',
    abort,
    { pods: '0012', own: 2, hold: { mode: 'finishing' }, status: { currentRevision: 'web-v0' } },
    'stop 1%',
  ],
  [
    'and the webhook is told again that did not answer',
    abort,
    { pods: '0012', own: 2, hold: stopped, partition: 2, status: { currentRevision: 'web-v0' } },
    'again stop 2',
  ],
  [
    'nor is anybody sent below it who came up new too early',
    to(1),
    { pods: '0022', own: 2, hold: { budget: 1, pods: 1 }, status: { currentRevision: 'web-v0' } },
    'done',
  ],
  [
    'by OnDelete a pod that is deleted comes back new: nobody is',
    abort,
    { pods: '1122', hold: stopped, spec: { updateStrategy: { type: 'OnDelete' } } },
    'wait: it cannot be aborted: its updateStrategy is OnDelete, by which nobody is replaced step by step; apply its template',
  ],
  [
    'after a release that nobody watched the current revision is the stable one',
    abort,
    { pods: '3332', hold: { mode: 'back' }, status: { currentRevision: 'web-v3' } },
    'delete web-3',
  ],
  [
    'where nobody serves, and who comes again is what nobody wants, all are let be new',
    to(1),
    { pods: 'yyy2', hold: { budget: 1, pods: 1 }, status: { currentRevision: 'web-v3' } },
    'wave 100%',
  ],
  [
    'while one of them serves the step stands',
    to(1),
    { pods: '3yy2', hold: { budget: 1, pods: 1 }, status: { currentRevision: 'web-v3' } },
    'done',
  ],
  [
    'what is beyond the size is its controller’s to remove',
    to('50%'),
    { pods: '1122222', replicas: 4, hold: { budget: '50%', pods: '50%' } },
    'done',
  ],
  [
    'nobody who stays is deleted for those who leave',
    to('50%'),
    { pods: '1111222222', replicas: 6, hold: { budget: '50%', pods: '50%' } },
    'wait: 2 of 3 new pods are ready',
  ],
  [
    'minReadySeconds count on the way back',
    abort,
    { pods: '1122', spec: { minReadySeconds: 90 }, hold: { mode: 'back' } },
    'wait: 2 of 4 pods are still to go back',
  ],
  [
    'by OnDelete nobody is replaced',
    to(2),
    { pods: '1122', hold: held, spec: { updateStrategy: { type: 'OnDelete' } } },
    'wait: its updateStrategy is OnDelete, by which nobody is replaced step by step',
  ],
  [
    'nor is what it keeps in the way when it is broken',
    to(2),
    { pods: '1z22', own: 2, hold: held, status: { currentRevision: 'web-v0' } },
    'done',
  ],
  [
    'a scaling is projected',
    to('50%'),
    { pods: '1122', hold: { budget: '50%', pods: '50%', size: 2 }, partition: 4 },
    'wave 50%',
  ],
  [
    'what came up new too early goes back, the lowest first',
    to(1),
    { pods: '12222', hold: { budget: 1, pods: 1 } },
    'delete web-1',
  ],
  [
    'as many as may be missing',
    to(1),
    {
      pods: '12222',
      hold: { budget: 1, pods: 1 },
      spec: {
        updateStrategy: {
          type: 'RollingUpdate',
          rollingUpdate: { partition: 0, maxUnavailable: 2 },
        },
      },
    },
    'delete web-1, delete web-2',
  ],
  [
    'broken ones at any time',
    to(1),
    { pods: '1x222', hold: { budget: 1, pods: 1 } },
    'delete web-1',
  ],
  [
    'nobody beside one that is missing',
    to(1),
    { pods: '12222', replicas: 6, hold: { budget: 1, pods: 1 } },
    'wait: taking 4 of 4 new pods back',
  ],
  [
    'a broken pod between is taken out of the way',
    to(2),
    { pods: '11y2', hold: held },
    'delete web-2',
  ],
  [
    'a broken pod of the new version is not',
    to(2),
    { pods: '11x2', hold: held },
    'wait: 1 of 2 new pods are ready',
  ],
  [
    'without order nobody is in the way',
    to(2),
    { pods: '11y2', hold: held, spec: { podManagementPolicy: 'Parallel' } },
    'wait: 1 of 2 new pods are ready',
  ],
  [
    'a stable pod that is not Ready is left alone',
    to(2),
    { pods: '11w2', hold: held },
    'wait: 1 of 2 new pods are ready',
  ],
  [
    'nobody runs',
    to(2),
    { pods: '', hold: held },
    'wait: no pod is wanted: it goes on with the first one',
  ],
  ['frozen, what is out stays', keep, { pods: '1122', hold: held }, 'done'],
  [
    'frozen, a scaling is projected',
    keep,
    { pods: '1122', hold: { size: 3 }, partition: 1 },
    'wave 2',
  ],
  ['an abort stops first', abort, { pods: '1122', hold: held }, 'back 1%'],
  ['then they go, one by one', abort, { pods: '1122', hold: { mode: 'back' } }, 'delete web-3'],
  ['those between as well', abort, { pods: '1311', hold: { mode: 'back' } }, 'delete web-1'],
  ['until all are back', abort, { pods: '1111', hold: { mode: 'back' } }, 'aborted 1%'],
  ['aborted', abort, { pods: '1111', hold: { mode: 'aborted' } }, 'done'],
  [
    'the old version is given up',
    abort,
    { pods: '2222', hold: stopped, status: { currentRevision: 'web-v2' } },
    'wait: it cannot be aborted: a pod would not come back at the stable revision; apply its template',
  ],
  [
    'on the way back broken pods are taken out of the way',
    unblock,
    { pods: '11y1' },
    'delete web-2',
  ],
  ['sound ones are not', unblock, { pods: '1131' }, 'done'],
  ['nothing is left of a hold', rest, { pods: '1122' }, 'done'],
  [
    'fields of a hold that is gone are given back',
    rest,
    {
      pods: '1122',
      spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2147483647 } } },
    },
    'again released 100%',
  ],
])('%s', (_, action, scene, expected) => {
  expect(told(action, scene)).toBe(expected)
})

test('the owner’s own partition is never undercut, nor hidden by the hold', () => {
  const own = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 3 } } }
  const hold: Hold = {
    mode: 'wave',
    pods: 4,
    budget: 4,
    surge: '0%',
    rolloutId: 'v2-2',
    seq: 1,
  }
  const object = workloadOf({ pods: '1111', spec: own })
  const held = adapter.project(object, hold, own)
  expect(held.spec.updateStrategy).toEqual(own.updateStrategy)
  const wider = adapter.project(object, { ...hold, budget: 0 }, own)
  expect(wider.spec.updateStrategy?.rollingUpdate?.partition).toBe(4)
})

test('a release that is over names what everybody runs now, and its template', () => {
  const scene: PartitionScene = {
    pods: '2222',
    hold: { mode: 'finishing' },
    status: { currentRevision: 'web-v2', replicas: 4, updatedReplicas: 4, availableReplicas: 4 },
  }
  const view = observed(scene)
  expect(view.rolledOut).toBe(true)
  const [change] = adapter.move(view, { type: 'release', promote: true }, 0)!.changes
  expect(change).toMatchObject({
    patch: {
      metadata: {
        labels: { [STABLE_REVISION]: 'web-v2' },
        annotations: { [STABLE_TEMPLATE]: view.seen.fingerprint },
      },
    },
  })
})

// Without the right to delete pods, what else a move wants is done, and the pods are named.

import { expect, test } from 'vitest'

import type { Change } from '../change.ts'
import type { Move } from '../move.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import type { Snapshot } from './model.ts'
import { moveFor } from './moves.ts'

const target = { namespace: 'shop', resourceVersion: '7' }
const patch: Change = {
  type: 'patch',
  target: { ...target, apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' },
  patch: {},
}
const gone = (name: string): Change => ({
  type: 'delete',
  target: { ...target, apiVersion: 'v1', kind: 'Pod', name },
  uid: name,
})
const beside: Change = {
  type: 'delete',
  target: { ...target, apiVersion: 'apps/v1', kind: 'Deployment', name: 'web-r-2' },
  uid: 'web-r-2',
}
const made: Change = {
  type: 'create',
  object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web-r-2' } },
}
const going: Move = {
  changes: [patch, gone('db-3'), gone('db-4')],
  why: 'going back',
  requeueAt: 9,
}

function snapshot(move: Move | undefined, more: Partial<Snapshot> = {}): Snapshot {
  const adapter = { move: () => move } as unknown as WorkloadAdapter
  return { now: 1, workload: {}, adapter, ...more } as unknown as Snapshot
}

test('what the adapter says is done', () => {
  expect(moveFor(snapshot(going), { type: 'abort' })).toEqual(going)
  expect(moveFor(snapshot(undefined), { type: 'abort' })).toBeUndefined()
})

test('without the right to delete pods, who has it is told which', () => {
  expect(moveFor(snapshot(going, { podsLeft: true }), { type: 'abort' })).toEqual({
    changes: [patch],
    requeueAt: 9,
    why: 'going back: the controller has no right to delete pods (roles.deletePods of the chart), so delete them: kubectl -n shop delete pod db-3 db-4',
  })
  const forward: Move = { changes: [patch, beside], why: 'letting 2 pods be new' }
  expect(moveFor(snapshot(forward, { podsLeft: true }), { type: 'finish' })).toEqual(forward)
})

test('without the right to make Deployments, who has it is told which', () => {
  const told = (changes: readonly Change[]) =>
    moveFor(snapshot({ changes, why: 'going on' }, { deploymentsLeft: true }), { type: 'abort' })
  const lacks =
    'going on: the controller has no right to make Deployments (roles.makeDeployments of the chart)'
  expect(told([patch])).toEqual({ changes: [patch], why: 'going on' })
  expect(told([made])).toEqual({ changes: [], why: lacks })
  expect(told([patch, beside])).toEqual({
    changes: [patch],
    why: `${lacks}, so delete it: kubectl -n shop delete deployment web-r-2`,
  })
})

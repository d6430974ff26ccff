// Where a DaemonSet stands, and what is done next.

import { expect, test } from 'vitest'

import type { ControllerRevision, DaemonSet, Pod, RollingUpdate } from '#api/kubernetes.ts'
import {
  CONTROLLER_REVISION,
  HOLD,
  POD_DELETION_COST,
  RECORD,
  STABLE_REVISION,
} from '#api/names.ts'
import { sentHold } from '../../test/world/sent-hold.ts'
import { daemonFields } from './daemon-fields.ts'
import type { DaemonWorkload } from './daemon-view.ts'
import { daemonSet as adapter } from './daemonset.ts'
import { formatHold, holdOf } from './hold.ts'
import type { Hold } from './hold.ts'
import type { WorkloadAction } from './model.ts'
import { formatRecord } from './record.ts'
import { seePod, seeRevision } from './seen.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

/**
 * A letter for each pod. Ready: `1` at v1, `2` at v2, `3` at a version between; not Ready: `a`, `b` and
 * `c`; `p` at v1 has not started; `t` at v1 is on its way out; `$` at v1 costs something, `y` is young.
 */
interface Scene {
  readonly pods: string
  /** As many as there are pods unless given. */
  readonly nodes?: number
  readonly hold?: Partial<Hold>
  readonly owner?: RollingUpdate
  readonly type?: string
  readonly spec?: object
  readonly status?: object
  /** Versions that are seen; all unless given. */
  readonly known?: readonly string[]
}

const versions: Readonly<Record<string, string>> = { 2: 'v2', b: 'v2', 3: 'v3', c: 'v3' }

function templateOf(version: string): DaemonSet['spec']['template'] {
  return { spec: { containers: [{ name: 'app', image: version }] } }
}

const fingerprintOf = (version: string) =>
  daemonFields.fingerprint({ spec: { template: templateOf(version) } } as DaemonSet)

function workloadOf(scene: Scene): DaemonSet {
  const { pods, nodes = pods.length, hold, type, spec, status } = scene
  const rollingUpdate = scene.owner ?? { maxUnavailable: 1, maxSurge: 0 }
  const owner = { updateStrategy: { type: type ?? 'RollingUpdate', rollingUpdate } }
  const marks: Hold = {
    mode: 'wave',
    pods: 2,
    budget: 2,
    surge: '0%',
    rolloutId: 'v2-2',
    seq: 1,
    ...hold,
  }
  const stable = fingerprintOf('v1')
  const record = formatRecord({ owner, stable, rollout: 'web', rolloutUid: 'uid' })
  const labels = { [STABLE_REVISION]: 'v1', 'rollouts.kruise.io/workload-type': 'daemonset' }
  const annotations = hold && { [HOLD]: formatHold(marks), [RECORD]: record }
  const object: DaemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '7',
      generation: 2,
      labels,
      ...(annotations && { annotations }),
    },
    spec: { template: templateOf('v2'), ...owner, ...spec },
    status: {
      observedGeneration: 2,
      desiredNumberScheduled: nodes,
      currentNumberScheduled: pods.length,
      numberReady: pods.length,
      numberAvailable: pods.length,
      ...status,
    },
  }
  return hold ? daemonFields.project(object, marks, owner) : object
}

function podOf(state: string, index: number): Pod {
  const ready = /[123$y]/.test(state)
  const lastTransitionTime = '2029-12-31T23:59:00Z'
  const metadata = {
    namespace: 'shop',
    name: `web-${index}`,
    uid: `pod-${index}`,
    resourceVersion: String(index),
    creationTimestamp: state === 'y' ? '2029-12-31T00:00:00Z' : '2029-12-30T00:00:00Z',
    labels: { [CONTROLLER_REVISION]: versions[state] ?? 'v1' },
    annotations: state === '$' ? { [POD_DELETION_COST]: '10' } : {},
    ...(state === 't' && { deletionTimestamp: lastTransitionTime }),
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    status: {
      phase: state === 'p' ? 'Pending' : 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }],
    },
  }
}

function revisionOf(version: string, index: number): ControllerRevision {
  const template = { ...templateOf(version), $patch: 'replace' }
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      namespace: 'shop',
      name: `web-${version}`,
      uid: version,
      labels: { [CONTROLLER_REVISION]: version },
    },
    revision: index,
    data: { spec: { template } },
  }
}

function viewOf(scene: Scene): DaemonWorkload {
  const { pods, known = ['v1', 'v3', 'v2'] } = scene
  const owned = {
    replicaSets: [],
    revisions: known.map((version, i) => seeRevision(revisionOf(version, i))),
    pods: Array.from(pods, (state, index) => seePod(podOf(state, index))),
  }
  return adapter.observe(adapter.see(workloadOf(scene)), owned, now)
}

/** The next writes in words; `wait`, or `done`. */
function told(action: WorkloadAction, scene: Scene): string {
  const move = adapter.move(viewOf(scene), action, now)
  if (!move) return 'done'
  const words = move.changes.map(change => {
    if (change.type === 'create') return `create ${change.object.metadata.name}`
    if (change.type === 'delete') return `delete ${change.target.name}`
    const { metadata } = change.patch as unknown as DaemonSet
    const hold = sentHold(metadata)
    return hold ? `${hold.get('mode')} ${hold.get('budget')}` : 'mark'
  })
  if (move.again) return `again ${words.join(', ')}`
  return words.join(', ') || `wait: ${move.why}`
}

const to = (pods: number | string): WorkloadAction => ({ type: 'advance', pods })
const keep: WorkloadAction = { type: 'keep' }
const abort: WorkloadAction = { type: 'abort' }
const held = {}
const half = { pods: '50%', budget: '50%' }
const three = { maxUnavailable: 3, maxSurge: 0 }

test.each<[string, WorkloadAction, Scene, string]>([
  ['the step stands', to(2), { pods: '1122', hold: held }, 'done'],
  ['the next step is a write first', to('75%'), { pods: '1122', hold: held }, 'wave 75%'],
  ['a smaller plan takes nobody back', to(1), { pods: '1122', hold: held }, 'done'],
  ['one at a time', to(2), { pods: '1111', hold: held }, 'delete web-0'],
  [
    'as many as may be missing',
    to('50%'),
    { pods: '11111111', hold: half, owner: three },
    'delete web-0, delete web-1, delete web-2',
  ],
  [
    'a percent of them rounds up, as by its own controller',
    to('50%'),
    { pods: '11111', hold: half, owner: { maxUnavailable: '30%', maxSurge: 0 } },
    'delete web-0, delete web-1',
  ],
  [
    'who may only surge loses one at a time',
    to(2),
    { pods: '1111', hold: held, owner: { maxUnavailable: 0, maxSurge: 2 } },
    'delete web-0',
  ],
  [
    'no more than the step wants, whoever may be missing',
    to(2),
    { pods: '11112', hold: held, owner: three },
    'delete web-0',
  ],
  [
    'a new one that is not Ready is waited for',
    to(2),
    { pods: '111b', hold: held },
    'wait: 0 of 2 new pods are ready',
  ],
  [
    'one on its way out counts as missing, and comes new',
    to(2),
    { pods: '111t', hold: held, owner: three },
    'delete web-0',
  ],
  [
    'none goes beside it where one may be missing',
    to(2),
    { pods: '111t', hold: held },
    'wait: 0 of 2 new pods are ready',
  ],
  [
    'a node without a pod gets a new one: it is not taken twice',
    to(1),
    { pods: '111', nodes: 4, hold: { pods: 1, budget: 1 } },
    'wait: 0 of 1 new pods are ready',
  ],
  ['a node that has joined counts', to(2), { pods: '111112', hold: held }, 'delete web-0'],
  [
    'more of them than the step wants stay',
    to(1),
    { pods: '11122', hold: { pods: 1, budget: 1 } },
    'done',
  ],
  [
    'who is not Ready goes first, whatever may be missing',
    to(2),
    { pods: '11a1', hold: held },
    'delete web-2',
  ],
  [
    'first of all who has not started',
    to('75%'),
    { pods: '1apa', hold: { pods: '75%', budget: '75%' } },
    'delete web-2, delete web-1, delete web-3',
  ],
  [
    'a pod whose node is gone is none of those that count',
    to(1),
    { pods: '1111', nodes: 3, hold: { pods: 1, budget: 1 }, owner: three },
    'delete web-0',
  ],
  [
    'no more of them than the step wants',
    to(1),
    { pods: 'aaaa', hold: { pods: 1, budget: 1 } },
    'delete web-0',
  ],
  ['then who costs least', to(2), { pods: '$$1$', hold: held }, 'delete web-2'],
  ['then who is younger', to(2), { pods: '11y1', hold: held }, 'delete web-2'],
  [
    'those of a version between are as old as any',
    to(2),
    { pods: '1133', hold: held, owner: three },
    'delete web-0, delete web-1',
  ],
  [
    'who has not been Ready for long enough does not count',
    to(2),
    { pods: '1112', hold: held, spec: { minReadySeconds: 90 } },
    'wait: 0 of 2 new pods are ready',
  ],
  [
    'its own controller is waited for',
    to(2),
    { pods: '1111', hold: held, status: { observedGeneration: 1 } },
    'wait: waiting for its own controller to see the latest change',
  ],
  [
    'and so is its version',
    to(2),
    { pods: '1111', hold: held, known: ['v1'] },
    'wait: waiting for its own controller to make the version',
  ],
  [
    'by an OnDelete of its owner’s nobody is replaced',
    to(2),
    { pods: '1111', hold: held, type: 'OnDelete' },
    'wait: its updateStrategy is OnDelete, by which nobody is replaced step by step',
  ],
  [
    'a hold that is over begins again',
    to(2),
    { pods: '1111', hold: { mode: 'finishing' } },
    'wave 2',
  ],
  [
    'nobody runs',
    to(2),
    { pods: '', hold: held },
    'wait: no pod is wanted: it goes on with the first one',
  ],
  ['frozen, nobody leaves', keep, { pods: '1111', hold: held }, 'done'],
  ['an abort lets nobody else be new', abort, { pods: '1122', hold: held }, 'stop 1%'],
  ['nor anybody of the rest', abort, { pods: '1122', hold: { mode: 'finishing' } }, 'stop 1%'],
  [
    'an abort says why it cannot be',
    abort,
    { pods: '1122', hold: { mode: 'stop' } },
    'wait: it cannot be aborted: an abort brings nobody back, since a pod of a DaemonSet always comes new; apply the old template',
  ],
])('%s', (_, action, scene, expected) => {
  expect(told(action, scene)).toBe(expected)
})

test('a hold that stands without its field is sent again', () => {
  const scene: Scene = { pods: '1111', hold: held }
  const { spec, ...others } = workloadOf(scene)
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } }
  const seen = adapter.see({ ...others, spec: { ...spec, updateStrategy } })
  const view = adapter.observe(seen, { replicaSets: [], pods: [] }, now)
  expect(adapter.move(view, to(2), now)).toMatchObject({ again: true })
})

test('the stable version is the one that is recorded, labelled, or the oldest that runs', () => {
  expect(viewOf({ pods: '3322', hold: held })).toMatchObject({ stableRevision: 'v1' })
  expect(viewOf({ pods: '1122' })).toMatchObject({ stableRevision: 'v1', updateRevision: 'v2' })
  expect(viewOf({ pods: '3322' })).toMatchObject({ stableRevision: 'v3' })
  expect(viewOf({ pods: '', known: ['v2'] })).toMatchObject({ stableRevision: 'v2' })
})

test('it is rolled out when its own controller says so of all', () => {
  const all = { updatedNumberScheduled: 4 }
  expect(viewOf({ pods: '2222', status: all }).rolledOut).toBe(true)
  expect(viewOf({ pods: '2222', status: { ...all, numberAvailable: 3 } }).rolledOut).toBe(false)
  expect(viewOf({ pods: '2222', status: { updatedNumberScheduled: 3 } }).rolledOut).toBe(false)
  expect(viewOf({ pods: '2222', status: { ...all, observedGeneration: 1 } }).rolledOut).toBe(false)
})

test('what its own controller has told of is settled', () => {
  const all = { updatedNumberScheduled: 2 }
  expect(viewOf({ pods: '1122', status: all }).settled).toBe(true)
  expect(viewOf({ pods: '112t', status: all }).settled).toBe(false)
  expect(viewOf({ pods: '1122' }).settled).toBe(false)
  expect(viewOf({ pods: '112b', status: all }).settled).toBe(false)
})

test('an OnDelete without its values is its owner’s own, and so are other amounts', () => {
  const held = workloadOf({ pods: '1111', hold: {} })
  const record = { stable: 's', rollout: 'web', rolloutUid: 'uid', owner: rolling(1) }
  const owner = (updateStrategy: object) =>
    daemonFields.ownerOfHeld(
      { ...held, spec: { ...held.spec, updateStrategy } },
      holdOf(held)!,
      record,
    )
  expect(owner({ type: 'OnDelete' })).toEqual({
    updateStrategy: { type: 'OnDelete', rollingUpdate: null },
  })
  expect(owner({ ...rolling(3).updateStrategy, type: 'OnDelete' })).toEqual(rolling(3))
})

test.each([
  [rolling(1), undefined],
  [rolling('30%'), undefined],
  [rolling(0, 2), undefined],
  [rolling(0), 'one of maxUnavailable and maxSurge must be 0'],
  [rolling(1, 1), 'one of maxUnavailable and maxSurge must be 0'],
  [rolling('101%'), 'updateStrategy.rollingUpdate: no amount of pods'],
  [{ updateStrategy: { type: 'OnDelete', rollingUpdate: null } }, undefined],
  [{ updateStrategy: { type: 'Sideways', rollingUpdate: null } }, 'updateStrategy.type: not known'],
])('what the API server would refuse is not hidden from it: %j', (owner, expected) => {
  expect(daemonFields.invalid(owner)).toBe(expected)
})

function rolling(maxUnavailable: number | string, maxSurge: number | string = 0) {
  return { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } } }
}

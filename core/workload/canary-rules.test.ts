// Where a Deployment stands whose new pods run in a second one, and what is done next.

import { expect, test } from 'vitest'

import type { Deployment, Pod, ReplicaSet } from '#api/kubernetes.ts'
import {
  ARMED_MIN_READY_SECONDS,
  CANARY_DEPLOYMENT,
  CANARY_RELEASE,
  DESIRED_REPLICAS,
  HOLD,
  RECORD,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import { merge } from '../../test/world/controller.ts'
import { sentHold } from '../../test/world/sent-hold.ts'
import type { Patch } from '../change.ts'
import { canaryFields } from './canary-admission.ts'
import { canaryDeployment as adapter } from './canary-deployment.ts'
import { canaryName } from './canary-name.ts'
import type { CanarySeen } from './canary-view.ts'
import { deployment } from './deployment.ts'
import { formatHold, holdOf } from './hold.ts'
import type { Hold } from './hold.ts'
import type { WorkloadAction } from './model.ts'
import { formatRecord } from './record.ts'
import { seePod, seeReplicaSet } from './seen.ts'
import type { Owned } from './seen.ts'
import { templateFingerprint } from './template.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

interface Scene {
  readonly replicas?: number
  readonly hold?: Partial<Hold>
  /** The owner's minReadySeconds. */
  readonly seconds?: number
  /** Its owner's maxUnavailable. */
  readonly unavailable?: number | string
  /** Its fields are not those of the hold. */
  readonly loose?: boolean
  /** It asks for the stable template again. */
  readonly back?: true
  /** Pods of its own that are asked for, and those that are Ready, by version; all stable unless given. */
  readonly own?: Readonly<Record<string, readonly [pods: number, ready: number]>>
  /** Somebody else has a Deployment of the second one's name. */
  readonly taken?: true
  /** Second Deployments: pods that are asked for, those that are Ready, and those counted, by release. */
  readonly beside?: Readonly<
    Record<string, readonly [pods: number, ready: number, counted?: number]>
  >
}

const owner = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: 2 } },
  minReadySeconds: 0,
  progressDeadlineSeconds: 600,
  paused: false,
}

function template(version: string) {
  const metadata = { labels: { app: 'web' }, annotations: { team: 'a' } }
  return { metadata, spec: { containers: [{ name: 'app', image: `app:${version}` }] } }
}

function web(scene: Scene): Deployment {
  const { replicas = 10, hold, loose = false, seconds = 0 } = scene
  const maxUnavailable = scene.unavailable ?? '25%'
  const rollingUpdate = { ...owner.strategy.rollingUpdate, maxUnavailable }
  const strategy = { ...owner.strategy, rollingUpdate }
  const own = { ...owner, strategy, minReadySeconds: seconds }
  const full: Hold = {
    mode: 'wave',
    style: 'canary',
    pods: 1,
    budget: '1%',
    surge: '0%',
    rolloutId: 'v2-2',
    seq: 1,
    ...hold,
  }
  const stable = templateFingerprint(template('1'))
  const record = formatRecord({ owner: own, stable, rollout: 'web', rolloutUid: 'r' })
  const annotations = { [HOLD]: formatHold(full), [RECORD]: record }
  const labels = { [WORKLOAD_TYPE]: 'deployment' }
  const free: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '7',
      labels,
      annotations,
      generation: 1,
    },
    status: { observedGeneration: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: template(scene.back ? '1' : '2'),
      strategy: own.strategy,
      progressDeadlineSeconds: 600,
      ...(seconds > 0 && { minReadySeconds: seconds }),
    },
  }
  return loose ? free : canaryFields.project(free, full, own)
}

/** What the controller-manager makes of both Deployments. */
function madeOf(scene: Scene): Owned {
  const { replicas: all = 10, beside = {} } = scene
  const own = scene.own ?? { 1: [all, all] }
  const made = Object.entries(beside).map(([release, [replicas, ready, counted = replicas]]) => {
    const uid = `u-${release}`
    const owners = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'u' }]
    const object: Deployment = {
      ...web({}),
      metadata: {
        name: canaryName('web', release),
        namespace: 'shop',
        uid,
        resourceVersion: '3',
        labels: { [CANARY_DEPLOYMENT]: 'web' },
        ownerReferences: owners.map(each => ({ ...each, controller: true })),
      },
      spec: { replicas, template: template('2'), minReadySeconds: scene.seconds ?? 0 },
      status: { observedGeneration: 1, replicas: counted },
    }
    return {
      seen: deployment.see(object),
      ...setOf({ uid, name: release, version: '2', all: replicas }, [replicas, ready]),
    }
  })
  const sets = Object.entries(own).map(([version, pods]) =>
    setOf({ uid: 'u', name: version, version, all }, pods),
  )
  const each = [...sets, ...made]
  return {
    beside: made.map(({ seen }) => seen),
    replicaSets: each.map(({ set }) => seeReplicaSet(set)),
    pods: each.flatMap(({ pods }) => pods.map(seePod)),
  }
}

interface Set {
  readonly uid: string
  readonly name: string
  readonly version: string
  /** What the Deployment asks for. */
  readonly all: number
}

function setOf(
  { uid, name, version, all }: Set,
  [replicas, ready]: readonly [pods: number, ready: number],
) {
  const labels = { 'pod-template-hash': uid === 'u' ? `hash-${version}` : 'abc' }
  // The controller-manager has caught up with the last scaling.
  const annotations = { [DESIRED_REPLICAS]: String(all) }
  const set: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...owned(uid, `rs-${name}`), labels, annotations },
    spec: { replicas, template: template(version) },
  }
  const lastTransitionTime = '2029-12-31T23:59:50Z'
  const pods = Array.from({ length: replicas }, (_, i): Pod => {
    const status = i < ready ? 'True' : 'False'
    const metadata = owned(`rs-${name}`, `${name}-${i}`)
    const conditions = [{ type: 'Ready', status, lastTransitionTime }]
    return { apiVersion: 'v1', kind: 'Pod', metadata, status: { conditions } }
  })
  return { set, pods }
}

function owned(by: string, name: string) {
  const owners = [{ apiVersion: 'apps/v1', kind: 'any', name: 'any', uid: by, controller: true }]
  return { name, namespace: 'shop', uid: name, resourceVersion: '1', ownerReferences: owners }
}

function viewOf(scene: Scene) {
  const nameTaken = scene.taken && { nameTaken: scene.taken }
  return adapter.observe(adapter.see(web(scene)), { ...madeOf(scene), ...nameTaken }, now)
}

function moveOf(action: WorkloadAction, scene: Scene) {
  return adapter.move(viewOf(scene), action, now)
}

/** The next writes in words; `wait`, or `done`. */
function told(action: WorkloadAction, scene: Scene): string {
  const move = moveOf(action, scene)
  if (!move) return 'done'
  const words = move.changes.map(change => {
    if (change.type === 'create') {
      const { metadata, spec } = change.object as Deployment
      return `create ${metadata.name} of ${spec.replicas}`
    }
    if (change.type === 'delete') return `delete ${change.target.name}`
    const { metadata, spec } = change.patch as unknown as Deployment
    const hold = metadata && sentHold(metadata)
    return hold ? hold.get('mode') : `scale ${change.target.name} to ${spec.replicas}`
  })
  return words.join(', ') || `wait: ${move.why}`
}

const half: WorkloadAction = { type: 'advance', pods: '50%' }
const one: WorkloadAction = { type: 'advance', pods: 1 }
const abort: WorkloadAction = { type: 'abort' }
const end: WorkloadAction = { type: 'release', promote: true }
const back = { mode: 'back', pods: 0 } as const
/** The last step is over, and three of ten are not new yet. */
const rolling: Scene = { own: { 1: [3, 3], 2: [7, 7] }, hold: { mode: 'finishing' } }
const leave: WorkloadAction = { type: 'release', promote: false }

test.each<[string, WorkloadAction, Scene, string]>([
  ['a step makes it at its own size', half, {}, 'create web-v2-2 of 5'],
  [
    'its name is taken: whoever can give it free is told how',
    half,
    { taken: true },
    'wait: no new pods can be made: Deployment web-v2-2 is there already, and is not of this release; if nobody needs it: kubectl -n shop delete deployment web-v2-2',
  ],
  ['the next one scales it', half, { beside: { 'v2-2': [1, 1] } }, 'scale web-v2-2 to 5'],
  [
    'its pods are waited for',
    half,
    { beside: { 'v2-2': [5, 3] } },
    'wait: 3 of 5 new pods are ready in Deployment web-v2-2',
  ],
  ['the step is there', half, { beside: { 'v2-2': [5, 5] } }, 'done'],
  ['a jump back takes none away', one, { beside: { 'v2-2': [5, 1] } }, 'done'],
  ['nor does a scaling', half, { replicas: 4, beside: { 'v2-2': [5, 5] } }, 'done'],
  ['a scaling up', half, { replicas: 20, beside: { 'v2-2': [5, 5] } }, 'scale web-v2-2 to 10'],
  ['nobody is to run', half, { replicas: 0, beside: { 'v2-2': [5, 5] } }, 'scale web-v2-2 to 0'],
  [
    'nobody runs',
    half,
    { replicas: 0, beside: { 'v2-2': [0, 0] } },
    'wait: no pod is wanted: it goes on with the first one',
  ],
  [
    'a third version: the pods of the one before go first',
    half,
    { hold: { rolloutId: 'v3-3' }, beside: { 'v2-2': [5, 5] } },
    'scale web-v2-2 to 0',
  ],
  [
    'and are waited for: what is deleted at once leaves its pods for a while',
    half,
    { hold: { rolloutId: 'v3-3' }, beside: { 'v2-2': [0, 0, 5] } },
    'wait: taking back the pods of the canary Deployment web-v2-2',
  ],
  [
    'then it goes itself',
    half,
    { hold: { rolloutId: 'v3-3' }, beside: { 'v2-2': [0, 0] } },
    'delete web-v2-2',
  ],
  ['an edit that stood still', half, { hold: { mode: 'stop' } }, 'wave'],
  ['an abort that is taken back', half, { hold: { mode: 'aborted' } }, 'wave'],
  ['the webhook was away', half, { loose: true }, 'wave'],
  ['the webhook was away, frozen', { type: 'keep' }, { loose: true }, 'wave'],
  ['frozen, nothing is made', { type: 'keep' }, {}, 'done'],
  ['an abort deletes it', abort, { beside: { 'v2-2': [5, 5] } }, 'delete web-v2-2'],
  ['and then says so', abort, {}, 'aborted'],
  ['aborted', abort, { hold: { mode: 'aborted' } }, 'done'],
  ['an abort of the last roll stands still first', abort, rolling, 'back'],
  ['its stable pods come back', abort, { ...rolling, hold: back }, 'scale rs-1 to 5'],
  ['as the others leave', abort, { own: { 1: [6, 6], 2: [4, 4] }, hold: back }, 'scale rs-2 to 2'],
  [
    'broken ones leave first',
    abort,
    { own: { 1: [6, 6], 2: [4, 1] }, hold: back },
    'scale rs-2 to 1',
  ],
  ['all are back', abort, { hold: back }, 'aborted'],
  [
    'no way back is left',
    abort,
    { own: { 2: [10, 10] }, hold: { mode: 'finishing' } },
    'wait: it cannot be aborted: no ReplicaSet of the stable revision is left; apply its template',
  ],
  [
    'a scaling from nobody has brought up another version: it goes',
    half,
    { own: { 1: [0, 0], 0: [10, 10] }, beside: { 'v2-2': [1, 1] } },
    'back',
  ],
  [
    'and frozen, too',
    { type: 'keep' },
    { own: { 1: [0, 0], 0: [10, 10] }, hold: back },
    'scale rs-1 to 2',
  ],
  [
    'but what stood still from the edit on',
    { type: 'keep' },
    { ...rolling, hold: { mode: 'stop' } },
    'done',
  ],
  ['then the step goes on', half, { hold: back }, 'wave'],
  [
    'nobody runs, frozen',
    { type: 'keep' },
    { replicas: 0, own: { 1: [0, 0] }, beside: { 'v2-2': [5, 5] } },
    'scale web-v2-2 to 0',
  ],
  [
    'the stable version was forgotten while nobody ran',
    half,
    { own: {}, beside: { 'v2-2': [5, 5] } },
    'scale web-v2-2 to 10',
  ],
  ['the end deletes it first', end, { beside: { 'v2-2': [5, 5] } }, 'delete web-v2-2'],
  ['the end', end, {}, 'released'],
  ['leaving deletes it last', leave, { beside: { 'v2-2': [5, 5] } }, 'released'],
])('%s', (_, action, scene, words) => {
  expect(told(action, scene)).toBe(words)
})

test('on the way back nobody new is available, and there is room for those that are there', () => {
  const told = (scene: Scene) => {
    const { patch } = moveOf(abort, scene)!.changes[0] as Patch
    const object = web(scene)
    const written = merge(object, patch) as Deployment
    return canaryFields.project(object, holdOf(written)!, owner).spec
  }
  expect(told(rolling)).toMatchObject({
    paused: true,
    minReadySeconds: ARMED_MIN_READY_SECONDS,
    strategy: { rollingUpdate: { maxSurge: '00%' } },
  })
  const crowded = { ...rolling, own: { 1: [5, 5], 2: [7, 2] } } as const
  expect(told(crowded).strategy).toMatchObject({ rollingUpdate: { maxSurge: '011%' } })
  const strict = { ...rolling, unavailable: 0 }
  expect(told(strict).strategy).toMatchObject({ rollingUpdate: { maxSurge: '01%' } })
})

test('pods that are new wherever they run are told of as such', () => {
  expect(viewOf({ hold: back, own: rolling.own! })).toMatchObject({
    updated: 7,
    updatedReady: 7,
    updateRevision: 'hash-2',
    total: 10,
  })
})

test('new pods count when they were Ready for as long as the owner says, who looks again then', () => {
  const scene: Scene = { seconds: 30, beside: { 'v2-2': [5, 5] } }
  expect(viewOf(scene)).toMatchObject({ updated: 5, updatedReady: 0, updateRevision: 'abc' })
  expect(moveOf(half, scene)).toMatchObject({ changes: [], requeueAt: now + 20_000 })
})

test('the stable template that has returned is what it asks for, while the second one still has pods', () => {
  const beside = { 'v2-2': [3, 3] } as const
  const { updateRevision, stableRevision, updated, total } = viewOf({
    hold: { mode: 'aborted' },
    back: true,
    beside,
  })
  expect({ updateRevision, updated, total }).toEqual({
    updateRevision: stableRevision,
    updated: 10,
    total: 13,
  })
  expect(viewOf({ hold: { mode: 'aborted' }, beside }).updateRevision).toBe('abc')
})

test('without a hold, whatever was made for it goes', () => {
  const { metadata, ...rest } = web({})
  const { annotations: _, ...bare } = metadata
  const free = deployment.see({ ...rest, metadata: bare })
  const view = deployment.observe(free, madeOf({ beside: { 'v2-2': [5, 5] } }), now)
  expect(view).toMatchObject({ total: 10, updated: 0 })
  expect(deployment.move(view, leave, now)?.changes).toMatchObject([
    { type: 'delete', uid: 'u-v2-2', target: { name: 'web-v2-2', resourceVersion: '3' } },
  ])
})

test('what is made is the Deployment as its owner wants it, with pods that can be told apart', () => {
  const podMetadata = { labels: { version: 'canary', app: 'other' }, annotations: { team: 'b' } }
  const move = moveOf({ ...half, podMetadata } as WorkloadAction, { seconds: 30 })
  const [change] = move!.changes
  const { containers } = template('2').spec
  expect(change).toEqual({
    type: 'create',
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        namespace: 'shop',
        name: 'web-v2-2',
        labels: { [CANARY_DEPLOYMENT]: 'web' },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'u', controller: true },
        ],
      },
      spec: {
        replicas: 5,
        strategy: owner.strategy,
        minReadySeconds: 30,
        progressDeadlineSeconds: 600,
        selector: { matchLabels: { app: 'web', [CANARY_RELEASE]: 'v2-2' } },
        template: {
          metadata: {
            labels: { app: 'web', version: 'canary', [CANARY_RELEASE]: 'v2-2' },
            annotations: { team: 'b' },
          },
          spec: { containers },
        },
      },
    },
  })
})

test('a long name is cut where a name may end', () => {
  const name = `${'a'.repeat(198)}.-b`
  expect(canaryName(name, 'v2-2')).toBe(`${'a'.repeat(198)}-v2-2`)
})

test('more than a fingerprint is kept only while it is held', () => {
  expect((adapter.see(web({})) as CanarySeen).spec.template).toEqual(template('2'))
  expect(deployment.see(web({}))).not.toHaveProperty('spec')
})

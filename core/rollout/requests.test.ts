// In which order requests and pods move: what a release does next, with a workload that answers as it is told.

import { describe, expect, test } from 'vitest'

import type { HTTPRoute, Service } from '#api/kubernetes.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import type { WorkloadAction, Workload } from '../workload/model.ts'
import { byTemplateHash } from '../workload/pod-version.ts'
import type { PodSeen } from '../workload/seen.ts'
import { annotated } from '../admission/marks.ts'
import { reviewTraffic } from '../admission/traffic-review.ts'
import { httpRoutes } from '../traffic/gateway-route.ts'
import type { Traffic } from '../traffic/routed.ts'
import { pinTo, services, sharedBy } from '../traffic/service-pin.ts'
import { seeEndpoints, seeRoute, seeService } from '../traffic/seen.ts'
import { OVER, formatWished } from '../traffic/wish.ts'
import { wordsOf } from '../change.ts'
import { RECORD, SERVICE_NAME, TRAFFIC } from '#api/names.ts'
import { decide } from './decide.ts'
import { nothing } from './outcomes.ts'
import { isReleasing } from './phases.ts'
import type { NamedRouting } from '../traffic-routing/decide.ts'
import type { Memory, Rollout, Snapshot } from './model.ts'
import { threeSteps } from '../../test/world/three-steps.ts'

const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', name: 'web' }
const routing = { service: 'web', routes: [route], graceSeconds: 0 }
const rollout: Rollout = {
  ...threeSteps,
  traffic: routing,
  steps: threeSteps.steps.map(step => ({ ...step, split: { percent: 20 } })),
}
const memory: Memory = {
  ...nothing,
  releasing: true,
  release: 'r',
  rolloutId: 'r',
  stableRevision: 'old',
  canaryRevision: 'new',
  workloadUid: 'w',
  stepIndex: 1,
  nextStepIndex: 2,
  state: 'StepUpgrade',
  planHash: rollout.planHash,
}

interface Scene {
  readonly rollout?: Partial<Rollout> | null
  readonly memory?: Partial<Memory>
  readonly workload?: Partial<Workload> | null
  /** Of the selector of the Service. */
  readonly pinned?: string
  /** There is one Service for both versions; to whose pods routes may send requests, as it remembers. */
  readonly shared?: string
  /** Refused is that the Service becomes free; where a split stands in the route, that it ends. */
  readonly refused?: string
  /** A split stands in the route; how ready the new pod is that the `-canary` Service has. */
  readonly split?: 'ready' | 'notReady'
  /** Why it is not known by what requests come. */
  readonly unread?: string
  /** How the TrafficRouting stands that it names. */
  readonly named?: Partial<NamedRouting>
  /** What the workload still has to do. */
  readonly open?: readonly WorkloadAction['type'][]
}

function web({ pinned, shared }: Pick<Scene, 'pinned' | 'shared'>): Service {
  const metadata = { name: 'web', namespace: 'shop', uid: 's', resourceVersion: '1' }
  const spec = { selector: { app: 'web' } }
  const free: Service = { apiVersion: 'v1', kind: 'Service', metadata, spec }
  if (pinned === undefined && shared === undefined) return free
  const of = { workload: threeSteps.ref, routes: routing.routes }
  const wish =
    shared === undefined
      ? pinTo({ ...of, labels: { 'pod-template-hash': pinned! } })
      : sharedBy({ ...of, routedTo: shared })
  const record = formatWished(services, { owner: spec.selector, wish })
  const annotations = { [TRAFFIC]: wish, [RECORD]: record }
  const selector = services.project(spec.selector, wish) as Record<string, string>
  return { ...free, metadata: { ...metadata, annotations }, spec: { selector } }
}

const splitWish =
  '{"workload":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"service":"web","canary":"web-canary","split":{"percent":20}}'

function ownedRoute(): HTTPRoute {
  const metadata = { name: 'web', namespace: 'shop', uid: 'r', resourceVersion: '1' }
  const rules = [{ backendRefs: [{ name: 'web', port: 80 }] }]
  return { ...route, metadata, spec: { parentRefs: [{ name: 'gate' }], rules } }
}

function splitRoute(): HTTPRoute {
  const before = ownedRoute()
  const object = annotated(before, { [TRAFFIC]: splitWish })
  const review = { provider: httpRoutes, object, before, fromController: true }
  return reviewTraffic(review) as HTTPRoute
}

/** Where requests are split, and who answers those that go to new pods. */
function splitSeen(split: Scene['split']): Partial<Traffic> {
  if (!split) return { routes: [{ ref: route }], endpoints: [] }
  const metadata = { name: 'web-canary', labels: { [SERVICE_NAME]: 'web-canary' } }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    endpoints: [
      { conditions: { ready: split === 'ready' }, targetRef: { kind: 'Pod', uid: 'n1' } },
    ],
  } as const
  return {
    routes: [{ ref: route, object: seeRoute(splitRoute()) }],
    endpoints: [seeEndpoints(slice)],
  }
}

function snapshot({ open = [], refused, split, unread, ...scene }: Scene): Snapshot {
  const named = { routed: false, home: true, answers: false, why: 'lane waits' }
  const hold = { mode: 'wave', pods: 1, budget: 1, surge: '0%', rolloutId: 'r', seq: 1 } as const
  const workload = {
    ref: threeSteps.ref,
    uid: 'w',
    guarded: true,
    escaped: false,
    hold,
    record: { owner: {}, stable: 's', rollout: 'web', rolloutUid: rollout.uid, traffic: routing },
    projected: true,
    armed: false,
    ownerPaused: false,
    replicas: 10,
    updated: 1,
    updatedReady: 1,
    total: 10,
    abandoned: 0,
    stableRevision: 'old',
    updateRevision: 'new',
    active: [{ hash: 'old', fingerprint: 'o' }],
    updatePods: (split ? [{ metadata: { uid: 'n1' } }] : []) as PodSeen[],
    rolledOut: false,
    seen: { fingerprint: 'f' },
    ...scene.workload,
  } as unknown as Workload
  const adapter = {
    podVersion: byTemplateHash,
    move: (_: Workload, { type }: WorkloadAction) =>
      open.includes(type) ? { changes: [], why: type } : undefined,
  } as unknown as WorkloadAdapter
  return {
    now: 1,
    ...(scene.rollout !== null && { rollout: { ...rollout, ...scene.rollout } }),
    memory: { ...memory, ...scene.memory },
    ...(scene.workload !== null && { workload, adapter }),
    traffic: {
      routing: { ...routing, ...(scene.shared !== undefined && { oneService: true }) },
      service: seeService(web(scene)),
      routes: [],
      endpoints: [],
      answers: new Map(),
      ...splitSeen(split),
      ...(unread !== undefined && { unread }),
    },
    ...(scene.named && { trafficRouting: { ...named, ...scene.named } }),
    kruiseRuns: false,
    registered: true,
    holdRefused: false,
    ...(refused !== undefined && {
      refusedWrite: { write: split ? splitEnding : freeing, why: refused },
    }),
  }
}

/** What is done next: requests by their aim, all else by its name. */
function next(scene: Scene): string {
  const { actions, message, standing } = decide(snapshot(scene))
  const did = actions.flatMap(each => {
    if (each.type === 'event') return []
    return each.type === 'route' ? [`requests ${each.aim.to}`] : [each.type]
  })
  return `${did.join(', ') || 'nothing'} (${standing.notReady ?? 'fine'}): ${message.replace(/^since [^ ]+: /, '')}`
}

const freeing = wordsOf({
  type: 'patch',
  target: {
    apiVersion: 'v1',
    kind: 'Service',
    namespace: 'shop',
    name: 'web',
    resourceVersion: 'before',
  },
  patch: { metadata: { annotations: { [TRAFFIC]: OVER } } },
})

const splitEnding = wordsOf({
  type: 'patch',
  target: { ...route, namespace: 'shop', resourceVersion: 'before' },
  patch: { metadata: { annotations: { [TRAFFIC]: OVER } } },
})

/** What of the end it says in the status. */
function taskOf(scene: Scene): string | undefined {
  return decide(snapshot(scene)).standing.finalising
}

const paused: Scene = {
  rollout: { paused: true },
  memory: { state: 'StepPaused', pauseReached: true },
  pinned: 'old',
  split: 'notReady',
}
const cancelling = { workload: { updateRevision: 'old' } }
const ready = { updatePods: [{ metadata: { uid: 'n1' }, readySince: 1 }] as unknown as PodSeen[] }
const finishing = { memory: { state: 'Completed' as const } }

describe('at rest it says what requests of the next release would wait for', () => {
  const rest = {
    ...snapshot({}),
    memory: { ...memory, releasing: false, state: 'Completed' },
  } as const
  const { hold: _, record: __, ...free } = rest.workload!
  const workload = { ...free, rolledOut: true, guarded: true, updateRevision: 'old' }
  const told = (changed: Partial<Traffic>, others: Partial<Snapshot> = {}) => {
    const traffic = { ...rest.traffic!, ...changed }
    const { standing, message } = decide({ ...rest, workload, traffic, ...others })
    return { ...standing, message }
  }
  const { service } = rest.traffic!
  const routes = [{ ref: route, object: seeRoute(ownedRoute()) }]
  const waiting = (why: string, step = 1) => ({
    phase: 'Healthy',
    notReady: 'RequestsBlocked',
    reconciling: true,
    message: `the next release waits before step ${step}, since requests cannot be moved: ${why}`,
  })

  test('nothing, where they can be moved', () => {
    expect(told({ routes })).toMatchObject({ phase: 'Healthy', reconciling: false })
    expect(told({ routes })).not.toHaveProperty('notReady')
  })

  test('a kind that the cluster does not serve', () => {
    const why = 'the cluster does not serve gateway.networking.k8s.io/v1 HTTPRoute: install its CRD'
    expect(told({ routes: [{ ref: route, unserved: true }] })).toEqual(waiting(why))
  })

  test('a route that is not there', () => {
    expect(told({ routes: [{ ref: route }] })).toEqual(waiting('HTTPRoute web does not exist'))
  })

  test('before the first step that says where requests go', () => {
    const stepping = (steps: Rollout['steps']) => ({ rollout: { ...rollout, steps } })
    const [first, ...others] = rollout.steps
    const { split: __, ...pods } = first!
    const late = told({ routes: [{ ref: route }] }, stepping([pods, ...others]))
    expect(late).toEqual(waiting('HTTPRoute web does not exist', 2))
    const never = told({ routes: [{ ref: route }] }, stepping([pods]))
    expect(never).not.toHaveProperty('notReady')
  })

  test('a Service that is not there, or sends requests elsewhere', () => {
    const { service: __none, ...without } = { ...rest.traffic!, routes }
    expect(decide({ ...rest, workload, traffic: without }).message).toBe(
      waiting('Service web does not exist').message,
    )
    const { selector: __no, ...elsewhere } = service!
    expect(told({ routes, service: elsewhere })).toMatchObject({ notReady: 'RequestsBlocked' })
  })

  test('what its TrafficRouting waits for', () => {
    const trouble = 'TrafficRouting lane does not exist'
    const named = { trouble, why: trouble, routed: false, home: true, answers: false }
    expect(told({ routes }, { trafficRouting: named })).toEqual(waiting(trouble))
  })
})

test.each<[string, Scene, string]>([
  [
    'a step: the Service leaves new pods out',
    { open: ['advance'] },
    'requests pinned (RequestsBlocked): HTTPRoute web does not exist',
  ],
  [
    'a step whose new pods are all broken: requests come home before pods',
    { memory: { state: 'StepPaused' }, pinned: 'old', split: 'notReady', open: ['advance'] },
    'requests answered (fine): no new pod is ready in Service web-canary: its requests go to the stable ones',
  ],
  [
    'they stay while one of them answers',
    {
      rollout: { paused: true },
      memory: { state: 'StepPaused', pauseReached: true },
      pinned: 'old',
      split: 'ready',
      open: ['keep'],
    },
    'keep (fine): keep',
  ],
  [
    'paused by its owner: they come home, too',
    { ...paused, open: ['keep'] },
    'requests answered (fine): no new pod is ready in Service web-canary: its requests go to the stable ones',
  ],
  [
    'pods are kept also where nobody knows by what requests come',
    { rollout: { paused: true }, unread: 'no right to list Services', open: ['keep'] },
    'keep (fine): keep',
  ],
  [
    'where the API server refuses that, pods are kept',
    { ...paused, refused: '403 no', open: ['keep'] },
    'keep (fine): keep',
  ],
  [
    'and then it is told, and tried again',
    { ...paused, refused: '403 no' },
    'requests answered (RequestsBlocked): no new pod is ready in Service web-canary: its requests go to the stable ones: 403 no; it is tried again',
  ],
  [
    'a step that moves none: the Service has all pods',
    { rollout: { steps: threeSteps.steps }, pinned: 'old', open: ['advance'] },
    'requests all (fine): letting Service web select all pods',
  ],
  [
    'and then pods',
    { rollout: { steps: threeSteps.steps }, open: ['advance'] },
    'advance (fine): step 1 of 3',
  ],
  [
    'the end: the Service has all pods before the others come',
    { ...finishing, pinned: 'old', open: ['finish'] },
    'requests all (fine): letting Service web select all pods',
  ],
  ['and then pods', { ...finishing, open: ['finish'] }, 'finish (fine): finish'],
  [
    'blue-green: the Service has new pods alone before the old ones leave',
    {
      ...finishing,
      rollout: { style: 'blueGreen' },
      workload: ready,
      pinned: 'old',
      open: ['finish'],
    },
    'requests new (fine): letting Service web select new pods alone',
  ],
  [
    'and is free when they have left',
    {
      ...finishing,
      rollout: { style: 'blueGreen' },
      workload: { rolledOut: true },
      pinned: 'new',
      open: ['release'],
    },
    'requests all (fine): letting Service web select all pods',
  ],
  [
    'a rollback: a Service that has new pods alone has all before they leave',
    { ...cancelling, pinned: 'new', open: ['finish'] },
    'requests stable (fine): letting Service web select all pods',
  ],
  [
    'pods leave while the Service has stable ones alone',
    { ...cancelling, pinned: 'old', open: ['finish'] },
    'finish (fine): finish',
  ],
  [
    'those of a second Deployment first',
    { ...cancelling, rollout: { style: 'canary' }, pinned: 'old', open: ['abort', 'finish'] },
    'abort (fine): abort',
  ],
  [
    'it is free when they have left, and what was to undo is forgotten last',
    {
      workload: { updateRevision: 'old', rolledOut: true },
      pinned: 'old',
      open: ['release'],
    },
    'requests all (fine): letting Service web select all pods',
  ],
  [
    'and then the hold ends',
    { workload: { updateRevision: 'old', rolledOut: true }, open: ['release'] },
    'release (fine): release',
  ],
  [
    'an abort: requests, pods, and the Service is free',
    {
      rollout: { abort: 'x' },
      memory: { state: 'BeforeStepUpgrade' },
      pinned: 'old',
      open: ['tellAborted'],
    },
    'requests all (fine): letting Service web select all pods',
  ],
  [
    'a Rollout that is gone: what was on record is undone first',
    { rollout: null, pinned: 'old', open: ['release'] },
    'requests all (fine): letting Service web select all pods',
  ],
  [
    'one that is disabled, too',
    { rollout: { disabled: true }, pinned: 'old', open: ['release'] },
    'requests all (fine): letting Service web select all pods',
  ],
  [
    'a workload that is gone leaves no Service that selects nobody',
    { workload: null, pinned: 'old' },
    'requests all (WorkloadNotFound): letting Service web select all pods',
  ],
  [
    'nor a route that sends requests there, by whichever version of its kind the Rollout names it',
    {
      rollout: { ref: { ...threeSteps.ref, apiVersion: 'apps/v1beta1' } },
      workload: null,
      split: 'ready',
    },
    'requests all (WorkloadNotFound): sending no requests to new pods by the route',
  ],
  [
    'a write that is refused is told',
    { ...finishing, pinned: 'old', refused: '403 no' },
    'requests all (RequestsBlocked): letting Service web select all pods: 403 no; it is tried again',
  ],
  [
    'another one is none of it',
    {
      ...finishing,
      rollout: { style: 'blueGreen' },
      workload: ready,
      pinned: 'old',
      refused: '403 no',
    },
    'requests new (fine): letting Service web select new pods alone',
  ],
  [
    'at rest nothing is left',
    {
      memory: { releasing: false },
      workload: { hold: undefined, rolledOut: true },
      pinned: 'old',
    } as unknown as Scene,
    'requests all (fine): letting Service web select all pods',
  ],
  [
    'a step whose new pods take the place of all others moves nothing',
    {
      rollout: { steps: [{ replicas: 10, split: { percent: 20 } }, { replicas: '100%' }] },
      pinned: 'old',
    },
    'requests all (fine): letting Service web select all pods',
  ],
])('%s', (_, scene, line) => {
  expect(next(scene)).toContain(line)
})

test.each<[string, Scene, string]>([
  [
    'a step whose new pods are all broken: requests come home before pods',
    { memory: { state: 'StepPaused' }, shared: 'new', split: 'notReady', open: ['advance'] },
    'requests answered (fine): no new pod is ready in Service web: its requests go to the stable ones',
  ],
  [
    'a step waits for a router that can tell versions apart',
    { shared: '', open: ['advance'] },
    'requests pinned (RequestsBlocked): HTTPRoute web tells new pods by a Service of their own',
  ],
  [
    'a rollback: requests before pods',
    { ...cancelling, shared: 'new', split: 'ready', open: ['finish'] },
    'requests stable (fine): sending no requests to new pods by the route',
  ],
  [
    'pods leave while it is remembered by what requests come',
    { ...cancelling, shared: 'new', open: ['finish'] },
    'finish (fine): finish',
  ],
  [
    'which is forgotten when they have left',
    {
      workload: { updateRevision: 'old', rolledOut: true },
      shared: 'new',
      open: ['release'],
    },
    'requests all (fine): letting Service web forget by what its requests come',
  ],
  [
    'the end: requests are home before the others come',
    { ...finishing, shared: 'new', split: 'ready', open: ['finish'] },
    'requests all (fine): sending no requests to new pods by the route',
  ],
  [
    'blue-green: the routes are asked for everybody before the old ones leave',
    {
      ...finishing,
      rollout: { style: 'blueGreen' },
      workload: ready,
      shared: 'new',
      open: ['finish'],
    },
    'requests new (RequestsBlocked): HTTPRoute web tells new pods by a Service of their own',
  ],
  [
    'a Rollout that is gone: requests, then the Service, then the workload',
    { rollout: null, shared: 'new', split: 'ready', open: ['release'] },
    'requests all (fine): sending no requests to new pods by the route',
  ],
  [
    'a workload that is gone as well',
    { rollout: null, workload: null, shared: 'new' },
    'requests all (fine): letting Service web forget by what its requests come',
  ],
])('one Service: %s', (_, scene, line) => {
  expect(next(scene)).toContain(line)
})

test.each<[string, Scene, string | undefined]>([
  ['the end', { ...finishing, pinned: 'old' }, 'RestoreStableService'],
  [
    'the end of blue-green',
    { ...finishing, rollout: { style: 'blueGreen' }, pinned: 'old' },
    'FinalisingStepRouteTrafficToNew',
  ],
  ['a step', { rollout: { steps: threeSteps.steps }, pinned: 'old' }, undefined],
  ['pods that go back', { ...cancelling, pinned: 'old', open: ['finish'] }, undefined],
])('%s is told by the API’s name of the task', (_, scene, task) => {
  expect(taskOf(scene)).toBe(task)
})

test('what people wrote while it is paused stays when requests come home', () => {
  const approved = { state: 'StepReady', pauseReached: true, nextStepIndex: 3 } as const
  const scene = { rollout: { paused: true }, memory: approved, pinned: 'old' }
  const { memory } = decide(snapshot({ ...scene, split: 'notReady' }))
  expect(memory).toMatchObject(approved)
})

const plain = { steps: threeSteps.steps }
const onItsWay = { routed: true, home: false, answers: true }

test.each<[string, Scene, string]>([
  [
    'one that is missing keeps the first pod waiting',
    { rollout: plain, named: { trouble: 'lane does not exist' }, open: ['advance'] },
    'nothing (RequestsBlocked): lane does not exist',
  ],
  ['pods come before requests', { rollout: plain, named: {}, open: ['advance'] }, 'advance (fine)'],
  ['and then requests', { rollout: plain, named: { answers: true } }, 'nothing (fine): lane waits'],
  [
    'with them its step is reached',
    { rollout: plain, named: onItsWay },
    'nothing (fine): step 1 of 3 reached',
  ],
  [
    'it is where no pod is wanted',
    { rollout: plain, named: {}, workload: { replicas: 0, updated: 0 } },
    'nothing (fine): step 1 of 3 reached',
  ],
  [
    'pods that nobody answers for get no successors before requests are home',
    { rollout: plain, named: { home: false }, open: ['advance'] },
    'nothing (fine): lane waits',
  ],
  [
    'the end: requests are home first',
    { rollout: plain, ...finishing, named: onItsWay, open: ['finish'] },
    'nothing (fine): lane waits',
  ],
  [
    'also where it is gone, and nothing is told of that',
    { rollout: plain, ...finishing, named: { home: false, trouble: 'gone' }, open: ['finish'] },
    'nothing (fine): gone',
  ],
  ['and then pods', { rollout: plain, ...finishing, named: {}, open: ['finish'] }, 'finish (fine)'],
  [
    'a rollback: requests are home first',
    { rollout: plain, ...cancelling, named: onItsWay, open: ['finish'] },
    'nothing (fine): lane waits',
  ],
  [
    'and what is to be undone stays on record while pods leave',
    { rollout: plain, ...cancelling, named: {}, open: ['finish', 'release'] },
    'finish (fine)',
  ],
  [
    'an abort, too',
    {
      rollout: { ...plain, abort: 'x' },
      memory: { state: 'BeforeStepUpgrade' },
      named: onItsWay,
      open: ['abort'],
    },
    'nothing (fine): lane waits',
  ],
  [
    'a Rollout that is disabled, too',
    { rollout: { ...plain, disabled: true }, named: onItsWay, open: ['release'] },
    'nothing (fine): lane waits',
  ],
  [
    'a Rollout that is gone, too',
    { rollout: null, named: onItsWay, open: ['release'] },
    'nothing (fine): lane waits',
  ],
  [
    'where its routes cannot come home before somebody acts, that is told',
    {
      rollout: plain,
      ...finishing,
      named: { ...onItsWay, trouble: 'gone', stuck: 'lane: 403 no' },
    },
    'nothing (RequestsBlocked): lane: 403 no',
  ],
  [
    'a workload that is held by a Rollout that is gone, too',
    { rollout: { ...plain, uid: 'another' }, named: onItsWay, open: ['release'] },
    'nothing (WorkloadHeld): lane waits',
  ],
  [
    'and then it is given back',
    { rollout: { ...plain, uid: 'another' }, named: {}, open: ['release'] },
    'release (WorkloadHeld)',
  ],
])('a TrafficRouting: %s', (_, scene, line) => {
  expect(next(scene)).toContain(line)
})

test.each<[string, Scene, string]>([
  [
    'its TrafficRouting',
    { named: { ...onItsWay, stuck: 'lane: not moved here' } },
    'lane: not moved here',
  ],
  ['what it names itself', { unread: 'not moved here' }, 'not moved here'],
])('of a Rollout that is gone its workload is told for what of %s it waits', (_, scene, why) => {
  const events = (more: Scene) =>
    decide(snapshot({ ...scene, ...more, open: ['release'] })).actions.flatMap(each =>
      each.type === 'event' ? [each.event] : [],
    )
  const told = events({ rollout: null })
  expect(told).toMatchObject([{ type: 'Warning', reason: 'RequestsBlocked' }])
  expect(told[0]?.message).toBe(
    `its Rollout is gone, and it is given back when no request goes to its new pods any more, or by hand as docs/safe-when-we-vanish.md says: ${why}`,
  )
  expect(events({ ...finishing, rollout: plain })).toEqual([])
})

test('the stable template that returns before anybody was new is not taken for the new version', () => {
  const early = { ...cancelling, memory: { canaryRevision: '' }, open: ['finish'] } as const
  expect(decide(snapshot(early)).memory.canaryRevision).toBe('')
  const goingBack = { ran: 1 } as unknown as Workload['goingBack']
  const inSteps = { ...early, workload: { ...early.workload, goingBack } }
  expect(decide(snapshot(inSteps as Scene)).memory.canaryRevision).toBe('old')
})

test('what is on its way is not told so', () => {
  const { actions } = decide(snapshot({ rollout: null, named: onItsWay, open: ['release'] }))
  expect(actions).toEqual([])
})

test.each<[string, Scene, boolean]>([
  ['a step', { rollout: plain }, true],
  ['a pause by its owner', { rollout: { ...plain, paused: true } }, true],
  ['what cannot be followed any more', refusedIn(), true],
  ['the end', finishing, false],
  ['a rollback', cancelling, false],
  ['an abort', { rollout: { abort: 'x' } }, false],
  ['a Rollout that is disabled', { rollout: { disabled: true } }, false],
  ['a hold of a Rollout that is gone', { rollout: { uid: 'another' } }, false],
  ['rest', { memory: { releasing: false } }, false],
])('whether a release needs its TrafficRouting: %s', (_, scene, needed) => {
  expect(isReleasing(snapshot(scene))).toBe(needed)
})

function refusedIn(): Scene {
  return { rollout: { refused: { reason: 'Unsupported', message: 'no' } } }
}

// What becomes of the routes of a TrafficRouting, and what is told of it, by who needs it.

import { describe, expect, test } from 'vitest'

import type { KubeObject, Service } from '#api/kubernetes.ts'
import { TRAFFIC } from '#api/names.ts'
import type { TrafficRouting, TrafficRoutingStatus } from '#api/trafficrouting.generated.ts'
import { annotated } from '../admission/marks.ts'
import { reviewTraffic } from '../admission/traffic-review.ts'
import { wordsOf } from '../change.ts'
import { defined } from '../defined.ts'
import { scriptKey } from '../script.ts'
import { networkInput, networkWish } from '../traffic/network-object.ts'
import { routerOf, trafficProviders } from '../traffic/registry.ts'
import { seeService } from '../traffic/seen.ts'
import { OVER } from '../traffic/wish.ts'
import { decideRouting, isOver, namedRouting, newsOf } from './decide.ts'
import type { RoutingSnapshot } from './decide.ts'
import { routingAsked, routingRef } from './parse.ts'
import { routingStatus } from './status.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const ref = routingRef('shop', 'lane')
const route = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'web' }
const other = { ...route, name: 'other' }
const routing = { service: 'web', routes: [route], oneService: true, graceSeconds: 3 } as const
const script = { name: 'the script', text: 'return', remedy: 'mend it' }
const router = routerOf(route)!
const provider = trafficProviders.find(
  ({ apiVersion, kind }) => apiVersion === route.apiVersion && kind === route.kind,
)!
const web: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's', resourceVersion: '1' },
  spec: { selector: { app: 'web' } },
}
const spec = {
  objectRef: [{ service: 'web', customNetworkRefs: [route] }],
  strategy: { weight: 20 },
}
const lane: TrafficRouting = {
  apiVersion: 'rollouts.kruise.io/v1alpha1',
  kind: 'TrafficRouting',
  metadata: { name: 'lane', namespace: 'shop', uid: 't', resourceVersion: '1', generation: 2 },
  spec,
}
const owner = { spec: { hosts: ['web'] }, labels: {}, annotations: {} }

function own(name: string): KubeObject {
  const metadata = { name, namespace: 'shop', uid: name, resourceVersion: '1' }
  return { ...route, metadata, spec: owner.spec } as KubeObject
}

/** As admission stores it when it is moved for the one of that name. */
function moved(name: string, by = 'lane', weight = 20): KubeObject {
  const to = { ...owner, spec: { hosts: ['web'], weight } }
  const workload = { apiVersion: ref.apiVersion, kind: ref.kind, name: by }
  const said = { workload, service: 'web', owner, to }
  const wish = networkWish(said, { before: undefined, now: NOW - 5000 })
  const object = annotated(own(name), { [TRAFFIC]: wish })
  return reviewTraffic({ provider, object, before: own(name), fromController: true })
}

interface Scene {
  /** Undefined: it is gone. */
  readonly object?: TrafficRouting | undefined
  readonly phase?: TrafficRoutingStatus['phase']
  /** What stands where it leads; null: nothing. */
  readonly web?: KubeObject | null
  readonly service?: null
  /** Another route that is moved for it, and that it does not name. */
  readonly stray?: true
  /** Since when none is moved; long ago, unless given. */
  readonly homeSince?: number
  /** A route was seen to come home then. */
  readonly seen?: true
  /** By name, and whether a new pod of theirs is ready. */
  readonly users?: Readonly<Record<string, boolean>>
}

type Found = readonly [ref: typeof route, object: KubeObject | null]

/** Of the Service, and these routes; a script says what becomes of each. */
function trafficOf(asked: RoutingSnapshot['asked'], found: readonly Found[], there = true) {
  const split = asked && 'split' in asked ? asked.split : {}
  const to = { ...owner, spec: { hosts: ['web'], weight: split.percent } }
  const call = { script, input: networkInput(owner, routing, split) }
  return defined({
    routing,
    service: there ? seeService(web) : undefined,
    routes: found.map(([each, it]) =>
      defined({ ref: each, object: it ? router.see(it) : undefined, script }),
    ),
    answers: new Map([[scriptKey(call), { returned: to, at: NOW }]]),
    endpoints: [],
  })
}

function objectIn({ phase, ...scene }: Scene): TrafficRouting | undefined {
  const object = 'object' in scene ? scene.object : lane
  if (!object || !phase) return object
  return { ...object, status: { phase, message: '' } }
}

/** Those that are moved for it. */
function onIts(all: readonly Found[]): readonly Found[] {
  const mark = JSON.stringify('lane')
  return all.filter(([, it]) => it?.metadata.annotations?.[TRAFFIC]?.includes(mark))
}

function homeAndUsers({ homeSince = 0, seen, users = {} }: Scene) {
  return {
    home: { since: homeSince, seen: seen === true },
    users: Object.entries(users).map(([rollout, answers]) => ({ rollout, answers })),
  }
}

function snapshot(scene: Scene): RoutingSnapshot {
  const { web: at = own('web') } = scene
  const object = objectIn(scene)
  const asked = object && routingAsked(object)
  const strays: readonly Found[] = scene.stray ? [[other, moved('other')]] : []
  const on = onIts([[route, at], ...strays])
  const followed = asked && 'routing' in asked
  return defined({
    now: NOW,
    ...homeAndUsers(scene),
    ref,
    object,
    asked,
    traffic: followed ? trafficOf(asked, [[route, at]], scene.service !== null) : undefined,
    moved: on.length > 0 ? trafficOf(asked, on) : undefined,
    strays: strays.length > 0 ? trafficOf(asked, strays) : undefined,
  })
}

/** What is written where, and what is told. */
function told(scene: Scene): string {
  const { phase, reason, message, move } = decideRouting(snapshot(scene))
  const did = (move?.changes ?? []).map(change => {
    if (change.type !== 'patch') return change.type
    const { annotations = {} } = change.patch['metadata'] as unknown as KubeObject['metadata']
    return `${annotations[TRAFFIC] === OVER ? 'frees' : 'moves'} ${change.target.name}`
  })
  return `${did.join(', ') || 'nothing'}; ${phase} (${reason}): ${message}`
}

const needed = { users: { web: true } }
const moving = 'sending 20% of the requests to new pods by VirtualService web'
const away = 'sending no requests to new pods by the route'
const { strategy: _, ...unsaid } = spec
const deleted = {
  ...lane,
  metadata: { ...lane.metadata, deletionTimestamp: '2025-12-31T23:59:58Z' },
}
const unsayable = { ...lane, spec: unsaid as unknown as TrafficRouting['spec'] }

describe('what is done, and told', () => {
  test.each<[string, Scene, string]>([
    ['nobody names it', {}, 'nothing; Healthy (Home): TrafficRouting is Healthy'],
    [
      'its route is missing',
      { web: null },
      'nothing; Initial (RequestsBlocked): VirtualService web does not exist',
    ],
    [
      'its Service is missing',
      { service: null },
      'nothing; Initial (RequestsBlocked): Service web does not exist',
    ],
    [
      'a release needs it, and nobody would answer',
      { users: { web: false } },
      'nothing; Healthy (Waiting): no new pod of Rollout web is ready: requests stay where they are',
    ],
    ['that it begins is told first', needed, `nothing; Progressing (Moving): ${moving}`],
    [
      'then its route is moved',
      { ...needed, phase: 'Progressing' },
      `moves web; Progressing (Moving): ${moving}`,
    ],
    [
      'and stays so for as long as one of several needs it',
      { users: { web: true, api: false }, phase: 'Progressing', web: moved('web') },
      'nothing; Progressing (Routed): TrafficRouting is Progressing',
    ],
    [
      'what it says is changed',
      {
        ...needed,
        phase: 'Progressing',
        web: moved('web'),
        object: { ...lane, spec: { ...spec, strategy: { weight: 50 } } },
      },
      'moves web; Progressing (Moving): sending 50% of the requests to new pods by VirtualService web',
    ],
    [
      'what it does not name any more goes home first',
      { ...needed, phase: 'Progressing', stray: true },
      `frees other; Progressing (Moving): ${away}`,
    ],
    [
      'a route that somebody else moves',
      { ...needed, web: moved('web', 'theirs') },
      'nothing; Initial (RequestsBlocked): VirtualService web is moved for TrafficRouting theirs already: name it in one place alone',
    ],
    [
      'its new pods are not ready any more',
      { users: { web: false }, phase: 'Progressing', web: moved('web') },
      `frees web; Finalizing (Moving): ${away}`,
    ],
    [
      'its releases are over',
      { phase: 'Progressing', web: moved('web') },
      `frees web; Finalizing (Moving): ${away}`,
    ],
    [
      'requests are under way',
      { phase: 'Progressing', homeSince: NOW },
      'nothing; Finalizing (Moving): giving requests under way 3 s',
    ],
    [
      'for so long',
      { phase: 'Finalizing', homeSince: NOW - 2999 },
      'nothing; Finalizing (Moving): giving requests under way 3 s',
    ],
    [
      'also where it is being deleted',
      { object: deleted, phase: 'Terminating', homeSince: NOW },
      'nothing; Terminating (Moving): giving requests under way 3 s',
    ],
    [
      'or is gone',
      { object: undefined, homeSince: NOW },
      'nothing; Terminating (Moving): giving requests under way 3 s',
    ],
    [
      'or asks for what cannot be done',
      { object: unsayable, phase: 'Finalizing', homeSince: NOW },
      'nothing; Finalizing (Unsupported): spec.strategy: say which requests: add `weight` or `matches`',
    ],
    [
      'and not where nothing was said of it',
      { homeSince: NOW },
      'nothing; Healthy (Home): TrafficRouting is Healthy',
    ],
    [
      'but where it was made anew in that time',
      { homeSince: NOW, seen: true },
      'nothing; Finalizing (Moving): giving requests under way 3 s',
    ],
    [
      'a clock that was set back keeps nobody waiting',
      { phase: 'Finalizing', homeSince: NOW + 60_000 },
      'nothing; Healthy (Home): TrafficRouting is Healthy',
    ],
    [
      'it is being deleted, and somebody keeps it',
      {
        ...needed,
        phase: 'Progressing',
        web: moved('web'),
        object: deleted,
      },
      `frees web; Terminating (Moving): ${away}`,
    ],
    [
      'it is gone: what stands on its routes says enough',
      { ...needed, web: moved('web'), object: undefined },
      `frees web; Terminating (Moving): ${away}`,
    ],
    [
      'it asks for what cannot be done, in the middle',
      { ...needed, web: moved('web'), object: unsayable },
      'frees web; Finalizing (Unsupported): spec.strategy: say which requests: add `weight` or `matches`',
    ],
    [
      'or always did',
      { object: unsayable },
      'nothing; Initial (Unsupported): spec.strategy: say which requests: add `weight` or `matches`',
    ],
  ])('%s', (_, scene, expected) => {
    expect(told(scene)).toBe(expected)
  })

  test('a write that the API server refuses is told', () => {
    const s = snapshot({ ...needed, phase: 'Progressing' })
    const write = wordsOf(decideRouting(s).move!.changes[0]!)
    const refused = decideRouting({ ...s, refusedWrite: { write, why: '403 no' } })
    expect(refused).toMatchObject({
      phase: 'Progressing',
      reason: 'RequestsBlocked',
      message: `${moving}: 403 no; it is tried again`,
    })
  })

  test('also where one of its name was refused the same before: that it begins is told first', () => {
    const begun = snapshot({ ...needed, phase: 'Progressing' })
    const refusedWrite = { write: wordsOf(decideRouting(begun).move!.changes[0]!), why: '403 no' }
    const decision = decideRouting({ ...snapshot(needed), refusedWrite })
    expect(decision).toMatchObject({ phase: 'Progressing', reason: 'RequestsBlocked' })
    expect(decision.move).toBeUndefined()
  })

  test('it is over when it is gone, its routes are home, and requests under way have had their time', () => {
    const over = (scene: Scene) => isOver(snapshot(scene), decideRouting(snapshot(scene)))
    expect(over({ object: undefined })).toBe(true)
    expect(over({ object: undefined, homeSince: NOW - 2999 })).toBe(false)
    expect(over({ object: undefined, web: moved('web') })).toBe(false)
    expect(over({ object: deleted })).toBe(false)
    expect(over({})).toBe(false)
  })

  test('it is looked at again when the grace period is over', () => {
    const waits = snapshot({ phase: 'Finalizing', homeSince: NOW - 1000 })
    expect(decideRouting(waits).requeueAt).toBe(NOW + 2000)
    const over = { ...waits, now: NOW + 2000 }
    expect(decideRouting(over)).toMatchObject({ phase: 'Healthy', reason: 'Home' })
  })
})

describe('how it stands for a release', () => {
  const standing = (scene: Scene) => namedRouting(snapshot(scene), 'web')

  test('one that is missing, being deleted, or cannot be followed is trouble', () => {
    expect(standing({ object: undefined }).trouble).toBe('TrafficRouting lane does not exist')
    expect(standing({ object: deleted }).trouble).toBe('TrafficRouting lane is being deleted')
    expect(standing({ web: null }).trouble).toBe(
      'TrafficRouting lane: VirtualService web does not exist',
    )
    expect(standing({}).trouble).toBeUndefined()
  })

  test('its routes are as it says only where its status tells that as well', () => {
    const there = { ...needed, web: moved('web') }
    expect(standing(there).routed).toBe(false)
    expect(standing({ ...there, phase: 'Progressing' }).routed).toBe(true)
  })

  test('it is home when nothing is moved and nothing was told, or others need it', () => {
    expect(standing({}).home).toBe(true)
    expect(standing({ web: moved('web') }).home).toBe(false)
    expect(standing({ phase: 'Progressing' }).home).toBe(false)
    expect(standing({ phase: 'Finalizing' }).home).toBe(false)
    expect(standing({ phase: 'Progressing', users: { api: true } }).home).toBe(true)
    expect(standing({ ...needed, phase: 'Progressing' }).home).toBe(false)
    expect(standing({ object: undefined, web: moved('web') }).home).toBe(false)
  })

  test.each<[string, Scene]>([
    ['others answer for nobody yet', { phase: 'Progressing', users: { api: false } }],
    ['this one alone answers', { phase: 'Progressing', users: { web: true, api: false } }],
    ['it is gone, and leaves for others, too', { object: undefined, users: { api: true } }],
    ['it is being deleted', { object: deleted, phase: 'Progressing', users: { api: true } }],
    ['it cannot be followed any more', { object: unsayable, users: { api: true } }],
  ])('it is not home where %s', (_, scene) => {
    expect(standing({ ...scene, web: moved('web') }).home).toBe(false)
    expect(standing(scene).answers).toBe(Object.values(scene.users!).includes(true))
  })

  test.each<[string, Scene]>([
    ['gone', { object: undefined }],
    ['being deleted', { object: deleted }],
    ['not to be followed', { object: unsayable, phase: 'Finalizing' }],
  ])('one that is %s is home when requests under way have had their time', (_, scene) => {
    expect(standing({ ...scene, homeSince: NOW - 2999 }).home).toBe(false)
    expect(standing({ ...scene, homeSince: NOW - 3000, phase: 'Initial' }).home).toBe(true)
  })

  test('that its routes do not come home by themselves is told, and of nothing else', () => {
    const gone = snapshot({ object: undefined, web: moved('web') })
    const write = wordsOf(decideRouting(gone).move!.changes[0]!)
    const refused = { ...gone, refusedWrite: { write, why: '403 no' } }
    expect(namedRouting(refused, 'web').stuck).toMatch(
      /^TrafficRouting lane: .*: 403 no; it is tried again$/,
    )
    for (const scene of [
      { object: undefined, web: moved('web') },
      { object: undefined, homeSince: NOW },
      { object: deleted, phase: 'Progressing', web: moved('web') },
      { phase: 'Progressing', web: null },
      { ...needed, web: null },
      {},
    ] as const) {
      expect(standing(scene).stuck).toBeUndefined()
    }
  })

  test('where it is not known nothing is decided, and nobody is home', () => {
    const s = { ...snapshot({ object: undefined }), unread: 'it cannot be read' }
    const trouble = 'TrafficRouting lane: it cannot be read'
    const nobody = { routed: false, home: false, answers: false }
    const unknown = { ...nobody, why: trouble, trouble, stuck: trouble }
    expect(namedRouting(s, 'web')).toEqual(unknown)
  })

  test('a kind that the cluster does not have is told, and keeps nobody', () => {
    const s = { ...snapshot({ object: undefined }), unserved: true } as const
    expect(namedRouting(s, 'web')).toMatchObject({
      trouble: expect.stringContaining('install its CRD') as string,
      home: true,
    })
  })

  test('there is news for those who wait when what they wait for is another', () => {
    const away = newsOf(snapshot({ object: undefined, homeSince: NOW }))
    expect(newsOf(snapshot({ object: undefined, homeSince: NOW }))).toBe(away)
    expect(newsOf(snapshot({ object: undefined }))).not.toBe(away)
    expect(newsOf(snapshot({ users: { web: false } }))).not.toBe(newsOf(snapshot(needed)))
    const both = { users: { web: true, api: true }, phase: 'Progressing' } as const
    const news = [both, { ...both, users: { web: true } }].map(scene => newsOf(snapshot(scene)))
    expect(news[0]).not.toBe(news[1])
  })

  test('and none when one answers, or ends, beside several that answer', () => {
    const users = { web: true, api: true }
    const [before, ...after] = [users, { ...users, shop: true }, { ...users, shop: false }].map(
      all => newsOf(snapshot({ users: all, phase: 'Progressing' })),
    )
    expect(after).toEqual([before, before])
  })
})

test('the status has phase, message and a condition, and is written once', () => {
  const decision = decideRouting(snapshot({}))
  const status = routingStatus(lane, decision, NOW)!
  expect(status).toMatchObject({
    observedGeneration: 2,
    phase: 'Healthy',
    message: 'TrafficRouting is Healthy',
    conditions: [{ type: 'Ready', status: 'True', reason: 'Home' }],
  })
  expect(routingStatus({ ...lane, status }, decision, NOW + 9000)).toBeUndefined()
})

test.each<[string, object, string]>([
  [
    'an Ingress that needs two Services',
    { ingress: { name: 'web' } },
    'it leaves Ingress web nothing to',
  ],
  [
    'a subset that nobody makes',
    { customNetworkRefs: [route] },
    'it has VirtualService web send requests to the subset',
  ],
  ['a class that tells pods apart', { ingress: { name: 'web', classType: 'mse' } }, ''],
])('its condition alone says what it asks for in vain: %s', (_, named, told) => {
  const objectRef = [{ service: 'web', ...named }]
  const object = { ...lane, spec: { ...spec, objectRef } }
  const { message, conditions } = routingStatus(object, decideRouting(snapshot({})), NOW)!
  expect(message).toBe('TrafficRouting is Healthy')
  expect(conditions?.[0]?.message.split('; ')[1] ?? '').toContain(told)
  expect(conditions?.[0]?.message === message).toBe(told === '')
})

const GATEWAY_API = 'gateway.networking.k8s.io/v1'

test.each<[string, object, string]>([
  [
    'a gateway',
    { gateway: { httpRouteName: 'web' } },
    'spec.objectRef[0].gateway: a TrafficRouting has no second Service to which an HTTPRoute could send requests: remove `gateway`, and write it in `trafficRoutings` of the Rollout',
  ],
  [
    'a route of the Gateway API among objects of other routers',
    { customNetworkRefs: [{ apiVersion: GATEWAY_API, kind: 'GRPCRoute', name: 'web' }] },
    'spec.objectRef[0].customNetworkRefs: a TrafficRouting has no second Service to which a GRPCRoute could send requests: write it in `trafficRoutings` of the Rollout',
  ],
  [
    'nothing',
    {},
    'spec.objectRef[0]: name what sends the requests: add `ingress` or `customNetworkRefs`',
  ],
  [
    'a kind that routes nothing',
    { customNetworkRefs: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }] },
    'spec.objectRef[0].customNetworkRefs: requests are not moved by a Deployment',
  ],
  [
    'a DestinationRule alone',
    { customNetworkRefs: [{ ...route, kind: 'DestinationRule' }] },
    'spec.objectRef[0]: a DestinationRule alone splits nothing: add the VirtualService that sends the requests to `customNetworkRefs`',
  ],
])('%s cannot be followed', (_, named, refused) => {
  const objectRef = [{ service: 'web', ...named }]
  expect(routingAsked({ ...lane, spec: { ...spec, objectRef } })).toEqual({ refused })
})

test.each([-1, 101])('a share of %d% cannot be followed', weight => {
  const refused = `spec.strategy.weight: expected 0 to 100, got ${weight}`
  expect(routingAsked({ ...lane, spec: { ...spec, strategy: { weight } } })).toEqual({ refused })
})

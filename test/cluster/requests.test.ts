// Requests move with the pods: by the Service and the HTTPRoute of their owner, in front of real endpoints.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { HTTPRoute, KubeObject, Service } from '#api/kubernetes.ts'
import { RECORD, TRAFFIC } from '#api/names.ts'
import { equalJson } from '#core/equal.ts'
import { Cache } from '#kube/cache.ts'
import { NotFound } from '#kube/errors.ts'
import { Reflector } from '#kube/reflector.ts'
import { ENDPOINT_SLICES, HTTP_ROUTES, ROLLOUTS, SERVICES } from '#kube/resources.ts'
import { warningsOf } from './deployment-facts.ts'
import { abort, condition, hasCondition, resume, says, stand } from './facts.ts'
import { serveRoutes, startGateway } from './gateway.ts'
import type { Gateway } from './gateway.ts'
import { rolloutOf, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let gateway: Gateway
beforeAll(async () => {
  world = await startWorld({ traffic: true })
  await serveRoutes(world.client)
  gateway = await startGateway(world.client)
})
afterAll(async () => {
  gateway?.stop()
  await world?.stop()
})

const web = { group: '', kind: 'Service', name: WORKLOAD, port: 80 }
const everything = [{ path: { type: 'PathPrefix', value: '/' } }]
const foreign = {
  name: 'images',
  matches: [{ path: { type: 'PathPrefix', value: '/images' } }],
  filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['cookie'] } }],
  backendRefs: [{ ...web, name: 'images', weight: 1 }],
}

function serviceOf(namespace: string, name: string): KubeObject {
  const spec = { selector: { app: name }, ports: [{ port: 80 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec } as KubeObject
}

function routeOf(namespace: string, rules: readonly object[]): HTTPRoute {
  const { apiVersion, kind } = HTTP_ROUTES
  const metadata = { namespace, name: WORKLOAD }
  return { apiVersion, kind, metadata, spec: { parentRefs: [{ name: 'gate' }], rules } }
}

const ownRules = [{ matches: everything, backendRefs: [{ ...web, weight: 1 }] }, foreign]
const steps = [
  { replicas: 1, traffic: '20%' },
  { replicas: '50%', traffic: '50%' },
  { replicas: '100%' },
]
const trafficRoutings = [
  { service: WORKLOAD, gateway: { httpRouteName: WORKLOAD }, gracePeriodSeconds: 1 },
]

/** One moment of what requests meet. */
interface Sight {
  /** Share of the requests that the route sends to new pods. */
  readonly share: number
  /** Ready endpoints by Service. */
  readonly ready: Readonly<Record<string, number>>
  readonly newPods: number
  readonly selector: Readonly<Record<string, string>>
}

interface Place {
  readonly story: Story
  readonly sights: readonly Sight[]
  readonly route: () => Promise<HTTPRoute>
  readonly service: (name?: string) => Promise<Service | undefined>
  /** The requests go so, and are proven to. */
  readonly shares: (percent: number) => Promise<void>
  /** Nothing of ours is on the way of requests. */
  readonly untouched: (rules?: readonly object[]) => Promise<void>
}

/** As Helm, Flux and others do; refused where somebody else owns one of the fields. */
async function apply(story: Story, object: KubeObject): Promise<void> {
  const input = JSON.stringify(object)
  await story.kubectl(['apply', '--server-side', '--field-manager=helm', '-f', '-'], { input })
}

async function begin(options: StoryOptions = {}, routed = true): Promise<Place> {
  const story = await world.story({ ...options, steps: false })
  const { namespace, client } = story
  for (const name of [WORKLOAD, 'images']) await apply(story, serviceOf(namespace, name))
  if (routed) await apply(story, routeOf(namespace, ownRules))
  const sights = await watchRequests(story)
  const plan = { steps, ...options, canary: { trafficRoutings, ...options.canary } }
  await client.create(ROLLOUTS, rolloutOf(namespace, plan), { fieldManager: 'test' })
  if (routed) await story.phase('Healthy')
  const route = () => client.get(HTTP_ROUTES, { namespace, name: WORKLOAD })
  const service: Place['service'] = (name = WORKLOAD) =>
    client.get(SERVICES, { namespace, name }).catch(error => {
      if (error instanceof NotFound) return undefined
      throw error
    })
  return {
    story,
    sights,
    route,
    service,
    shares: percent =>
      story.until(`${percent}% of the requests go to new pods`, async () => {
        return shareOf(await route()) === percent
      }),
    untouched: (rules = ownRules) =>
      story.until('no trace of us', async () => {
        const [found, stable, canary] = [
          await route(),
          await service(),
          await service('web-canary'),
        ]
        const marks = [found, stable!].flatMap(({ metadata }) =>
          [TRAFFIC, RECORD].filter(key => key in { ...metadata.annotations }),
        )
        const same =
          equalJson(found.spec?.rules, rules) &&
          equalJson(stable?.spec?.selector, { app: WORKLOAD })
        return marks.length === 0 && same && canary === undefined
      }),
  }
}

interface Rule {
  readonly backendRefs?: readonly { readonly name: string; readonly weight: number }[]
}

function shareOf(route: HTTPRoute | undefined): number {
  const [rule] = (route?.spec?.rules ?? []) as readonly Rule[]
  return rule?.backendRefs?.find(({ name }) => name === 'web-canary')?.weight ?? 0
}

/** What is true at every moment: requests are sent only where somebody answers. */
async function watchRequests(story: Story): Promise<readonly Sight[]> {
  const { namespace, client } = story
  const services = new Cache<Service>()
  const slices = new Cache<KubeObject>()
  const scope = { client, namespace }
  const reflectors = [
    new Reflector({ ...scope, type: SERVICES, cache: services, project: (each: Service) => each }),
    new Reflector({
      ...scope,
      type: ENDPOINT_SLICES,
      cache: slices,
      project: (each: KubeObject) => each,
    }),
  ]
  const forever = new AbortController()
  for (const each of reflectors) void each.run(forever.signal)
  await Promise.all([services.synced, slices.synced])
  const sights: Sight[] = []
  const note = () => {
    const ready: Record<string, number> = {}
    for (const slice of slices.list() as readonly (KubeObject & {
      endpoints?: readonly { conditions?: { ready?: boolean } }[]
    })[]) {
      const name = slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''
      const count = (slice.endpoints ?? []).filter(each => each.conditions?.ready !== false).length
      ready[name] = (ready[name] ?? 0) + count
    }
    const { wanted } = story.now()
    sights.push({
      share: shareOf(gateway.routes.get(namespace, WORKLOAD)),
      ready,
      newPods: wanted['app:2'] ?? 0,
      selector: services.get(namespace, WORKLOAD)?.spec?.selector ?? {},
    })
  }
  for (const cache of [services, slices]) cache.onChange(note)
  gateway.routes.onChange(note)
  return sights
}

/** At no moment were requests sent where nobody answers. */
function answered({ sights }: Place): void {
  const unanswered = sights.filter(
    ({ share, ready }) =>
      (share > 0 && (ready['web-canary'] ?? 0) === 0) ||
      (share < 100 && (ready[WORKLOAD] ?? 0) === 0),
  )
  expect(unanswered).toEqual([])
}

test.concurrent('requests follow the pods step by step, and nothing is left at the end', async () => {
  const place = await begin()
  const { story } = place
  const warnings = warningsOf(await story.edit('app:2'))
  expect(warnings[0]).toContain('1 of 10 pods with 20% of the requests')
  await story.reached(1)
  await place.shares(20)
  expect(place.sights.find(({ newPods }) => newPods > 0)?.selector).toHaveProperty(
    'pod-template-hash',
  )
  expect((await place.route()).spec?.rules?.[1]).toEqual(foreign)
  await story.approve()
  await story.reached(2)
  await place.shares(50)
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  await place.untouched()
  answered(place)
})

test.concurrent('a rollback takes requests away before it takes pods away', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await story.approve()
  await story.reached(2)
  await place.shares(50)
  const from = place.sights.length
  await story.edit('app:1')
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10 })
  await place.untouched()
  const fewer = place.sights.slice(from).find(({ newPods }) => newPods < 5)
  expect(fewer).toMatchObject({ share: 0 })
  answered(place)
})

test.concurrent('an abort, too; and it can be started again', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.shares(20)
  const from = place.sights.length
  await abort(story)
  await hasCondition(story, 'Stalled', 'Aborted')
  await stand(story, { 'app:1': 10 })
  await place.untouched()
  expect(place.sights.slice(from).find(({ newPods }) => newPods < 1)).toMatchObject({ share: 0 })
  await resume(story)
  await story.reached(1)
  await place.shares(20)
  await story.edit('app:1')
  await story.phase('Healthy')
  await place.untouched()
  answered(place)
})

test.concurrent('a Rollout that is deleted in the middle leaves nothing behind', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.shares(20)
  await story.kubectl(['delete', 'rollout', '--all'])
  await stand(story, { 'app:2': 10 })
  await place.untouched()
  expect(await story.free()).toBe(true)
  answered(place)
})

test.concurrent('who owns the route writes it again in the middle: his edits stay, and so does the split', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.shares(20)
  const more = {
    name: 'health',
    matches: [{ path: { type: 'Exact', value: '/healthz' } }],
    backendRefs: [{ ...web, weight: 1 }],
  }
  const owner = [...ownRules, more]
  await apply(story, routeOf(story.namespace, owner))
  const [first, second, third] = ((await place.route()).spec?.rules ?? []) as readonly Rule[]
  expect([first, third].map(rule => rule?.backendRefs?.map(({ weight }) => weight))).toEqual([
    [80, 20],
    [80, 20],
  ])
  expect(second).toEqual(foreign)
  await apply(story, serviceOf(story.namespace, WORKLOAD))
  expect((await place.service())?.spec?.selector).toHaveProperty('pod-template-hash')
  await story.edit('app:1')
  await story.phase('Healthy')
  await place.untouched(owner)
  answered(place)
})

test.concurrent('a route that is missing keeps the release waiting, and says so', async () => {
  const place = await begin({}, false)
  const { story } = place
  await story.phase('Healthy')
  await story.edit('app:2')
  await says(story, 'HTTPRoute web does not exist')
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  await stand(story, { 'app:1': 10 })
  await apply(story, routeOf(story.namespace, ownRules))
  await story.reached(1)
  await place.shares(20)
})

test.concurrent('in a second Deployment', async () => {
  const place = await begin({ canary: { enableExtraWorkloadForCanary: true } })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.shares(20)
  await story.approve()
  await story.reached(2)
  await story.approve()
  await story.phase('Healthy')
  await place.untouched()
  answered(place)
})

test.concurrent('blue-green: all requests move before an old pod leaves', async () => {
  const all = [
    { replicas: '100%', traffic: '0%' },
    { replicas: '100%', traffic: '100%' },
  ]
  const place = await begin({ blueGreen: true, steps: all })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.shares(0)
  await story.approve()
  await story.reached(2)
  await place.shares(100)
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  await place.untouched()
  answered(place)
})

test('matches have a rule of their own, while they last', async () => {
  const matches = [{ headers: [{ name: 'user', value: 'tester' }] }]
  const place = await begin({ steps: [{ replicas: 1, matches }, { replicas: '100%' }] })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  const rules = (await place.route()).spec?.rules ?? []
  expect(rules.slice(0, 2)).toEqual(ownRules)
  expect(rules[2]).toMatchObject({
    matches: [{ ...everything[0], headers: [{ name: 'user', value: 'tester', type: 'Exact' }] }],
    backendRefs: [{ name: 'web-canary', weight: 1 }],
  })
  await story.approve()
  await story.phase('Healthy')
  await place.untouched()
})

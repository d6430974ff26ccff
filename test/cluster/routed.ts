// Requests that move with the pods, in front of real endpoints: a Service, a route, a Rollout, and what is seen
// of them at every moment.

import { expect } from 'vitest'

import type { EndpointSlice, HTTPRoute, KubeObject, Pod, Service } from '#api/kubernetes.ts'
import { RECORD, TRAFFIC } from '#api/names.ts'
import { equalJson } from '#core/equal.ts'
import { Cache } from '#kube/cache.ts'
import { NotFound } from '#kube/errors.ts'
import { Reflector } from '#kube/reflector.ts'
import { ENDPOINT_SLICES, HTTP_ROUTES, PODS, ROLLOUTS, SERVICES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { knows } from './cache-facts.ts'
import { serveRoutes, startGateway } from './gateway.ts'
import type { Gateway, RouteType } from './gateway.ts'
import { rolloutOf, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

/** A world in which requests are moved. */
export interface Routed {
  readonly world: World
  readonly gateway: Gateway
  /** Its routes. */
  readonly type: RouteType
  readonly stop: () => Promise<void>
}

/** Starts one. */
export async function startRouted(type: RouteType = HTTP_ROUTES): Promise<Routed> {
  const world = await startWorld({ traffic: true })
  const { gateway } = await serveBeside({ world }, type)
  return {
    world,
    gateway,
    type,
    async stop() {
      gateway.stop()
      await world.stop()
    },
  }
}

/** Routes of another kind in the same world. */
export async function serveBeside(
  { world }: Pick<Routed, 'world'>,
  type: RouteType,
): Promise<Routed> {
  await serveRoutes(world.client, type)
  const gateway = await startGateway(world.client, type)
  return { world, gateway, type, stop: async () => gateway.stop() }
}

export const web = { group: '', kind: 'Service', name: WORKLOAD, port: 80 }
export const everything = [{ path: { type: 'PathPrefix', value: '/' } }]
export const foreign = {
  name: 'images',
  matches: [{ path: { type: 'PathPrefix', value: '/images' } }],
  filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['cookie'] } }],
  backendRefs: [{ ...web, name: 'images', weight: 1 }],
}

export function serviceOf(namespace: string, name: string): KubeObject {
  const spec = { selector: { app: name }, ports: [{ port: 80 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec } as KubeObject
}

export function routeOf(namespace: string, rules: readonly object[]): HTTPRoute {
  const { apiVersion, kind } = HTTP_ROUTES
  const metadata = { namespace, name: WORKLOAD }
  return { apiVersion, kind, metadata, spec: { parentRefs: [{ name: 'gate' }], rules } }
}

export const ownRules = [{ matches: everything, backendRefs: [{ ...web, weight: 1 }] }, foreign]
const steps = [
  { replicas: 1, traffic: '20%' },
  { replicas: '50%', traffic: '50%' },
  { replicas: '100%' },
]
const trafficRoutings = [
  { service: WORKLOAD, gateway: { httpRouteName: WORKLOAD }, gracePeriodSeconds: 1 },
]

/** One moment of what requests meet. */
export interface Sight {
  /** Share of the requests that the route sends to new pods. */
  readonly share: number
  /** Ready endpoints by Service. */
  readonly ready: Readonly<Record<string, number>>
  readonly newPods: number
  readonly selector: Readonly<Record<string, string>>
}

export interface Place {
  readonly story: Story
  readonly sights: readonly Sight[]
  readonly route: () => Promise<HTTPRoute>
  readonly service: (name?: string) => Promise<Service | undefined>
  /** The requests go so, and are proven to; what has led to it is in `sights`, here and below. */
  readonly shares: (percent: number) => Promise<void>
  /** Nothing of ours is on the way of requests. */
  readonly untouched: (rules?: readonly object[]) => Promise<void>
}

/** As Helm, Flux and others do; refused where somebody else owns one of the fields. */
export async function apply(story: Story, object: KubeObject): Promise<void> {
  const input = JSON.stringify(object)
  await story.kubectl(['apply', '--server-side', '--field-manager=helm', '-f', '-'], { input })
}

export async function begin(
  { world, gateway, type }: Routed,
  options: StoryOptions = {},
  routed = true,
): Promise<Place> {
  const story = await world.story({ ...options, steps: false })
  const { namespace, client } = story
  for (const name of [WORKLOAD, 'images']) await apply(story, serviceOf(namespace, name))
  const { apiVersion, kind } = type
  if (routed) await apply(story, { ...routeOf(namespace, ownRules), apiVersion, kind })
  const { sights, caughtUp } = await watchRequests(story, { gateway, type })
  const plan = { steps, ...options, canary: { trafficRoutings, ...options.canary } }
  await client.create(ROLLOUTS, rolloutOf(namespace, plan), { fieldManager: 'test' })
  if (routed) await story.phase('Healthy')
  const route = () => client.get(type, { namespace, name: WORKLOAD })
  const service: Place['service'] = (name = WORKLOAD) =>
    client.get(SERVICES, { namespace, name }).catch(error => {
      if (error instanceof NotFound) return undefined
      throw error
    })
  return {
    story,
    get sights() {
      return sights()
    },
    route,
    service,
    async shares(percent) {
      await story.until(`${percent}% of the requests go to new pods`, async () => {
        return shareOf(await route()) === percent
      })
      await caughtUp()
    },
    async untouched(rules = ownRules) {
      await story.until('no trace of us', async () => {
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
      })
      await caughtUp()
    },
  }
}

export interface Rule {
  readonly backendRefs?: readonly { readonly name: string; readonly weight: number }[]
}

function shareOf(route: HTTPRoute | undefined): number {
  const [rule] = (route?.spec?.rules ?? []) as readonly Rule[]
  return rule?.backendRefs?.find(({ name }) => name === 'web-canary')?.weight ?? 0
}

interface Watched {
  readonly sights: () => readonly Sight[]
  /** Waits until they have all that there is by now. */
  readonly caughtUp: () => Promise<void>
}

/** What is true at every moment: requests are sent only where somebody answers. */
async function watchRequests(
  { namespace, client }: Story,
  { gateway, type }: Pick<Routed, 'gateway' | 'type'>,
): Promise<Watched> {
  const services = new Cache<Service>()
  const slices = new Cache<EndpointSlice>()
  const pods = new Cache<Pod>()
  const project = <T>(object: T) => object
  const scope = { client, namespace }
  const reflectors = [
    new Reflector({ ...scope, type: SERVICES, cache: services, project }),
    new Reflector({ ...scope, type: ENDPOINT_SLICES, cache: slices, project }),
    new Reflector({ ...scope, type: PODS, cache: pods, project }),
  ]
  const forever = new AbortController()
  for (const each of reflectors) void each.run(forever.signal)
  await Promise.all([services.synced, slices.synced, pods.synced])
  const begun: Known = {
    share: shareOf(gateway.routes.get(namespace, WORKLOAD)),
    slices: new Map(slices.list().map(slice => [slice.metadata.name, slice])),
    newPods: new Set(pods.list().filter(isNew).map(nameOf)),
    selector: services.get(namespace, WORKLOAD)?.spec?.selector ?? {},
  }
  const notes: Note[] = []
  const hear = <T extends KubeObject>(cache: Cache<T>, changeBy: ChangeBy<T>) =>
    cache.onChange((before, after) => {
      const { metadata } = (after ?? before)!
      if (metadata.namespace !== namespace) return
      const change = changeBy(metadata.name, after)
      if (change) notes.push({ version: BigInt(cache.resourceVersion), change })
    })
  hear(services, (name, service) => {
    const selector = service?.spec?.selector ?? {}
    return name === WORKLOAD ? known => ({ ...known, selector }) : undefined
  })
  hear(slices, (name, slice) => known => {
    const others = [...known.slices].filter(([other]) => other !== name)
    return { ...known, slices: new Map(slice ? [...others, [name, slice]] : others) }
  })
  hear(pods, (name, pod) => known => {
    const others = [...known.newPods].filter(other => other !== name)
    return { ...known, newPods: new Set(pod && isNew(pod) ? [...others, name] : others) }
  })
  hear(gateway.routes, (name, route) => {
    return name === WORKLOAD ? known => ({ ...known, share: shareOf(route) }) : undefined
  })
  return {
    sights: () => sightsOf(begun, notes),
    async caughtUp() {
      const know = async <T extends KubeObject>(of: ResourceType<T>, cache: Cache<T>) =>
        knows(cache, namespace, await client.listAll(of, { namespace }))
      await Promise.all([
        know(SERVICES, services),
        know(ENDPOINT_SLICES, slices),
        know(PODS, pods),
        know(type, gateway.routes),
      ])
    },
  }
}

/** What requests meet, as far as it is known. */
interface Known {
  readonly share: number
  readonly slices: ReadonlyMap<string, EndpointSlice>
  /** Names of those that nobody has asked to go. */
  readonly newPods: ReadonlySet<string>
  readonly selector: Readonly<Record<string, string>>
}

type Change = (known: Known) => Known
type ChangeBy<T> = (name: string, object: T | undefined) => Change | undefined

/** What became other, and in which version: each watch has a pace of its own. */
interface Note {
  readonly version: bigint
  readonly change: Change
}

function isNew(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && JSON.stringify(pod).includes('"app:2"')
}

function nameOf({ metadata }: Pod): string {
  return metadata.name
}

/** In the order in which the API server stored it. */
function sightsOf(begun: Known, notes: readonly Note[]): readonly Sight[] {
  let known = begun
  const inOrder = notes.toSorted((a, b) => Number(a.version - b.version))
  return inOrder.map(({ change }) => {
    known = change(known)
    const { share, selector, slices, newPods } = known
    return { share, selector, newPods: newPods.size, ready: readyIn([...slices.values()]) }
  })
}

function readyIn(slices: readonly EndpointSlice[]): Readonly<Record<string, number>> {
  const ready: Record<string, number> = {}
  for (const { metadata, endpoints } of slices) {
    const name = metadata.labels?.['kubernetes.io/service-name'] ?? ''
    const count = (endpoints ?? []).filter(each => each.conditions?.ready !== false).length
    ready[name] = (ready[name] ?? 0) + count
  }
  return ready
}

/** At no moment were requests sent where nobody answers. */
export function answered({ sights }: Place): void {
  const unanswered = sights.filter(
    ({ share, ready }) =>
      (share > 0 && (ready['web-canary'] ?? 0) === 0) ||
      (share < 100 && (ready[WORKLOAD] ?? 0) === 0),
  )
  expect(unanswered).toEqual([])
}

/** Begun, and a fifth of the requests goes to new pods. */
export async function atFirstStep(routed: Routed, options: StoryOptions = {}): Promise<Place> {
  const place = await begin(routed, options)
  await place.story.edit('app:2')
  await place.story.reached(1)
  await place.shares(20)
  return place
}

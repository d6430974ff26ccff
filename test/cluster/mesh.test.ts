// Requests that a mesh routes move with the pods: by what a script makes of the objects of their owner, who
// gets them back as he wrote them.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { KubeObject, Service } from '#api/kubernetes.ts'
import {
  ESCAPE,
  ORIGINAL,
  OWN_SCRIPTS,
  RECORD,
  SCRIPT_KEY,
  TRAFFIC,
  TRAFFIC_ROUTING,
} from '#api/names.ts'
import { equalJson } from '#core/equal.ts'
import { NotFound } from '#kube/errors.ts'
import { CONFIG_MAPS, REPLICA_SETS, ROLLOUTS, SERVICES, TRAFFIC_ROUTINGS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { lease } from '../../dev/sluice.ts'
import { presenceIn } from './absence.ts'
import type { Presence } from './absence.ts'
import { bash, sluice } from './commands.ts'
import { commandsOf } from './docs-examples.ts'
import { condition, pods, says, setOf, stand } from './facts.ts'
import { ROLLOUT, rolloutOf, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import { DESTINATION_RULES, LANES, serveMesh, VIRTUAL_SERVICES } from './mesh.ts'
import type { MeshObject } from './mesh.ts'
import { fewerThan, firstTime } from './order.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const { apiVersion, kind, plural } = LANES
const lane = { apiVersion, kind, plural }

let world: World
let ours: Presence
beforeAll(async () => {
  world = await startWorld({ traffic: true, routeKinds: [lane] })
  await serveMesh(world.client)
  ours = presenceIn(world)
})
afterAll(() => world?.stop())

const stable = { destination: { host: WORKLOAD, port: { number: 80 } } }
const images = {
  match: [{ uri: { prefix: '/images' } }],
  route: [{ destination: { host: 'images' } }],
}
const ownHttp = [images, { name: 'all', timeout: '5s', route: [stable] }]

function virtualService(namespace: string, http: readonly object[] = ownHttp): MeshObject {
  const { apiVersion, kind } = VIRTUAL_SERVICES
  const metadata = { namespace, name: WORKLOAD, labels: { team: 'shop' } }
  return { apiVersion, kind, metadata, spec: { hosts: ['shop.example.com'], http } }
}

function destinationRule(namespace: string): MeshObject {
  const { apiVersion, kind } = DESTINATION_RULES
  const metadata = { namespace, name: WORKLOAD }
  const subsets = [{ name: 'all', labels: { app: WORKLOAD } }]
  return { apiVersion, kind, metadata, spec: { host: WORKLOAD, subsets } }
}

const trafficSteps = [
  { replicas: 1, traffic: '20%' },
  { replicas: '50%', matches: [{ headers: [{ name: 'user', value: 'tester' }] }] },
  { replicas: '100%' },
]

interface Place {
  readonly story: Story
  readonly found: () => Promise<MeshObject | undefined>
  readonly service: (name?: string) => Promise<Service | undefined>
  /** Weights of the hosts, or of their subsets, to which its last rule sends requests. */
  readonly weights: (expected: Readonly<Record<string, number | undefined>>) => Promise<void>
  readonly untouched: (http?: readonly object[]) => Promise<void>
}

async function begin(options: StoryOptions = {}, http: readonly object[] | false = ownHttp) {
  const { steps = trafficSteps } = options
  const story = await world.story({ ...options, steps: false })
  const { namespace, client } = story
  const spec = { selector: { app: WORKLOAD }, ports: [{ port: 80 }] }
  const metadata = { namespace, name: WORKLOAD }
  const made = { apiVersion: 'v1', kind: 'Service', metadata, spec } as KubeObject
  await client.create(SERVICES as ResourceType, made, { fieldManager: 'test' })
  if (http) await apply(story, virtualService(namespace, http))
  await apply(story, destinationRule(namespace))
  const customNetworkRefs = [
    { apiVersion: 'networking.istio.io/v1beta1', kind: 'VirtualService', name: WORKLOAD },
    { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', name: WORKLOAD },
  ]
  const trafficRoutings = [{ service: WORKLOAD, customNetworkRefs, gracePeriodSeconds: 1 }]
  const plan = { ...options, steps, canary: { trafficRoutings, ...options.canary } }
  await client.create(ROLLOUTS, rolloutOf(namespace, plan), { fieldManager: 'test' })
  await story.phase('Healthy')
  return placeOf(story)
}

function placeOf(story: Story): Place {
  const { namespace, client } = story
  const get = <T extends KubeObject>(type: ResourceType<T>, name: string) =>
    client.get(type, { namespace, name }).catch((error: unknown) => {
      if (error instanceof NotFound) return undefined
      throw error
    })
  const found = () => get(VIRTUAL_SERVICES, WORKLOAD)
  const service: Place['service'] = (name = WORKLOAD) => get(SERVICES, name)
  return {
    story,
    found,
    service,
    weights: expected =>
      story.until(JSON.stringify(expected), async () => {
        const { route = [] } = (await rulesOf(found)).at(-1) ?? {}
        const entries = route.map(({ destination: { host, subset }, weight }) => {
          return [subset === undefined ? host : `${host}/${subset}`, weight]
        })
        return equalJson(Object.fromEntries(entries), expected)
      }),
    untouched: (http = ownHttp) =>
      story.until('no trace of us', async () => {
        const [one, rule, own, canary] = await Promise.all([
          found(),
          get(DESTINATION_RULES, WORKLOAD),
          service(),
          service('web-canary'),
        ])
        const marks = [one, rule, own].flatMap(each =>
          [TRAFFIC, RECORD, ORIGINAL].filter(key => key in { ...each?.metadata.annotations }),
        )
        const asTheyWere =
          equalJson(one?.spec, virtualService(namespace, http).spec) &&
          equalJson(one?.metadata.labels, { team: 'shop' }) &&
          equalJson(rule?.spec, destinationRule(namespace).spec)
        return asTheyWere && marks.length === 0 && canary === undefined
      }),
  }
}

interface Rule {
  readonly match?: readonly object[]
  readonly route: readonly {
    readonly destination: { readonly host: string; readonly subset?: string }
    readonly weight?: number
  }[]
}

async function rulesOf(found: Place['found']): Promise<readonly Rule[]> {
  return ((await found())?.spec?.['http'] ?? []) as readonly Rule[]
}

function lastRule(found: MeshObject | undefined): Rule | undefined {
  return ((found?.spec?.['http'] ?? []) as readonly Rule[]).at(-1)
}

/** All requests go where they went before. */
function unshared(_: string, found: MeshObject | undefined): boolean {
  return lastRule(found)?.route.length === 1
}

/** As Helm, Flux and others do; refused where somebody else owns one of the fields. */
async function apply(story: Story, object: KubeObject, ...more: string[]): Promise<void> {
  const input = JSON.stringify(object)
  const args = ['apply', '--server-side', '--field-manager=helm', ...more, '-f', '-']
  await story.kubectl(args, { input })
}

const shared = { web: 80, 'web-canary': 20 }

test.concurrent('requests follow the pods step by step, and nothing is left at the end', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.weights(shared)
  const rules = await rulesOf(place.found)
  expect(rules[0]).toEqual(images)
  const { [ORIGINAL]: original } = (await place.found())!.metadata.annotations!
  expect(JSON.parse(original!)).toEqual({
    spec: virtualService('').spec,
    labels: { team: 'shop' },
    annotations: {},
  })
  const rule = await story.client.get(DESTINATION_RULES, {
    namespace: story.namespace,
    name: WORKLOAD,
  })
  expect(rule.spec?.['subsets']).toHaveLength(2)
  await story.approve()
  await story.reached(2)
  const [first, ...others] = await rulesOf(place.found)
  expect(first).toMatchObject({
    match: [{ headers: { user: { exact: 'tester' } } }],
    route: [{ destination: { host: 'web-canary' } }],
  })
  expect(others).toEqual(ownHttp)
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  await place.untouched()
})

test.concurrent('a rollback takes requests away before it takes pods away', async () => {
  const place = await begin({ steps: [{ replicas: 5, traffic: '50%' }, { replicas: '100%' }] })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await pods(story, { 'app:1': 5, 'app:2': 5 })
  const back = await firstTime(story, VIRTUAL_SERVICES, unshared)
  const fewer = await fewerThan(story, 5, 'app:2')
  await story.edit('app:1')
  await story.phase('Healthy')
  expect(await back.version).toBeLessThan(await fewer.version)
  await stand(story, { 'app:1': 10 })
  await place.untouched()
})

test.concurrent('a Rollout that is deleted in the middle leaves nothing behind', async () => {
  const place = await begin({ canary: { enableExtraWorkloadForCanary: true } })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.weights(shared)
  await story.kubectl(['delete', 'rollout', '--all'])
  await place.untouched()
  await story.until('the workload is free', () => story.free())
})

test.concurrent('his edits in the middle stay, and so does the split', async () => {
  const place = await begin()
  const { story } = place
  const { namespace } = story
  await story.edit('app:2')
  await story.reached(1)
  await place.weights(shared)
  // As somebody edits what he sees, through another version of the API.
  const health = {
    match: [{ uri: { exact: '/healthz' } }],
    route: [{ destination: { host: 'h' } }],
  }
  const patch = JSON.stringify([{ op: 'add', path: '/spec/http/0', value: health }])
  await story.kubectl([
    'patch',
    'virtualservices.v1beta1.networking.istio.io',
    WORKLOAD,
    '--type=json',
    '-p',
    patch,
  ])
  await place.weights(shared)
  expect((await rulesOf(place.found))[0]).toEqual(health)
  // As an upgrade of his chart writes it, which takes the list back from who edited it.
  const upgraded = [health, images, { name: 'all', timeout: '9s', route: [stable] }]
  await apply(story, virtualService(namespace, upgraded), '--force-conflicts')
  await place.weights(shared)
  expect((await rulesOf(place.found)).at(-1)).toMatchObject({ timeout: '9s' })
  await story.edit('app:1')
  await story.phase('Healthy')
  await place.untouched(upgraded)
})

test.concurrent('one that is missing, and one that leads elsewhere, keep it waiting, and say so', async () => {
  const place = await begin({}, false)
  const { story } = place
  await story.edit('app:2')
  await says(story, 'VirtualService web does not exist')
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  await stand(story, { 'app:1': 10 })
  await apply(story, virtualService(story.namespace, [images]))
  await says(story, 'no rule without a match leads to web, so no request would reach the canary')
  expect(story.now().ready).toBeGreaterThanOrEqual(10)
  await apply(story, virtualService(story.namespace))
  await story.reached(1)
  await place.weights(shared)
})

test.concurrent('what stands on it gives it back by hand', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.weights(shared)
  const { [RECORD]: record } = (await place.found())!.metadata.annotations!
  await story.kubectl(['patch', 'virtualservice', WORKLOAD, '--type=merge', '-p', record!])
  await place.weights({ web: undefined })
  const { spec, metadata } = (await place.found())!
  expect(spec).toEqual(virtualService('').spec)
  expect(Object.keys(metadata.annotations!)).toEqual([ESCAPE])
  await says(story, 'its owner took VirtualService web over')
})

test.concurrent('a workload and its Rollout that are deleted together leave nothing behind', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.weights(shared)
  await story.kubectl(['delete', 'rollout,deployment', '--all', '--wait=false'])
  await place.untouched()
})

const oneService = { disableGenerateCanaryService: true }
const subset = { web: 80, 'web/canary': 20 }

/** It has the pods of both versions. */
async function selectsBoth({ service }: Place): Promise<void> {
  expect((await service())?.spec?.selector).toEqual({ app: WORKLOAD })
  expect(await service('web-canary')).toBeUndefined()
}

test.concurrent('one Service: the mesh tells versions apart, and the Service selects as ever', async () => {
  const labels = { 'istio.service.tag': 'gray' }
  const second = { enableExtraWorkloadForCanary: true, patchPodTemplateMetadata: { labels } }
  const place = await begin({ canary: { ...oneService, ...second } })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.weights(subset)
  await selectsBoth(place)
  const { namespace, client } = story
  const rule = await client.get(DESTINATION_RULES, { namespace, name: WORKLOAD })
  expect(rule.spec?.['subsets']).toContainEqual({ name: 'canary', labels })
  await story.approve()
  await story.reached(2)
  expect((await rulesOf(place.found))[0]).toMatchObject({
    route: [{ destination: { host: WORKLOAD, subset: 'canary' } }],
  })
  await selectsBoth(place)
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  await place.untouched()
})

test.concurrent('one Service: requests come home before new pods leave, and a deleted Rollout leaves nothing', async () => {
  const steps = [{ replicas: 5, traffic: '20%' }, { replicas: '100%' }]
  const [back, deleted] = [
    await begin({ steps, canary: oneService }),
    await begin({ steps, canary: oneService }),
  ]
  for (const { story } of [back, deleted]) await story.edit('app:2')
  await back.story.reached(1)
  await back.weights(subset)
  await pods(back.story, { 'app:1': 5, 'app:2': 5 })
  const home = await firstTime(back.story, VIRTUAL_SERVICES, unshared)
  const fewer = await fewerThan(back.story, 5, 'app:2')
  await back.story.edit('app:1')
  await back.story.phase('Healthy')
  expect(await home.version).toBeLessThan(await fewer.version)
  await stand(back.story, { 'app:1': 10 })
  await back.untouched()

  await deleted.story.reached(1)
  await deleted.weights(subset)
  await selectsBoth(deleted)
  await deleted.story.kubectl(['delete', 'rollout', '--all'])
  await deleted.untouched()
  await deleted.story.until('the workload is free', () => deleted.story.free())
})

test.concurrent('one Service, blue-green: all requests go to new pods before the old ones leave', async () => {
  const steps = [{ replicas: '100%', traffic: '20%' }]
  const place = await begin({ blueGreen: true, canary: oneService, steps })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.weights(subset)
  const moved = await firstTime(story, VIRTUAL_SERVICES, (_, found) => {
    return lastRule(found)?.route.at(-1)?.weight === 100
  })
  const fewer = await fewerThan(story, 10, 'app:1')
  await story.approve()
  await story.phase('Healthy')
  expect(await moved.version).toBeLessThan(await fewer.version)
  await stand(story, { 'app:2': 10 })
  await place.untouched()
})

const gray = { 'istio.service.tag': 'gray' }
const routingName = 'lane'

function routingOf(namespace: string, strategy: object): KubeObject {
  const { apiVersion, kind } = TRAFFIC_ROUTINGS
  const customNetworkRefs = [VIRTUAL_SERVICES, DESTINATION_RULES].map(each => ({
    apiVersion: each.apiVersion,
    kind: each.kind,
    name: WORKLOAD,
  }))
  const objectRef = [{ service: WORKLOAD, customNetworkRefs, gracePeriodSeconds: 1 }]
  const metadata = { namespace, name: routingName }
  return { apiVersion, kind, metadata, spec: { objectRef, strategy } } as KubeObject
}

const testers = { matches: [{ headers: [{ name: 'user', value: 'tester' }] }] }

/** A release whose requests a TrafficRouting moves, in a second Deployment with a label of its own. */
async function named(): Promise<Place> {
  const place = await begin({
    steps: [{ replicas: 1 }, { replicas: '100%' }],
    canary: {
      trafficRoutings: [],
      enableExtraWorkloadForCanary: true,
      patchPodTemplateMetadata: { labels: gray },
    },
  })
  await place.story.kubectl(['annotate', 'rollout', ROLLOUT, `${TRAFFIC_ROUTING}=${routingName}`])
  return place
}

/** As `kubectl get` prints it. */
async function routingTells({ story }: Place, phase: string, message: string): Promise<void> {
  const args = ['get', 'trafficrouting', routingName, '--no-headers']
  await story.until(`${phase} ${message}`, async () => {
    const { stdout } = await story.kubectl(args)
    return stdout.replaceAll(/\s+/g, ' ').startsWith(`${routingName} ${phase} ${message} `)
  })
}

/** Begins to watch; proves then that requests have left the new pods of a second Deployment before they left. */
async function orderOfLeaving({ story }: Place): Promise<() => Promise<void>> {
  const beside = (await setOf(story, 'app:2')).metadata.name
  const home = await firstTime(story, VIRTUAL_SERVICES, unshared)
  const left = await firstTime(story, REPLICA_SETS, (name, set) => {
    return name === beside && (set?.spec.replicas ?? 0) === 0
  })
  return async () => expect(await home.version).toBeLessThan(await left.version)
}

test.concurrent('a TrafficRouting moves requests while a release needs it, and touches no Service', async () => {
  const place = await named()
  const { story, weights, untouched } = place
  const before = await place.service()
  const trouble = 'TrafficRouting lane does not exist'
  await says(
    story,
    `the next release waits before step 1, since requests cannot be moved: ${trouble}`,
  )
  await apply(story, routingOf(story.namespace, testers))
  await says(story, 'ready for the next edit')
  await story.kubectl(['delete', 'trafficrouting', routingName])
  await says(
    story,
    `the next release waits before step 1, since requests cannot be moved: ${trouble}`,
  )
  await story.edit('app:2')
  await says(story, /^since [^ ]+: TrafficRouting lane does not exist/)
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  await stand(story, { 'app:1': 10 })
  await apply(story, routingOf(story.namespace, testers))
  await story.reached(1)
  await routingTells(place, 'Progressing', 'TrafficRouting is Progressing')
  const [first, ...others] = await rulesOf(place.found)
  expect(first).toMatchObject({
    match: [{ headers: { user: { exact: 'tester' } } }],
    route: [{ destination: { host: WORKLOAD, subset: 'canary' } }],
  })
  expect(others).toEqual(ownHttp)
  // What it says is changed in the middle, and it is deleted and made again.
  await apply(story, routingOf(story.namespace, { weight: 20 }))
  await weights(subset)
  await story.kubectl(['delete', 'trafficrouting', routingName])
  await untouched()
  await says(story, 'TrafficRouting lane does not exist')
  await apply(story, routingOf(story.namespace, { weight: 30 }))
  await routingTells(place, 'Progressing', 'TrafficRouting is Progressing')
  await weights({ web: 70, 'web/canary': 30 })
  const pinned = await place.service()
  expect(pinned?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
  const inOrder = await orderOfLeaving(place)
  await story.edit('app:1')
  await story.phase('Healthy')
  await inOrder()
  await routingTells(place, 'Healthy', 'TrafficRouting is Healthy')
  await stand(story, { 'app:1': 10 })
  await untouched()
})

/** What users say of it. */
const laneScript = `local spec = obj.data.spec
spec.canary = { service = obj.canaryService, weight = obj.canaryWeight }
return obj.data`

/** A release whose requests come by a Lane. */
async function inLane(): Promise<Story> {
  const story = await world.story({ steps: false })
  const { namespace, client } = story
  const spec = { selector: { app: WORKLOAD }, ports: [{ port: 80 }] }
  const metadata = { namespace, name: WORKLOAD }
  const service = { apiVersion: 'v1', kind: 'Service', metadata, spec } as KubeObject
  await client.create(SERVICES as ResourceType, service, { fieldManager: 'test' })
  await apply(story, { apiVersion, kind, metadata, spec: { to: WORKLOAD } } as KubeObject)
  const customNetworkRefs = [{ apiVersion, kind, name: WORKLOAD }]
  const trafficRoutings = [{ service: WORKLOAD, customNetworkRefs, gracePeriodSeconds: 1 }]
  const plan = { steps: trafficSteps, canary: { trafficRoutings } }
  await client.create(ROLLOUTS, rolloutOf(namespace, plan), { fieldManager: 'test' })
  await story.phase('Healthy')
  return story
}

async function laneIs({ until, client, namespace }: Story, spec: object): Promise<void> {
  await until(JSON.stringify(spec), async () => {
    const found = await client.get(LANES, { namespace, name: WORKLOAD })
    return equalJson(found.spec, spec)
  })
}

test('a kind that was registered is moved by a script of the user’s own, and eject knows it', async () => {
  const split = { to: WORKLOAD, canary: { service: 'web-canary', weight: 20 } }
  const [story, left] = [await inLane(), await inLane()]
  await story.edit('app:2')
  await says(story, 'there is no script for a Lane of lanes.example.com: write one in ConfigMap')
  const { namespace } = lease
  const data = { [`${SCRIPT_KEY}Lane.lanes.example.com`]: laneScript }
  const scripts = { metadata: { namespace, name: OWN_SCRIPTS }, data }
  const configMap = { apiVersion: CONFIG_MAPS.apiVersion, kind: CONFIG_MAPS.kind, ...scripts }
  await story.client.create(CONFIG_MAPS, configMap)
  await story.reached(1)
  await laneIs(story, split)
  // As its owner applies it again.
  const metadata = { namespace: story.namespace, name: WORKLOAD }
  const own = { apiVersion, kind, metadata, spec: { to: WORKLOAD } }
  await apply(story, own as KubeObject)
  await laneIs(story, split)
  await story.edit('app:1')
  await story.phase('Healthy')
  await laneIs(story, { to: WORKLOAD })

  await left.edit('app:2')
  await left.reached(1)
  await laneIs(left, split)
  await ours.without(['webhook', 'controller'], async () => {
    const workload = ['deployment/web', '-n', left.namespace, '--keep-rollouts']
    await sluice(world.cluster, ['eject', ...workload])
    await laneIs(left, { to: WORKLOAD })
    await left.kubectl(['delete', 'rollout', ROLLOUT])
  })
})

test('a TrafficRouting that is deleted with its Rollout while nobody leads takes requests home before pods', async () => {
  const place = await named()
  const { story, weights, untouched } = place
  await apply(story, routingOf(story.namespace, { weight: 20 }))
  await story.edit('app:2')
  await story.reached(1)
  await weights(subset)
  const inOrder = await orderOfLeaving(place)
  await ours.without(['controller'], async () => {
    const all = [`rollout/${ROLLOUT}`, `trafficrouting/${routingName}`]
    await story.kubectl(['delete', ...all])
    await weights(subset)
  })
  await inOrder()
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await untouched()
})

test('eject frees all with nobody of ours alive', async () => {
  const all = await Promise.all([begin(), begin({ canary: oneService }), named(), named()])
  const [two, one, third, byHand] = all
  for (const { story } of [third, byHand])
    await apply(story, routingOf(story.namespace, { weight: 20 }))
  for (const { story } of all) await story.edit('app:2')
  for (const { story } of all) await story.reached(1)
  await two.weights(shared)
  for (const { weights } of [one, third, byHand]) await weights(subset)
  await ours.without(['webhook', 'controller'], async () => {
    const ejected = [two, one, third].map(async ({ story }) => {
      const workload = ['deployment/web', '-n', story.namespace, '--keep-rollouts']
      const { stdout } = await sluice(world.cluster, ['eject', ...workload])
      const routes = stdout.includes(`/trafficrouting/${routingName}: its routes are given back`)
      expect(routes).toBe(story === third.story)
    })
    await Promise.all([freedByHand(byHand), ...ejected])
    for (const { story, untouched, found } of all) {
      await untouched()
      expect((await found())?.metadata.annotations ?? {}).toEqual({})
      await story.kubectl(['delete', 'rollout', ROLLOUT])
    }
  })
})

/** Those that a TrafficRouting names are named in place of others, and no Service was made. */
async function freedByHand({ story }: Place): Promise<void> {
  const { namespace } = story
  const page = 'docs/safe-when-we-vanish.md'
  const commands = commandsOf(page, 'Where requests are moved', namespace)
    .replaceAll('service/web httproute/web', 'virtualservice/web destinationrule/web')
    .replace(/.* delete service .*\n/, '')
  const deleting = commandsOf('docs/styles.md', 'With nobody of ours alive', namespace)
  await bash(world.cluster, commands + deleting.replace('NAME', WORKLOAD))
  await stand(story, { 'app:1': 0, 'app:2': 10 })
}

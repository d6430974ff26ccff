// Requests that come by an Ingress move with the pods: by a second one beside that of the owner, which a
// script annotates.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Ingress, KubeObject, Service } from '#api/kubernetes.ts'
import { MADE_FOR, OWN_SCRIPTS, RECORD, ROUTED, SCRIPT_KEY, TRAFFIC } from '#api/names.ts'
import { equalJson } from '#core/equal.ts'
import { NotFound } from '#kube/errors.ts'
import { CONFIG_MAPS, resource, ROLLOUTS, SERVICES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { lease } from '../../dev/sluice.ts'
import type { Sluice } from '../../dev/sluice.ts'
import { sluice } from './commands.ts'
import { condition, pods, says, stand } from './facts.ts'
import { rolloutOf, WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import { fewerThan, firstTime } from './order.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const INGRESSES = resource<Ingress>('networking.k8s.io/v1', 'ingresses', 'Ingress')
const NGINX = 'nginx.ingress.kubernetes.io/'

/** Scripts of the cluster's own, by the class of an Ingress. */
const scripts = {
  kong: `local a = obj.annotations
         a['konghq.com/share'] = obj.weight
         return a`,
  broken: 'return obj.nothing.at.all',
  bomb: 'while true do end',
}

let world: World
/** Our processes that run. */
let alive: Sluice
beforeAll(async () => {
  world = await startWorld({ traffic: true })
  alive = world.sluice
  const keys = Object.entries(scripts).map(([name, text]) => [`${SCRIPT_KEY}ingress.${name}`, text])
  await writeScripts(Object.fromEntries(keys))
})
afterAll(() => world?.stop())

async function writeScripts(data: Readonly<Record<string, string>>): Promise<void> {
  const { apiVersion, kind } = CONFIG_MAPS
  const metadata = { namespace: lease.namespace, name: OWN_SCRIPTS }
  const map = { apiVersion, kind, metadata, data } as KubeObject
  await world.client.apply(CONFIG_MAPS as ResourceType, map, {
    fieldManager: `test-${Object.keys(data)[0]}`,
  })
}

const trafficSteps = [
  { replicas: 1, traffic: '20%' },
  { replicas: '50%', traffic: '50%' },
  { replicas: '100%' },
]

const backend = (name: string) => ({ service: { name, port: { number: 80 } } })
const rules = [
  {
    host: 'shop.example.com',
    http: {
      paths: [
        { path: '/', pathType: 'Prefix', backend: backend(WORKLOAD) },
        { path: '/images', pathType: 'Prefix', backend: backend('images') },
      ],
    },
  },
]
const canaryRules = [
  {
    host: 'shop.example.com',
    http: { paths: [{ path: '/', pathType: 'Prefix', backend: backend('web-canary') }] },
  },
]

function ingressOf(namespace: string): Ingress {
  const { apiVersion, kind } = INGRESSES
  const annotations = { 'example.com/own': 'yes' }
  const metadata = { namespace, name: WORKLOAD, labels: { team: 'shop' }, annotations }
  return { apiVersion, kind, metadata, spec: { ingressClassName: 'nginx', rules } }
}

interface Place {
  readonly story: Story
  readonly ingress: (name?: string) => Promise<Ingress | undefined>
  readonly service: (name?: string) => Promise<Service | undefined>
  /** Our Ingress has these annotations, by which an Ingress controller tells. */
  readonly annotated: (annotations: Readonly<Record<string, string>>) => Promise<void>
  readonly untouched: () => Promise<void>
}

interface Options extends StoryOptions {
  readonly classType?: string
  readonly grace?: number
}

async function begin(options: Options = {}, routed = true): Promise<Place> {
  const { classType, grace = 1, steps = trafficSteps } = options
  const story = await world.story({ ...options, steps: false })
  const { namespace, client } = story
  const spec = { type: 'NodePort', selector: { app: WORKLOAD }, ports: [{ port: 80 }] }
  const metadata = { namespace, name: WORKLOAD }
  const made = { apiVersion: 'v1', kind: 'Service', metadata, spec } as KubeObject
  await client.create(SERVICES as ResourceType, made, { fieldManager: 'test' })
  if (routed) await client.create(INGRESSES, ingressOf(namespace), { fieldManager: 'test' })
  const ingress = { name: WORKLOAD, ...(classType !== undefined && { classType }) }
  const trafficRoutings = [{ service: WORKLOAD, ingress, gracePeriodSeconds: grace }]
  const plan = { ...options, steps, canary: { trafficRoutings, ...options.canary } }
  await client.create(ROLLOUTS, rolloutOf(namespace, plan), { fieldManager: 'test' })
  await story.phase('Healthy')
  const found = <T extends KubeObject>(type: ResourceType<T>, name: string) =>
    client.get(type, { namespace, name }).catch((error: unknown) => {
      if (error instanceof NotFound) return undefined
      throw error
    })
  const place: Place = {
    story,
    ingress: (name = WORKLOAD) => found(INGRESSES, name),
    service: (name = WORKLOAD) => found(SERVICES, name),
    annotated: annotations =>
      story.until(JSON.stringify(annotations), async () => {
        const ours = await place.ingress('web-canary')
        const { [ROUTED]: _, [MADE_FOR]: __, ...others } = { ...ours?.metadata.annotations }
        return equalJson(others, annotations)
      }),
    untouched: () =>
      story.until('no trace of us', async () => {
        const [own, stable, ...ours] = await Promise.all([
          place.ingress(),
          place.service(),
          place.ingress('web-canary'),
          place.service('web-canary'),
        ])
        const { labels, annotations } = ingressOf(namespace).metadata
        const asItWas = equalJson(
          [own?.spec?.rules, own?.metadata.labels, own?.metadata.annotations],
          [rules, labels, annotations],
        )
        const marks = [TRAFFIC, RECORD].filter(key => key in { ...stable?.metadata.annotations })
        const selected = equalJson(stable?.spec?.selector, { app: WORKLOAD })
        return asItWas && selected && marks.length === 0 && ours.every(each => !each)
      }),
  }
  return place
}

const own = { 'example.com/own': 'yes' }

function nginx(weight: number) {
  return { ...own, [`${NGINX}canary`]: 'true', [`${NGINX}canary-weight`]: String(weight) }
}

test.concurrent('requests follow the pods step by step, and nothing is left at the end', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.annotated(nginx(20))
  const ours = (await place.ingress('web-canary'))!
  expect(ours.spec).toEqual({ ingressClassName: 'nginx', rules: canaryRules })
  expect(ours.metadata.labels).toEqual({ team: 'shop' })
  expect(ours.metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', name: WORKLOAD }])
  const [stable, canary] = [await place.service(), await place.service('web-canary')]
  expect(stable?.spec?.selector).toHaveProperty('pod-template-hash')
  // A port of the nodes belongs to one Service alone.
  const ports = [stable, canary].map(service => service?.spec?.['ports'])
  expect(ports).toMatchObject([[{ port: 80 }], [{ port: 80, nodePort: expect.any(Number) }]])
  expect(ports[0]).not.toEqual(ports[1])
  await story.approve()
  await story.reached(2)
  await place.annotated(nginx(50))
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  await place.untouched()
})

test.concurrent('a rollback takes requests away before it takes pods away', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await story.approve()
  await story.reached(2)
  await pods(story, { 'app:1': 5, 'app:2': 5 })
  const gone = await firstTime(story, INGRESSES, (name, ingress) => {
    return name === 'web-canary' && ingress === undefined
  })
  const fewer = await fewerThan(story, 5, 'app:2')
  await story.edit('app:1')
  await story.phase('Healthy')
  expect(await gone.version).toBeLessThan(await fewer.version)
  await stand(story, { 'app:1': 10 })
  await place.untouched()
})

test.concurrent('a Rollout that is deleted in the middle leaves nothing behind', async () => {
  const place = await begin({ canary: { enableExtraWorkloadForCanary: true } })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.annotated(nginx(20))
  await story.kubectl(['delete', 'rollout', '--all'])
  await place.untouched()
  // Requests come back first.
  await story.until('the workload is given back', story.free)
})

test.concurrent('a workload and its Rollout that are deleted as ones that leave orphans leave nothing of ours behind', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.annotated(nginx(20))
  await story.kubectl(['delete', 'rollout,deployment', '--all', '--cascade=orphan'])
  await place.untouched()
})

test.concurrent('blue-green', async () => {
  const all = [
    { replicas: '100%', traffic: '0%' },
    { replicas: '100%', traffic: '100%' },
  ]
  const place = await begin({ blueGreen: true, steps: all })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  expect(await place.ingress('web-canary')).toBeUndefined()
  await story.approve()
  await story.reached(2)
  await place.annotated(nginx(100))
  await story.approve()
  await story.phase('Healthy')
  await stand(story, { 'app:2': 10 })
  await place.untouched()
})

test.concurrent('what others write to ours stays, and ours comes back', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await story.kubectl([
    'annotate',
    '--overwrite',
    'ingress/web-canary',
    `${NGINX}canary-weight=90`,
    'theirs=yes',
  ])
  await place.annotated({ ...nginx(20), theirs: 'yes' })
  await story.kubectl(['delete', 'ingress', 'web-canary'])
  await place.annotated(nginx(20))
  await story.edit('app:1')
  await place.untouched()
})

test.concurrent('an Ingress that is missing keeps the release waiting, and says so', async () => {
  const place = await begin({}, false)
  const { story } = place
  await says(story, 'requests cannot be moved: Ingress web does not exist')
  await story.edit('app:2')
  await says(story, /^since [^ ]+: Ingress web does not exist/)
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  await stand(story, { 'app:1': 10 })
  await story.client.create(INGRESSES, ingressOf(story.namespace), { fieldManager: 'test' })
  await story.reached(1)
  await place.annotated(nginx(20))
})

test.concurrent('a script of the cluster’s own, for a class that we do not know', async () => {
  const place = await begin({ classType: 'kong' })
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.annotated({ ...own, 'konghq.com/share': '20' })
  await story.approve()
  await story.reached(2)
  await place.annotated({ ...own, 'konghq.com/share': '50' })
  await story.edit('app:1')
  await place.untouched()
})

test.concurrent('a script that is missing is waited for', async () => {
  const place = await begin({ classType: 'late' })
  const { story } = place
  await story.edit('app:2')
  await says(story, 'there is no script for an Ingress of class late: write one in ConfigMap')
  await stand(story, { 'app:1': 10 })
  const text = "return {['late.example.com/share'] = obj.weight}"
  await writeScripts({ [`${SCRIPT_KEY}ingress.late`]: text })
  await story.reached(1)
  await place.annotated({ 'late.example.com/share': '20' })
})

test.concurrent.each([
  ['broken', "line 1: attempt to index field 'nothing' (a nil value); correct it there"],
  ['bomb', 'takes more than 1 s; correct it there'],
])('a script that is %s says so, its pods serve, and nobody else waits', async (name, why) => {
  const place = await begin({ classType: name })
  const { story } = place
  await story.edit('app:2')
  await says(story, why)
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  expect(await place.ingress('web-canary')).toBeUndefined()
  expect(story.now().ready).toBeGreaterThanOrEqual(10)
  const other = await begin()
  await other.story.edit('app:2')
  await other.story.reached(1)
  await story.edit('app:1')
  await story.phase('Healthy')
  await place.untouched()
})

test('a controller that is killed in the grace period counts it from the write', async () => {
  const graceSeconds = 8
  const { story, ...place } = await begin({ grace: graceSeconds })
  await story.edit('app:2')
  await place.annotated(nginx(20))
  const routed = async () => (await place.ingress('web-canary'))?.metadata.annotations?.[ROUTED]
  const before = await routed()
  const { controller, webhook } = alive
  await Promise.all([controller.stop('SIGKILL'), webhook.stop('SIGKILL')])
  alive = await world.startAgain({ traffic: true })
  await story.reached(1)
  expect(await routed()).toBe(before)
  const { since } = JSON.parse(before!) as { readonly since: string }
  const { lastUpdateTime = '' } = (await story.rollout()).status!.canaryStatus!
  const waitedMs = Date.parse(lastUpdateTime) - Date.parse(since)
  expect(waitedMs).toBeGreaterThanOrEqual(graceSeconds * 1000)
})

test('eject takes the second Ingress away with nobody of ours alive', async () => {
  const place = await begin()
  const { story } = place
  await story.edit('app:2')
  await story.reached(1)
  await place.annotated(nginx(20))
  await Promise.all([alive.controller.stop('SIGKILL'), alive.webhook.stop('SIGKILL')])
  const args = ['eject', 'deployment/web', '-n', story.namespace, '--keep-rollouts']
  await sluice(world.cluster, args)
  await place.untouched()
  await stand(story, { 'app:1': 0, 'app:2': 10 })
})

// What eject says where it may not do all, at an API server that answers as a test says.

import { expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { ESCAPE, RECORD, TRAFFIC, TRAFFIC_ROUTING, WORKLOAD_TYPE } from '#api/names.ts'
import { annotated } from '#core/admission/marks.ts'
import { reviewTraffic } from '#core/admission/traffic-review.ts'
import type { MergePatch } from '#core/change.ts'
import { networkWish } from '#core/traffic/network-object.ts'
import { trafficProviders } from '#core/traffic/registry.ts'
import { pinTo, services } from '#core/traffic/service-pin.ts'
import { adapters } from '#core/workload/registry.ts'
import { formatRecord } from '#core/workload/record.ts'
import { answeredClient } from '../test/world/answered-client.ts'
import { objectsOf } from '../test/world/answered-objects.ts'
import type { Answers } from '../test/world/answered-objects.ts'
import { merge } from '../test/world/controller.ts'
import { eject } from './eject.ts'
import type { NamedWorkload } from './eject.ts'

const owner = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
  minReadySeconds: 5,
  progressDeadlineSeconds: 600,
  paused: false,
}
const memory = { owner, stable: 's', rollout: 'web', rolloutUid: 'u' }
const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', name: 'web' }
const routing = { service: 'web', routes: [route], graceSeconds: 0 }
const ofApi = formatRecord(memory)
const ofWeb = formatRecord({ ...memory, traffic: routing })

function deployment(name: string, record: string): KubeObject {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      namespace: 'shop',
      name,
      uid: name,
      resourceVersion: '1',
      generation: 1,
      labels: { [WORKLOAD_TYPE]: 'deployment' },
      annotations: { [RECORD]: record },
    },
    spec: { replicas: 1, template: {}, ...owner },
    status: { observedGeneration: 1 },
  }
  return object
}

/** Everything that is said, and written, while a list at the end of a path is answered so. */
async function ejecting(
  answers: Answers,
  how: {
    readonly dryRun?: boolean
    readonly workload?: NamedWorkload
    readonly stop?: AbortSignal
    readonly served?: Readonly<Record<string, readonly object[]>>
  } = {},
) {
  const { dryRun = true, served, workload, ...rest } = how
  const told = { printed: [] as string[], complained: [] as string[] }
  const { answer, written, watched } = objectsOf(answers, served)
  const client = await answeredClient(answer)
  const print = (line: string) => void told.printed.push(line)
  const complain = (line: string) => void told.complained.push(line)
  const flags = { dryRun, keepRollouts: false, withAborted: false }
  const asked = { namespace: 'shop', adapters, ...flags, ...(workload && { workload }) }
  const done = await eject(client, asked, { print, complain, ...rest })
  return { done, written, watched, ...told }
}

test('one whose requests may not be read keeps none of the others', async () => {
  const deployments = [deployment('web', ofWeb), deployment('api', ofApi)]
  const { done, printed, complained } = await ejecting({ deployments, 'services/': 'secret' })
  expect(done).toBe(false)
  expect(printed.at(-1)).toMatch(/^shop\/deployment\/api: .* given back/)
  expect(complained).toEqual([
    expect.stringMatching(/^shop\/deployment\/web: not given back: requests come first, .* 403/),
  ])
})

test('one that was named says so as well', async () => {
  const named = { 'deployments/web': deployment('web', ofWeb), 'services/': 'secret' } as const
  const workload = { adapter: adapters[0]!, name: 'web' }
  const { done, printed, complained, written } = await ejecting(named, { workload, dryRun: false })
  expect([done, printed, written]).toEqual([false, [], []])
  expect(complained).toEqual([
    expect.stringMatching(/^shop\/deployment\/web: not given back: requests come first, .* 403/),
  ])
})

const web: KubeObject & { readonly spec: object } = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name: 'web', uid: 's', resourceVersion: '1' },
  spec: { selector: { app: 'web' } },
}
const whose = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const pin = pinTo({ workload: whose, routes: [], labels: { 'pod-template-hash': 'old' } })
const pinned = reviewTraffic({
  provider: services,
  object: annotated(web, { [TRAFFIC]: pin }),
  before: web,
  fromController: true,
})

test('told to end, it frees no Service of a workload that is gone, and says so', async () => {
  const free = { services: [pinned] }
  const said = await ejecting(free)
  expect(said.printed).toEqual([
    expect.stringMatching(/^shop\/service\/web: .* given back \(dry run\)/),
  ])
  const stopped = await ejecting(free, { dryRun: false, stop: AbortSignal.abort() })
  expect(stopped).toMatchObject({
    done: false,
    printed: [],
    complained: ['ended before 1 of 1 Services of workloads that are gone'],
    written: [],
  })
})

test('a kind that may not be read is named once, and nobody is told that nothing is there', async () => {
  const core = [{ name: 'services', kind: 'Service', namespaced: true }]
  const { done, printed, complained } = await ejecting(
    { services: 'secret', httproutes: 'secret' },
    { served: { '/api/v1': core } },
  )
  expect([done, printed]).toEqual([false, []])
  expect(complained).toEqual([expect.stringMatching(/^whether a Service is still pinned .* 403/)])
})

const mesh = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' }
const meshes = trafficProviders.find(
  ({ apiVersion, kind }) => apiVersion === mesh.apiVersion && kind === mesh.kind,
)!

/** A route that is moved for the TrafficRouting of that name. */
function movedFor(name: string): KubeObject {
  const value = { spec: { hosts: ['web'] }, labels: {}, annotations: {} }
  const metadata = { namespace: 'shop', name, uid: name, resourceVersion: '1' }
  const before = { ...mesh, metadata, spec: value.spec }
  const workload = { apiVersion: 'rollouts.kruise.io/v1alpha1', kind: 'TrafficRouting', name }
  const to = { ...value, spec: { hosts: ['canary'] } }
  const said = { workload, service: 'web', owner: value, to }
  const wish = networkWish(said, { before: undefined, now: 1 })
  const object = annotated(before, { [TRAFFIC]: wish })
  return reviewTraffic({ provider: meshes, object, before, fromController: true })
}

function naming(name: string, disabled: boolean, workload = 'other'): KubeObject {
  const metadata = { namespace: 'shop', name, annotations: { [TRAFFIC_ROUTING]: name } }
  const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: workload }
  const spec = { disabled, workloadRef, strategy: { canary: { steps: [] } } }
  const object = { apiVersion: 'rollouts.kruise.io/v1beta1', kind: 'Rollout', metadata, spec }
  return object
}

const ofLane = deployment('web', formatRecord({ ...memory, trafficRouting: 'lane' }))

test('the routes of TrafficRoutings go first, and no workload before those of its own', async () => {
  const virtualservices = [movedFor('lane'), movedFor('other')]
  const said = await ejecting({
    virtualservices,
    deployments: [ofLane],
    rollouts: [naming('lane', true)],
  })
  expect(said).toMatchObject({ done: true, complained: [] })
  expect(said.printed).toEqual([
    'shop/trafficrouting/lane: its routes are given back (dry run)',
    'shop/trafficrouting/other: its routes are given back (dry run)',
    expect.stringMatching(/^shop\/deployment\/web: .* given back/),
  ])
  const guarded = await ejecting({
    virtualservices,
    deployments: [ofLane],
    rollouts: [naming('lane', false)],
  })
  expect([guarded.done, guarded.printed]).toEqual([
    false,
    ['shop/trafficrouting/other: its routes are given back (dry run)'],
  ])
  expect(guarded.complained).toEqual([
    expect.stringMatching(
      /^shop\/trafficrouting\/lane: not given back: a controller would move its routes again for Rollout lane:/,
    ),
    'shop/deployment/web: not given back: requests come first, and the routes of TrafficRouting lane are not given back',
  ])
})

test('the TrafficRouting with which a release has begun counts, not what its Rollout names by now', async () => {
  const { printed, complained } = await ejecting({
    virtualservices: [movedFor('lane'), movedFor('other')],
    deployments: [ofLane],
    rollouts: [naming('other', false, 'web')],
  })
  expect(printed).toEqual(['shop/trafficrouting/other: its routes are given back (dry run)'])
  expect(complained).toEqual([
    expect.stringMatching(/trafficrouting\/lane: .* again for Rollout other: first kubectl delete/),
    expect.stringMatching(/deployment\/web: .* first kubectl delete -n shop rollout other/),
  ])
})

const lane = (gracePeriodSeconds: number): KubeObject & { readonly spec: object } => ({
  apiVersion: 'rollouts.kruise.io/v1alpha1',
  kind: 'TrafficRouting',
  metadata: { namespace: 'shop', name: 'lane' },
  spec: {
    objectRef: [
      { service: 'web', customNetworkRefs: [{ ...mesh, name: 'lane' }], gracePeriodSeconds },
    ],
    strategy: { weight: 20 },
  },
})

test.each<[string, KubeObject, number]>([
  ['a run', movedFor('lane'), 0.3],
  ['one after another that was ended early', freedFrom(movedFor('lane')), 0.3],
  ['a run without a grace period', movedFor('lane'), 0],
])('%s: requests come first, with as long as the TrafficRouting says', async (_, route, grace) => {
  const begun = Date.now()
  const { done, printed, complained, written, watched } = await ejecting(
    {
      virtualservices: [route],
      deployments: [ofLane],
      trafficroutings: [lane(grace)],
      services: [annotated(web, { [ESCAPE]: '{}' })],
    },
    { dryRun: false },
  )
  expect([done, complained]).toEqual([true, []])
  expect(Date.now() - begun).toBeGreaterThanOrEqual(grace * 1000)
  if (grace === 0) expect(watched).toEqual([])
  expect(printed[0]).toBe('shop/trafficrouting/lane: its routes are given back')
  const kinds = written.map(path => path.split('/').at(-2))
  const [first, last] = [kinds.indexOf('deployments'), kinds.lastIndexOf('virtualservices')]
  expect(last).toBeGreaterThanOrEqual(0)
  expect(first).toBeGreaterThan(last)
  expect(kinds).not.toContain('services')
})

/** As the patch leaves it that stands on it. */
function freedFrom(object: KubeObject): KubeObject {
  return merge(
    object,
    JSON.parse(object.metadata.annotations![RECORD]!) as MergePatch,
  ) as KubeObject
}

test('one that was named has those of its own release given back, and no others', async () => {
  const workload = { adapter: adapters[0]!, name: 'web' }
  const virtualservices = [movedFor('lane'), movedFor('other')]
  const { done, printed } = await ejecting(
    { virtualservices, 'deployments/web': ofLane },
    { workload },
  )
  expect([done, printed]).toEqual([
    true,
    [
      'shop/trafficrouting/lane: its routes are given back (dry run)',
      expect.stringMatching(/^shop\/deployment\/web: .* given back/),
    ],
  ])
})

test('told to end, it gives no route back, nor a workload whose release needs that first', async () => {
  const answers = { virtualservices: [movedFor('lane')], deployments: [ofLane] }
  const { done, printed, complained, written } = await ejecting(answers, {
    dryRun: false,
    stop: AbortSignal.abort(),
  })
  expect([done, printed, written]).toEqual([false, [], []])
  expect(complained).toEqual([
    'ended before 1 of 1 TrafficRoutings',
    'ended before 1 of 1 workloads',
  ])
})

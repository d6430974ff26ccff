// Requests move with the pods: by the Service and the HTTPRoute of their owner, in front of real endpoints.

import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { HTTP_ROUTES, resource } from '#kube/resources.ts'
import { helm, helm3 } from './commands.ts'
import { GRPC_ROUTES } from './gateway.ts'
import type { Story } from './story.ts'
import { warningsOf } from './deployment-facts.ts'
import { abort, condition, hasCondition, resume, says, stand, told } from './facts.ts'
import { WORKLOAD } from './manifests.ts'
import {
  answered,
  apply,
  atFirstStep,
  begin,
  everything,
  foreign,
  ownRules,
  routeOf,
  serveBeside,
  serviceOf,
  startRouted,
  web,
} from './routed.ts'
import type { Routed, Rule } from './routed.ts'

const chart = fileURLToPath(new URL('charts/route', import.meta.url))

let routed: Routed
let grpc: Routed
beforeAll(async () => {
  routed = await startRouted()
  grpc = await serveBeside(routed, GRPC_ROUTES)
})
afterAll(async () => {
  await grpc?.stop()
  await routed?.stop()
})

test.concurrent('requests follow the pods step by step, and nothing is left at the end', async () => {
  const place = await begin(routed)
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
  const place = await begin(routed)
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
  const place = await atFirstStep(routed)
  const { story } = place
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
  const place = await atFirstStep(routed)
  const { story } = place
  await story.kubectl(['delete', 'rollout', '--all'])
  await stand(story, { 'app:2': 10 })
  await place.untouched()
  expect(await story.free()).toBe(true)
  answered(place)
})

test.concurrent('who owns the route writes it again in the middle: his edits stay, and so does the split', async () => {
  const place = await atFirstStep(routed)
  const { story } = place
  const more = {
    name: 'health',
    matches: [{ path: { type: 'Exact', value: '/healthz' } }],
    backendRefs: [{ ...web, weight: 1 }],
  }
  const owner = [...ownRules, more]
  await apply(story, routeOf(story.namespace, owner))
  const [first, second, third] = ((await place.route()).spec?.rules ?? []) as readonly Rule[]
  expect(sharesOf([first, third])).toEqual([
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

test.concurrent.each([
  ['Helm 4', helm],
  ['Helm 3', helm3],
] as const)('a chart that has the route is upgraded in the middle: %s', async (_, run) => {
  const place = await begin(routed, {}, false)
  const { story } = place
  const release = ['web', chart, '--namespace', story.namespace]
  await run(routed.world.cluster, ['install', ...release])
  const { rules } = (await place.route()).spec!
  await story.phase('Healthy')
  await story.edit('app:2')
  await story.reached(1)
  await place.shares(20)
  await run(routed.world.cluster, ['upgrade', ...release, '--set', 'host=new.example.com'])
  const { hostnames, rules: split = [] } = (await place.route()).spec!
  expect([hostnames, sharesOf(split)]).toEqual([['new.example.com'], [[80, 20]]])
  const more = ['--reuse-values', '--set', 'health=true']
  await run(routed.world.cluster, ['upgrade', ...release, ...more])
  const { rules: longer = [] } = (await place.route()).spec!
  expect(sharesOf(longer)).toEqual([[1], [80, 20]])
  await story.edit('app:1')
  await story.phase('Healthy')
  const [health] = longer
  await place.untouched([health as object, ...(rules as readonly object[])])
  answered(place)
})

/** How each rule weighs the Services. */
function sharesOf(rules: readonly unknown[]): readonly unknown[] {
  return (rules as readonly Rule[]).map(rule => rule.backendRefs?.map(({ weight }) => weight))
}

test.concurrent('a route that is missing keeps the release waiting, and says so', async () => {
  const place = await begin(routed, {}, false)
  const { story } = place
  await story.phase('Healthy')
  const waits =
    'the next release waits before step 1, since requests cannot be moved: HTTPRoute web does not exist'
  await says(story, waits)
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  // The webhook hears of what the Rollout says as anybody does.
  const dryRun = ['set', 'image', story.target, 'app=app:2', '--dry-run=server']
  await story.until('the edit would say so', async () => {
    return warningsOf(await story.kubectl(dryRun)).includes(`its Rollout says: ${waits}`)
  })
  await story.edit('app:2')
  await says(story, /^since [^ ]+: HTTPRoute web does not exist/)
  // No pod of it was asked for: it is taken back, and not complete.
  await story.edit('app:1')
  await story.phase('Healthy')
  expect(await told(story, 'ReleaseRolledBack')).toHaveLength(1)
  expect((await story.events()).map(({ reason }) => reason)).not.toContain('ReleaseCompleted')
  await story.edit('app:2')
  await says(story, /^since [^ ]+: HTTPRoute web does not exist/)
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  await stand(story, { 'app:1': 10 })
  await apply(story, routeOf(story.namespace, ownRules))
  await story.reached(1)
  await place.shares(20)
})

test.concurrent('a Service that does not find the new pods keeps the release waiting, and says so', async () => {
  const place = await begin(routed, {})
  const { story } = place
  const service = serviceOf(story.namespace, WORKLOAD)
  const spec = { selector: { app: 'another' }, ports: [{ port: 80 }] }
  await apply(story, { ...service, spec } as KubeObject)
  await story.edit('app:2')
  await says(story, /1 new pod is Ready, and none in Service web-canary: see that its selector/)
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  await apply(story, service)
  await story.reached(1)
  await place.shares(20)
})

test.concurrent('a route and a Service that are deleted in the middle are named, pods stay, and both are moved when they are back', async () => {
  const place = await atFirstStep(routed)
  const { story } = place
  const { namespace } = story
  for (const object of [routeOf(namespace, ownRules), serviceOf(namespace, WORKLOAD)]) {
    const { kind } = object
    await story.kubectl(['delete', kind.toLowerCase(), WORKLOAD])
    await says(story, `${kind} web does not exist`)
    expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
    await stand(story, { 'app:1': 9, 'app:2': 1 })
    await apply(story, object)
    await place.shares(20)
    await story.until('stable pods alone are selected again', async () => {
      const selector = (await place.service())?.spec?.selector
      return selector !== undefined && 'pod-template-hash' in selector
    })
  }
  await story.kubectl(['delete', 'httproute', WORKLOAD])
  await story.edit('app:1')
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10 })
  await apply(story, routeOf(namespace, ownRules))
  await place.untouched()
})

test.concurrent('a split that somebody’s policy refuses keeps the release waiting, and says so', async () => {
  const place = await begin(routed)
  const { story } = place
  const lift = await refuseSplits(story)
  await story.edit('app:2')
  await says(story, 'nobody splits here')
  expect(await condition(story, 'Ready')).toMatchObject({ reason: 'RequestsBlocked' })
  expect(await told(story, 'RequestsRefused')).toMatchObject([{ type: 'Warning' }])
  await stand(story, { 'app:1': 9, 'app:2': 1 })
  await lift()
  await story.reached(1)
  await place.shares(20)
  answered(place)
})

test.concurrent('in a second Deployment', async () => {
  const place = await atFirstStep(routed, { canary: { enableExtraWorkloadForCanary: true } })
  const { story } = place
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
  const place = await begin(routed, { blueGreen: true, steps: all })
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

test.concurrent('by a GRPCRoute, a share and those with a header; its gateway says that it is so', async () => {
  const { apiVersion, kind } = GRPC_ROUTES
  const customNetworkRefs = [{ apiVersion, kind, name: WORKLOAD }]
  const headers = [{ name: 'user', value: 'tester', type: 'Exact' }]
  const steps = [
    { replicas: 1, traffic: '20%' },
    { replicas: 2, matches: [{ headers }] },
  ]
  const place = await begin(grpc, {
    steps: [...steps, { replicas: '100%' }],
    canary: { trafficRoutings: [{ service: WORKLOAD, customNetworkRefs, gracePeriodSeconds: 1 }] },
  })
  const { story } = place
  const methods = [{ method: { service: 'shop.Cart' } }]
  const own = [{ matches: methods, backendRefs: [{ ...web, weight: 1 }] }, foreign]
  await apply(story, { ...routeOf(story.namespace, own), apiVersion, kind })
  await story.edit('app:2')
  await story.reached(1)
  await place.shares(20)
  await story.approve()
  await story.reached(2)
  expect((await place.route()).spec?.rules).toEqual([
    ...own,
    {
      matches: [{ ...methods[0], headers }],
      backendRefs: [{ ...web, name: 'web-canary', weight: 1 }],
    },
  ])
  await story.edit('app:1')
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10 })
  await place.untouched(own)
  answered(place)
})

test('matches have a rule of their own, while they last', async () => {
  const matches = [{ headers: [{ name: 'user', value: 'tester' }] }]
  const place = await begin(routed, { steps: [{ replicas: 1, matches }, { replicas: '100%' }] })
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

/** As a policy of the cluster's owner; gives what takes it away. */
async function refuseSplits({ namespace, client, until }: Story): Promise<() => Promise<void>> {
  const name = `no-splits-${namespace}`
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const [policies, bindings] = [
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
  ].map(kind => resource(apiVersion, `${kind.toLowerCase().replace(/y$/, 'ie')}s`, kind, false))
  const rule = {
    apiGroups: ['gateway.networking.k8s.io'],
    apiVersions: ['*'],
    operations: ['UPDATE'],
    resources: ['httproutes'],
  }
  const message = 'nobody splits here'
  const expression = "object.spec.rules.all(r, r.backendRefs.all(b, b.name != 'web-canary'))"
  await client.create(policies!, {
    apiVersion,
    kind: policies!.kind,
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression, message }],
    },
  } as KubeObject)
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } }
  await client.create(bindings!, {
    apiVersion,
    kind: bindings!.kind,
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'], matchResources: { namespaceSelector } },
  } as KubeObject)
  const backendRefs = [{ ...web, name: 'web-canary', weight: 1 }]
  const split = { spec: { rules: [{ matches: everything, backendRefs }] } }
  await until('the policy is in force', () =>
    client.mergePatch(HTTP_ROUTES, { namespace, name: WORKLOAD }, split, { dryRun: true }).then(
      () => false,
      error => String(error).includes(message),
    ),
  )
  return () => client.remove(bindings!, { name })
}

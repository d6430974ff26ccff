// What the answer to a write of a Rollout tells of what it names: the workload and the kinds of its routes, as
// the API server has them. What it does not say in time, or not to us, is not told.

import { expect, test } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { HOLD } from '#api/names.ts'
import type { Rollout, RolloutSpec } from '#api/rollout.generated.ts'
import { adapters } from '#core/workload/registry.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { Cache } from '#kube/cache.ts'
import { workloadOf, rolloutOf } from '../test/cluster/manifests.ts'
import { answeredClient } from '../test/world/answered-client.ts'
import { createLookUpNamed } from './named.ts'
import { readReview } from './review.ts'
import { validate } from './reviewers.ts'

const deployment = workloadOf('shop', { image: 'app:1' }) as Deployment
const rolling = { metadata: { name: 'web' }, spec: deployment.spec }
const recreated = { ...rolling, spec: { ...deployment.spec, strategy: { type: 'Recreate' } } }
const leaving = { ...rolling, metadata: { name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' } }
const held = 'mode=wave;pods=1;budget=010%;surge=00%;rollout-id=r1;seq=1;'
const heldRecreate = {
  ...recreated,
  metadata: { name: 'web', annotations: { [HOLD]: held } },
}
const web = '/apis/apps/v1/namespaces/shop/deployments/web'

const installed = { extraKinds: [], routes: true, routeKinds: [] }

/** `there`: what the API server has, by its path; a number is an error, 'silent' no answer at all. */
async function knowing(
  there: Readonly<Record<string, object | number | 'silent'>>,
  patienceMs = 60_000,
) {
  const asked: string[] = []
  const client = await answeredClient(({ url = '' }, response) => {
    asked.push(url)
    const found = there[url] ?? 404
    if (found === 'silent') return
    if (typeof found === 'object') response.end(JSON.stringify(found))
    else response.writeHead(found).end(JSON.stringify({ kind: 'Status', code: found }))
  })
  const known = {
    rollouts: new Cache<Rollout>({ indexes: { workload: each => [workloadKey(each)] } }),
    allKnown: () => true,
    lookup: () => Promise.resolve([]),
    adapters,
    lookUpNamed: createLookUpNamed(client, { ...installed, patienceMs }),
    makeDeployments: true,
    routes: true,
    providers: [],
    kruiseRegistered: () => false,
  }
  return { known, asked }
}

function reviewOf(object: object | null, oldObject: object | null) {
  const operation = object === null ? 'DELETE' : oldObject === null ? 'CREATE' : 'UPDATE'
  const kind = { group: 'rollouts.kruise.io', version: 'v1beta1', kind: 'Rollout' }
  const request = { uid: 'u1', kind, operation, namespace: 'shop', name: 'web', object, oldObject }
  return readReview({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request })
}

const rollout = rolloutOf('shop', { steps: [{ replicas: 1 }] }) as Rollout
const releasing = { ...rollout, status: { phase: 'Progressing' } } as Rollout

function routed(
  spec: RolloutSpec,
  by: object = { gateway: { httpRouteName: 'web' } },
): RolloutSpec {
  const item = { service: 'web', ...by }
  const steps = [{ replicas: 1, traffic: '20%' }, { replicas: '100%' }]
  return { ...spec, strategy: { canary: { steps, trafficRoutings: [item] } } }
}

const NOT_THERE =
  'waiting for Deployment web to be created: it may come after its Rollout, and is guarded as soon as it is there'
const NOT_HELD =
  'edits of deployment/web are not held: its strategy is Recreate, which has no steps; the next one goes by its own strategy alone'
const NO_ROUTES =
  'the next release waits before step 1, since requests cannot be moved: the cluster does not serve gateway.networking.k8s.io/v1 HTTPRoute: install its CRD'

const routes = { ...rollout, spec: routed(rollout.spec) }
const lane = { apiVersion: 'mesh.example.com/v1', kind: 'Lane', name: 'web' }
const strange = { ...rollout, spec: routed(rollout.spec, { customNetworkRefs: [lane] }) }
const NOT_REGISTERED =
  'the next release waits before step 1, since requests cannot be moved: mesh.example.com/v1 Lane is not registered: name another kind, or add it to traffic.extraKinds of the chart: {apiVersion: mesh.example.com/v1, kind: Lane, plural: <its plural>}'
const disabled = { ...rollout, spec: { ...rollout.spec, disabled: true } }
const approved = { ...rollout, metadata: { ...rollout.metadata, labels: { team: 'shop' } } }
const gateway = '/apis/gateway.networking.k8s.io'
const served = { resources: [{ name: 'httproutes', kind: 'HTTPRoute', namespaced: true }] }

/** What the API server has, what is written, and over what. */
type Write = readonly [there: object, object: object, before?: object]

test.each<[string, Write, ...string[]]>([
  ['a workload that is guarded', [{ [web]: rolling }, rollout]],
  ['none', [{}, rollout], NOT_THERE],
  ['none, by a change', [{}, rollout, disabled], NOT_THERE],
  ['none, which nobody is to guard', [{}, { ...routes, spec: { ...routes.spec, disabled: true } }]],
  ['none, and nothing else is asked for', [{}, approved, rollout]],
  ['one of strategy Recreate', [{ [web]: recreated }, rollout], NOT_HELD],
  ['one to be guarded again', [{ [web]: recreated }, rollout, disabled], NOT_HELD],
  ['one that nobody is to guard', [{ [web]: recreated }, disabled]],
  ['one that is held', [{ [web]: heldRecreate }, rollout]],
  ['what may not be read', [{ [web]: 403 }, rollout]],
  ['what cannot be read', [{ [web]: 500 }, rollout]],
  ['routes that the cluster does not serve', [{ [web]: rolling }, routes], NO_ROUTES],
  ['routes of a kind that nobody registered', [{ [web]: rolling }, strange], NOT_REGISTERED],
  ['routes in another version', [{ [web]: rolling, [`${gateway}/v1beta1`]: served }, routes]],
  ['routes of which nothing is told', [{ [web]: rolling, [`${gateway}/v1`]: 403 }, routes]],
])('written, it names %s', async (_, [there, object, before], ...warnings) => {
  const { known } = await knowing(there as Record<string, object>)
  const answer = await validate(known, reviewOf(object, before ?? null))
  expect(answer).toEqual({ allowed: true, warnings })
})

test('who is not answered is not kept waiting, and is told nothing', async () => {
  const { known } = await knowing({ [web]: 'silent' }, 50)
  expect(await validate(known, reviewOf(rollout, null))).toEqual({ allowed: true, warnings: [] })
})

test.each<[string, object, number]>([
  ['its workload is there', { [web]: rolling }, 2],
  ['nobody says whether it is', { [web]: 403 }, 2],
  ['its workload went first', {}, 0],
  ['its workload is on its way', { [web]: leaving }, 0],
])('deleted during a release: %s', async (_, there, lines) => {
  const { known } = await knowing(there as Record<string, object>)
  const { warnings = [] } = await validate(known, reviewOf(null, releasing))
  expect(warnings).toHaveLength(lines)
  const going = { ...releasing, metadata: { ...releasing.metadata, deletionTimestamp: 'now' } }
  expect((await validate(known, reviewOf(going, releasing))).warnings).toEqual(warnings)
})

test('what only warns refuses nobody, whatever is stored', async () => {
  const { known } = await knowing({ [web]: { metadata: { name: 'web' } } })
  expect(await validate(known, reviewOf(rollout, null))).toEqual({ allowed: true, warnings: [] })
  const { workloadRef } = releasing.spec
  const older = { ...releasing, spec: { workloadRef } }
  const { allowed, warnings } = await validate(known, reviewOf(null, older))
  expect([allowed, warnings?.length]).toEqual([true, 2])
})

test('where Rollouts are still being read, nothing more is asked', async () => {
  const { known, asked } = await knowing({})
  const early = { ...known, allKnown: () => false }
  expect(await validate(early, reviewOf(rollout, null))).toEqual({ allowed: true, warnings: [] })
  expect((await validate(early, reviewOf(null, releasing))).warnings).toHaveLength(2)
  expect(asked).toEqual([])
})

test('deleted while nothing is released it asks nobody', async () => {
  const { known, asked } = await knowing({})
  expect(await validate(known, reviewOf(null, rollout))).toEqual({ allowed: true, warnings: [] })
  expect(asked).toEqual([])
})

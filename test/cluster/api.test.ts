// The Rollout CRD, on a real API server: what it accepts, fills in, refuses and shows.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'

import type { Rollout } from '#api/rollout.generated.ts'
import type { TrafficRouting } from '#api/trafficrouting.generated.ts'
import { validateRollout } from '#core/admission/validation.ts'
import { kubectl, kubectlJson } from './commands.ts'
import { eventually } from './eventually.ts'
import { untilServed } from './served.ts'

const cluster = inject('cluster')
const root = join(import.meta.dirname, '..', '..')
const crdFile = join(root, 'api/crds/rollouts.kruise.io_rollouts.yaml')
const routingFile = join(root, 'api/crds/rollouts.kruise.io_trafficroutings.yaml')
const namespace = `api-${Date.now().toString(36)}`

type Json = Record<string, unknown>

beforeAll(async () => {
  await applyCrd(readFileSync(crdFile, 'utf8'), 'rollouts.rollouts.kruise.io')
  await applyCrd(readFileSync(routingFile, 'utf8'), 'trafficroutings.rollouts.kruise.io')
  await kubectl(cluster, ['create', 'namespace', namespace])
  return async () => {
    await kubectl(cluster, ['delete', 'namespace', namespace, '--wait=false'])
  }
})

/** Server-side, since other tests may install the same CRD at the same moment. */
async function applyCrd(text: string, name: string): Promise<void> {
  await kubectl(cluster, ['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: text,
  })
  await untilServed(cluster, name)
}

const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }

function rollout(spec: Json, name = 'demo'): Json {
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { name, namespace },
    spec: { workloadRef, ...spec },
  }
}

function canary(plan: Json): Json {
  return rollout({ strategy: { canary: { steps: [{ replicas: 1 }], ...plan } } })
}

function step(fields: Json): Json {
  return canary({ steps: [{ replicas: 1 }, { replicas: 1, ...fields }] })
}

function path(value: string, type = 'PathPrefix'): Json {
  return step({ matches: [{ path: { type, value } }] })
}

function router(fields: Json): Json {
  return canary({ trafficRoutings: [{ service: 'shop', ...fields }] })
}

const service = { service: 'shop', ingress: { name: 'shop', classType: 'mse' } }

function trafficRouting(spec: Json): Json {
  return {
    apiVersion: 'rollouts.kruise.io/v1alpha1',
    kind: 'TrafficRouting',
    metadata: { name: 'lane', namespace },
    spec: { objectRef: [service], strategy: { weight: 20 }, ...spec },
  }
}

test.each<[string, Json, string]>([
  [
    'two Services',
    { objectRef: [service, service] },
    'write one item: several routers can stand side by side in it',
  ],
  [
    'no router',
    { objectRef: [{ service: 'shop' }] },
    'name what sends the requests: add `ingress` or `customNetworkRefs`',
  ],
  [
    'a gateway',
    { objectRef: [{ service: 'shop', gateway: { httpRouteName: 'shop' } }] },
    'a TrafficRouting has no second Service to which an HTTPRoute could send requests: remove `gateway`, and write it in `trafficRoutings` of the Rollout',
  ],
  ['no requests', { strategy: {} }, 'say which requests go to new pods: add `weight` or `matches`'],
  ['more than all', { strategy: { weight: 101 } }, 'write a percent from 0 to 100'],
])('a TrafficRouting is refused with what to write: %s', async (_, spec, message) => {
  expect(await refusal(trafficRouting(spec))).toContain(message)
})

test('a TrafficRouting has its defaults, and the columns of its status', async () => {
  const input = JSON.stringify(trafficRouting({}))
  const stored = await kubectlJson<TrafficRouting>(cluster, ['create', '-f', '-'], { input })
  expect(stored.spec.objectRef[0]).toEqual({ ...service, gracePeriodSeconds: 3 })
  const status = { phase: 'Healthy', message: 'TrafficRouting is Healthy' }
  const patch = JSON.stringify({ status })
  const at = ['-n', namespace, 'trafficrouting', 'lane']
  await kubectl(cluster, ['patch', ...at, '--subresource=status', '--type=merge', '-p', patch])
  const { stdout } = await kubectl(cluster, ['get', ...at])
  expect(stdout.split('\n').map(line => line.replaceAll(/\s+/g, ' '))).toEqual([
    'NAME STATUS MESSAGE AGE',
    expect.stringMatching(/^lane Healthy TrafficRouting is Healthy \d+s$/),
    '',
  ])
})

const dryRun = ['create', '--dry-run=server', '-f', '-']

async function accepted(object: Json): Promise<Rollout> {
  return kubectlJson(cluster, dryRun, { input: JSON.stringify(object) })
}

async function refusal(object: Json): Promise<string> {
  const input = JSON.stringify(object)
  const { stderr } = await kubectl(cluster, dryRun, { input, expectFailure: true })
  return stderr.replaceAll(/\s+/g, ' ')
}

test.each(['deployment', 'rollout'])('the %s of the demo is accepted', async kind => {
  const file = join(root, `demo/manifests/${kind}.yaml`)
  await kubectl(cluster, ['apply', '--dry-run=server', '-f', file])
})

test('the demo asks for nothing that is not there', () => {
  const object = parse(readFileSync(join(root, 'demo/manifests/rollout.yaml'), 'utf8')) as Rollout
  expect(validateRollout(object, { others: [] })).toEqual([])
})

describe('defaults', () => {
  test('a Rollout is not disabled', async () => {
    expect((await accepted(canary({}))).spec.disabled).toBe(false)
  })

  test('a router has 3 seconds of grace, and 0 seconds stay 0', async () => {
    const plan = [router({ ingress: { name: 'a' } })]
    plan.push(router({ ingress: { name: 'a' }, gracePeriodSeconds: 0 }))
    const seconds = (await Promise.all(plan.map(accepted))).map(
      ({ spec }) => spec.strategy.canary?.trafficRoutings?.[0]?.gracePeriodSeconds,
    )
    expect(seconds).toEqual([3, 0])
  })

  test('a path is a prefix, everything else is compared exactly', async () => {
    const matches = [
      { path: {}, headers: [{ name: 'a', value: 'b' }], queryParams: [{ name: 'a', value: 'b' }] },
    ]
    const { spec } = await accepted(step({ matches }))
    expect(spec.strategy.canary?.steps?.[1]?.matches?.[0]).toEqual({
      path: { type: 'PathPrefix', value: '/' },
      headers: [{ type: 'Exact', name: 'a', value: 'b' }],
      queryParams: [{ type: 'Exact', name: 'a', value: 'b' }],
    })
  })
})

test('every field of the API is accepted together', async () => {
  const routing = {
    service: 'shop',
    gracePeriodSeconds: 5,
    ingress: { classType: 'nginx', name: 'shop' },
    gateway: { httpRouteName: 'shop' },
    customNetworkRefs: [
      { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'a' },
    ],
  }
  const header = { name: 'user', value: 'me' }
  const full = {
    replicas: '020%',
    traffic: '20%',
    matches: [{ path: { type: 'Exact', value: '/a%20b' }, headers: [header] }],
    requestHeaderModifier: { set: [header], add: [header], remove: ['other'] },
    pause: { duration: -1 },
  }
  const shared = {
    trafficRoutings: [routing],
    failureThreshold: '10%',
    trafficRoutingRef: 'shop',
    disableGenerateCanaryService: true,
  }
  const own = {
    patchPodTemplateMetadata: { labels: { a: 'b' }, annotations: { c: 'd' } },
    enableExtraWorkloadForCanary: true,
  }
  const fifty = Array.from({ length: 50 }, () => full)
  await accepted(
    rollout({
      disabled: true,
      strategy: { paused: true, canary: { steps: fifty, ...shared, ...own } },
    }),
  )
  const free = { ...full, traffic: '0%' }
  await accepted(rollout({ strategy: { blueGreen: { steps: [free], ...shared } } }))
})

const steps = 'spec.strategy.canary.steps'
const routing = 'spec.strategy.canary.trafficRoutings'
const pods = 'write a number of pods from 1 on, or a percent from 1% to 100%'
const share = 'write a whole percent up to 100, for example `traffic: 20%`'
const legal = 'percent-encode the characters that a path cannot hold, for example `%20` for a space'
const clean =
  'write the path as a server sees it, without `//`, `/./` and `/../`, and without `/.` or `/..` ' +
  'at its end'

test.each<[string, Json, string, string]>([
  [
    'no strategy',
    rollout({}),
    'spec.strategy: Required value',
    'say how to release, for example `strategy: {canary: {steps: [{replicas: 20%}, {replicas: 100%}]}}`',
  ],
  [
    'no workload',
    rollout({ workloadRef: undefined, strategy: { canary: { steps: [{ replicas: 1 }] } } }),
    'spec.workloadRef: Required value',
    'name the workload to guard, for example `workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}`',
  ],
  [
    'neither way of releasing',
    rollout({ strategy: {} }),
    'spec.strategy',
    'say how to release: add `canary` or `blueGreen` with at least one step',
  ],
  [
    'a pause with a unit',
    canary({ steps: [{ replicas: 1, pause: { duration: '5m' } }] }),
    `${steps}[0].pause.duration`,
    'write seconds as a plain number, for example `duration: 300` for five minutes',
  ],
  [
    'a pause without an end',
    canary({ steps: [{ replicas: 1, pause: { duration: 2147483648 } }] }),
    `${steps}[0].pause.duration`,
    'write less than 2147483648 seconds',
  ],
  [
    'both ways of releasing',
    rollout({
      strategy: { canary: { steps: [{ replicas: 1 }] }, blueGreen: { steps: [{ replicas: 1 }] } },
    }),
    'spec.strategy',
    '`canary` and `blueGreen` exclude each other: remove one of them',
  ],
  [
    'no name',
    rollout({ workloadRef: { ...workloadRef, name: '' }, strategy: {} }),
    'name',
    '1 char',
  ],
  [
    'no kind',
    rollout({ workloadRef: { apiVersion: 'apps/v1', name: 'a' }, strategy: {} }),
    'spec.workloadRef.kind',
    'Required value',
  ],
  [
    'no steps',
    canary({ steps: [] }),
    steps,
    'write at least one step, for example `- replicas: 20%`',
  ],
  [
    'steps left out of blue-green',
    rollout({ strategy: { blueGreen: {} } }),
    'spec.strategy.blueGreen.steps',
    'write at least one step, for example `- replicas: 100%`',
  ],
  [
    '51 steps',
    canary({ steps: Array.from({ length: 51 }, () => ({ replicas: 1 })) }),
    steps,
    'must have at most 50 items',
  ],
  [
    'a step that has only a pause',
    canary({ steps: [{ replicas: 1 }, { pause: {} }] }),
    `${steps}[1].replicas`,
    'say how many pods are new after this step, for example `replicas: 20%` or `replicas: 1`',
  ],
  ['0 pods', step({ replicas: 0 }), `${steps}[1].replicas`, pods],
  ['-1 pods', step({ replicas: -1 }), `${steps}[1].replicas`, pods],
  ['0%', step({ replicas: '0%' }), `${steps}[1].replicas`, pods],
  ['00%', step({ replicas: '00%' }), `${steps}[1].replicas`, pods],
  ['101%', step({ replicas: '101%' }), `${steps}[1].replicas`, pods],
  ['a half percent', step({ replicas: '0.5%' }), `${steps}[1].replicas`, pods],
  ['a number as text', step({ replicas: '5' }), `${steps}[1].replicas`, pods],
  ['a word', step({ replicas: 'all' }), `${steps}[1].replicas`, pods],
  ['a half pod', step({ replicas: 1.5 }), `${steps}[1].replicas`, 'integer,string'],
  ['traffic of 0% in canary', step({ traffic: '0%' }), `${steps}[1].traffic`, 'at least 1%'],
  ['traffic of 101%', step({ traffic: '101%' }), `${steps}[1].traffic`, share],
  ['traffic without a percent sign', step({ traffic: '20' }), `${steps}[1].traffic`, share],
  [
    'traffic of 101% in blue-green',
    rollout({ strategy: { blueGreen: { steps: [{ replicas: 1, traffic: '101%' }] } } }),
    'spec.strategy.blueGreen.steps[0].traffic',
    share,
  ],
  [
    '17 matches',
    step({ matches: Array.from({ length: 17 }, () => ({})) }),
    `${steps}[1].matches`,
    'must have at most 16 items',
  ],
  ['a relative path', path('a'), '.path.value', 'write an absolute path: it begins with `/`'],
  ['a doubled slash', path('/a//b'), '.path.value', clean],
  ['a dot', path('/a/./b'), '.path.value', clean],
  ['a dot at the end', path('/a/.'), '.path.value', clean],
  ['two dots', path('/a/../b', 'Exact'), '.path.value', clean],
  ['two dots at the end', path('/a/..', 'Exact'), '.path.value', clean],
  ['an encoded slash', path('/a%2fb'), '.path.value', 'remove `%2f` and `#`'],
  ['an encoded slash in capitals', path('/a%2Fb'), '.path.value', 'remove `%2f` and `#`'],
  ['a fragment', path('/a#b'), '.path.value', 'remove `%2f` and `#`'],
  ['a space in a path', path('/a b'), '.path.value', legal],
  ['half an encoding', path('/a%2'), '.path.value', legal],
  ['an unknown comparison', path('/', 'Suffix'), '.path.type', 'supported values: "Exact"'],
  [
    'a header twice',
    step({ matches: [{ headers: ['b', 'c'].map(value => ({ name: 'a', value })) }] }),
    '.headers[1]',
    'Duplicate value',
  ],
  [
    'a parameter twice',
    step({ matches: [{ queryParams: ['b', 'c'].map(value => ({ name: 'a', value })) }] }),
    '.queryParams[1]',
    'Duplicate value',
  ],
  [
    'a header with a space in its name',
    step({ matches: [{ headers: [{ name: 'a b', value: 'c' }] }] }),
    '.headers[0].name',
    'should match',
  ],
  [
    'a header without a value',
    step({ requestHeaderModifier: { set: [{ name: 'a', value: '' }] } }),
    '.set[0].value',
    'at least 1 chars',
  ],
  [
    'a header that is removed twice',
    step({ requestHeaderModifier: { remove: ['a', 'a'] } }),
    '.remove[1]',
    'Duplicate value',
  ],
  [
    'two Services',
    canary({ trafficRoutings: ['a', 'b'].map(service => ({ service, ingress: { name: 'a' } })) }),
    routing,
    'write one item: several routers can stand side by side in it',
  ],
  ['a Service of no name', router({ service: '', ingress: { name: 'a' } }), '.service', '1 char'],
  ['no router', router({}), `${routing}[0]`, 'name what sends the requests'],
  [
    'an empty list of routers',
    router({ customNetworkRefs: [] }),
    `${routing}[0]`,
    'name what sends',
  ],
  ['an Ingress of no name', router({ ingress: { name: '' } }), '.ingress.name', '1 char'],
  [
    'no route',
    router({ gateway: {} }),
    '.gateway.httpRouteName',
    'write the name of the HTTPRoute',
  ],
  [
    'negative grace',
    router({ ingress: { name: 'a' }, gracePeriodSeconds: -1 }),
    '.gracePeriodSeconds',
    'greater than or equal to 0',
  ],
  [
    'a threshold without a percent sign',
    canary({ failureThreshold: '10' }),
    'failureThreshold',
    'write a number of pods from 0 on, or a percent up to 100%',
  ],
  ['a field that is not there', canary({ step: [] }), 'unknown field', 'spec.strategy.canary.step'],
  [
    'the reference of v1alpha1',
    rollout({ workloadRef: undefined, objectRef: { workloadRef }, strategy: { canary: {} } }),
    'unknown field',
    'spec.objectRef',
  ],
  [
    'a share of v1alpha1',
    step({ weight: 20 }),
    'unknown field',
    'spec.strategy.canary.steps[1].weight',
  ],
])('refused, with the field and what to write: %s', async (_, object, field, message) => {
  const text = await refusal(object)
  expect(text).toContain(field)
  expect(text).toContain(message)
})

test('a client that asks for no check of its fields is warned of those of v1alpha1', async () => {
  const warned = async (object: Json, expectFailure: boolean) => {
    const args = [...dryRun, '--validate=warn']
    const input = JSON.stringify(object)
    return (await kubectl(cluster, args, { input, expectFailure })).stderr.replaceAll(/\s+/g, ' ')
  }
  expect(await warned(step({ weight: 20 }), false)).toContain(
    'Warning: unknown field "spec.strategy.canary.steps[1].weight"',
  )
  const { spec, ...rest } = canary({})
  const { workloadRef: _, ...strategy } = spec as Json
  const moved = await warned({ ...rest, spec: { objectRef: { workloadRef }, ...strategy } }, true)
  expect(moved).toContain('spec.workloadRef: Required value')
  expect(moved).toContain('`objectRef` is its name in v1alpha1')
})

test('an expression is not checked as a path', async () => {
  await accepted(path('^/a//(b|c) #$', 'RegularExpression'))
})

const canaryStatus = {
  canaryRevision: '5c8d7b9f44',
  canaryReplicas: 1,
  canaryReadyReplicas: 1,
  podTemplateHash: '5c8d7b9f44',
  currentStepIndex: 1,
  nextStepIndex: 2,
  currentStepState: 'StepPaused',
  finalisingStep: '',
}

function patchStatus(name: string, status: Json): readonly string[] {
  const patch = JSON.stringify({ status })
  const where = ['-n', namespace, '--subresource=status', '--type=merge']
  return ['patch', 'rollout', name, ...where, '-p', patch]
}

test('status shows in the columns, and can be approved as kubectl-kruise does', async () => {
  const created = canary({ steps: [{ replicas: 1 }, { replicas: '100%' }] })
  await kubectl(cluster, ['create', '-f', '-'], { input: JSON.stringify(created) })
  const status = {
    observedGeneration: 2 ** 40,
    phase: 'Progressing',
    message: 'waits for approval',
    currentStepIndex: 1,
    currentStepState: 'StepPaused',
    canaryStatus,
  }
  await kubectl(cluster, patchStatus('demo', status))
  const { stdout } = await kubectl(cluster, ['get', 'rollout', 'demo', '-n', namespace])
  const [head = '', row = ''] = stdout.split('\n')
  expect(head.split(/\s{2,}/)).toEqual([
    'NAME',
    'STATUS',
    'CANARY_STEP',
    'CANARY_STATE',
    'MESSAGE',
    'AGE',
  ])
  expect(row.split(/\s{2,}/).slice(0, 5)).toEqual([
    'demo',
    'Progressing',
    '1',
    'StepPaused',
    'waits for approval',
  ])

  await kubectl(cluster, patchStatus('demo', { canaryStatus: { currentStepState: 'StepReady' } }))
  const after = await kubectlJson<Rollout>(cluster, ['get', 'rollout', 'demo', '-n', namespace])
  expect(after.status).toEqual({
    ...status,
    canaryStatus: { ...canaryStatus, currentStepState: 'StepReady' },
  })
  expect(after.metadata.generation, 'a status is no new spec').toBe(1)
})

test.each<[string, Json, string]>([
  ['a state that is not there', { currentStepState: 'StepRedy' }, 'supported values'],
  [
    'half of a sub-status',
    { canaryStatus: { nextStepIndex: 1 } },
    'canaryReplicas: Required value',
  ],
  ['no step', { phase: 'Healthy', currentStepIndex: null }, 'currentStepIndex: Required value'],
])('a status must be whole and known: %s', async (_, status, message) => {
  const name = 'status-rules'
  const object = { ...canary({}), metadata: { name, namespace } }
  await kubectl(cluster, ['apply', '-f', '-'], { input: JSON.stringify(object) })
  const whole = { currentStepIndex: 0, currentStepState: '', ...status }
  const answer = await kubectl(cluster, patchStatus(name, whole), { expectFailure: true })
  expect(answer.stderr).toContain(message)
})

test('kubectl explain tells every field in words', async () => {
  const walk = (schema: Json, at: string): string[] => {
    const items = schema['items'] as Json | undefined
    if (items) return walk({ ...items, description: schema['description'] }, at)
    const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Json>)
    const bare = schema['description'] || at.endsWith('metadata') ? [] : [at]
    return [...bare, ...fields.flatMap(([key, field]) => walk(field, `${at}.${key}`))]
  }
  const crd = parse(readFileSync(crdFile, 'utf8'))
  expect(walk(crd.spec.versions[0].schema.openAPIV3Schema, 'rollout')).toEqual([])

  const { stdout } = await kubectl(cluster, ['explain', 'rollout.spec.strategy.canary.steps.pause'])
  expect(stdout).toContain('VERSION:    v1beta1')
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    'Without `duration` it waits until somebody approves',
  )
})

test('objects that were stored before a rule keep their labels, status and brakes', async () => {
  const group = 'before.sluice.test'
  const text = readFileSync(crdFile, 'utf8').replaceAll('rollouts.kruise.io', group)
  const bare = JSON.stringify(parse(text), (key, value: unknown) =>
    key === 'x-kubernetes-validations' ? undefined : value,
  )
  const crd = `rollouts.${group}`
  const broken = {
    ...rollout({ strategy: { canary: { steps: [{ replicas: '0%' }, {}] }, blueGreen: {} } }),
    apiVersion: `${group}/v1beta1`,
  }
  const target = [`rollouts.${group}`, 'demo', '-n', namespace]
  const patch = (fields: Json, ...more: string[]) =>
    kubectl(cluster, ['patch', ...target, '--type=merge', '-p', JSON.stringify(fields), ...more])
  try {
    await applyCrd(bare, crd)
    await kubectl(cluster, ['create', '-f', '-'], { input: JSON.stringify(broken) })
    await applyCrd(text, crd)
    const other = JSON.stringify({ ...broken, metadata: { name: 'other', namespace } })
    await eventually(() => kubectl(cluster, dryRun, { input: other, expectFailure: true }))

    await patch({ metadata: { labels: { team: 'a' } } })
    const status = { currentStepIndex: 0, currentStepState: '', phase: 'Initial' }
    await patch({ status }, '--subresource=status')
    await patch({ spec: { disabled: true } })
    const stored = await kubectlJson<Rollout>(cluster, ['get', ...target])
    expect(stored.status).toEqual(status)
    expect(stored.spec.disabled).toBe(true)
  } finally {
    await kubectl(cluster, ['delete', 'crd', crd, '--wait=false'])
  }
})

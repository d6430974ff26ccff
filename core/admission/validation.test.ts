import { describe, expect, test } from 'vitest'

import { ROLLING_STYLE, TRAFFIC_ROUTING } from '#api/names.ts'
import type {
  BlueGreenStrategy,
  CanaryStrategy,
  Rollout,
  RolloutPhase,
  RolloutSpec,
  Step,
  Strategy,
  WorkloadRef,
} from '#api/rollout.generated.ts'
import { formatProblems } from '../problem.ts'
import { unsupported } from '../rollout/unsupported.ts'
import { validateRollout } from './validation.ts'

const deployment: WorkloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }
const statefulSet: WorkloadRef = { ...deployment, kind: 'StatefulSet' }
const threeSteps: readonly Step[] = [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }]

function rollout(spec: Partial<RolloutSpec> = {}, name = 'demo', namespace = 'shops'): Rollout {
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { name, namespace },
    spec: { workloadRef: deployment, strategy: { canary: { steps: threeSteps } }, ...spec },
  }
}

function canary(plan: Partial<CanaryStrategy>): Rollout {
  return rollout({ strategy: { canary: { steps: threeSteps, ...plan } } })
}

function blueGreen(plan: Partial<BlueGreenStrategy>, ref = deployment): Rollout {
  const strategy = { blueGreen: { steps: threeSteps, ...plan } }
  return rollout({ workloadRef: ref, strategy })
}

function steps(...plan: readonly Step[]): Rollout {
  return canary({ steps: plan })
}

function inPhase(phase: RolloutPhase, object = rollout()): Rollout {
  return { ...object, status: { phase, currentStepIndex: 1, currentStepState: 'StepPaused' } }
}

function edit(previous: Rollout, change: Partial<Strategy> | WorkloadRef): Rollout {
  if ('kind' in change) return { ...previous, spec: { ...previous.spec, workloadRef: change } }
  const strategy = { ...previous.spec.strategy, ...change }
  return { ...previous, spec: { ...previous.spec, strategy } }
}

function problemsOf(object: Rollout, previous?: Rollout, others: readonly Rollout[] = []) {
  const problems = validateRollout(object, { others, ...(previous && { previous }) })
  return problems.map(({ field, message }) => `${field}: ${message}`)
}

test.each<[string, Rollout]>([
  ['numbers and percents that grow', rollout()],
  ['steps of the same size', steps({ replicas: 2 }, { replicas: 2 })],
  ['a number after a higher percent', steps({ replicas: '90%' }, { replicas: 3 })],
  ['percents compared as numbers, not as texts', steps({ replicas: '9%' }, { replicas: '10%' })],
  ['more pods than there may be', steps({ replicas: 5000 })],
  ['a pause of no, some or negative length', steps(...[0, 60, -1].map(pauseOf))],
  ['a failure threshold', canary({ failureThreshold: '10%' })],
  ['unsupported fields that say nothing', canary({ trafficRoutings: [], trafficRoutingRef: '' })],
  ['a StatefulSet', ref('apps/v1', 'StatefulSet')],
  ['a DaemonSet', ref('apps/v1', 'DaemonSet')],
  ['a kind that may be registered', ref('databases.example.com/v1', 'Shard')],
  ['a second Deployment for the new pods', canary({ enableExtraWorkloadForCanary: true })],
  [
    'metadata for its pods',
    canary({
      enableExtraWorkloadForCanary: true,
      patchPodTemplateMetadata: { labels: { a: 'b' } },
    }),
  ],
  ['a second workload asked for where there cannot be one', extraStatefulSet(...threeSteps)],
  ['blue-green', blueGreen({})],
  ['switches that are off', canary({ enableExtraWorkloadForCanary: false })],
])('accepted: %s', (_, object) => {
  expect(problemsOf(object)).toEqual([])
})

function pauseOf(duration: number): Step {
  return { replicas: 1, pause: { duration } }
}

const noSuchKind =
  'spec.workloadRef: this version of Sluice does not release this kind of workload; ' +
  'it releases: apps/v1 Deployment, apps/v1 StatefulSet, apps/v1 DaemonSet, ' +
  'apps.kruise.io/v1beta1 StatefulSet, apps.kruise.io/v1alpha1 CloneSet, ' +
  'apps.kruise.io/v1alpha1 DaemonSet, and kinds of your own with the fields of a StatefulSet ' +
  'that `extraKinds` of the chart names'
const deploymentInFull = 'spec.workloadRef: write `apiVersion: apps/v1` and `kind: Deployment`'
const noRouting =
  'requests are not moved here: switch that on by `traffic.enabled` of the chart (`--traffic=yes` of webhook and controller)'

test.each<[string, Rollout, string]>([
  ['a Job', ref('batch/v1', 'Job'), noSuchKind],
  ['an old version of Deployment', ref('apps/v1beta1', 'Deployment'), deploymentInFull],
  ['a kind in lower case', ref('apps/v1', 'deployment'), deploymentInFull],
  ['a plural', ref('apps/v1', 'deployments'), deploymentInFull],
  [
    'a kind of a CRD in lower case',
    ref('apps.kruise.io/v1alpha1', 'cloneset'),
    'spec.workloadRef: write `apiVersion: apps.kruise.io/v1alpha1` and `kind: CloneSet`',
  ],
  ['a Deployment of another group', ref('extensions/v1beta1', 'Deployment'), deploymentInFull],
  ['a kind in lower case without its group', ref('v1', 'deployment'), deploymentInFull],
  ['a Pod', ref('v1', 'Pod'), noSuchKind],
  [
    'a share of the requests in blue-green',
    blueGreen({ steps: [{ replicas: '100%', traffic: '0%' }] }),
    `spec.strategy.blueGreen.steps[0].traffic: ${noRouting}, or remove \`traffic\`: ` +
      'the new pods receive their share through the Service',
  ],
  [
    'a router in blue-green',
    blueGreen({ trafficRoutings: [{ service: 'shop', ingress: { name: 'shop' } }] }),
    `spec.strategy.blueGreen.trafficRoutings: ${noRouting}, or remove \`trafficRoutings\``,
  ],
  [
    'metadata for the pods of a second Deployment that is not asked for',
    canary({ patchPodTemplateMetadata: { labels: { a: 'b' } } }),
    'spec.strategy.canary.patchPodTemplateMetadata: only pods of a second Deployment ' +
      '(`enableExtraWorkloadForCanary`) get this metadata; remove `patchPodTemplateMetadata`',
  ],
  [
    'a router',
    canary({ trafficRoutings: [{ service: 'shop', ingress: { name: 'shop' } }] }),
    `spec.strategy.canary.trafficRoutings: ${noRouting}, or remove \`trafficRoutings\``,
  ],
  [
    'a router by reference',
    canary({ trafficRoutingRef: 'shop' }),
    `spec.strategy.canary.trafficRoutingRef: ${noRouting}, or remove it`,
  ],
  [
    'a share of the requests, at its own step',
    steps({ replicas: 1 }, { replicas: 2, traffic: '20%' }),
    `spec.strategy.canary.steps[1].traffic: ${noRouting}, or remove \`traffic\`: ` +
      'the new pods receive their share through the Service',
  ],
  [
    'chosen requests',
    steps({ replicas: 1, matches: [{ headers: [{ name: 'user', value: 'me' }] }] }),
    `spec.strategy.canary.steps[0].matches: ${noRouting}, or remove \`matches\``,
  ],
  [
    'changed headers',
    steps({ replicas: 1, requestHeaderModifier: { remove: ['user'] } }),
    `spec.strategy.canary.steps[0].requestHeaderModifier: ${noRouting}, or ` +
      'remove `requestHeaderModifier`',
  ],
])('not there yet: %s', (_, object, problem) => {
  expect(problemsOf(object)).toEqual([problem])
  expect(formatProblems(unsupported(object))).toBe(problem)
})

/** With that annotation. */
function annotated(object: Rollout, name: string): Rollout {
  const { metadata } = object
  return { ...object, metadata: { ...metadata, annotations: { [TRAFFIC_ROUTING]: name } } }
}

test.each<[string, Rollout, string]>([
  ['by the annotation', annotated(rollout(), 'lane'), ''],
  ['by the field', canary({ trafficRoutingRef: 'lane' }), ''],
  ['by both', annotated(canary({ trafficRoutingRef: 'lane' }), 'lane'), ''],
  [
    'two of them',
    annotated(canary({ trafficRoutingRef: 'lane' }), 'other'),
    `spec.strategy.canary.trafficRoutingRef: the annotation ${TRAFFIC_ROUTING} names other: write one name, or remove one of the two`,
  ],
  [
    'no name',
    annotated(rollout(), 'my lane'),
    `metadata.annotations[${TRAFFIC_ROUTING}]: expected the name of a TrafficRouting, got "my lane"`,
  ],
])('a TrafficRouting is named: %s', (_, object, problem) => {
  expect(formatProblems(unsupported(object, { routes: true }))).toBe(problem)
})

function ref(apiVersion: string, kind: string): Rollout {
  return rollout({ workloadRef: { apiVersion, kind, name: 'shop' } })
}

function extraStatefulSet(...plan: readonly Step[]): Rollout {
  const { spec } = canary({ enableExtraWorkloadForCanary: true, steps: plan })
  return rollout({ ...spec, workloadRef: statefulSet })
}

const half =
  'a step with `traffic` or `matches` leaves half of the pods to the other requests; ' +
  'write 50% or less, or a number of pods'

test.each<[string, Rollout, string]>([
  [
    'a percent that falls',
    steps({ replicas: '80%' }, { replicas: '50%' }),
    'spec.strategy.canary.steps[1].replicas: 50% is less than in the step before; write 80% or more',
  ],
  [
    'a number that falls, at the end',
    steps({ replicas: 1 }, { replicas: 3 }, { replicas: 2 }),
    'spec.strategy.canary.steps[2].replicas: 2 is less than in the step before; write 3 or more',
  ],
  [
    'a number that falls in blue-green',
    blueGreen({ steps: [{ replicas: 3 }, { replicas: 2 }] }),
    'spec.strategy.blueGreen.steps[1].replicas: 2 is less than in the step before; write 3 or more',
  ],
  [
    'routing by share with more than half of the pods new',
    steps({ replicas: '51%', traffic: '10%' }),
    `spec.strategy.canary.steps[0].replicas: ${half}`,
  ],
  [
    'routing by match with all pods new',
    steps({ replicas: 1 }, { replicas: '100%', matches: [{}] }),
    `spec.strategy.canary.steps[1].replicas: ${half}`,
  ],
  [
    'a second workload asked for where there cannot be one counts as replacing pods',
    extraStatefulSet({ replicas: '60%', traffic: '10%' }),
    `spec.strategy.canary.steps[0].replicas: ${half}`,
  ],
  [
    'blue-green of a StatefulSet',
    blueGreen({}, { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'shop' }),
    'spec.strategy.blueGreen: only Deployments can be released so; release StatefulSet by `canary`',
  ],
  [
    'blue-green of a CloneSet',
    blueGreen({}, { apiVersion: 'apps.kruise.io/v1alpha1', kind: 'CloneSet', name: 'shop' }),
    'spec.strategy.blueGreen: a CloneSet cannot keep two sides: Kruise makes a new pod for an old ' +
      'one that is evicted, or none, with nobody of ours alive; write `canary` instead of `blueGreen`',
  ],
])('refused: %s', (_, object, problem) => {
  expect(problemsOf(object)).toContain(problem)
})

test.each<[string, Rollout]>([
  ['half of the pods', steps({ replicas: '50%', traffic: '10%' })],
  ['a number of pods', steps({ replicas: 9, traffic: '10%' })],
  ['no routing', steps({ replicas: '51%' })],
  ['an empty list of matches', steps({ replicas: '51%', matches: [] })],
  [
    'a second Deployment',
    canary({ enableExtraWorkloadForCanary: true, steps: [{ replicas: '99%', traffic: '10%' }] }),
  ],
  ['blue-green', blueGreen({ steps: [{ replicas: '100%', traffic: '0%' }] })],
])('a routed step may have: %s', (_, object) => {
  expect(problemsOf(object).filter(problem => problem.endsWith(half))).toEqual([])
})

const shared = (index: number) => `spec.strategy.canary.steps[${index}].traffic`
const first: Step = { replicas: '20%', traffic: '20%' }
const second: Step = { replicas: '40%' }

test.each<[string, readonly Step[], readonly string[]]>([
  ['a step without a share is changed', [first, { replicas: '50%' }], []],
  ['a step with a share is changed', [{ ...first, replicas: '10%' }, second], []],
  ['a step is put before the one with a share', [{ replicas: '5%' }, first, second], []],
  ['the share moves', [{ replicas: '10%' }, { ...second, traffic: '20%' }], []],
  ['the share is asked for twice', [first, { ...second, traffic: '20%' }], [shared(0), shared(1)]],
  ['the share goes', [{ replicas: '20%' }, { replicas: '50%' }], []],
  ['a share is added', [first, { ...second, traffic: '40%' }], [shared(0), shared(1)]],
  ['a share is changed', [{ ...first, traffic: '10%' }, second], [shared(0)]],
])('in a Rollout that was once written as v1alpha1, %s', (_, plan, fields) => {
  const written = (list: readonly Step[]): Rollout => {
    const { metadata, ...rest } = steps(...list)
    return { ...rest, metadata: { ...metadata, annotations: { [ROLLING_STYLE]: 'partition' } } }
  }
  const told = { others: [], previous: written([first, second]) }
  expect(validateRollout(written(plan), told).map(({ field }) => field)).toEqual(fields)
  expect(validateRollout(written(plan), { ...told, older: true })).toEqual([])
})

test('all problems are told at once, in one line', () => {
  const object = steps({ replicas: 3, traffic: '10%' }, { replicas: 2, matches: [{}] })
  expect(formatProblems(validateRollout(object, { others: [] }))).toBe(
    `spec.strategy.canary.steps[0].traffic: ${noRouting}, or remove \`traffic\`: ` +
      'the new pods receive their share through the Service; ' +
      `spec.strategy.canary.steps[1].matches: ${noRouting}, or remove \`matches\`; ` +
      'spec.strategy.canary.steps[1].replicas: 2 is less than in the step before; write 3 or more',
  )
})

const taken =
  'spec.workloadRef: Rollout shops/first releases Deployment shop already; ' +
  'change that one, or delete it first'

test.each<[string, Rollout, readonly string[]]>([
  ['another one of the same workload', rollout({}, 'first'), [taken]],
  ['a disabled one', rollout({ disabled: true }, 'first'), [taken]],
  [
    'one that names another version of the kind',
    rollout({ workloadRef: { ...deployment, apiVersion: 'apps/v1beta2' } }, 'first'),
    [taken],
  ],
  ['one in another namespace', rollout({}, 'first', 'elsewhere'), []],
  ['one of another workload', rollout({ workloadRef: { ...deployment, name: 'x' } }, 'first'), []],
  ['one of another kind', { ...ref('apps/v1', 'StatefulSet'), ...named('first') }, []],
  ['one of another group', { ...ref('example.com/v1', 'Deployment'), ...named('first') }, []],
  ['itself', rollout(), []],
])('beside it there is %s', (_, other, problems) => {
  expect(problemsOf(rollout(), undefined, [other])).toEqual(problems)
})

function named(name: string): Pick<Rollout, 'metadata'> {
  return { metadata: { name, namespace: 'shops' } }
}

const until =
  'until the release has ended; the old template, put back, ends it and takes all pods back, `spec.disabled: true` ends it and lets all go at once'
const oldRouting = [{ service: 'shop', gateway: { httpRouteName: 'shop' } }]

test.each<[string, Rollout, Partial<Strategy> | WorkloadRef, string]>([
  [
    'the workload',
    rollout(),
    { ...deployment, name: 'other' },
    `spec.workloadRef: keep apps/v1 Deployment shop ${until}`,
  ],
  [
    'the number of steps',
    rollout(),
    { canary: { steps: [...threeSteps, { replicas: '100%' }] } },
    `spec.strategy.canary.steps: keep the number of steps (3, not 4) ${until}`,
  ],
  [
    'routers',
    canary({ trafficRoutings: oldRouting }),
    { canary: { steps: threeSteps } },
    `spec.strategy.canary.trafficRoutings: keep it as it was ${until}`,
  ],
  [
    'how many Services there are',
    canary({ disableGenerateCanaryService: true }),
    { canary: { steps: threeSteps } },
    `spec.strategy.canary.disableGenerateCanaryService: keep true ${until}`,
  ],
  [
    'the place of the new pods',
    rollout(),
    { canary: { steps: threeSteps, enableExtraWorkloadForCanary: true } },
    `spec.strategy.canary.enableExtraWorkloadForCanary: keep false ${until}`,
  ],
  [
    'the way of releasing',
    blueGreen({}),
    { blueGreen: undefined, canary: { steps: threeSteps } } as unknown as Strategy,
    `spec.strategy: keep \`blueGreen\` ${until}`,
  ],
  [
    'the number of steps of blue-green',
    blueGreen({}),
    { blueGreen: { steps: [] } },
    `spec.strategy.blueGreen.steps: keep the number of steps (3, not 0) ${until}`,
  ],
])('while a release runs, nobody may change %s', (_, before, change, problem) => {
  const after = edit(before, change)
  expect(problemsOf(after, inPhase('Progressing', before))).toContain(problem)

  const deleted = problem.replace(
    until,
    'since the Rollout is being deleted; write the change into a new one',
  )
  expect(problemsOf(after, inPhase('Terminating', before))).toContain(deleted)

  for (const phase of ['Initial', 'Healthy', 'Disabling', 'Disabled'] as const) {
    expect(problemsOf(after, inPhase(phase, before)), phase).not.toContain(problem)
  }
  expect(problemsOf(after, before), 'before the first status').not.toContain(problem)
})

test.each<[string, CanaryStrategy]>([
  ['how many pods a step has', { steps: [{ replicas: 2 }, { replicas: 3 }, { replicas: 4 }] }],
  ['pauses', { steps: threeSteps.map(step => ({ ...step, pause: { duration: 5 } })) }],
  ['the failure threshold', { steps: threeSteps, failureThreshold: 1 }],
  ['nothing but an empty list of routers', { steps: threeSteps, trafficRoutings: [] }],
])('while a release runs, one may change %s', (_, plan) => {
  const before = inPhase('Progressing')
  expect(problemsOf(edit(before, { canary: plan }), before)).toEqual([])
})

test.each<[string, (invalid: Rollout) => Rollout]>([
  ['a label', it => ({ ...it, metadata: { ...it.metadata, labels: { team: 'a' } } })],
  ['its status', it => inPhase('Healthy', it)],
  ['`disabled`', it => ({ ...it, spec: { ...it.spec, disabled: true } })],
  ['`paused`', it => edit(it, { paused: true })],
  ['the order of keys', it => JSON.parse(JSON.stringify({ ...it, spec: reversed(it.spec) }))],
])('a Rollout that was invalid before can still change %s', (_, change) => {
  const invalid = inPhase('Progressing', blueGreen({ trafficRoutingRef: 'shop' }))
  const others = [rollout({}, 'first')]
  expect(problemsOf(change(invalid), invalid, others)).toEqual([])
  expect(problemsOf(edit(change(invalid), { canary: {} }), invalid, others)).not.toEqual([])
})

function reversed(spec: RolloutSpec): unknown {
  return Object.fromEntries(Object.entries(spec).toReversed())
}

/** What is wrong where requests are moved. */
function problemsOfRouted(object: Rollout): string {
  return formatProblems(validateRollout(object, { others: [], routes: true }))
}

test('where requests are moved, routes are followed for every kind, and nothing else', () => {
  const trafficRoutings = [{ service: 'shop', gateway: { httpRouteName: 'shop' } }]
  const step = { replicas: '20%', traffic: '20%' }
  const headers = [{ name: 'user', value: 'tester' }]
  const matching = { replicas: '50%', matches: [{ headers }], requestHeaderModifier: {} }
  const routed = { trafficRoutings, steps: [step, matching] }
  expect(problemsOfRouted(canary(routed))).toBe('')
  expect(problemsOfRouted(blueGreen(routed))).toBe('')
  const ingress = { name: 'shop' }
  const alone = { ...routed, trafficRoutings: [{ service: 'shop', ingress }] }
  const both = { ...routed, trafficRoutings: [{ ...trafficRoutings[0]!, ingress }] }
  for (const each of [alone, both]) expect(problemsOfRouted(canary(each))).toBe('')

  const customNetworkRefs = [{ apiVersion: 'example.com/v1', kind: 'Mesh', name: 'shop' }]
  const other = { ...routed, trafficRoutings: [{ service: 'shop', customNetworkRefs }] }
  // It may be registered, now or later.
  expect(problemsOfRouted(canary(other))).toBe('')
  const stateful = { ...canary(routed).spec, workloadRef: statefulSet }
  expect(problemsOfRouted(rollout(stateful))).toBe('')
  expect(problemsOfRouted(steps(step))).toContain(
    'steps[0].traffic: nothing says what sends the requests: add `trafficRoutings`, or remove `traffic`: ',
  )
  expect(problemsOf(canary(routed)).join()).toContain('trafficRoutings: ')
})

test('one Service for both versions is followed, but for a router that needs two', () => {
  const one = { disableGenerateCanaryService: true, steps: [{ replicas: 1, traffic: '20%' }] }
  const of = (more: object) => ({ ...one, trafficRoutings: [{ service: 'shop', ...more }] })
  const customNetworkRefs = [{ apiVersion: 'example.com/v1', kind: 'Mesh', name: 'shop' }]
  for (const more of [{ ingress: { name: 'shop' } }, { customNetworkRefs }]) {
    expect(problemsOfRouted(canary(of(more)))).toBe('')
    expect(problemsOfRouted(blueGreen(of(more)))).toBe('')
  }
  const gateway = { httpRouteName: 'shop' }
  const why =
    'a route of the Gateway API tells new pods by a Service of their own, and this asks for none; remove it, or the route from `trafficRoutings`'
  const grpc = { customNetworkRefs: [grpcRoute] }
  for (const more of [{ gateway }, { gateway, customNetworkRefs }, grpc]) {
    expect(problemsOfRouted(canary(of(more)))).toBe(
      `spec.strategy.canary.disableGenerateCanaryService: ${why}`,
    )
    expect(problemsOfRouted(blueGreen(of(more)))).toBe(
      `spec.strategy.blueGreen.disableGenerateCanaryService: ${why}`,
    )
  }
  const two = { ...of({ gateway }), disableGenerateCanaryService: false }
  expect(problemsOfRouted(canary(two))).toBe('')
})

const grpcRoute = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GRPCRoute',
  name: 'shop',
}

test('matches that a GRPCRoute does not know are refused, those on headers are not', () => {
  const headers = [{ name: 'user', value: 'tester' }]
  const path = { type: 'Exact', value: '/new' } as const
  const routed = [{ service: 'shop', customNetworkRefs: [grpcRoute] }]
  const asking = (...matches: readonly object[]) =>
    problemsOfRouted(canary({ trafficRoutings: routed, steps: [{ replicas: 1, matches }] }))
  expect(asking({ headers })).toBe('')
  const why =
    'a GRPCRoute matches by headers alone: remove `path` and `queryParams`, or the GRPCRoute from `trafficRoutings`'
  for (const more of [{ path }, { queryParams: headers }, { headers, path }]) {
    expect(asking({ headers }, more)).toBe(`spec.strategy.canary.steps[0].matches: ${why}`)
  }
  const http = [{ service: 'shop', gateway: { httpRouteName: 'shop' } }]
  const matches = [{ path }]
  expect(
    problemsOfRouted(canary({ trafficRoutings: http, steps: [{ replicas: 1, matches }] })),
  ).toBe('')
})

const virtualService = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  name: 'shop',
}
const ingressRef = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' }
const destinationRule = {
  ...virtualService,
  apiVersion: 'networking.istio.io/v1beta1',
  kind: 'DestinationRule',
}

test.each<[string, readonly object[], string]>([
  [
    'nothing that sends the requests',
    [{ service: 'shop', customNetworkRefs: [] }],
    '[0]: name what sends the requests: add `ingress`, `gateway` or `customNetworkRefs`',
  ],
  [
    'a gateway without a route',
    [{ service: 'shop', gateway: {} }],
    '[0].gateway: write the name of the HTTPRoute in `httpRouteName`',
  ],
  [
    'what splits nothing by itself',
    [{ service: 'shop', customNetworkRefs: [destinationRule] }],
    '[0]: a DestinationRule alone splits nothing: add the VirtualService that sends the requests to `customNetworkRefs`',
  ],
  [
    'two items',
    ['shop', 'api'].map(service => ({ service, ingress: { name: service } })),
    ': write one item: several routers can stand side by side in it, as `ingress`, `gateway` and `customNetworkRefs`',
  ],
  [
    'an Ingress among objects of other routers',
    [{ service: 'shop', customNetworkRefs: [virtualService, ingressRef] }],
    '[0].customNetworkRefs[1]: requests are not moved by it here: name an Ingress in `ingress`, an HTTPRoute in `gateway.httpRouteName`, and here a GRPCRoute or the object of another router',
  ],
])('where a CRD that is not ours lets it through, %s is refused by name', (_, items, line) => {
  const trafficRoutings = items as NonNullable<Parameters<typeof canary>[0]['trafficRoutings']>
  const problems = problemsOfRouted(canary({ trafficRoutings }))
  expect(problems).toContain(`spec.strategy.canary.trafficRoutings${line}`)
  expect(problems.split('; spec.')).toHaveLength(1)
})

describe('what is made beside a Service and an Ingress has a name', () => {
  const steps = [{ replicas: 1, traffic: '20%' }]
  const long = { service: 's'.repeat(57), ingress: { name: 'i'.repeat(247) } }
  const routing = 'spec.strategy.canary.trafficRoutings[0]'
  const ofService = `${routing}.service: the Service made beside it is called so with \`-canary\` after it, and a name has 63 characters at most: rename the Service`
  const ofIngress = `${routing}.ingress.name: the Ingress made beside it is called so with \`-canary\` after it, and a name has 253 characters at most: rename the Ingress`

  test('that there is room for', () => {
    expect(problemsOfRouted(canary({ steps, trafficRoutings: [long] }))).toBe(
      `${ofService}; ${ofIngress}`,
    )
    const longest = { service: 's'.repeat(56), ingress: { name: 'i'.repeat(246) } }
    expect(problemsOfRouted(canary({ steps, trafficRoutings: [longest] }))).toBe('')
  })

  test('where one is made', () => {
    const asked = { trafficRoutings: [long], disableGenerateCanaryService: true }
    expect(problemsOfRouted(canary({ ...asked, steps }))).toBe(ofIngress)
    const nothing = [{ replicas: 1 }]
    expect(problemsOfRouted(canary({ trafficRoutings: [long], steps: nothing }))).toBe('')
  })

  test('and keeps none from being followed that is stored', () => {
    expect(unsupported(canary({ steps, trafficRoutings: [long] }), { routes: true })).toEqual([])
  })
})

test('a DestinationRule beside what sends the requests is followed', () => {
  const customNetworkRefs = [destinationRule, virtualService]
  expect(
    problemsOfRouted(canary({ trafficRoutings: [{ service: 'shop', customNetworkRefs }] })),
  ).toBe('')
  const ingress = { name: 'shop' }
  const both = { service: 'shop', ingress, customNetworkRefs: [destinationRule] }
  expect(problemsOfRouted(canary({ trafficRoutings: [both] }))).toBe('')
})

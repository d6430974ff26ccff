// Both versions of a Rollout: what each field becomes, what survives the way there and back, and what is
// said of an object that cannot be converted.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { API_VERSION, OLDER_API_VERSION, ROLLING_STYLE, TRAFFIC_ROUTING } from '#api/names.ts'
import type { Rollout, RolloutV1alpha1 } from '#api/rollout.generated.ts'
import { convertRollout } from './rollout.ts'

type Json = Record<string, unknown>

function converted(object: object, wanted: string): object {
  const conversion = convertRollout(object, wanted)
  if ('problems' in conversion) throw new Error(JSON.stringify(conversion.problems))
  return conversion.object
}

const newer = (object: object) => converted(object, API_VERSION) as Rollout
const older = (object: object) => converted(object, OLDER_API_VERSION) as RolloutV1alpha1

const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '7' }

function ofOlder(spec: Json, annotations?: Json): Json {
  return {
    apiVersion: OLDER_API_VERSION,
    kind: 'Rollout',
    metadata: { ...metadata, ...(annotations && { annotations }) },
    spec: { objectRef: { workloadRef }, ...spec },
  }
}

function ofNewer(strategy: Json): Json {
  const spec = { workloadRef, strategy }
  return { apiVersion: API_VERSION, kind: 'Rollout', metadata, spec }
}

describe('to v1beta1', () => {
  test('what the two call differently, and what is left as it is', () => {
    const annotations = { [ROLLING_STYLE]: 'Partition', [TRAFFIC_ROUTING]: 'shop' }
    const steps = [
      { weight: 5, replicas: 1, pause: {} },
      { weight: 20, matches: [{ headers: [{ name: 'a', value: 'b' }] }] },
      { replicas: '100%', requestHeaderModifier: { remove: ['a'] } },
    ]
    const more = {
      failureThreshold: '10%',
      trafficRoutings: [{ service: 'web', gracePeriodSeconds: 0, ingress: { name: 'web' } }],
      patchPodTemplateMetadata: { labels: { a: 'b' } },
      disableGenerateCanaryService: true,
    }
    const strategy = { paused: true, canary: { steps, ...more } }
    const object = ofOlder({ disabled: true, rolloutID: 'r', strategy }, annotations)
    expect(newer(object)).toEqual({
      apiVersion: API_VERSION,
      kind: 'Rollout',
      metadata: { ...metadata, annotations },
      spec: {
        workloadRef,
        disabled: true,
        strategy: {
          paused: true,
          canary: {
            steps: [
              { traffic: '5%', replicas: 1, pause: {} },
              { traffic: '20%', replicas: '20%', matches: steps[1]!.matches },
              steps[2],
            ],
            ...more,
            trafficRoutingRef: 'shop',
          },
        },
      },
    })
  })

  test.each([
    [undefined, true],
    [{}, true],
    [{ [ROLLING_STYLE]: '' }, true],
    [{ [ROLLING_STYLE]: 'canary' }, true],
    [{ [ROLLING_STYLE]: 'bluegreen' }, true],
    [{ [ROLLING_STYLE]: 'partition' }, undefined],
    [{ [ROLLING_STYLE]: 'PARTITION' }, undefined],
  ])('annotations %j: a second Deployment is %s', (annotations, extra) => {
    const { spec } = newer(ofOlder({ strategy: { canary: { steps: [] } } }, annotations))
    expect(spec.strategy.canary!.enableExtraWorkloadForCanary).toBe(extra)
  })

  test('what kubectl shows is there, whatever the status says', () => {
    const object = ofOlder({ strategy: { canary: {} } })
    const canaryStatus = { currentStepIndex: 2, currentStepState: 'StepReady' }
    const rows: readonly [Json, unknown][] = [
      [{}, [0, '']],
      [{ canaryStatus }, [2, 'StepReady']],
      [{ blueGreenStatus: canaryStatus }, [2, 'StepReady']],
    ]
    for (const [status, shown] of rows) {
      const { currentStepIndex, currentStepState, ...rest } = newer({ ...object, status }).status!
      expect([currentStepIndex, currentStepState]).toEqual(shown)
      expect(rest).toEqual(status)
    }
    expect(newer(object)).not.toHaveProperty('status')
  })
})

describe('to v1alpha1', () => {
  test.each([
    [undefined, undefined],
    ['20%', 20],
    ['020%', 20],
    ['0%', 0],
    ['twenty', 0],
  ])('traffic %s is weight %s', (traffic, weight) => {
    const step = { replicas: 1, ...(traffic !== undefined && { traffic }) }
    const { spec } = older(ofNewer({ canary: { steps: [step] } }))
    expect(spec.strategy.canary!.steps![0]).toEqual({
      replicas: 1,
      ...(weight !== undefined && { weight }),
    })
  })

  test.each([
    [{}, { [ROLLING_STYLE]: 'partition' }],
    [{ enableExtraWorkloadForCanary: true }, { [ROLLING_STYLE]: 'canary' }],
    [{ trafficRoutingRef: 'a' }, { [ROLLING_STYLE]: 'partition', [TRAFFIC_ROUTING]: 'a' }],
  ])('%j is told by annotations', (canary, annotations) => {
    const object = older(ofNewer({ canary }))
    expect(object.metadata.annotations).toEqual(annotations)
    expect(object.spec.strategy.canary).toEqual({})
  })

  test('blue-green stays what it is', () => {
    const strategy = { blueGreen: { steps: [{ replicas: '100%', traffic: '0%' }] } }
    const object = older(ofNewer(strategy))
    expect(object.spec).toEqual({ objectRef: { workloadRef }, strategy })
    expect(object.metadata).toEqual(metadata)
    expect(newer(object)).toEqual(ofNewer(strategy))
  })
})

test('the version that it has already', () => {
  const object = ofOlder({ strategy: 'anything' })
  expect(convertRollout(object, OLDER_API_VERSION)).toEqual({ object })
})

const percent = fc.integer({ min: 1, max: 100 })
const percentText = percent.map(n => `${n}%`)
const amount = fc.oneof(fc.integer({ min: 1, max: 20 }), percentText)
const word = fc.stringMatching(/^[a-z]{1,5}$/)
const header = fc.record({ name: word, value: word })
const optional = <T extends Json>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] })

const matches = fc.array(
  optional({
    path: fc.record({ value: word, type: fc.constant('Exact') }),
    headers: fc.array(header, { maxLength: 2 }),
    queryParams: fc.array(header, { maxLength: 2 }),
  }),
  { maxLength: 2 },
)
const shared = {
  matches,
  requestHeaderModifier: optional({ set: fc.array(header, { maxLength: 2 }) }),
  pause: optional({ duration: fc.integer() }),
}
const strategyFields = {
  failureThreshold: amount,
  trafficRoutings: fc.array(fc.record({ service: word }), { maxLength: 1 }),
  patchPodTemplateMetadata: optional({ labels: fc.dictionary(word, word, { maxKeys: 2 }) }),
  disableGenerateCanaryService: fc.boolean(),
}
const canaryStatus = optional({
  currentStepIndex: fc.nat(5),
  currentStepState: fc.constantFrom('', 'StepPaused', 'StepReady'),
  nextStepIndex: fc.integer({ min: -1, max: 5 }),
  observedRelease: word,
  canaryReplicas: fc.nat(9),
})
const status = optional({
  observedGeneration: fc.nat(),
  phase: fc.constantFrom('Healthy', 'Progressing'),
  message: word,
  conditions: fc.array(fc.record({ type: word, status: word, reason: word, message: word })),
  canaryStatus,
})
const style = fc.constantFrom(undefined, '', 'partition', 'Partition', 'canary', 'Canary', 'x')
const keys = fc
  .record({ [ROLLING_STYLE]: style, [TRAFFIC_ROUTING]: fc.option(word, { nil: undefined }) })
  .map(found => JSON.parse(JSON.stringify(found)) as Json)
const object = (apiVersion: string, spec: fc.Arbitrary<Json>, annotations: fc.Arbitrary<Json>) =>
  fc.record(
    {
      apiVersion: fc.constant(apiVersion),
      kind: fc.constant('Rollout'),
      metadata: annotations.map(found => ({ ...metadata, annotations: found })),
      spec,
      status,
    },
    { requiredKeys: ['apiVersion', 'kind', 'metadata', 'spec'] },
  )

const olderObject = object(
  OLDER_API_VERSION,
  fc
    .record({
      more: optional({ disabled: fc.boolean(), rolloutID: word }),
      paused: optional({ paused: fc.boolean() }),
      canary: optional({
        ...strategyFields,
        steps: fc.array(optional({ ...shared, weight: percent, replicas: amount }), {
          maxLength: 4,
        }),
      }),
    })
    .map(({ more, paused, canary }) => ({
      objectRef: { workloadRef },
      ...more,
      strategy: { ...paused, canary },
    })),
  keys,
)

const newerObject = object(
  API_VERSION,
  fc
    .record({
      more: optional({ disabled: fc.boolean() }),
      canary: optional({
        ...strategyFields,
        steps: fc.array(
          fc
            .tuple(fc.record({ replicas: amount }), optional({ ...shared, traffic: percentText }))
            .map(([replicas, step]) => ({ ...step, ...replicas })),
          { maxLength: 4 },
        ),
        enableExtraWorkloadForCanary: fc.boolean(),
        trafficRoutingRef: fc.oneof(word, fc.constant('')),
      }),
    })
    .map(({ more, canary }) => ({ workloadRef, ...more, strategy: { canary } })),
  keys,
)

describe('there and back', () => {
  test('from v1alpha1 nothing is lost but spec.rolloutID, and what was meant is said', () => {
    fc.assert(
      fc.property(olderObject, there => {
        const {
          spec,
          metadata: meta,
          status: told,
        } = structuredClone<object>(there) as RolloutV1alpha1
        const { rolloutID: _, ...kept } = spec
        const steps = spec.strategy.canary!.steps?.map(step =>
          step.replicas === undefined && step.weight !== undefined
            ? { ...step, replicas: `${step.weight}%` }
            : step,
        )
        const word = meta.annotations?.[ROLLING_STYLE]
        const meant = ['partition', 'canary'].includes(word?.toLowerCase() ?? '') ? word : 'canary'
        const back = older(newer(there))
        expect(back).toEqual({
          ...there,
          metadata: { ...meta, annotations: { ...meta.annotations, [ROLLING_STYLE]: meant } },
          spec: {
            ...kept,
            strategy: {
              ...spec.strategy,
              canary: { ...spec.strategy.canary, ...(steps && { steps }) },
            },
          },
          ...(told && { status: told }),
        })
        expect(older(newer(back))).toEqual(back)
      }),
    )
  })

  test('from v1beta1 nothing is lost', () => {
    fc.assert(
      fc.property(newerObject, there => {
        const { spec, metadata: meta, status: told } = structuredClone<object>(there) as Rollout
        const {
          enableExtraWorkloadForCanary: extra,
          trafficRoutingRef,
          ...canary
        } = spec.strategy.canary!
        const back = newer(older(there))
        const reference = trafficRoutingRef || meta.annotations![TRAFFIC_ROUTING]
        expect(back.spec).toEqual({
          ...spec,
          strategy: {
            canary: {
              ...canary,
              ...(extra && { enableExtraWorkloadForCanary: true }),
              ...(reference && { trafficRoutingRef: reference }),
            },
          },
        })
        const { currentStepIndex = 0, currentStepState = '' } = { ...told?.canaryStatus }
        expect(back.status).toEqual(told && { ...told, currentStepIndex, currentStepState })
        expect({ ...back.metadata, annotations: {} }).toEqual({ ...meta, annotations: {} })
        expect(newer(older(back))).toEqual(back)
      }),
    )
  })
})

test('whatever comes is converted, or refused with a line: nothing is thrown', () => {
  const anything = fc.oneof(fc.jsonValue(), fc.record({ steps: fc.array(fc.jsonValue()) }))
  const spec = optional({
    objectRef: fc.oneof(fc.jsonValue(), fc.constant({ workloadRef })),
    workloadRef: fc.jsonValue(),
    strategy: fc.oneof(fc.jsonValue(), fc.record({ canary: anything })),
  })
  const status_ = fc.oneof(fc.jsonValue(), optional({ canaryStatus: fc.jsonValue() }))
  const annotations = fc.oneof(fc.jsonValue(), fc.record({ [ROLLING_STYLE]: fc.jsonValue() }))
  const there = optional({ spec, status: status_, metadata: optional({ annotations }) })
  const versions = fc.constantFrom(API_VERSION, OLDER_API_VERSION, 'v1')
  fc.assert(
    fc.property(there, versions, versions, (found, apiVersion, wanted) => {
      const conversion = convertRollout({ apiVersion, kind: 'Rollout', ...found }, wanted)
      if ('object' in conversion) expect(conversion.object).toMatchObject({ apiVersion: wanted })
      else expect(conversion.problems).not.toEqual([])
    }),
    { numRuns: 2000 },
  )
})

const steps = 'spec.strategy.canary.steps'
const good = ofOlder({ strategy: { canary: { steps: [{ weight: 5 }] } } })
const withSpec = (spec: Json) => ({ ...good, spec: { ...(good['spec'] as Json), ...spec } })
const withSteps = (list: unknown) => withSpec({ strategy: { canary: { steps: list } } })

test.each<[string, object, string]>([
  ['another kind', { ...good, kind: 'BatchRelease' }, 'kind: expected Rollout, got "BatchRelease"'],
  [
    'another version',
    { ...good, apiVersion: 'rollouts.kruise.io/v2' },
    `apiVersion: expected ${API_VERSION} or ${OLDER_API_VERSION}, got "rollouts.kruise.io/v2"`,
  ],
  ['no spec', { ...good, spec: null }, 'spec: missing, expected an object'],
  ['no reference', withSpec({ objectRef: null }), 'spec.objectRef: missing, expected an object'],
  [
    'no workload',
    withSpec({ objectRef: {} }),
    'spec.objectRef.workloadRef: missing, expected an object',
  ],
  ['no list of steps', withSteps({}), `${steps}: expected a list, got {}`],
  ['a step that is null', withSteps([{}, null]), `${steps}[1]: expected an object, got null`],
  [
    'two weights that are texts',
    withSteps([{ weight: '5%' }, { weight: 5 }, { weight: 'x' }]),
    `${steps}[0].weight: expected a whole number, got "5%"; ` +
      `${steps}[2].weight: expected a whole number, got "x"`,
  ],
  ['a status that is a text', { ...good, status: 'x' }, 'status: expected an object, got "x"'],
])('%s is refused by its field', (_, object_, message) => {
  const conversion = convertRollout(object_, API_VERSION)
  if ('object' in conversion) throw new Error('converted')
  expect(conversion.problems.map(({ field, message: m }) => `${field}: ${m}`).join('; ')).toBe(
    message,
  )
})

test('a share that is no text is refused by its field', () => {
  expect(
    convertRollout(ofNewer({ canary: { steps: [{ traffic: 5 }] } }), OLDER_API_VERSION),
  ).toEqual({ problems: [{ field: `${steps}[0].traffic`, message: 'expected a text, got 5' }] })
})

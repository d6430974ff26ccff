// What a Rollout asks for that means nothing is told by its field, and once.

import { expect, test } from 'vitest'

import { ROLLBACK_IN_BATCH, ROLLING_STYLE, TRAFFIC_ROUTING } from '#api/names.ts'
import type { Rollout, RolloutSpec } from '#api/rollout.generated.ts'
import { unheardWarnings } from './rollout-warnings.ts'

function rollout(kind: string, strategy: RolloutSpec['strategy'], annotations = {}): Rollout {
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { namespace: 'shop', name: 'web', annotations },
    spec: { workloadRef: { apiVersion: 'apps/v1', kind, name: 'web' }, strategy },
  }
}

const steps = [{ replicas: 1, pause: { duration: 5 } }]
const below = [...steps, { replicas: 2, pause: { duration: -5 } }]
const beside = { steps, enableExtraWorkloadForCanary: true }
const oneService = (routing?: object) => ({
  steps,
  disableGenerateCanaryService: true,
  ...(routing && { trafficRoutings: [{ service: 'web', ...routing }] }),
})
const istio = (...kinds: readonly string[]) =>
  oneService({
    customNetworkRefs: kinds.map(kind => {
      return { apiVersion: 'networking.istio.io/v1beta1', kind, name: 'web' }
    }),
  })
const labelled = {
  enableExtraWorkloadForCanary: true,
  patchPodTemplateMetadata: { labels: { 'istio.service.tag': 'gray' } },
}
const meshed = { customNetworkRefs: [{ apiVersion: 'a/v1', kind: 'Mesh', name: 'web' }] }
const older = { [ROLLING_STYLE]: 'canary' }

test.each<[string, Rollout, string | undefined]>([
  [
    'a pause below 0',
    rollout('Deployment', { canary: { steps: below } }),
    'canary.steps[1].pause.duration',
  ],
  [
    'one of blue-green',
    rollout('Deployment', { blueGreen: { steps: below } }),
    'blueGreen.steps[1].pause.duration',
  ],
  [
    'a second DaemonSet',
    rollout('DaemonSet', { canary: beside }),
    'canary.enableExtraWorkloadForCanary',
  ],
  [
    'a second StatefulSet',
    rollout('StatefulSet', { canary: beside }),
    'canary.enableExtraWorkloadForCanary',
  ],
  [
    'one Service, and no requests are routed',
    rollout('Deployment', { canary: oneService() }),
    'canary.disableGenerateCanaryService',
  ],
  [
    'one Service, and an Ingress that needs two',
    rollout('Deployment', { blueGreen: oneService({ ingress: { name: 'web' } }) }),
    'blueGreen.disableGenerateCanaryService',
  ],
  [
    'one Service, and an Ingress of a class that tells pods apart',
    rollout('Deployment', { canary: oneService({ ingress: { name: 'web', classType: 'mse' } }) }),
    undefined,
  ],
  ['one Service, and a mesh', rollout('Deployment', { canary: oneService(meshed) }), undefined],
  [
    'one Service, and a subset that nobody makes',
    rollout('Deployment', { blueGreen: istio('VirtualService') }),
    'blueGreen.disableGenerateCanaryService',
  ],
  [
    'one Service, and a subset that no pod is in',
    rollout('Deployment', { canary: istio('VirtualService', 'DestinationRule') }),
    'canary.disableGenerateCanaryService',
  ],
  [
    'one Service, and a label that no second Deployment has',
    rollout(
      'DaemonSet',
      {
        canary: { ...istio('DestinationRule', 'VirtualService'), ...labelled },
      },
      older,
    ),
    'canary.disableGenerateCanaryService',
  ],
  [
    'one Service, and a subset of the pods of a second Deployment',
    rollout('Deployment', {
      canary: { ...istio('DestinationRule', 'VirtualService'), ...labelled },
    }),
    undefined,
  ],
  [
    'two Services need no subset',
    rollout('Deployment', {
      canary: { ...istio('VirtualService'), disableGenerateCanaryService: false },
    }),
    undefined,
  ],
  ['a second Deployment', rollout('Deployment', { canary: beside }), undefined],
  [
    'what the older version asks for where it says nothing',
    rollout('DaemonSet', { canary: beside }, older),
    undefined,
  ],
])('%s', (_, object, field) => {
  const lines = unheardWarnings(object)
  expect(lines).toEqual(
    field === undefined ? [] : [expect.stringContaining(`spec.strategy.${field} `)],
  )
  expect(unheardWarnings(object, object)).toEqual([])
})

const inSteps = { [ROLLBACK_IN_BATCH]: 'true' }

test.each<[string, object, object]>([
  ['the steps', { steps, trafficRoutings: [{ service: 'web', ...meshed }] }, {}],
  ['a TrafficRouting', { steps }, { [TRAFFIC_ROUTING]: 'lane' }],
])('a rollback in steps means nothing where %s moves requests', (_, canary, named) => {
  const strategy = { canary } as RolloutSpec['strategy']
  expect(unheardWarnings(rollout('StatefulSet', { canary: { steps } }, inSteps))).toEqual([])
  expect(unheardWarnings(rollout('StatefulSet', strategy, { ...inSteps, ...named }))).toEqual([
    `${ROLLBACK_IN_BATCH} says nothing where requests are routed: a rollback goes back at once`,
  ])
})

// What somebody who writes the older version is told.

import { expect, test } from 'vitest'

import { API_VERSION, OLDER_API_VERSION, ROLLING_STYLE, TRAFFIC_ROUTING } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { validateRollout } from '../admission/validation.ts'
import { formatProblems } from '../problem.ts'
import { rolloutOf } from '../rollout/parse.ts'
import { convertRollout } from './rollout.ts'
import { inOlderWords, unknownStyle } from './words.ts'

type Json = Record<string, unknown>
const partition = { [ROLLING_STYLE]: 'partition' }

function rollout(canary: Json, annotations: Json = partition, kind = 'Deployment'): Rollout {
  const object = {
    apiVersion: OLDER_API_VERSION,
    kind: 'Rollout',
    metadata: { name: 'web', namespace: 'shop', annotations },
    spec: {
      objectRef: { workloadRef: { apiVersion: 'apps/v1', kind, name: 'web' } },
      strategy: { canary },
    },
  }
  const conversion = convertRollout(object, API_VERSION)
  if ('problems' in conversion) throw new Error(formatProblems(conversion.problems))
  return conversion.object as Rollout
}

function told(object: Rollout, previous?: Rollout): string {
  const problems = validateRollout(object, {
    others: [],
    older: true,
    ...(previous && { previous }),
  })
  return formatProblems([...unknownStyle(object), ...inOlderWords(problems)])
}

const steps = [{ weight: 20 }, { weight: 100 }]
const route = { service: 'web', ingress: { name: 'web' } }

test('weights with nothing to route by say how many pods are new, and are followed', () => {
  const object = rollout({ steps })
  expect(told(object)).toBe('')
  const { refused, steps: followed } = rolloutOf(object)
  expect([refused, followed]).toEqual([undefined, [{ replicas: '20%' }, { replicas: '100%' }]])
})

test('without a style the new pods run in a second Deployment', () => {
  const object = rollout({ steps }, {})
  const { refused, style } = rolloutOf(object)
  expect([told(object), refused, style]).toEqual(['', undefined, 'canary'])
})

test('a StatefulSet needs no style: there cannot be a second one', () => {
  const object = rollout({ steps }, {}, 'StatefulSet')
  expect([told(object), rolloutOf(object).refused]).toEqual(['', undefined])
})

test.each<[string, Rollout, string]>([
  [
    'a style that is not known',
    rollout({ steps }, { [ROLLING_STYLE]: 'partitoin' }),
    `metadata.annotations[${ROLLING_STYLE}]: expected partition or canary, got "partitoin"`,
  ],
  [
    'a route',
    rollout({ steps: [{ weight: 20 }], trafficRoutings: [route] }),
    'spec.strategy.canary.trafficRoutings: requests are not moved here: switch that on by ' +
      '`traffic.enabled` of the chart (`--traffic=yes` of webhook and controller), ' +
      'or remove `trafficRoutings`',
  ],
  [
    'a TrafficRouting',
    rollout({ steps: [{ weight: 20 }] }, { ...partition, [TRAFFIC_ROUTING]: 'a' }),
    `metadata.annotations[${TRAFFIC_ROUTING}]: requests are not moved here: switch that on by ` +
      '`traffic.enabled` of the chart (`--traffic=yes` of webhook and controller), or remove it',
  ],
  [
    'another kind',
    rollout({ steps }, partition, 'Job'),
    'spec.objectRef.workloadRef: this version of Sluice does not release this kind of workload; ' +
      'it releases: apps/v1 Deployment, apps/v1 StatefulSet, apps/v1 DaemonSet, ' +
      'apps.kruise.io/v1beta1 StatefulSet, apps.kruise.io/v1alpha1 CloneSet, ' +
      'apps.kruise.io/v1alpha1 DaemonSet, and kinds of your own with the fields of a StatefulSet ' +
      'that `extraKinds` of the chart names',
  ],
  [
    'weights that decrease',
    rollout({ steps: [{ weight: 20 }, { weight: 10 }] }),
    'spec.strategy.canary.steps[1].replicas: 10% is less than in the step before; ' +
      'write 20% or more',
  ],
])('%s is told by the fields that were written', (_, object, message) => {
  expect(told(object)).toBe(message)
})

test('another style in the middle of a release', () => {
  const status = { phase: 'Progressing', currentStepIndex: 1, currentStepState: '' } as const
  const previous = { ...rollout({ steps }), status }
  expect(told(rollout({ steps }, {}), previous)).toContain(
    `metadata.annotations[${ROLLING_STYLE}]: keep \`partition\` until the release has ended`,
  )
})

test('a share that is refused alone is told', () => {
  const problem = { field: 'spec.strategy.canary.steps[0].traffic', message: 'no' }
  expect(inOlderWords([problem])).toEqual([problem])
})

import { expect, test } from 'vitest'
import { parse } from 'yaml'

import type { Deployment, IntOrPercent } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { validateRollout } from '#core/admission/validation.ts'
import { nextEdit } from './next-edit.ts'
import { propose } from './proposal.ts'
import type { Proposal, Scene } from './proposal.ts'
import { selects } from './selector.ts'
import { rolloutYaml } from './yaml.ts'

function deployment(replicas: number, spec: object = {}, container: object = {}): Deployment {
  const containers = [{ name: 'app', image: 'web:1', ...container }]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'shop', name: 'web', generation: 1 },
    spec: {
      replicas,
      template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
      ...spec,
    },
    status: { observedGeneration: 1, readyReplicas: replicas, updatedReplicas: replicas, replicas },
  }
}

function proposal(of: Deployment, beside: Partial<Scene> = {}): Proposal {
  return propose({ deployment: of, autoscalers: [], budgets: [], taken: new Set(), ...beside })
}

function stops({ rollout }: Proposal): readonly (IntOrPercent | undefined)[] {
  return rollout.spec.strategy.canary!.steps!.map(({ replicas }) => replicas)
}

const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web' },
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 3, maxReplicas: 20 },
}

function budget(spec: object) {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  }
}

test.each([
  [0, [1, '100%']],
  [1, [1, '100%']],
  [3, [1, '100%']],
  [4, [1, '50%', '100%']],
  [10, ['10%', '50%', '100%']],
  [50, ['2%', '10%', '50%', '100%']],
])('steps for %i pods', (replicas, expected) => {
  const proposed = proposal(deployment(replicas))
  expect(stops(proposed)).toEqual(expected)
  expect(proposed.steps).toHaveLength(expected.length)
})

test('with an autoscaler every step is a percent', () => {
  const autoscalers = [autoscaler]
  for (const replicas of [0, 1, 3, 5, 12, 80]) {
    const proposed = proposal(deployment(replicas), { autoscalers })
    expect(stops(proposed).every(stop => typeof stop === 'string')).toBe(true)
    expect(proposed.reasons[0]).toContain('3 to 20 by autoscaler web')
  }
})

test('a probe lets the steps between go on by themselves', () => {
  const { rollout, steps } = proposal(deployment(10, {}, { readinessProbe: {} }))
  const pauses = rollout.spec.strategy.canary!.steps!.map(({ pause }) => pause?.duration)
  expect(pauses).toEqual([undefined, 300, undefined])
  expect(steps).toEqual([
    '1 of 10 pods, then waits for approval',
    '5 of 10 pods, then goes on after 300 s',
    "the rest, by the Deployment's own strategy",
  ])
})

test.each([
  [{ minAvailable: 9 }, 'lets only 1 be away'],
  [{ minAvailable: '90%' }, 'lets only 1 be away'],
  [{ maxUnavailable: 0 }, 'lets only 0 be away'],
  [{ maxUnavailable: '25%' }, 'lets 3 be away'],
])('a disruption budget %j', (spec, words) => {
  const { reasons } = proposal(deployment(10), { budgets: [budget(spec)] })
  expect(reasons.filter(reason => reason.startsWith('disruption'))).toEqual([
    expect.stringContaining(words),
  ])
})

test('a budget for other pods is none', () => {
  const other = budget({ maxUnavailable: 0, selector: { matchLabels: { app: 'db' } } })
  const { reasons } = proposal(deployment(10), { budgets: [other] })
  expect(reasons.join()).not.toContain('disruption')
})

test.each([
  [{ key: 'app', operator: 'In', values: ['web'] }, true],
  [{ key: 'app', operator: 'NotIn', values: ['web'] }, false],
  [{ key: 'tier', operator: 'NotIn', values: ['web'] }, true],
  [{ key: 'app', operator: 'Exists' }, true],
  [{ key: 'app', operator: 'DoesNotExist' }, false],
])('selector %j', (expression, expected) => {
  expect(selects({ matchExpressions: [expression] }, { app: 'web' })).toBe(expected)
})

test.each([1, 3, 7, 10, 60])(
  'what is printed for %i pods is what was proposed, and valid',
  pods => {
    const proposed = proposal(deployment(pods, {}, { readinessProbe: {} }))
    const read = parse(rolloutYaml(proposed)) as Rollout
    expect(read).toEqual(proposed.rollout)
    expect(validateRollout(read, { others: [] })).toEqual([])
  },
)

test('names that YAML would take for something else are quoted', () => {
  const { rollout, ...words } = proposal(deployment(2))
  for (const name of ['true', '1e3', '007', 'null', 'a.b-c']) {
    const named = { ...rollout, metadata: { ...rollout.metadata, name } }
    const read = parse(rolloutYaml({ rollout: named, ...words })) as Rollout
    expect(read.metadata.name).toBe(name)
  }
})

test('a name that is taken gets another', () => {
  const { rollout } = proposal(deployment(2), { taken: new Set(['web']) })
  expect(rollout.metadata.name).toBe('web-rollout')
})

test('the next edit in the words of admission', () => {
  const held = deployment(10)
  expect(nextEdit(held, proposal(held).rollout)).toEqual([
    'release starts with step 1 of 3: 1 of 10 pods, then waits for approval; peak 11 pods',
    expect.stringContaining('approve with: kubectl -n shop patch rollout web'),
    'take all pods back with: kubectl -n shop annotate rollout web --overwrite sluice.dev/abort=$(date +%s)',
  ])
})

test.each([
  [deployment(10, { strategy: { type: 'Recreate' } }), 'not held: its strategy is Recreate'],
  [deployment(0), 'no pod runs: scaling up starts the new version at once'],
  [deployment(10, { paused: true }), 'the workload is paused and no new pod starts'],
])('why it could not be held', (of, words) => {
  expect(nextEdit(of, proposal(of).rollout).join('\n')).toContain(words)
})

// The page of warnings has every line that admission can say, and no other.

import { expect, test } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { ABORT, ROLLBACK_IN_BATCH } from '#api/names.ts'
import type { Rollout as RolloutObject } from '#api/rollout.generated.ts'
import { plainestHold, reviewWorkload } from '#core/admission/review.ts'
import * as rolloutWarnings from '#core/admission/rollout-warnings.ts'
import type { Named } from '#core/admission/rollout-warnings.ts'
import * as warnings from '#core/admission/warnings.ts'
import type { Rollout } from '#core/rollout/model.ts'
import {
  notRegistered as routeNotRegistered,
  notServed as routeNotServed,
} from '#core/traffic/route-moves.ts'
import { notMovable } from '#core/rollout/unguarded.ts'
import { notRegistered, notServed } from '#core/rollout/unseen.ts'
import { adapters, rows } from '#core/workload/registry.ts'
import { deployment } from '#core/workload/deployment.ts'
import type { Hold } from '#core/workload/hold.ts'
import { firstCells, pattern, read } from './markdown.ts'
import { threeSteps } from '../world/three-steps.ts'

type Lines = readonly string[]

const rollout = { ...threeSteps, name: 'web' }
const plan = {
  rollout,
  release: 'r1',
  replicas: 10,
  n: 1,
  peak: 11,
  adapter: {},
  caveats: [],
  paused: false,
  again: false,
  noSide: false,
  goesBack: false,
}
const hold: Hold = {
  mode: 'wave',
  pods: 1,
  budget: '10%',
  surge: '0%',
  rolloutId: 'r1',
  seq: 1,
}

/** What each function says, by its name: one that is added must come here. */
const said: Readonly<Record<string, () => readonly Lines[]>> = {
  holdWarnings: () => [
    warnings.holdWarnings(plan),
    warnings.holdWarnings({ ...plan, again: true }),
    warnings.holdWarnings({ ...plan, paused: true }),
    warnings.holdWarnings({ ...plan, rollout: { ...rollout, paused: true } }),
    warnings.holdWarnings({
      ...plan,
      rollout: { ...rollout, steps: [{ replicas: 1, pauseSeconds: 300 }, ...rollout.steps] },
    }),
    warnings.holdWarnings({
      ...plan,
      blocked: notMovable(2, 'HTTPRoute web does not exist'),
    }),
    warnings.holdWarnings({ ...plan, goesBack: true }),
    warnings.holdWarnings({ ...plan, again: true, noSide: true }),
    warnings.holdWarnings({
      ...plan,
      rollout: { ...rollout, traffic: { service: 'web', routes: [], graceSeconds: 3 } },
    }),
    ...rows.map(adapter => {
      const { apiVersion, kind } = adapter
      const rollingUpdate = { maxSurge: 1, partition: 3 }
      const caveats = adapter.caveats({ updateStrategy: { ...rollingUpdate, rollingUpdate } }, true)
      const guard = { ...rollout, ref: { ...rollout.ref, apiVersion, kind } }
      return warnings.holdWarnings({ ...plan, rollout: guard, adapter, caveats })
    }),
    plainestHold(edit()).warnings,
  ],
  nativeWarnings: () => [warnings.nativeWarnings()],
  caughtWarnings: () => [warnings.caughtWarnings()],
  unansweredWarnings: () => [warnings.unansweredWarnings()],
  lostWarnings: () => [warnings.lostWarnings()],
  notHeldWarnings: () =>
    [
      edit({}, { ...rollout, disabled: true }),
      edit({}, { ...rollout, refused: { reason: 'Conflict', message: 'Rollout old was first' } }),
      edit({ strategy: { type: 'Recreate' } }),
      edit({ replicas: 0 }),
      { ...edit(), rollout: undefined },
    ].map(({ rollout: named, ...rest }) => {
      const answer = reviewWorkload({ ...rest, ...(named && { rollout: named }) })
      expect(answer.outcome).toBe('notHeld')
      return answer.warnings
    }),
  rollbackWarnings: () => [warnings.rollbackWarnings(hold, true)],
  requestsFirstWarnings: () => [warnings.requestsFirstWarnings(hold)],
  takenBackWarnings: () => [warnings.takenBackWarnings()],
  ownerWarnings: () => [
    warnings.ownerWarnings(false, true, { rollout }),
    warnings.ownerWarnings(true, false, { rollout }),
    warnings.ownerWarnings(false, false, { rollout }),
    warnings.ownerWarnings(false, false, {
      resting: 'its updateStrategy is OnDelete, by which nobody is replaced step by step',
    }),
  ],
  abortedWarnings: () => [
    warnings.abortedWarnings(rollout, { ...hold, mode: 'aborted' }, true),
    warnings.abortedWarnings(rollout, { ...hold, mode: 'stop' }, true),
  ],
  rolloutWarnings: () =>
    [[], [{ type: 'Stalled', status: 'True', reason: 'Aborted' }]].flatMap(conditions => {
      const before = progressing(conditions)
      const disabled = { ...before, spec: { ...before.spec, disabled: true } }
      return [
        rolloutWarnings.rolloutWarnings(before),
        rolloutWarnings.rolloutWarnings(before, disabled),
        rolloutWarnings.rolloutWarnings(annotated(ABORT, 'true'), annotated(ABORT, 'true')),
      ]
    }),
  unguardedWarnings: () => {
    const object = progressing([])
    const recreated = { ...edit({ strategy: { type: 'Recreate' } }).object }
    const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', name: 'web' }
    const lane = { apiVersion: 'mesh.example.com/v1', kind: 'Lane', name: 'web' }
    const shard = { apiVersion: 'databases.example.com/v1', kind: 'Shard' }
    const beta = { apiVersion: 'apps.kruise.io/v1beta1', kind: 'CloneSet' }
    const named: readonly Named[] = [
      { workload: 'missing' },
      { workload: recreated },
      { unmovable: routeNotServed(route) },
      { unmovable: routeNotRegistered(lane) },
      { unseen: notServed(shard, []) },
      { unseen: notRegistered(shard, 'shards', []) },
      { unseen: notRegistered(beta, 'clonesets', []) },
    ]
    const { steps } = object.spec.strategy.canary!
    const canary = { steps: steps!.map(step => ({ ...step, traffic: '20%' })) }
    const trafficRoutings = [{ service: 'web', gateway: { httpRouteName: 'web' } }]
    const strategy = { canary: { ...canary, trafficRoutings } }
    const routed = { ...object, spec: { ...object.spec, strategy } }
    return named.map(each => rolloutWarnings.unguardedWarnings(routed, each, adapters))
  },
  unheardWarnings: () => [
    rolloutWarnings.unheardWarnings(inBatch('true')),
    rolloutWarnings.unheardWarnings(inBatch('True')),
    rolloutWarnings.unheardWarnings(routed(inBatch('true'))),
    rolloutWarnings.unheardWarnings(passing()),
    rolloutWarnings.unheardWarnings(besideDaemonSet()),
    ...oneServiceBy().map(object => rolloutWarnings.unheardWarnings(object)),
  ],
}
const lines = Object.values(said).flatMap(say => say().flat())
const told = firstCells(read('docs/plan-at-the-edit.md'))

test('everything that warns is looked at', () => {
  const functions = [...Object.keys(warnings), ...Object.keys(rolloutWarnings)]
  expect(Object.keys(said).toSorted()).toEqual(functions.toSorted())
})

test.each([...new Set(lines)])('on the page: %s', line => {
  expect(told.filter(cell => pattern(cell).test(line))).not.toEqual([])
})

test.each(told)('is said: %s', cell => {
  expect(lines.filter(line => pattern(cell).test(line))).not.toEqual([])
})

test('a line is short enough for API servers and clients', () => {
  expect(lines.filter(line => line.length > 256)).toEqual([])
})

function edit(spec: Partial<Deployment['spec']> = {}, guard: Rollout = rollout) {
  const [before, object] = ['web:1', 'web:2'].map(image => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'shop', name: 'web', generation: 1 },
    spec: { replicas: 10, template: { spec: { containers: [{ image }] } }, ...spec },
  })) as unknown as [Deployment, Deployment]
  return { adapter: deployment, before, object, rollout: guard, fromController: false }
}

function routed(object: RolloutObject): RolloutObject {
  const { spec } = object
  const trafficRoutings = [{ service: 'shop' }]
  return { ...object, spec: { ...spec, strategy: { canary: { steps: [], trafficRoutings } } } }
}

function inBatch(value: string): RolloutObject {
  return annotated(ROLLBACK_IN_BATCH, value)
}

function annotated(annotation: string, value: string): RolloutObject {
  const { metadata, ...rest } = progressing([])
  return { ...rest, metadata: { ...metadata, annotations: { [annotation]: value } } }
}

function passing(): RolloutObject {
  const { spec, ...rest } = progressing([])
  const steps = [{ replicas: 1, pause: { duration: -5 } }]
  return { ...rest, spec: { ...spec, strategy: { canary: { steps } } } }
}

function besideDaemonSet(): RolloutObject {
  const { spec, ...rest } = progressing([])
  const canary = { ...spec.strategy.canary, enableExtraWorkloadForCanary: true }
  const workloadRef = { ...spec.workloadRef, kind: 'DaemonSet' }
  return { ...rest, spec: { workloadRef, strategy: { canary } } }
}

function oneServiceBy(): readonly RolloutObject[] {
  const { spec, ...rest } = progressing([])
  const [rule, route] = ['DestinationRule', 'VirtualService'].map(kind => {
    return { apiVersion: 'networking.istio.io/v1', kind, name: 'shop' }
  })
  const by: readonly object[] = [
    { ingress: { name: 'shop' } },
    { customNetworkRefs: [route] },
    { customNetworkRefs: [rule, route] },
  ]
  const routings = [[], ...by.map(each => [{ service: 'shop', ...each }])]
  return routings.map(trafficRoutings => {
    const canary = { ...spec.strategy.canary, disableGenerateCanaryService: true, trafficRoutings }
    return { ...rest, spec: { ...spec, strategy: { canary } } }
  })
}

function progressing(conditions: readonly object[]): RolloutObject {
  const { steps, ref } = rollout
  return {
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { namespace: 'shop', name: 'web' },
    spec: { workloadRef: ref, strategy: { canary: { steps } } },
    status: { phase: 'Progressing', conditions, canaryStatus: { stableRevision: '7d9f8c6b5' } },
  } as unknown as RolloutObject
}

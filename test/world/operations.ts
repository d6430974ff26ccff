// Sequences of operations on one Deployment, as plain data: what its owner, an autoscaler and our
// controller write, each to be let come to rest before the next one. They are meant for two readers,
// the real controller-manager and the simulated one.

import fc from 'fast-check'

import type { ReplicaSet, RollingUpdate } from '#api/kubernetes.ts'
import {
  ARMED_MIN_READY_SECONDS,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  NO_PROGRESS_DEADLINE,
} from '#api/names.ts'
import type { MergePatch } from '#core/change.ts'
import { surgePods } from '#core/workload/percent.ts'

/** One operation. A ReplicaSet is named by a number that counts round, since none is known yet. */
export type Operation =
  | { readonly on: 'deployment'; readonly spec: MergePatch }
  | { readonly on: 'scale'; readonly replicas: number }
  | { readonly on: 'set'; readonly which: number; readonly by: number }
  | { readonly on: 'set'; readonly which: number; readonly minReadySeconds: number }

/** What a sequence begins with; version 1 has come to rest. */
export interface Start {
  readonly replicas: number
  readonly rollingUpdate: RollingUpdate
  readonly revisionHistoryLimit: number
}

/** A beginning, and what happens then. */
export interface Sequence {
  readonly start: Start
  readonly operations: readonly Operation[]
}

/** A ReplicaSet as the controller-manager has left it. */
export interface SetFacts {
  readonly name: string
  readonly created: string
  readonly image: string
  readonly replicas: number
  readonly desired: string | undefined
  readonly max: string | undefined
  readonly minReadySeconds: number
}

/** What a comparison looks at. */
export function factsOf({ metadata, spec }: ReplicaSet): SetFacts {
  const containers = spec.template.spec?.['containers'] as readonly { readonly image: string }[]
  const annotations = metadata.annotations ?? {}
  return {
    name: metadata.name,
    created: metadata.creationTimestamp ?? '',
    image: containers[0]?.image ?? '',
    replicas: spec.replicas ?? 1,
    desired: annotations[DESIRED_REPLICAS],
    max: annotations[MAX_REPLICAS],
    minReadySeconds: spec.minReadySeconds ?? 0,
  }
}

/** What an operation means in the state that it meets. */
export interface Write {
  readonly kind: 'Deployment' | 'ReplicaSet'
  readonly name: string
  readonly subresource?: 'scale'
  readonly patch: MergePatch
}

/** The Deployment's name in every sequence. */
export const NAME = 'web'

/** The spec of a Deployment that a sequence begins with. */
export function specOf({ replicas, rollingUpdate, revisionHistoryLimit }: Start): MergePatch {
  const labels = { app: NAME }
  const { template } = templateOf('app:1')
  return {
    replicas,
    revisionHistoryLimit,
    selector: { matchLabels: labels },
    strategy: { type: 'RollingUpdate', rollingUpdate: { ...rollingUpdate } },
    template: { metadata: { labels }, ...template },
  }
}

function templateOf(image: string) {
  // Pods that need no scheduler and are gone at once: the controller-manager is what matters.
  const pod = { nodeName: 'node-1', terminationGracePeriodSeconds: 0 }
  return { template: { spec: { ...pod, containers: [{ name: 'app', image }] } } }
}

/** The write of an operation, where these ReplicaSets are there, oldest first. */
export function writeOf(
  operation: Operation,
  deployment: { readonly replicas: number; readonly rollingUpdate: RollingUpdate },
  sets: readonly SetFacts[],
): Write {
  if (operation.on === 'deployment') {
    return { kind: 'Deployment', name: NAME, patch: { spec: operation.spec } }
  }
  if (operation.on === 'scale') {
    const patch = { spec: { replicas: operation.replicas } }
    return { kind: 'Deployment', name: NAME, subresource: 'scale', patch }
  }
  const set = sets[operation.which % sets.length]
  // Paused with a new template, and with nobody to remember: there is none.
  if (!set) return { kind: 'Deployment', name: NAME, patch: {} }
  if ('minReadySeconds' in operation) {
    const patch = { spec: { minReadySeconds: operation.minReadySeconds } }
    return { kind: 'ReplicaSet', name: set.name, patch }
  }
  const { replicas, rollingUpdate } = deployment
  const most = replicas + surgePods(rollingUpdate.maxSurge ?? 0, replicas)
  const annotations = { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(most) }
  const size = Math.min(Math.max(set.replicas + operation.by, 0), Math.max(most, set.replicas))
  const patch = { metadata: { annotations }, spec: { replicas: size } }
  return { kind: 'ReplicaSet', name: set.name, patch }
}

const percents = (most: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: most }), fc.boolean())
    .map(([percent, marked]) => `${marked ? '0' : ''}${percent}%`)

const amounts = (most: number) => fc.oneof(fc.integer({ min: 0, max: 4 }), percents(most))

/** Every budget that the API server takes: it refuses two zeros. */
const rolling = fc
  .record({
    maxUnavailable: fc.oneof(amounts(100), fc.constantFrom('030%', '00%', 1)),
    maxSurge: fc.oneof(amounts(120), fc.constantFrom('00%', 0)),
  })
  .map(({ maxUnavailable, maxSurge }) =>
    isZero(maxUnavailable) && isZero(maxSurge)
      ? { maxUnavailable, maxSurge: 1 }
      : { maxUnavailable, maxSurge },
  )

function isZero(amount: number | string): boolean {
  return Number.parseInt(String(amount), 10) === 0
}

const images = fc.constantFrom('app:1', 'app:2', 'app:3', 'app:4', 'app:broken-1', 'app:broken-2')
const sizes = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 2, max: 7 }) },
  { weight: 1, arbitrary: fc.integer({ min: 8, max: 13 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 1) },
)

const armed = {
  minReadySeconds: ARMED_MIN_READY_SECONDS,
  progressDeadlineSeconds: NO_PROGRESS_DEADLINE,
}
const disarmed = { minReadySeconds: 0, progressDeadlineSeconds: 600 }

const budget = rolling.map(rollingUpdate => ({ strategy: { rollingUpdate } }))
const template = images.map(templateOf)
const arming = fc.constantFrom(armed, disarmed)
const pausing = fc.boolean().map(paused => ({ paused }))

function ofDeployment(spec: fc.Arbitrary<MergePatch>): fc.Arbitrary<Operation> {
  return spec.map(each => ({ on: 'deployment', spec: each }))
}

/** Several fields in one write. */
function together(...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<MergePatch> {
  return fc.tuple(...parts).map(each => Object.assign({}, ...each) as MergePatch)
}

const operations: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: ofDeployment(budget) },
  { weight: 2, arbitrary: ofDeployment(template) },
  // The edit as admission answers it: held, in one write.
  { weight: 3, arbitrary: ofDeployment(together(template, budget, fc.constant(armed))) },
  { weight: 2, arbitrary: ofDeployment(arming) },
  // The end of a hold.
  { weight: 1, arbitrary: ofDeployment(together(budget, fc.constant(disarmed))) },
  { weight: 2, arbitrary: ofDeployment(pausing) },
  { weight: 4, arbitrary: sizes.map(replicas => ({ on: 'scale' as const, replicas })) },
  {
    weight: 3,
    arbitrary: fc.record({
      on: fc.constant('set' as const),
      which: fc.nat(11),
      by: fc.integer({ min: -4, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      on: fc.constant('set' as const),
      which: fc.nat(11),
      minReadySeconds: fc.constantFrom(0, ARMED_MIN_READY_SECONDS),
    }),
  },
)

const sequences: fc.Arbitrary<Sequence> = fc.record({
  start: fc.record({
    replicas: sizes,
    rollingUpdate: rolling,
    revisionHistoryLimit: fc.constantFrom(0, 1, 10, 10),
  }),
  operations: fc.array(operations, { minLength: 20, maxLength: 20 }),
})

/** The sequence of a seed. */
export function sequenceOf(seed: number): Sequence {
  return fc.sample(sequences, { seed, numRuns: 1 })[0]!
}

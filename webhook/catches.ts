// How the policy in the API server holds each kind, in CEL: by which field, what a request says there, and
// what is remembered of it. `has` stands before every field, since a missing one is an error.

import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { caughtRecord } from '#core/workload/caught.ts'
import { deployment } from '#core/workload/deployment.ts'
import { NOBODY, NONE } from '#core/workload/partition-fields.ts'
import { statefulSet } from '#core/workload/statefulset.ts'
import type { Subject } from './configuration.ts'

/** How edits of one kind are caught. */
export interface Catch {
  readonly adapter: WorkloadAdapter
  /** Only what this holds for is replaced by its own controller at all. */
  readonly rolls?: string
  /** Text: what an object says in the field by which it is held. */
  readonly carries: (subject: Subject) => string
  /** True where a write changes one of the fields that hold. */
  readonly loosens: string
  /** Text: the record of what `variables.carried` says. */
  readonly record: string
  /** Applied to `spec`. */
  readonly spec: string
}

/** What a larger size adds is above the partition, and would be new. */
const grows = `(has(object.spec.replicas) && has(oldObject.spec.replicas) && object.spec.replicas > oldObject.spec.replicas)`

/** Each kind, in the order of the registry. */
export const catches: readonly Catch[] = [
  {
    adapter: deployment,
    carries: subject => `${isPaused(subject)} ? 'paused' : 'running'`,
    loosens: ['strategy', 'minReadySeconds', 'progressDeadlineSeconds', 'paused']
      .map(differs)
      .join(' || '),
    record: `variables.carried == 'paused' ? ${recordFor('paused')} : ${recordFor('running')}`,
    spec: 'Object.spec{paused: true}',
  },
  {
    adapter: statefulSet,
    rolls: `(${type('object')}) == 'RollingUpdate'`,
    carries: partition,
    loosens: [
      `(${partition('object')}) != (${partition('oldObject')})`,
      `(${type('object')}) != (${type('oldObject')})`,
      grows,
    ].join(' || '),
    record: partitionRecord(),
    spec: `Object.spec{updateStrategy: Object.spec.updateStrategy{rollingUpdate: Object.spec.updateStrategy.rollingUpdate{partition: ${NOBODY}}}}`,
  },
]

function recordFor(carried: string): string {
  return `'${caughtRecord(deployment, carried)}'`
}

function isPaused(subject: Subject): string {
  return `has(${subject}.spec.paused) && ${subject}.spec.paused`
}

function differs(field: string): string {
  const [now, was] = [`object.spec.${field}`, `oldObject.spec.${field}`]
  return `(has(${now}) != has(${was}) || (has(${now}) && ${now} != ${was}))`
}

function type(subject: Subject): string {
  const path = ['updateStrategy', 'type']
  return `${has(subject, ...path)} ? string(${subject}.spec.${path.join('.')}) : 'RollingUpdate'`
}

function partition(subject: Subject): string {
  const path = ['updateStrategy', 'rollingUpdate', 'partition']
  return `${has(subject, ...path)} ? string(${subject}.spec.${path.join('.')}) : '${NONE}'`
}

/** The same text whatever the number is: what stands before it, and after it. */
function partitionRecord(): string {
  const [before, after] = caughtRecord(statefulSet, '7').split(':7}')
  const number = `(variables.carried == '${NONE}' ? 'null' : variables.carried)`
  return `'${before}:' + ${number} + '}${after}'`
}

/** Every field on the way is there. */
function has(subject: Subject, ...path: readonly string[]): string {
  return path.map((_, i) => `has(${subject}.spec.${path.slice(0, i + 1).join('.')})`).join(' && ')
}

// How the policy in the API server holds a kind with a partition: it keeps everybody at the old version.

import { textAt } from './catch.ts'
import type { Catch, Subject } from './catch.ts'
import { caughtRecord } from './caught.ts'
import { NOBODY, NONE, partitionFields } from './partition-fields.ts'

/** What a larger size adds is above the partition, and would be new. */
const grows = `(has(object.spec.replicas) && has(oldObject.spec.replicas) && object.spec.replicas > oldObject.spec.replicas)`

export const partitionCatch: Catch = {
  rolls: `(${type('object')}) == 'RollingUpdate'`,
  carries: partition,
  loosens: [
    `(${partition('object')}) != (${partition('oldObject')})`,
    `(${type('object')}) != (${type('oldObject')})`,
    grows,
  ].join(' || '),
  record: record(),
  spec: `Object.spec{updateStrategy: Object.spec.updateStrategy{rollingUpdate: Object.spec.updateStrategy.rollingUpdate{partition: ${NOBODY}}}}`,
}

function type(subject: Subject): string {
  return textAt(subject, ['updateStrategy', 'type'], 'RollingUpdate')
}

function partition(subject: Subject): string {
  return textAt(subject, ['updateStrategy', 'rollingUpdate', 'partition'], NONE)
}

/** The same text whatever the number is: what stands before it, and after it. */
function record(): string {
  const [before, after] = caughtRecord(partitionFields, '7').split(':7}')
  const number = `(variables.carried == '${NONE}' ? 'null' : variables.carried)`
  return `'${before}:' + ${number} + '}${after}'`
}

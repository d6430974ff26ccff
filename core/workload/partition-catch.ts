// How the policy in the API server holds a kind with a partition: it keeps everybody at the old version.

import type { WorkloadFields } from './adapter.ts'
import { textAt } from './catch.ts'
import type { Catch, Subject } from './catch.ts'
import { caughtRecord } from './caught.ts'
import { NOBODY, NONE } from './partition-fields.ts'
import type { PartitionKind } from './partition-kind.ts'
import type { Partitioned } from './partition-object.ts'

/** What a larger size adds is above the partition, and would be new. */
const grows = `(has(object.spec.replicas) && has(oldObject.spec.replicas) && object.spec.replicas > oldObject.spec.replicas)`

/** How a kind is caught. */
export function partitionCatch(
  { place, restsBy }: PartitionKind,
  fields: WorkloadFields<Partitioned>,
): Catch {
  const block = ['updateStrategy', ...place.path]
  const partition = (subject: Subject) => textAt(subject, [...block, 'partition'], NONE)
  const resting = restsBy.map(each => `'${each}'`).join(', ')
  return {
    ...(resting !== '' && { rolls: `!((${type('object')}) in [${resting}])` }),
    carries: partition,
    loosens: [
      `(${partition('object')}) != (${partition('oldObject')})`,
      `(${type('object')}) != (${type('oldObject')})`,
      grows,
    ].join(' || '),
    record: record(fields),
    spec: applied(['spec', ...block], `partition: ${NOBODY}`),
  }
}

function type(subject: Subject): string {
  return textAt(subject, ['updateStrategy', 'type'], 'RollingUpdate')
}

/** The same text whatever the partition is: what stands before it, and after it. A share is a text. */
function record(fields: WorkloadFields<Partitioned>): string {
  const [before, after] = caughtRecord(fields, '7').split(':7}')
  const carried = 'variables.carried'
  const value = `(${carried}.endsWith('%') ? '"' + ${carried} + '"' : ${carried})`
  return `'${before}:' + (${carried} == '${NONE}' ? 'null' : ${value}) + '}${after}'`
}

/** The object of that path, with a value in its last field. */
function applied(path: readonly string[], value: string): string {
  return path.reduceRight((inner, field, i) => {
    const object = `Object.${path.slice(0, i + 1).join('.')}{${inner}}`
    return i === 0 ? object : `${field}: ${object}`
  }, value)
}

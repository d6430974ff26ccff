// How the policy in the API server holds a DaemonSet: by OnDelete, as every hold of one does.

import { CAUGHT, HOLD } from '#api/names.ts'
import { textAt } from './catch.ts'
import type { Catch, Subject } from './catch.ts'
import { caughtRecord } from './caught.ts'
import { daemonFields, ON_DELETE } from './daemon-fields.ts'

/** Where that is our word its owner's own controller would replace pods without it. */
const isOurs = [HOLD, CAUGHT].map(key => `'${key}' in oldObject.metadata.annotations`).join(' || ')

export const daemonCatch: Catch = {
  rolls: `(${type('object')}) != '${ON_DELETE}' || (has(oldObject.metadata.annotations) && (${isOurs}))`,
  carries: type,
  loosens: `(${type('object')}) != (${type('oldObject')})`,
  record: `variables.carried == '${ON_DELETE}' ? ${recordFor(ON_DELETE)} : ${recordFor('RollingUpdate')}`,
  spec: `Object.spec{updateStrategy: Object.spec.updateStrategy{type: '${ON_DELETE}'}}`,
}

function type(subject: Subject): string {
  return textAt(subject, ['updateStrategy', 'type'], 'RollingUpdate')
}

function recordFor(carried: string): string {
  return `'${caughtRecord(daemonFields, carried)}'`
}

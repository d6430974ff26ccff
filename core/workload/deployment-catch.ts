// How the policy in the API server holds a Deployment: it pauses it.

import { differs } from './catch.ts'
import type { Catch, Subject } from './catch.ts'
import { caughtRecord } from './caught.ts'
import { deploymentFields } from './deployment-admission.ts'

export const deploymentCatch: Catch = {
  carries: subject => `${isPaused(subject)} ? 'paused' : 'running'`,
  loosens: ['strategy', 'minReadySeconds', 'progressDeadlineSeconds', 'paused']
    .map(differs)
    .join(' || '),
  record: `variables.carried == 'paused' ? ${recordFor('paused')} : ${recordFor('running')}`,
  spec: 'Object.spec{paused: true}',
}

function recordFor(carried: string): string {
  return `'${caughtRecord(deploymentFields, carried)}'`
}

function isPaused(subject: Subject): string {
  return `has(${subject}.spec.paused) && ${subject}.spec.paused`
}
